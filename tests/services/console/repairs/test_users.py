"""`users`: who may use the web console, added by the command line's own role."""

from __future__ import annotations

import re
from typing import Any

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
