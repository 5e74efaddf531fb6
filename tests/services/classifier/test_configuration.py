"""The pattern of ticket numbers is one per installation, and must find our own numbers (SPEC D1)."""

import pytest

from services.classifier.configuration import ClassifierConfiguration
from shared.errors import Misconfigured


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A complete environment."""
    monkeypatch.setenv("IMPORTER_DATABASE_URL", "postgresql://role:word@db.example/helpdesk")
    monkeypatch.setenv("IMPORTER_AMQP_URL", "amqps://user:word@mq.example/importer")
    return monkeypatch


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        pytest.param("([0-9]+", "not a regular expression", id="broken"),
        pytest.param("CW-[0-9]+", "such as 1000001", id="misses our numbers"),
        pytest.param("[0-9]*", "matches an empty text", id="matches nothing at all"),
        pytest.param("(?=1)[0-9]+", "cannot be used", id="look-ahead"),
        pytest.param(r"([0-9])\1+|[0-9]+", "cannot be used", id="back-reference"),
        pytest.param(r"\b[0-9]+", "cannot be used", id="what the database reads otherwise"),
        pytest.param("[0-9]+|é", "ASCII", id="beyond ASCII"),
        pytest.param("[0-9]{7}{900}{900}", "regular expression", id="larger than memory"),
    ],
)
def test_D1_a_pattern_that_cannot_be_is_refused_at_the_start(
    environment: pytest.MonkeyPatch, pattern: str, sentence: str
) -> None:
    environment.setenv("IMPORTER_TICKET_NUMBER_PATTERN", pattern)
    with pytest.raises(Misconfigured, match=sentence) as raised:
        ClassifierConfiguration.load(service="classifier")
    assert str(raised.value).startswith("IMPORTER_TICKET_NUMBER_PATTERN ")


def test_D1_another_pattern_that_finds_our_numbers_is_taken(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("IMPORTER_TICKET_NUMBER_PATTERN", "(?:CW-)?[0-9]{4,9}")
    assert ClassifierConfiguration.load(service="classifier").ticket_number_pattern == "(?:CW-)?[0-9]{4,9}"


@pytest.mark.parametrize(
    "url",
    ["clamd:3310", "http://clamd:3310", "tcp://clamd", "unix://clamd.ctl", "tcp://:3310", "tcp://clamd:poort"],
)
def test_D4_an_address_of_the_virus_scanner_that_is_none_is_refused_at_the_start(
    environment: pytest.MonkeyPatch, url: str
) -> None:
    environment.setenv("IMPORTER_CLAMD_URL", url)
    with pytest.raises(Misconfigured) as raised:
        ClassifierConfiguration.load(service="classifier")
    assert str(raised.value).startswith("IMPORTER_CLAMD_URL ")


@pytest.mark.parametrize("url", ["tcp://clamd:3310", "unix:///run/clamav/clamd.ctl"])
def test_D4_an_address_of_the_virus_scanner_is_taken(environment: pytest.MonkeyPatch, url: str) -> None:
    environment.setenv("IMPORTER_CLAMD_URL", url)
    assert ClassifierConfiguration.load(service="classifier").clamd_url == url
    environment.setenv("IMPORTER_CLAMD_URL", "")
    assert ClassifierConfiguration.load(service="classifier").clamd_url is None
