"""What the services ask of the database for a mail."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

from services.console.supervisor import SERVICES
from tests.benchmarks.importer import Importer, an_importer
from tests.benchmarks.measured import Profile
from tests.benchmarks.mix import mail_of_mix
from tests.benchmarks.stand import Stand

_COUNTING: Final = Path(__file__).with_name("counting")
_COUNTER: Final = "bench_checkouts_total"


async def profile(stand: Stand, mails: int, warm_up: int) -> Profile:
    """Of services that count their checkouts, which others do not."""
    async with an_importer(stand) as importer:
        environment = importer.installation.environment
        environment["PYTHONPATH"] = os.pathsep.join((str(_COUNTING), environment["PYTHONPATH"]))
        async with importer.running():
            await importer.take([mail_of_mix(number) for number in range(warm_up)])
            await stand.forget_statements()
            before = await _checkouts(importer)
            await importer.take([mail_of_mix(number, 1) for number in range(mails)])
            now = await _checkouts(importer)
            return Profile(
                {name: (now[name] - before[name]) / mails for name in SERVICES},
                await stand.dearest_statements(importer.database, mails),
            )


async def _checkouts(importer: Importer) -> dict[str, float]:
    counted = {}
    async with httpx.AsyncClient(timeout=10) as client:
        for name in SERVICES:
            text = (await client.get(f"{importer.supervisors[0].states[name].health_url}/metrics")).text
            samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
            counted[name] = next(sample.value for sample in samples if sample.name == _COUNTER)
    return counted
