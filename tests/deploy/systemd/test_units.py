"""The units of deploy/systemd: systemd takes them without a word, shuts them in, and gives each its own secrets."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.local.credentials import ensure

DEPLOY = Path(__file__).parents[3] / "deploy"
UNITS = DEPLOY / "systemd"
ANALYZE = Path("/usr/bin/systemd-analyze")
WORST = 1.2
"""Of `systemd-analyze security`, where 0 is best and 10 worst."""

SERVICES = sorted(path.stem for path in UNITS.glob("*.service"))
needs_systemd = pytest.mark.skipif(not ANALYZE.exists(), reason="systemd-analyze is not installed")


def analysed(*arguments: str | Path) -> str:
    """All that systemd-analyze says, on both streams."""
    done = subprocess.run([ANALYZE, *arguments], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@needs_systemd
def test_systemd_takes_every_unit_without_a_word(tmp_path: Path) -> None:
    for unit in (*UNITS.glob("*.service"), *UNITS.glob("*.target"), *UNITS.glob("*.timer")):
        text = unit.read_text(encoding="utf-8")
        (tmp_path / unit.name).write_text(
            re.sub(r"^ExecStart=/opt/helpdesk-importer/bin/\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE),
            encoding="utf-8",
        )
    assert analysed("verify", "--man=no", *sorted(tmp_path.iterdir())) == ""


@needs_systemd
@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_shut_in(service: str) -> None:
    said = analysed("security", "--offline=yes", UNITS / f"{service}.service")
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert exposure is not None, said
    assert float(exposure[1]) <= WORST


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_the_secrets_that_it_has_in_compose(service: str) -> None:
    in_compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    name = service.removeprefix("helpdesk-importer-").replace("-", "_")
    loaded = re.findall(r"^LoadCredential=(\w+):(\S+)$", (UNITS / f"{service}.service").read_text(encoding="utf-8"),
        flags=re.MULTILINE)  # fmt: skip
    assert sorted(secret for secret, _ in loaded) == sorted(in_compose[name]["secrets"])
    assert all(path == f"/etc/helpdesk-importer/secrets/{secret}" for secret, path in loaded)


def test_the_install_script_makes_every_secret_that_a_unit_loads(tmp_path: Path) -> None:
    ensure(tmp_path / "secrets")
    made = {file.name for file in (tmp_path / "secrets").iterdir()}
    units = "".join(unit.read_text(encoding="utf-8") for unit in UNITS.glob("*.service"))
    assert set(re.findall(r"^LoadCredential=(\w+):", units, flags=re.MULTILINE)) <= made


def test_the_install_script_refuses_who_is_not_root_and_changes_nothing() -> None:
    script = (UNITS / "install").read_text(encoding="utf-8")
    nobody = 65534 if os.geteuid() == 0 else None
    done = subprocess.run(
        ["/bin/bash", "-s"], input=script, cwd="/", user=nobody, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Only root can install it")


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_started_as_it_is_in_compose(service: str) -> None:
    in_compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    name = service.removeprefix("helpdesk-importer-").replace("-", "_")
    command = [*in_compose[name]["command"], *(["--now"] if name == "nightly" else [])]  # a timer says when
    assert f"ExecStart=/opt/helpdesk-importer/bin/{' '.join(command)}\n" in (UNITS / f"{service}.service").read_text(
        encoding="utf-8"
    )
