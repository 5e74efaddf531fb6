"""`backlog`: a choice is for the mails that wait now (SPEC D18); what the fetcher makes of it is tested with it."""

from __future__ import annotations

import pytest

from tests.services.console.repairs.conftest import CommandLine, Sql

WAITING = """
    UPDATE mailbox_states SET backlog_waiting = 314, backlog_oldest_at = '2026-01-02 08:00Z',
        backlog_newest_at = '2026-03-04 09:00Z', next_check_at = now() + interval '1 hour' WHERE helpdesk_id = 1;"""


def test_D18_the_choice_is_for_what_waits_and_the_mailbox_is_checked_at_once(filled: CommandLine, sql: Sql) -> None:
    assert filled.json("backlog", "list") == []
    sql(WAITING)
    (waits,) = filled.json("backlog", "list")
    assert (waits["helpdesk"], waits["waiting"], waits["choice"]) == ("Support", 314, None)
    assert "314 mails of helpdesk support will be imported, and no mail is sent" in filled(
        "backlog", "choose", "support", "import-without-mails"
    )
    (chosen,) = filled.json("backlog", "list")
    assert (chosen["choice"], chosen["chosen_until"]) == ("import-without-mails", "2026-03-04T09:00:00Z")
    assert sql("SELECT 1 FROM mailbox_states WHERE helpdesk_id = 1 AND next_check_at <= now()") != []


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        pytest.param(["Verkoop", "import"], 1, "No old mail of helpdesk Verkoop waits", id="nothing waits"),
        pytest.param(["Inkoop", "import"], 1, "there is no helpdesk", id="no helpdesk"),
        pytest.param(["Support", "delete"], 2, "Invalid value", id="no choice"),
    ],
)
def test_bad_input_changes_nothing(
    filled: CommandLine, sql: Sql, arguments: list[str], code: int, complaint: str
) -> None:
    sql(WAITING)
    assert complaint in filled("backlog", "choose", *arguments, code=code)
    assert sql("SELECT 1 FROM mailbox_states WHERE backlog_choice IS NOT NULL") == []
