"""A mail's identity follows from where it lies, and from nothing else (SPEC D13)."""

import uuid

import pytest

from shared.mail_identity import forced_mail_id, mail_id

PLACE = (7, 1, "INBOX", "1700000000.M1P2.mx")


def test_D13_the_same_item_is_the_same_mail_for_ever() -> None:
    assert mail_id(*PLACE) == mail_id(*PLACE)
    assert str(mail_id(*PLACE)) == "0fb62e4f-a39b-5959-9de7-37e12fded1ea"
    assert mail_id(*PLACE).version == 5


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((8, 1, "INBOX", "1700000000.M1P2.mx"), id="another mailbox"),
        pytest.param((7, 2, "INBOX", "1700000000.M1P2.mx"), id="another generation"),
        pytest.param((7, 1, "Archief", "1700000000.M1P2.mx"), id="another folder"),
        pytest.param((7, 1, "INBOX", "1700000000.m1p2.mx"), id="another case: EWS ids are case-sensitive"),
        pytest.param((71, 1, "INBOX", "1700000000.M1P2.mx"), id="digits do not run together"),
    ],
)
def test_D13_another_place_is_another_mail(other: tuple[int, int, str, str]) -> None:
    assert mail_id(*other) != mail_id(*PLACE)


def test_D13_a_forced_import_is_a_mail_of_its_own_each_time() -> None:
    original = mail_id(*PLACE)
    forced = [forced_mail_id(original, number) for number in (1, 2)]
    assert len({original, *forced}) == 3
    assert forced[0] == forced_mail_id(original, 1) == uuid.uuid5(original, "1")
