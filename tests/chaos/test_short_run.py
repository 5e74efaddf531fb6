"""A short run for every day: what can fail where others use the same servers, by the plan of one seed."""

from __future__ import annotations

import json
from collections import Counter
from typing import Final

import pytest

from deploy.local.instance import Servers
from tests.acceptance.installation import fresh_installation
from tests.chaos import report
from tests.chaos.plan import WITHOUT_KILLING_SERVERS, plan_of
from tests.chaos.run import Chaos
from tests.chaos.stage import staged
from tests.databases import Databases

MAILS: Final = 40
PATIENCE: Final = 300.0
KEYS: Final = [
    "seed", "mails", "faults", "lost", "doubled", "misfiled", "notifications_missing", "notifications_doubled",
    "smtp_window", "reconcile", "recovery_seconds",
]  # fmt: skip


@pytest.mark.parametrize("seed", [1])
async def test_nothing_is_lost_doubled_or_misfiled_while_everything_fails(
    seed: int, servers: Servers, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("chaos")
    kinds = sorted(WITHOUT_KILLING_SERVERS)
    plan = plan_of(seed, len(kinds), kinds, longest=1.5)
    async with (
        fresh_installation(servers, databases, tmp_path_factory.mktemp("secrets")) as installation,
        staged(installation, folder) as stage,
    ):
        findings = await Chaos(stage, seed, plan, PATIENCE).run(MAILS)
    assert findings.differences == []
    assert [trouble for trouble in findings.troubles if "still open" in trouble] == []
    assert len(findings.faults) > len(plan) // 2
    report.write(findings, folder)
    written = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert list(written) == KEYS
    assert written["faults"] == Counter(str(done.fault.kind) for done in findings.faults)
    assert written["reconcile"]["left"] == 0
    assert "Nothing differs." in (folder / "reconcile.txt").read_text(encoding="utf-8")
    assert (folder / "timeline.svg").read_text(encoding="utf-8").count("<rect") == len(findings.faults)
