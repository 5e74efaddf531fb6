"""What `status` shows at 80 columns: what needs a person first, and no name broken."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from services.console.status_page import status_page
from services.console.texts import texts
from shared.standing.importing import Import
from shared.standing.recorded import MailboxProgress, Unfinished
from tests.shared.standing.examples import NOW, mailbox, standing, troubled, undecided

LONG = "Servicedesk Bedrijfsvoering en Informatievoorziening Gemeente Hoogstad-Zuidoost (Noord)"


def test_no_line_is_wider_than_the_terminal_and_no_word_is_broken() -> None:
    of = standing(
        mailboxes=(mailbox("ICT"), troubled(LONG, "unreachable"), mailbox("Off", enabled=False)),
        undecided=(undecided(LONG, quarantined=12),),
    )
    lines = status_page(of, 80)
    assert max(map(len, lines)) <= 80
    words = {word for line in lines for word in line.split()}
    assert words >= set(LONG.split()) | {"unreachable", "mail.classified", "ticket.events"}


def test_what_needs_a_person_comes_first() -> None:
    lines = status_page(standing(undecided=(undecided("ICT", to_review=2),)), 80)
    assert lines[0].startswith("Needs a person: 1 thing.")
    assert lines[1].startswith("- 2 tickets and supplements of ICT to be reviewed")
    assert status_page(standing(), 80)[0].startswith("Nothing needs a person.")


def test_of_a_server_that_is_away_nothing_is_shown_and_of_the_other_all() -> None:
    without_database = "\n".join(status_page(replace(standing(), database=None, database_trouble="Weg."), 80))
    assert "PostgreSQL: Weg." in without_database
    assert "mail.classified" in without_database
    assert "Schema" not in without_database
    without_broker = "\n".join(status_page(replace(standing(), broker=None, broker_trouble="RabbitMQ is weg."), 80))
    assert "RabbitMQ is weg." in without_broker
    assert "Schema" in without_broker
    assert "mail.classified" not in without_broker


def test_control_characters_of_names_do_not_reach_the_table() -> None:
    lines = status_page(standing(mailboxes=(mailbox("I\x1b[2J\nCT"),)), 80)
    assert not any("\x1b" in line or "\n" in line for line in lines)


HALF_WAY = Import(
    "ICT",
    first=True,
    since=NOW - timedelta(hours=2),
    taken_in=1240,
    decided=1100,
    reached=NOW - timedelta(days=400),
    per_second=4.1,
)


def state(of: MailboxProgress, *imports: Import) -> str:
    """What stands behind the mailbox of ICT."""
    [line] = [line for line in status_page(standing(mailboxes=(of,), imports=imports), 80) if line.startswith("ICT")]
    return line.split("  ")[-1].strip()


@pytest.mark.parametrize(
    ("of", "imports", "said"),
    [
        pytest.param(mailbox("ICT"), (), "well", id="well"),
        pytest.param(
            mailbox("ICT", last_successful_check_at=None, last_check_at=None), (), "not checked yet", id="new"
        ),
        pytest.param(mailbox("ICT", last_successful_check_at=None), (HALF_WAY,), "first import", id="a first import"),
        pytest.param(
            mailbox("ICT", last_successful_check_at=None, last_check_at=None),
            (Import("ICT", first=True, since=None, taken_in=0, decided=0, reached=None, per_second=None),),
            "first check",
            id="the first check",
        ),
        pytest.param(mailbox("ICT"), (replace(HALF_WAY, first=False),), "importing", id="a backlog later"),
        pytest.param(mailbox("ICT", is_late=True), (HALF_WAY,), "nobody checks it", id="its fetcher died"),
    ],
)
def test_S8_a_mailbox_in_the_middle_of_an_import_is_not_well_and_never_checked(
    of: MailboxProgress, imports: tuple[Import, ...], said: str
) -> None:
    assert state(of, *imports) == said


def test_an_import_is_told_with_its_rate_and_how_far_it_is_and_promises_no_end() -> None:
    lines = " ".join(
        status_page(
            standing(imports=(HALF_WAY,), unfinished=Unfinished(140, 0, 0, 0, 0)),
            200,
        )
    )
    assert "ICT: 1,240 mails since " in lines
    assert ", 4/s; it is at mail that arrived 2025-10-2" in lines
    assert "; 140 have no outcome yet" in lines
    assert " of 1,380" not in lines
    silent = status_page(standing(imports=(replace(HALF_WAY, per_second=0.0),)), 200)
    assert any("nothing moves" in line for line in silent)


@pytest.mark.parametrize(
    ("per_second", "said"),
    [
        pytest.param(4.1, "ICT: 1,240 of 2,000, 4/s, 3 min, since ", id="it moves"),
        pytest.param(0.0, "ICT: 1,240 of 2,000, nothing moves, since ", id="it does not"),
    ],
)
def test_S8_an_import_of_which_the_mailbox_said_how_much_it_holds_has_a_time_left(per_second: float, said: str) -> None:
    page = status_page(standing(imports=(replace(HALF_WAY, total=2000, per_second=per_second),)), 200)
    assert any(said in line for line in page)


@pytest.fixture
def in_dutch(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("IMPORTER_LANGUAGE", "nl")
    texts.cache_clear()
    yield
    texts.cache_clear()


@pytest.mark.usefixtures("in_dutch")
def test_in_dutch_no_english_is_left_and_no_line_is_wider() -> None:
    of = standing(
        mailboxes=(mailbox("ICT"), troubled(LONG, "login-refused"), mailbox("Uit", enabled=False)),
        undecided=(undecided(LONG, quarantined=12),),
        imports=(HALF_WAY, replace(HALF_WAY, helpdesk="Verkoop", total=2000)),
    )
    lines = status_page(of, 80)
    assert max(map(len, lines)) <= 80
    page = " ".join(" ".join(lines).split())
    assert "Een mens is nodig voor 2 dingen." in page
    assert "aanmelding geweigerd sinds" in page
    assert "ICT: 1.240 mails sinds" in page
    assert "Verkoop: 1.240 van 2.000, 4/s, 3 min, sinds" in page
    assert "mail.classified" in page
    english = {"Mailbox", "State", "Queue", "Ready", "Readers", "Newest", "since", "well", "none", "wait", "have"}
    assert english & set(page.replace(LONG, "").split()) == set()
