"""The yardstick: what an ordinary mail costs on the machine that runs the tests."""

import uuid
from collections.abc import Callable
from functools import cached_property
from time import process_time
from typing import Final

from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings

HEAD = b"From: Els <els@elders.example>\nSubject: Printer\nMessage-ID: <1@elders.example>\n"
SETTINGS = ReadingSettings(
    markers=("===== vul boven deze regel uw reactie =====", "## Typ uw antwoord boven deze regel ##"),
    own_list_ids=("wij.example",),
    trusted_authserv_ids=("mx.example",),
)
_SENTENCE = (
    b'<p class="MsoNormal"><span style="font-size:11.0pt;color:#1F497D">Goedemorgen, de printer op de tweede '
    b"verdieping doet het weer niet; wilt u er eens naar kijken?<o:p></o:p></span></p>\n"
)


def ordinary_mail(size: int) -> bytes:
    """Html as Outlook writes it, a sentence a paragraph, of `size` bytes."""
    return HEAD + b"Content-Type: text/html\n\n<p>Hallo</p>" + (_SENTENCE * (size // len(_SENTENCE) + 1))[:size]


def seconds(read: Callable[..., object], raw: bytes) -> float:
    """Of processor time."""
    begin = process_time()
    read(raw, uuid.UUID(int=1), SETTINGS)
    return process_time() - begin


class Yardstick:
    """What an ordinary mail of `size` bytes costs here, in seconds of processor time.

    A machine that others use too may be three times slower from one minute to the next: what seems dear is compared
    with an ordinary mail that is read beside it.
    """

    TRIES: Final = 8

    def __init__(self, size: int) -> None:
        self._size = size

    @cached_property
    def at_first(self) -> float:
        """When it was first asked."""
        return min(self.now() for _ in range(2))

    def now(self) -> float:
        """At this moment."""
        return seconds(read_mail, ordinary_mail(self._size))

    def exceeded(self, cost: Callable[[], float], times: float) -> bool:
        """Whether `cost` is more than so many ordinary mails, by the first measure and each time beside one."""
        return cost() > self.at_first * times and all(
            cost() > max(self.now(), self.at_first) * times for _ in range(self.TRIES)
        )
