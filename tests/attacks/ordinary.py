"""The yardstick: what an ordinary mail costs on the machine that runs the tests."""

import uuid
from collections.abc import Callable
from time import process_time

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


def seconds_of_an_ordinary_mail(size: int) -> float:
    """Of processor time, at best of two readings."""
    return min(seconds(read_mail, ordinary_mail(size)) for _ in range(2))
