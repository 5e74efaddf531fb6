"""Everything that a reading process loads when it is first used, loaded before it can open a file no more.

Python imports a charset when a mail names it, Pillow a format when a file has it, and some libraries their tables when
they are first asked. What is missing here is missing in production too, and seen: the corpus is read by a confined
process in `tests/attacks/test_reading_child.py`, and must be read as by any other.
"""

from __future__ import annotations

import encodings
import importlib
import pkgutil
import traceback
import uuid
from typing import Final

from services.classifier.reading.frames import Answer, Verdict
from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings

_OF_OTHER_SYSTEMS: Final = frozenset({"mbcs", "oem"})
"""Charsets of Windows alone: importing them fails elsewhere."""
_TABLES: Final = ("ast", "_strptime", "charset_normalizer.cd", "idna.uts46data")
"""What tracebacks, dates, guesses of charsets and names of domains look up."""
_MAIL: Final = """\
From: Jan <jan@büro.example>
To: x@b.example
Subject: =?utf-8?Q?caf=C3=A9?=
Date: Mon, 2 Mar 2026 10:00:00 +0100
Content-Type: multipart/mixed; boundary=q

--q
Content-Type: text/html

<p style="color:red">Hallo <b>daar</b></p><blockquote>Op 2-3-2026 schreef Els:</blockquote>
--q
Content-Type: text/plain

Hallo
--q--
""".encode()


def warm_up() -> None:
    """Load it; a tenth of a second of processor time."""
    for charset in pkgutil.iter_modules(encodings.__path__):
        if charset.name not in _OF_OTHER_SYSTEMS:
            importlib.import_module(f"encodings.{charset.name}")
    for module in _TABLES:
        importlib.import_module(module)
    Answer.of(read_mail(_MAIL, uuid.UUID(int=0), ReadingSettings(markers=("##",))))
    try:
        Answer(Verdict.READ, b"").mail()
    except ValueError:
        traceback.format_exc()
