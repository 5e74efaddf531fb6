"""The few figures that others read: docs/benchmarks/results.json."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from typing import Any

from tests.benchmarks.forms import PACES
from tests.benchmarks.measured import CEILING, OURS, PEER, Measured

Results = Mapping[str, Any]


def results_of(measured: Measured) -> Results:
    """Medians; latency is that to the commit at 20 mails a second; memory is that of the largest process under load."""
    ours, peer, ceiling = (measured.mails_a_second(name) for name in (OURS, PEER, CEILING))
    assert ours is not None
    assert peer is not None
    assert ceiling is not None
    latency = next(each for each in measured.latencies if each.pace == PACES[-1])
    return {
        "end_to_end": {"mails_per_s": round(ours.median, 1)},
        "peer": {"mails_per_s": round(peer.median, 1)},
        "ratio_to_peer": round(ours.median / peer.median, 2),
        "ceiling": {"mails_per_s": round(ceiling.median, 1)},
        "share_of_ceiling": round(ours.median / ceiling.median, 3),
        "cpu_ms": {name: round(spread.median, 2) for name, spread in measured.processor_ms(OURS).items()},
        "latency_ms": {"p50": round(latency.commit_p50, 1), "p99": round(latency.commit_p99, 1)},
        "fsync_ms": round(measured.fsync, 3),
        "growth": {
            str(each.tickets): {
                "mails_per_s": round(statistics.median(turn.mails_a_second for turn in each.rounds), 1),
                "cpu_ms": round(statistics.median(sum(turn.processor_ms.values()) for turn in each.rounds), 2),
            }
            for each in measured.growth
        },
        "memory_mb": {name: round(each.load, 1) for name, each in measured.memory.items()},
        "startup_s": {name: round(statistics.median(each), 2) for name, each in measured.startup_seconds.items()},
    }


def to_json(results: Results) -> str:
    """As the file holds it."""
    return json.dumps(results, indent=2) + "\n"
