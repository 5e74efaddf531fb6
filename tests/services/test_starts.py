"""What a service loads at its start: nothing that only another command of it, or another setting, needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

TRACING = "opentelemetry.sdk.trace"


@pytest.mark.parametrize(
    ("service", "spared"),
    [
        pytest.param("fetcher", ["exchangelib", "requests", TRACING], id="fetcher"),
        pytest.param("classifier", ["services.classifier.facts_of_files.command", TRACING], id="classifier"),
        pytest.param("ticket_writer", ["services.ticket_writer.explain.command", TRACING], id="ticket_writer"),
        pytest.param("notifier", [TRACING], id="notifier"),
    ],
)
def test_a_start_loads_what_it_needs(service: str, spared: list[str]) -> None:
    script = f"import sys, services.{service}.__main__\nprint(*(name for name in {spared} if name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
