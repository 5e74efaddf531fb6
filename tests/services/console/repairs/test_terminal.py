"""What people read at a terminal of 80 and of 60 columns: no line is wider, no word is broken."""

from __future__ import annotations

import json
import uuid

import pytest
from rich.cells import cell_len

from services.console import layout
from services.console.__main__ import NAME, command_line
from services.console.manual import pages
from services.console.short_ids import short_ids
from tests.services.console.repairs.conftest import CommandLine, Sql

WIDTHS = [pytest.param(width, id=f"{width} columns") for width in (60, 80)]
TICKET = "00000000-0000-0000-0000-000000000001"


PAGES = dict(pages(command_line(), NAME))


def words(text: str) -> list[str]:
    return text.split()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", PAGES)
def test_help_is_no_wider_than_the_terminal_and_breaks_no_word(path: str, width: int) -> None:
    page = PAGES[path]
    lines = list(page.lines(width))
    assert [line for line in lines if len(line) > width] == []
    shown = words("\n".join(lines))
    for word in words(" ".join([page.usage, *page.paragraphs])):
        assert word in shown
    parts = words("\n".join(lines).replace("|", " "))  # a list of choices may go on below, after a «|»
    for entries in page.sections.values():
        for entry in entries:
            assert all(word in parts for word in words(f"{entry.name} {entry.meaning}".replace("|", " "))), entry
            assert entry.meaning.endswith((".", "?")), entry


LISTS = [
    "mails list", "quarantine list", "notifications list --state planned", "notifications list --state sent",
    "review list", "backlog list", "aliases list", "senders list", "audit list", "helpdesks list", "contacts list",
    "employees list", "calendars list", "accounts list", "logins list", "organisations list", "statuses list",
    "types list", "priorities list", "templates list", f"mails show {TICKET}",
]  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
def test_lists_are_no_wider_than_the_terminal_and_break_no_word(filled: CommandLine, sql: Sql, width: int) -> None:
    sql(
        "UPDATE imported_mails SET subject = 'De kassa aan de Oude Gracht hapert sinds gistermiddag telkens weer, en nu"
        " ook de pinautomaat', sender_address = 'anna.van.der.meulen-groot@boekhouding.korenaar.example';"
    )
    filled.environment["COLUMNS"] = str(width)
    for command in LISTS:
        shown = filled(*command.split())
        assert [line for line in shown.splitlines() if len(line) > width] == [], command
        whole = set(words(shown))
        answered = filled.json(*command.split())
        for row in answered if isinstance(answered, list) else [answered]:
            for name in ("name", "subject", "sender", "helpdesk", "recipient", "address"):
                value = row.get(name)
                for word in words(value) if isinstance(value, str) else value or ():
                    assert any(word in one for one in whole), (command, word)


LETTERS_CLOSED = "UPDATE dead_letters SET resolved_at = recorded_at;"
"""So that the mail that one kept in quarantine is in the list of those that wait."""


@pytest.mark.parametrize("width", WIDTHS)
def test_a_card_of_a_mail_says_id_time_outcome_and_subject(filled: CommandLine, sql: Sql, width: int) -> None:
    sql(LETTERS_CLOSED)
    sql("UPDATE imported_mails SET subject = 'Kassa hapert' WHERE item_key = 'item-5';")
    filled.environment["COLUMNS"] = str(width)
    shown = filled("quarantine", "list")
    head, *rest = shown.splitlines()
    assert head.split()[0] == "00000000"
    assert "quarantine" in head
    assert "Kassa hapert" in shown
    assert all(line.startswith("  ") for line in rest)


def test_mails_show_leads_with_the_reasons_and_leaves_out_what_is_empty(filled: CommandLine) -> None:
    lines = filled("mails", "show", "00000000-0000-0000-0000-000000000004").splitlines()
    assert lines[0].split() == ["outcome", "duplicate"]
    assert lines[1].startswith("reasons ")
    labels = {line.split("  ")[0] for line in lines}
    assert not labels & {"republish count", "replays", "supplement id", "forced from"}


