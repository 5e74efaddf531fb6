"""The dashboard is what its code makes, and asks Prometheus for metrics and labels that the services register."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy.grafana.dashboard import GRID_WIDTH, ROWS, Query, as_json

FOLDER = Path(__file__).parents[3] / "deploy/grafana"
QUERIES = [
    pytest.param(query, id=f"{panel.title}-{number}")
    for row in ROWS
    for panel in row.panels
    for number, query in enumerate(panel.queries)
]
OF_PROMETHEUS = {"up": {"job", "instance"}}
"""What Prometheus adds by itself to each target."""
LIST_METRICS = """
import importlib, json, pkgutil
import services, shared
from prometheus_client import REGISTRY
for package in (services, shared):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__") and "migrations" not in module.name:
            importlib.import_module(module.name)
print(json.dumps({
    name: list(getattr(collector, "_labelnames", ())) + (["le"] if name.endswith("_bucket") else [])
    for collector, names in REGISTRY._collector_to_names.items() for name in names
}))
"""


@pytest.fixture(scope="module")
def registered() -> dict[str, set[str]]:
    """The labels of every metric that the services register, by its name."""
    ended = subprocess.run([sys.executable, "-c", LIST_METRICS], cwd=FOLDER.parents[1], capture_output=True, text=True,
                           check=True)  # fmt: skip
    return {name: {*labels, "job", "instance"} for name, labels in json.loads(ended.stdout).items()} | OF_PROMETHEUS


def names_and_labels(query: Query) -> tuple[set[str], set[str]]:
    """The metrics that a query reads, and the labels that it and its legend use."""
    grouped = re.findall(r"\b(?:by|on|group_left)\s*\(([^)]*)\)", query.expression)
    matched = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", query.expression)
    labels = {name.strip() for group in grouped for name in group.split(",")} | set(matched)
    labels |= set(re.findall(r"{{(\w+)}}", query.legend))
    return set(re.findall(r"\b(?:importer_\w+|process_\w+|up)\b", query.expression)), labels


def test_the_committed_file_is_what_the_code_makes() -> None:
    committed = (FOLDER / "helpdesk-importer.json").read_text(encoding="utf-8")
    assert committed == as_json(), "run: .venv/bin/python -m deploy.grafana > deploy/grafana/helpdesk-importer.json"


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_reads_metrics_and_labels_that_there_are(query: Query, registered: dict[str, set[str]]) -> None:
    names, labels = names_and_labels(query)
    assert names
    assert names <= registered.keys()
    assert labels <= set[str]().union(*(registered[name] for name in names))


def test_promtool_reads_every_query(promtool: Path, tmp_path: Path) -> None:
    rules = [
        {"record": f"query_{number}", "expr": query.values[0].expression}  # type: ignore[union-attr]
        for number, query in enumerate(QUERIES)
    ]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    ended = subprocess.run([str(promtool), "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_no_panel_lies_over_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(as_json())["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= GRID_WIDTH
        assert not cells & taken
        taken |= cells


def test_grafana_is_told_of_the_folder() -> None:
    told = yaml.safe_load((FOLDER / "provisioning/dashboards/helpdesk-importer.yaml").read_text(encoding="utf-8"))
    assert [provider["type"] for provider in told["providers"]] == ["file"]
