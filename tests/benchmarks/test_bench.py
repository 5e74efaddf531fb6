"""`make bench` in its shortest form: each part works and is written. No figure is asserted: those are for people."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from deploy.local.checkout import here
from deploy.local.failure import SetUpFailed
from deploy.local.instance import Servers
from deploy.local.peer import bring_peer
from tests.benchmarks import readme, report
from tests.benchmarks.forms import FORMS, PACES
from tests.benchmarks.measured import CONTENDERS, OURS, PEER, Measured, from_json, to_json
from tests.benchmarks.mix import mail_of_mix
from tests.benchmarks.run import run

KEYS = {
    "end_to_end", "peer", "ratio_to_peer", "ceiling", "share_of_ceiling", "cpu_ms", "latency_ms", "fsync_ms", "growth",
    "memory_mb", "startup_s",
}  # fmt: skip
SERVICES = {"fetcher", "classifier", "ticket_writer", "notifier"}
PUBLISHED = report.FOLDER / "results.json"

pytestmark = pytest.mark.timeout(1800)
"""The run is made once, within the first test."""


@pytest.fixture(scope="module")
async def measured(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    try:
        bring_peer(here())
    except SetUpFailed as failure:
        pytest.fail(str(failure), pytrace=False)
    return await run(servers, tmp_path_factory.mktemp("bench"), FORMS["shortest"], Console(quiet=True))


async def test_every_contender_takes_every_mail_in_turns(measured: Measured) -> None:
    assert [turn.contender for turn in measured.rounds] == list(CONTENDERS)
    assert {turn.mails for turn in measured.rounds} == {FORMS["shortest"].round_mails}
    assert all(turn.seconds > 0 for turn in measured.rounds)
    assert len(measured.fsync_ms) == len(measured.rounds)


async def test_the_importer_and_the_ceilings_send_the_same_mails(measured: Measured) -> None:
    ours, *others = (turn.mails_out * turn.mails for turn in measured.rounds if turn.contender != PEER)
    assert ours > 0
    assert all(out > 0 for out in others)


async def test_what_a_mail_costs_is_told_by_process(measured: Measured) -> None:
    costs = measured.of(OURS)[0].processor_ms
    assert costs.keys() >= SERVICES
    assert sum(costs.values()) > 0
    assert measured.of(OURS)[0].commits > 0
    assert measured.of(OURS)[0].log_bytes > 0


async def test_the_services_are_looked_at_when_they_start_and_at_work(measured: Measured) -> None:
    assert measured.startup_seconds.keys() == SERVICES
    assert measured.memory.keys() > SERVICES
    assert all(0 < each.idle <= each.load for each in measured.memory.values())
    assert measured.profile is not None
    assert all(count > 0 for count in measured.profile.checkouts.values())


async def test_latency_growth_replicas_and_a_backlog_are_measured(measured: Measured) -> None:
    assert [each.pace for each in measured.latencies][: len(PACES)] == list(PACES)
    assert all(0 < each.commit_p50 <= each.commit_p99 for each in measured.latencies)
    assert all(0 < each.received_p50 <= each.received_p99 for each in measured.latencies)
    assert [each.tickets for each in measured.growth] == list(FORMS["shortest"].growth)
    assert list(measured.replicas) == list(FORMS["shortest"].replicas)
    assert measured.backlog is not None
    assert measured.backlog.mails == FORMS["shortest"].backlog


async def test_all_of_it_is_written_and_can_be_written_again(measured: Measured, tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(readme.README.read_text(encoding="utf-8"), encoding="utf-8")
    report.write(from_json(to_json(measured)), tmp_path / "benchmarks", page)
    results = json.loads((tmp_path / "benchmarks/results.json").read_text(encoding="utf-8"))
    assert results.keys() == KEYS
    assert readme.three_lines(results) in page.read_text(encoding="utf-8")
    written = (tmp_path / "benchmarks/README.md").read_text(encoding="utf-8")
    plots = re.findall(r"!\[[^]]+\]\(([^)]+\.svg)\)", written)
    assert len(plots) == 4
    for name in plots:
        assert ET.parse(tmp_path / "benchmarks" / name).getroot().tag.endswith("svg")  # noqa: S314 - our own


def test_the_published_figures_have_exactly_these_names() -> None:
    results = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert results.keys() == KEYS
    assert results["end_to_end"].keys() == results["peer"].keys() == results["ceiling"].keys() == {"mails_per_s"}
    assert results["latency_ms"].keys() == {"p50", "p99"}


def test_the_readme_says_what_was_published() -> None:
    results = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert readme.three_lines(results) in readme.README.read_text(encoding="utf-8")


def test_a_later_run_takes_the_place_of_the_lines_and_a_busy_machine_is_named() -> None:
    results = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    busy = readme.with_lines(readme.README.read_text(encoding="utf-8"), results, quiet=False)
    quiet = readme.with_lines(busy, {**results, "ratio_to_peer": 98.76}, quiet=True)
    assert "busy by others" in busy
    assert "busy by others" not in quiet
    assert "98.8 times django-helpdesk" in quiet
    assert readme.three_lines(results) not in quiet


def test_a_mail_of_the_mix_is_the_same_each_time_but_for_its_date() -> None:
    def without_date(mail: bytes) -> bytes:
        return re.sub(rb"(?m)^Date: .*\n|boundary=.*\n|^--=+\d+==.*\n", b"", mail)

    for number in range(20):
        assert without_date(mail_of_mix(number)) == without_date(mail_of_mix(number))
    assert without_date(mail_of_mix(1)) != without_date(mail_of_mix(1, 1))
