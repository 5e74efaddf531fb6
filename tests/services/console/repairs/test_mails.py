"""`mails` and `quarantine`: what is shown, and that a repair changes what it says and nothing else (SPEC D7, D13)."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from shared.mail_identity import forced_mail_id
from shared.messages import MailId
from tests.services.console.repairs.conftest import CommandLine, Sql

TICKET, OTHER, SUPPLEMENT, DUPLICATE, DEAD = (f"00000000-0000-0000-0000-00000000000{n}" for n in range(1, 6))
NOBODY = "00000000-0000-0000-0000-0000000000ff"


def ledger(sql: Sql, mail_id: str) -> dict[str, Any]:
    """The ledger's row of a mail."""
    (row,) = sql("SELECT * FROM imported_mails WHERE mail_id = $1", uuid.UUID(mail_id))
    return row


def everything(sql: Sql) -> dict[str, list[dict[str, Any]]]:
    """All rows of the ledger and of dead letters."""
    return {table: sql(f"SELECT * FROM {table} ORDER BY 1") for table in ("imported_mails", "dead_letters")}  # noqa: S608


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param([], [DEAD, DUPLICATE, SUPPLEMENT, OTHER, TICKET], id="all, the newest first"),
        pytest.param(["--limit", "2"], [DEAD, DUPLICATE], id="limit"),
        pytest.param(["--helpdesk", "Verkoop"], [OTHER], id="helpdesk"),
        pytest.param(["--outcome", "supplement"], [SUPPLEMENT], id="outcome"),
        pytest.param(["--since", "2026-11-23T09:04:00+01:00"], [DEAD, DUPLICATE], id="since"),
        pytest.param(["--sender", "KORENAAR"], [TICKET], id="sender"),
        pytest.param(["--subject", "hapert"], [TICKET], id="subject"),
        pytest.param(["--subject", "%"], [], id="a percent sign is no wildcard"),
        pytest.param(["--waiting"], [SUPPLEMENT], id="waiting"),
    ],
)
def test_mails_are_listed_by_what_is_asked(
    filled: CommandLine, sql: Sql, options: list[str], expected: list[str]
) -> None:
    sql(
        "UPDATE imported_mails SET sender_address = 'anna@korenaar.example', subject = 'Kassa hapert'"
        " WHERE item_key = 'item-1';"
    )
    if options == ["--waiting"]:
        sql("ALTER TABLE imported_mails DISABLE TRIGGER USER; UPDATE imported_mails SET outcome = NULL,"
            " outcome_at = NULL, ticket_id = NULL, supplement_id = NULL WHERE item_key = 'item-3';")  # fmt: skip
    assert [mail["mail_id"] for mail in filled.json("mails", "list", *options)] == expected


def test_a_mail_is_shown_with_its_reasons_and_all_that_hangs_on_it(filled: CommandLine) -> None:
    shown = filled.json("mails", "show", DUPLICATE)
    assert (shown["outcome"], shown["duplicate_of"]) == ("duplicate", TICKET)
    assert shown["reasons"][0]["sentence"] == "Deze mail is in deze mailbox al eerder ingelezen."
    assert [earlier["outcome"] for earlier in shown["earlier_outcomes"]] == ["quarantine"]
    assert shown["earlier_outcomes"][0]["reasons"][0]["remedy"].startswith("Bekijk de oorspronkelijke mail")
    assert [mail["kind"] for mail in filled.json("mails", "show", TICKET)["notifications"]] == ["ticket-added-customer"]
    assert filled.json("mails", "show", DEAD)["dead_letters"][0]["reason"] == "onze fout"
    assert "This mail was imported from this mailbox before." in filled("mails", "show", DUPLICATE)


