"""The three lines of the README, made from results.json."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.benchmarks.results import Results

README: Final = Path(__file__).parents[2] / "README.md"
_BEGIN: Final = "<!-- Three lines that `make bench` writes from docs/benchmarks/results.json: -->\n"
_BUSY: Final = "\n**That machine was kept busy by others: no figure is more than a hint.**\n"
_END: Final = "<!-- end of what it writes -->\n"


def three_lines(results: Results) -> str:
    """What a reader of the README wants to know."""
    latency, fsync = results["latency_ms"], results["fsync_ms"]
    sizes = [int(tickets) for tickets in results["growth"]]
    least, most = (results["growth"][str(tickets)]["cpu_ms"] for tickets in (min(sizes), max(sizes)))
    return (
        f"- **{results['end_to_end']['mails_per_s']:.0f} mails/s** end to end on durable servers: "
        f"{results['ratio_to_peer']:.1f} times django-helpdesk on the same machine and mails, "
        f"{results['share_of_ceiling']:.0%} of processes that only pass the mails on.\n"
        f"- At 20 mails/s a mail is committed **{latency['p50']:.0f} ms** after its delivery "
        f"(p99 {latency['p99']:.0f} ms); an fsync of that disk takes {fsync:.2g} ms.\n"
        f"- With {max(sizes):,} tickets a mail costs {most:.0f} ms of processor, with {min(sizes):,} {least:.0f} ms; "
        f"the largest process has {max(results['memory_mb'].values()):.0f} MB; "
        f"a service starts in {max(results['startup_s'].values()):.1f} s of processor.\n"
    )


def with_lines(readme: str, results: Results, *, quiet: bool) -> str:
    """The README with these lines in the place that is kept for them, and with a warning where it was not quiet."""
    before, begin, rest = readme.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"README.md lacks the place for the benchmark's lines: {_BEGIN.strip()} … {_END.strip()}")
    return f"{before}{begin}{three_lines(results)}{'' if quiet else _BUSY}{end}{after}"
