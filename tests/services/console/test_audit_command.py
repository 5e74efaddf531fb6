"""`helpdesk-importer audit list`: what commands did, in whose name."""

from __future__ import annotations

import os
from typing import Any

import pytest

from shared import acting


@pytest.fixture
def installed(importer: Any) -> Any:
    """A helpdesk, set up by a person who is named."""
    importer.environment["IMPORTER_ACTOR"] = "anna"
    importer("calendars", "add", "--name", "Kantoor")
    importer("helpdesks", "add", "--name", "Support", "--calendar", "Kantoor")
    importer("importer", "set", "Support", "--marker", "== boven ==", "--server", "imap.example", "--username", "u")
    return importer


def test_a_command_leaves_its_row_in_the_name_of_who_typed_it(installed: Any) -> None:
    listed = installed.json("audit", "list", "--thing", "importer_settings")
    assert [(row["actor"], row["kind"], row["deed"], row["helpdesk"]) for row in listed] == [
        ("anna", "settings", "added", "Support")
    ]
    assert listed[0]["after"]["marker"] == "== boven =="
    assert (listed[0]["role"], listed[0]["tool"]) == ("importer_console", "helpdesk-importer")


def test_S3_a_password_is_said_to_have_changed_and_no_more(installed: Any) -> None:
    installed("importer", "set-password", "Support", stdin="zeer geheim\n")
    assert "password_encrypted: changed" in installed("audit", "list", "--kind", "settings")
    assert "geheim" not in installed("audit", "list", "--json")


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        pytest.param(["--actor", "ANN"], 1, id="a part of the name, in any case"),
        pytest.param(["--actor", "bert"], 0, id="somebody else"),
        pytest.param(["--since", "2020-01-01"], 1, id="since"),
        pytest.param(["--until", "2020-01-01"], 0, id="until"),
        pytest.param(["--kind", "repair"], 0, id="kind"),
        pytest.param(["--helpdesk", "Support"], 1, id="helpdesk"),
        pytest.param(["--mail", "00000000-0000-0000-0000-000000000001"], 0, id="mail"),
    ],
)
def test_the_list_can_be_narrowed(installed: Any, filters: list[str], count: int) -> None:
    assert len(installed.json("audit", "list", "--thing", "importer_settings", *filters)) == count


def test_it_says_where_a_moment_cannot_be_read(importer: Any) -> None:
    assert "--since" in importer("audit", "list", "--since", "gisteren", code=1)


def test_without_a_name_it_is_the_login_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMPORTER_ACTOR", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setenv("SUDO_USER", "bert")
    assert acting.at_the_command_line() == "bert"
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert acting.at_the_command_line() == "uid 4000000000"


def test_a_name_holds_for_its_block_and_travels_to_who_is_asked() -> None:
    with acting.as_person("anna"):
        assert acting.environment() == {"IMPORTER_ACTOR": "anna"}
        with acting.as_person("bert"):
            assert acting.actor() == "bert"
        assert acting.actor() == "anna"
