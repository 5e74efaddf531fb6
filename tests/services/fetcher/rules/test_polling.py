"""How soon a mailbox that tells nothing of new mail is looked into again, by table."""

from datetime import timedelta

import pytest

from services.fetcher.rules.polling import next_poll


@pytest.mark.parametrize(
    ("interval", "arrived", "pauses"),
    [
        pytest.param(30, "....", [30, 30, 30, 30], id="quiet"),
        pytest.param(30, "x.....", [5, 10, 20, 30, 30, 30], id="a mail came in"),
        pytest.param(30, "xx.x.", [5, 5, 10, 5, 10], id="mails come in"),
        pytest.param(3, "x..", [3, 3, 3], id="a setting shorter than the shortest"),
        pytest.param(300, "x.......", [5, 10, 20, 40, 80, 160, 300, 300], id="a long interval"),
    ],
)
def test_W1_a_mailbox_in_which_mail_comes_in_is_looked_into_sooner(
    interval: int, arrived: str, pauses: list[int]
) -> None:
    pause: timedelta | None = None
    told = []
    for each in arrived:
        pause = next_poll(timedelta(seconds=interval), last_pause=pause, arrived=each == "x")
        told.append(pause.total_seconds())
    assert told == pauses
