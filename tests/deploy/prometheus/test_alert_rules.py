"""The alert rules fire when they should, by promtool, and stand on metrics that the importer has; samples are read."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.servers.prometheus import unpacked

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy/prometheus"
METRIC = re.compile(r"\bimporter_[a-z_]+")


@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "alerts.yaml"), ("test", "rules", "alerts.test.yaml"), ("check", "config", "prometheus.yml")],
    ids=" ".join,
)
def test_promtool_finds_nothing_wrong(promtool: Path, arguments: tuple[str, ...]) -> None:
    ended = subprocess.run([str(promtool), *arguments], cwd=RULES, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_amtool_finds_nothing_wrong() -> None:
    command = [str(unpacked("amtool")), "check-config", "alertmanager.yml"]
    ended = subprocess.run(command, cwd=RULES, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_each_alert_has_a_test() -> None:
    alerts = set(re.findall(r"alert: (\w+)", (RULES / "alerts.yaml").read_text(encoding="utf-8")))
    tests = (RULES / "alerts.test.yaml").read_text(encoding="utf-8")
    fired = {name for name, expected in re.findall(r"alertname: (\w+)\n\s+(exp_alerts:)", tests) if expected}
    assert fired == alerts


def test_each_rule_stands_on_metrics_that_the_importer_has() -> None:
    known: set[str] = set()
    for file in (*(ROOT / "services").rglob("*.py"), *(ROOT / "shared").rglob("*.py")):
        known |= set(re.findall(r"\"(importer_[a-z_]+)\"", file.read_text(encoding="utf-8")))
    rules = (RULES / "alerts.yaml").read_text(encoding="utf-8")
    expressions = "\n".join(line for line in rules.splitlines() if "summary" not in line and "description" not in line)
    assert set(METRIC.findall(expressions)) <= known


def test_alertmanager_silences_only_alerts_that_there_are() -> None:
    alerts = set(re.findall(r"alert: (\w+)", (RULES / "alerts.yaml").read_text(encoding="utf-8")))
    assert set(re.findall(r"Importer\w+", (RULES / "alertmanager.yml").read_text(encoding="utf-8"))) <= alerts
