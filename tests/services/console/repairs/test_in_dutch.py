"""The command line in Dutch: the same deeds, exit codes and JSON as in English, within 80 columns."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import pytest

from services.console import audit, labels, output, resources, users
from services.console.nightly.retention import KeptFor
from services.console.repairs import alarms as alarm_rows
from services.console.repairs import aliases, backlog, dead_letters, mails, people, senders
from shared.sentences import Sentence
from shared.standing.recorded import Held
from tests.services.console.repairs.conftest import CommandLine, Sql

TICKET = "00000000-0000-0000-0000-000000000001"
QUARANTINED = "00000000-0000-0000-0000-000000000005"
WIDE = 80

LISTS = (
    ("mails", "list"),
    ("mails", "show", TICKET),
    ("quarantine", "list"),
    ("notifications", "list", "--state", "sent"),
    ("notifications", "held"),
    ("review", "list"),
    ("dead-letters", "list"),
    ("senders", "list"),
    ("people", "find", "a"),
    ("retention", "show"),
    ("backlog", "list"),
    ("aliases", "list"),
    ("audit", "list"),
    ("alarms", "list", "--ended"),
    ("alarms", "administrators"),
    ("alarms", "maintenance"),
    ("installation", "show"),
    ("users", "list"),
    ("helpdesks", "list"),
    ("calendars", "show", "Kantooruren"),
    ("importer", "show", "Support"),
)

SAID = (
    (("mails", "show", TICKET), "ontvangen op", 0),
    (("mails", "show", "00000000-0000-0000-0000-0000000000ff"), "Er is geen mail", 1),
    (("mails", "show", "geen"), "'geen' is geen nummer van een mail", 1),
    (("mails", "list", "--since", "gisteren"), "--since: 'gisteren' is geen tijd", 1),
    (("mails", "force", QUARANTINED), "staat in quarantaine: `quarantine replay`", 1),
    (("mails", "force", TICKET), "wordt nog eens ingelezen", 0),
    (("mails", "release"), "Zeg van wie", 1),
    (("mails", "release", "--all"), "mails gaan verder", 0),
    (("quarantine", "replay"), "Noem mails bij hun nummer", 1),
    (("quarantine", "replay", "--all", "--dry-run"), "er is niets veranderd", 0),
    (("quarantine", "discard", TICKET), "staat niet in quarantaine: hij eindigde als ticket", 1),
    (("notifications", "list", "--state", "lost"), "'lost' is geen van waiting", 1),
    (("notifications", "send-now"), "nieuwe poging", 0),
    (("notifications", "release", "--helpdesk", "Support"), "wordt niet tegengehouden", 1),
    (("review", "accept", TICKET[:-1] + "5"), "geen ticket en geen aanvulling", 1),
    (("senders", "block", "spam.example"), "gaat voortaan in quarantaine voor alle helpdesks", 0),
    (("senders", "remove", "ham.example"), "Er is geen regel voor het domein ham.example", 1),
    (("senders", "block", "nobody"), "is geen adres en geen domein", 1),
    (("people", "erase", "nobody@else.example"), "Er zijn nog geen gegevens", 0),
    (("retention", "set"), "Er is niets gegeven om te veranderen", 1),
    (("aliases", "add", "OUD-1", "nergens"), "Niet toegevoegd: er is geen ticket nergens", 1),
    (("alarms", "end-maintenance", "4711"), "Er is geen onderhoud 4711", 1),
    (("installation", "show"), "Gelezen", 0),
    (("users", "add", "jan@desk.example"), "kiest hier een wachtwoord", 0),
    (("users", "lock", "niemand"), "Er is geen gebruiker niemand", 1),
    (("helpdesks", "show", "Geen"), "er is geen helpdesk 'Geen'; er zijn: ", 1),
    (("helpdesks", "set", "Support"), "Er is niets gegeven om te veranderen", 1),
    (("organisations", "add", "--name", "Gemeente"), "Toegevoegd: organisatie Gemeente.", 0),
    (("contacts", "list"), "Contactpersonen", 0),
)


@pytest.fixture
def dutch(filled: CommandLine) -> CommandLine:
    """The command line in Dutch, on a terminal of 80 columns."""
    filled.environment.update({"IMPORTER_LANGUAGE": "nl", "COLUMNS": str(WIDE)})
    return filled


@pytest.mark.parametrize(("command", "says", "code"), SAID, ids=[" ".join(command) for command, _, _ in SAID])
def test_each_command_speaks_dutch_with_the_exit_code_of_its_english(
    dutch: CommandLine, command: Sequence[str], says: str, code: int
) -> None:
    said = dutch(*command, code=code)
    assert says in " ".join(said.split())


def test_what_programs_read_is_the_same_in_both_languages(dutch: CommandLine, with_broker: CommandLine) -> None:
    for command in LISTS:
        in_dutch = dutch.json(*command)
        people_read = dutch(*command)
        assert [line for line in people_read.splitlines() if len(line) > WIDE] == [], command
        with_broker.environment["IMPORTER_LANGUAGE"] = "en"
        assert with_broker.json(*command) == in_dutch, command
        assert with_broker(*command) != people_read, command
        dutch.environment["IMPORTER_LANGUAGE"] = "nl"


@pytest.mark.parametrize(
    ("language", "reason", "not_sent"),
    [
        ("nl", "Deze mail is in deze mailbox al eerder ingelezen.", "Op automatische mail volgt nooit een mail."),
        ("en", "This mail was imported from this mailbox before.", "No mail ever follows an automatic mail."),
    ],
)
def test_reasons_are_said_in_the_language_of_the_rest(
    dutch: CommandLine, sql: Sql, language: str, reason: str, not_sent: str
) -> None:
    sql("UPDATE notifications SET state = 'not-sent', reason = 'automatic', next_try_at = NULL;")
    dutch.environment["IMPORTER_LANGUAGE"] = language
    duplicate = TICKET[:-1] + "4"
    assert reason in " ".join(dutch("mails", "show", duplicate).split())
    assert not_sent in " ".join(dutch("notifications", "list", "--state", "not-sent").split())
    assert dutch.json("mails", "show", duplicate)["reasons"][0]["sentence"].startswith("Deze mail is")


def test_wrong_lines_of_a_file_are_english_for_programs_and_dutch_for_people(dutch: CommandLine, sql: Sql) -> None:
    lines = "OUD-1,nergens\nOUD-2\n"
    said = dutch("aliases", "import", "-", stdin=lines, code=1)
    assert "Regel 1: er is geen ticket nergens." in said
    assert "Regel 2: er horen twee kolommen te zijn" in said
    assert sql("SELECT count(*) AS count FROM ticket_numbers WHERE number LIKE 'OUD-%'") == [{"count": 0}]


def test_every_field_that_is_shown_has_a_name_in_words() -> None:
    shown = {
        field.name
        for rows in (
            mails.MailInFull, mails.MailOut, mails.DeadLetter, mails.EarlierOutcome, mails.ForcedImport,
            dead_letters.LetterFacts, dead_letters.LostLetter, senders.Rule, people.Known, backlog.Backlog,
            aliases.Alias, alarm_rows.AlarmRow, alarm_rows.Administrator, alarm_rows.Maintenance, audit.Entry,
            users.User, KeptFor, Held,
        )
        for field in dataclasses.fields(rows)
    }  # fmt: skip
    for resource in (*resources.RESOURCES.values(), resources.IMPORTER):
        shown |= {field.name for field in resource.fields} | {name for name, _ in resource.facts}
    unlabelled = {name for name in shown if name.replace("_", " ") not in labels.IN_WORDS}
    assert unlabelled == {"before", "after", "dutch", "headers", "last_seen_at"}, (
        "these are shown to programs alone, or by their parts"
    )


def test_a_sentence_is_english_to_a_program() -> None:
    sentence = Sentence("there is no ticket %(ticket)s", ticket="12")
    assert json.dumps(sentence) == '"there is no ticket 12"'
    assert output.in_words(sentence) == "there is no ticket 12"
    assert output.in_words("100% sure") == "100% sure"
