"""Our Message-IDs: stable, unique, and not to be guessed (DESIGN 9)."""

import uuid

from services.notifier.rules.message_id import message_id
from services.notifier.rules.mime import is_message_id
from tests.services.notifier.examples import KEY

_ID = uuid.UUID("4f0c1c5e-0000-4000-8000-000000000001")


def test_it_is_the_same_each_time_and_fit_for_a_header() -> None:
    made = message_id(_ID, "example.nl", KEY)
    assert made == message_id(_ID, "example.nl", KEY)
    assert made.endswith("@example.nl")
    assert made.startswith(_ID.hex)
    assert is_message_id(made)


def test_another_notification_or_another_key_makes_another() -> None:
    made = {
        message_id(_ID, "example.nl", KEY),
        message_id(_ID, "example.nl", b"another key"),
        message_id(uuid.UUID(int=1), "example.nl", KEY),
    }
    assert len({each.partition("@")[0].partition(".")[2] for each in made}) == 3
