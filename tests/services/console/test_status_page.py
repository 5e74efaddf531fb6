"""What `status` shows at 80 columns: what needs a person first, and no name broken."""

from dataclasses import replace

from services.console.status_page import status_page
from tests.shared.standing.examples import mailbox, standing, troubled, undecided

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