def test_a_beginning_of_an_id_names_a_mail_when_no_other_has_it(filled: CommandLine, sql: Sql) -> None:
    sql("INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size,"
        " full_size, complete, received_at, fetched_at) SELECT 'abcd0000-0000-0000-0000-000000000000', helpdesk_id,"
        " generation, folder, 'another', raw_sha256, raw_size, full_size, complete, received_at, fetched_at"
        " FROM imported_mails WHERE item_key = 'item-1';")  # fmt: skip
    assert filled.json("mails", "show", "abcd")["item_key"] == "another"
    assert "several mails begin with 00000000" in filled("mails", "show", "00000000", code=1)
    assert "There is no mail bbbb" in filled("mails", "show", "bbbb", code=1)
    assert "is no id of a mail" in filled("mails", "show", "abc", code=1)


def test_short_ids_are_as_long_as_tells_them_apart() -> None:
    far, near = uuid.UUID(int=1 << 100), uuid.UUID(int=(1 << 100) + 1)
    assert short_ids([uuid.UUID("12345678" + "0" * 24), uuid.UUID("87654321" + "0" * 24)]) == ["12345678", "87654321"]
    assert short_ids([far, near]) == [str(far), str(near)]


def test_D7_quarantined_mails_are_replayed_by_filter_after_a_count(filled: CommandLine, sql: Sql) -> None:
    sql(LETTERS_CLOSED)
    assert "1 mail would be replayed" in filled("quarantine", "replay", "--all", "--dry-run")
    assert "Say --yes" in filled("quarantine", "replay", "--all", code=1)
    assert filled.json("quarantine", "list")[0]["waiting"] is False
    assert "0 mails replayed" in filled("quarantine", "replay", "--all", "--yes", "--reason", "too-large")
    assert "1 mail replayed" in filled("quarantine", "replay", "--all", "--yes", "--reason", "dead-letter")
    assert filled("quarantine", "replay", "--all", "--yes") == "0 mails replayed.\n"
    by_reason = filled("quarantine", "replay", "--all", "--yes", "--reason", "dead-letter")
    assert "1 mail had been decided about" in by_reason


def test_D7_what_is_discarded_keeps_why(filled: CommandLine, sql: Sql) -> None:
    sql(LETTERS_CLOSED)
    filled("quarantine", "discard", "--all", "--yes", "--because", "proefmail van de leverancier")
    (mail,) = filled.json("quarantine", "list", "--discarded")
    assert mail["reasons"][-1]["detail"] == "proefmail van de leverancier"
    assert "proefmail van de leverancier" in filled("quarantine", "list", "--discarded")
    assert json.loads(json.dumps(mail))["outcome"] == "quarantine"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(["quarantine", "replay"], "or say --all", id="neither"),
        pytest.param(["quarantine", "replay", TICKET, "--all"], "or say --all", id="both"),
        pytest.param(["quarantine", "discard", TICKET, "--reason", "x"], "choose among --all", id="a filter of named"),
    ],
)
def test_who_is_meant_must_be_clear(filled: CommandLine, arguments: list[str], complaint: str) -> None:
    assert complaint in filled(*arguments, code=1)


@pytest.mark.parametrize("width", [20, 40, 80])
def test_text_is_wrapped_between_words(width: int) -> None:
    text = "De quarantaine-lijst noemt set-password heel; 漢字漢字 telt dubbel " * 4
    lines = layout.wrapped(text, width, "  ")
    assert " ".join(lines).split() == text.split()
    assert all(cell_len(line) <= width for line in lines)


def test_a_table_that_does_not_fit_is_none() -> None:
    assert layout.table(["a"], [["x" * 81]], 80) is None
    assert layout.table(["a", "b"], [["één", "2"]], 80) == ["a    b", "één  2"]
