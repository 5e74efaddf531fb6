"""Files of settings: read by a shell, and by Compose, as they were meant."""

import subprocess
from pathlib import Path

import pytest

from deploy.local import settings_file

VALUES = pytest.mark.parametrize(
    "value", ["plain", "amqp://127.0.0.1:5672/helpdesk", "/a path/with spaces", "it's", "a \"$HOME\" \\ and 'both'", ""]
)


@VALUES
def test_a_setting_of_compose_is_read_as_it_was_written(tmp_path: Path, value: str) -> None:
    settings_file.write(tmp_path / "env", {"NAME": value}, settings_file.for_compose)
    assert settings_file.read(tmp_path / "env") == {"NAME": value}


@VALUES
def test_a_shell_reads_a_setting_as_it_was_meant(tmp_path: Path, value: str) -> None:
    settings_file.write(tmp_path / "env", {"NAME": value}, settings_file.for_shell)
    script = 'set -a; . "$0"; set +a; printenv NAME'
    said = subprocess.run(["/bin/sh", "-c", script, tmp_path / "env"], capture_output=True, text=True, check=True)
    assert said.stdout == f"{value}\n"


def test_what_needs_no_quotes_has_none(tmp_path: Path) -> None:
    settings_file.write(tmp_path / "env", {"URL": "postgresql://127.0.0.1:5432/helpdesk"}, settings_file.for_shell)
    assert (tmp_path / "env").read_text() == "URL=postgresql://127.0.0.1:5432/helpdesk\n"


def test_without_a_file_there_are_no_settings(tmp_path: Path) -> None:
    assert settings_file.read(tmp_path / "env") == {}
