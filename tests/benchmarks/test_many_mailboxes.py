"""`make bench MAILBOXES=1` in its shortest form: each part works and is written. No figure is asserted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from deploy.local.instance import Servers
from tests.benchmarks.many_mailboxes import report
from tests.benchmarks.many_mailboxes.forms import FORMS
from tests.benchmarks.many_mailboxes.measured import Delays, Measured
from tests.benchmarks.many_mailboxes.run import run
from tests.benchmarks.many_mailboxes.town import SERVERS

FORM = FORMS["shortest"]

pytestmark = pytest.mark.timeout(900)
"""The run is made once, within the first test."""


@pytest.fixture(scope="module")
async def measured(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    return await run(servers, tmp_path_factory.mktemp("mailboxes"), FORM, Console(quiet=True))


async def test_a_poll_of_exchange_and_graph_costs_one_request(measured: Measured) -> None:
    assert all(measured.quiet.polls_by_server[name] for name in SERVERS)
    assert measured.quiet.requests["ews"].keys() <= {"FindItem", "steps of logging in"}
    assert measured.quiet.requests["graph"].keys() <= {"GET /messages", "tokens"}
    asked = measured.quiet.requests
    assert asked["ews"]["FindItem"] == pytest.approx(measured.quiet.polls_by_server["ews"], abs=FORM.mailboxes)
    assert asked["graph"]["GET /messages"] == pytest.approx(measured.quiet.polls_by_server["graph"], abs=FORM.mailboxes)


async def test_no_mail_is_lost_whatever_dies(measured: Measured) -> None:
    deaths = [delays for death in measured.deaths for delays in (*death.others.values(), death.back)]
    for delays in (*measured.arrivals.values(), *deaths, measured.killed.taken_over):
        assert delays.lost == 0
        assert delays.mails == 0 or 0 < delays.p50 <= delays.p99 <= delays.most
    assert measured.rush_mails == FORM.mailboxes * FORM.rush_mails


async def test_the_leases_of_a_fetcher_that_was_killed_pass_to_the_other(measured: Measured) -> None:
    assert measured.killed.leases > 0
    assert measured.killed.taken_over.mails == FORM.mailboxes
    assert measured.killed.taken_over.lost == 0


async def test_all_of_it_is_written(measured: Measured, tmp_path: Path) -> None:
    report.write(measured, tmp_path)
    written = (tmp_path / "mailboxes.md").read_text(encoding="utf-8")
    plots = re.findall(r"!\[[^]]+\]\(([^)]+\.svg)\)", written)
    assert len(plots) == 2
    for name in plots:
        assert ET.parse(tmp_path / name).getroot().tag.endswith("svg")  # noqa: S314 - our own
    assert json.loads((tmp_path / "mailboxes.json").read_text())["mailboxes"] == FORM.mailboxes
    assert json.loads((report.FOLDER / "mailboxes.json").read_text())["mailboxes"] == FORMS["usual"].mailboxes


@pytest.mark.parametrize(
    ("seconds", "p50", "p99"),
    [([3.0], 3.0, 3.0), ([1.0, 2.0], 1.0, 2.0), ([float(n) for n in range(1, 201)], 100.0, 198.0)],
    ids=["one", "two", "many"],
)
def test_delays_are_told_by_the_nearest_rank(seconds: list[float], p50: float, p99: float) -> None:
    delays = Delays.of(seconds)
    assert (delays.p50, delays.p99, delays.most) == (p50, p99, max(seconds))
