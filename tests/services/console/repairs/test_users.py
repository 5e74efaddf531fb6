"""`users`: who may use the web console, added by the command line's own role."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.services.console.repairs.conftest import CommandLine, Sql

LINK = re.compile(r"http://127\.0\.0\.1:8025/welcome/[\w-]{43}")


def test_a_user_gets_a_link_and_rights(filled: CommandLine, sql: Sql) -> None:
    assert LINK.search(filled("users", "add", "anna@voorbeeld.nl"))
    filled("users", "add", "ANNA@voorbeeld.nl", code=1)
    filled("users", "grant", "anna@voorbeeld.nl", "Support", "--viewer")
    filled("users", "grant", "anna@voorbeeld.nl", "Verkoop")
    listed: Any = {user["name"]: user for user in filled.json("users", "list")}["anna@voorbeeld.nl"]
    assert listed["rights"] == ["Support: viewer", "Verkoop: administrator"]
    filled("users", "revoke", "anna@voorbeeld.nl", "Verkoop")
    filled("users", "revoke", "anna@voorbeeld.nl", "Verkoop", code=1)
    assert LINK.search(filled("users", "invite", "anna@voorbeeld.nl"))
    links = "SELECT count(*) FROM web_invitations JOIN web_users ON id = user_id WHERE name = 'anna@voorbeeld.nl'"
    assert sql(links) == [{"count": 1}]
    filled("users", "lock", "anna@voorbeeld.nl")
    assert sql(links) == [{"count": 0}]
    filled("users", "unlock", "anna@voorbeeld.nl")


def test_the_first_link_is_given_until_somebody_has_a_password(filled: CommandLine, sql: Sql) -> None:
    assert LINK.search(filled("users", "first"))
    assert LINK.search(filled("users", "first"))
    sql("UPDATE web_users SET password_hash = 'x' WHERE name = 'beheerder';")
    assert filled("users", "first") == ""


def test_a_group_of_the_provider_gets_rights_and_loses_them(filled: CommandLine, sql: Sql) -> None:
    issuer = ("--issuer", "https://login.example")
    filled("users", "grant-group", "no issuer", code=1)
    filled("users", "add", "baas@voorbeeld.nl", "--operator")
    filled("users", "grant-group", "0b1c", "Support", "--viewer", "--called", "Inkijken", *issuer)
    filled("users", "grant-group", "7d2e", "--operator", *issuer)
    filled("users", "grant-group", "7d2e", "Support", "--operator", *issuer, code=1)
    filled("users", "grant-group", "un\u200bseen", "Support", *issuer, code=1)
    listed: Any = [
        (group["group"], group["helpdesk"], group["role"])
        for group in filled.json("users", "groups")
        if group["group"] in {"0b1c", "7d2e"}
    ]
    assert listed == [("7d2e", None, "operator"), ("0b1c", "Support", "viewer")]
    for row in sql("SELECT id FROM web_group_rights"):
        filled("users", "revoke-group", str(row["id"]))
    assert filled.json("users", "groups") == []
    filled("users", "revoke-group", "1", code=1)


def test_the_last_who_administers_everything_by_hand_is_not_locked_and_no_group_comes_before_him(
    filled: CommandLine, sql: Sql
) -> None:
    sql("UPDATE web_users SET operator = false;")
    filled("users", "grant-group", "7d2e", "--operator", "--issuer", "https://login.example", code=1)
    filled("users", "add", "laatste@voorbeeld.nl", "--operator")
    filled("users", "lock", "laatste@voorbeeld.nl", code=1)
    filled("users", "add", "ander@voorbeeld.nl", "--operator")
    filled("users", "lock", "laatste@voorbeeld.nl")


def test_where_nobody_comes_in_by_a_password_no_link_is_given(
    filled: CommandLine, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(filled.environment, "IMPORTER_WEB_OIDC_ONLY", "true")
    monkeypatch.setitem(filled.environment, "IMPORTER_WEB_URL", "https://mail.voorbeeld.nl")
    sql("UPDATE web_users SET password_hash = NULL;")
    assert "users add" in filled("users", "first")
    said = filled("users", "add", "zonder@voorbeeld.nl")
    assert "https://mail.voorbeeld.nl/login" in said
    assert "/welcome/" not in said
    filled("users", "invite", "zonder@voorbeeld.nl", code=1)
    links = "SELECT count(*) FROM web_invitations JOIN web_users ON id = user_id WHERE name = 'zonder@voorbeeld.nl'"
    assert sql(links) == [{"count": 0}]
