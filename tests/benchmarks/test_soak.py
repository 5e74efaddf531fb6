"""`make soak` in a short form, and the criterion by which it fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from deploy.local.instance import Servers
from tests.benchmarks.many_mailboxes.fetchers import Footprint
from tests.benchmarks.soak import report
from tests.benchmarks.soak.run import Amount, run
from tests.benchmarks.soak.samples import Sample, growth


def series(memory: list[float], *, threads: int = 0, sockets: int = 0) -> list[Sample]:
    """Samples of this memory, and of so many more threads and sockets with each."""
    return [
        Sample(60.0 * n, 1000 * n, 0, Footprint(mb, 40 + threads * n, 500 + sockets * n, 400 + sockets * n))
        for n, mb in enumerate(memory, start=1)
    ]


FLAT = [130.0] * 12


@pytest.mark.parametrize(
    ("samples", "grows"),
    [
        pytest.param(series(FLAT), set(), id="flat"),
        pytest.param(series([60.0, 90.0, 120.0, 130.0, *FLAT[:8]]), set(), id="it warms up"),
        pytest.param(series([130.0 + n % 3 for n in range(12)]), set(), id="noise"),
        pytest.param(series([130.0 - n for n in range(12)]), set(), id="it shrinks"),
        pytest.param(series([130.0 + n for n in range(12)]), {"memory_mb"}, id="a megabyte a sample"),
        pytest.param(series(FLAT, threads=1), {"threads"}, id="a thread a sample"),
        pytest.param(series(FLAT, sockets=4), {"files", "sockets"}, id="four sockets a sample"),
    ],
)
def test_what_grows_over_an_hours_worth_of_polls_fails(samples: list[Sample], grows: set[str]) -> None:
    assert {each.name for each in growth(samples) if not each.is_flat} == grows


def test_too_few_samples_tell_nothing() -> None:
    with pytest.raises(ValueError, match="too few"):
        growth(series(FLAT[:3]))


@pytest.mark.timeout(600)
async def test_a_short_soak_polls_imports_and_is_written(servers: Servers, tmp_path: Path) -> None:
    amount = Amount(mailboxes=5, polls_each=4, samples=4, hangs_seconds=0.5)
    samples = await run(servers, tmp_path / "soak", amount, Console(quiet=True))
    assert samples[-1].polls >= amount.polls
    assert [sample.mails for sample in samples] == [0, 5, 10, 15]
    report.write(amount, samples, "today", tmp_path)
    written = (tmp_path / "soak.md").read_text(encoding="utf-8")
    assert f"| {samples[-1].polls:,} | 15 |" in written
    assert (tmp_path / "soak.svg").read_text(encoding="utf-8").startswith("<svg")