def test_the_raw_bytes_are_written_to_a_new_file_alone(filled: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "mail.eml"
    filled("mails", "export", SUPPLEMENT, str(file))
    assert file.read_bytes() == b"3"
    assert "exists already" in filled("mails", "export", TICKET, str(file), code=1)
    assert file.read_bytes() == b"3"


def test_D13_a_forced_import_is_a_mail_of_its_own_that_the_sweeper_publishes(filled: CommandLine, sql: Sql) -> None:
    filled("mails", "force", TICKET)
    first = str(forced_mail_id(MailId(uuid.UUID(TICKET)), 1))
    filled("mails", "force", first, code=1)  # it has no outcome yet
    filled("mails", "force", TICKET, "--without-mails")
    second = str(forced_mail_id(MailId(uuid.UUID(TICKET)), 2))
    original = ledger(sql, TICKET)
    for number, mail_id, choice in ((1, first, "import"), (2, second, "import-without-mails")):
        row = ledger(sql, mail_id)
        assert (row["force_number"], row["forced_from"], row["choice"]) == (number, uuid.UUID(TICKET), choice)
        assert (row["outcome"], row["published_at"], row["next_republish_at"]) == (None, None, None)
        assert {name: row[name] for name in ("item_key", "raw_sha256", "received_at", "helpdesk_id")} == {
            name: original[name] for name in ("item_key", "raw_sha256", "received_at", "helpdesk_id")
        }
    assert len(filled.json("mails", "show", TICKET)["forced_imports"]) == 2


def test_D7_a_replay_is_counted_and_published_at_once(filled: CommandLine, sql: Sql) -> None:
    filled("quarantine", "replay", DEAD)
    row = ledger(sql, DEAD)
    assert (row["replay_number"], row["published_at"], row["next_republish_at"]) == (1, None, None)
    assert (row["outcome"], row["awaits_outcome"]) == ("quarantine", True)
    assert sql("SELECT 1 FROM dead_letters WHERE resolved_at IS NULL") == []
    assert "being replayed already" in filled("quarantine", "replay", DEAD, code=1)
    assert "being replayed" in filled("quarantine", "discard", DEAD, code=1)


def test_D18_a_replay_forgets_that_a_person_had_it_marked_read(filled: CommandLine, sql: Sql) -> None:
    sql("UPDATE imported_mails SET choice = 'mark-read' WHERE item_key = 'item-5';")
    filled("quarantine", "replay", DEAD)
    assert ledger(sql, DEAD)["choice"] is None


def test_D7_what_is_discarded_stays_in_quarantine_with_its_bytes_and_history(filled: CommandLine, sql: Sql) -> None:
    assert filled.json("quarantine", "list") == []  # `dead-letters list` has it
    with_reason = filled.json("quarantine", "list", "--reason", "dead-letter")
    assert [mail["mail_id"] for mail in with_reason] == [DEAD]
    sql("UPDATE dead_letters SET resolved_at = recorded_at;")
    assert [mail["mail_id"] for mail in filled.json("quarantine", "list")] == [DEAD]
    filled("quarantine", "discard", DEAD)
    assert filled.json("quarantine", "list") == []
    (discarded,) = filled.json("quarantine", "list", "--discarded")
    assert [reason["id"] for reason in discarded["reasons"]] == ["dead-letter", "discarded-by-person"]
    shown = filled.json("quarantine", "show", DEAD)
    assert len(shown["earlier_outcomes"]) == 1
    assert shown["dead_letters"][0]["resolved_at"] is not None
    row = ledger(sql, DEAD)
    assert (row["outcome"], row["awaits_outcome"], row["decided_replay"]) == ("quarantine", False, 0)
    filled("quarantine", "replay", DEAD)
    assert ledger(sql, DEAD)["awaits_outcome"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["mails", "show", "twaalf"], "is no id of a mail", id="no id"),
        pytest.param(["mails", "show", NOBODY], "There is no mail", id="show nobody"),
        pytest.param(["mails", "export", NOBODY, "x.eml"], "There is no mail", id="export nobody"),
        pytest.param(["mails", "force", NOBODY], "There is no mail", id="force nobody"),
        pytest.param(["mails", "force", DEAD], "is quarantined: `quarantine replay`", id="force a quarantined one"),
        pytest.param(["mails", "list", "--since", "gisteren"], "--since: 'gisteren' is no time", id="no time"),
        pytest.param(["mails", "list", "--helpdesk", "Inkoop"], "there is no helpdesk 'Inkoop'", id="no helpdesk"),
        pytest.param(["quarantine", "replay", TICKET], "is not quarantined: it ended as ticket", id="replay a ticket"),
        pytest.param(["quarantine", "discard", DEAD, TICKET], "is not quarantined", id="one of two is wrong"),
    ],
)
def test_bad_input_is_a_sentence_and_changes_nothing(
    filled: CommandLine, sql: Sql, arguments: list[str], complaint: str
) -> None:
    before = everything(sql)
    said = filled(*arguments, code=1)
    assert complaint in said
    assert "Traceback" not in said
    assert everything(sql) == before


def test_reasons_of_a_newer_version_are_shown_by_their_id(filled: CommandLine, sql: Sql) -> None:
    sql("UPDATE imported_mails SET reasons = $1::jsonb WHERE item_key = 'item-5'", json.dumps([{"id": "unheard-of"}]))
    (mail,) = filled.json("quarantine", "list")
    assert mail["reasons"][0]["sentence"] == "Een nieuwere versie van de importer geeft als reden «unheard-of»."
