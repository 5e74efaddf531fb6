"""Whether a mail's plain text says what its html shows, or is a stub («your program cannot show html»)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")
_MOST: Final = 100_000
"""Characters that are compared."""
_SHARE: Final = 0.5
_STUB: Final = re.compile(
    r"\bhtml\b|browser|webversi|web version|online|mail ?(?:client|reader|program)|programma|programm\b|logiciel",
    re.IGNORECASE,
)
"""What a stub sends people to."""
_SENDS: Final = re.compile(
    r"view|show|display|support|enable|tonen|toont|weergeven|weergave|bekijk|lees|open|anzeigen|afficher|cannot|geen",
    re.IGNORECASE,
)
_LONGEST_STUB: Final = 500


def says_the_same(plain: str, shown: str) -> bool:
    """False for a `plain` that is a stub: it names html or a program, and has not half of the words that html shows.

    Other words than html has are no sign alone: generators write other headings and footers in one of them.
    """
    if not plain.strip() or len(plain.strip()) > _LONGEST_STUB or not _is_stub(plain):
        return True
    words = _words(shown)
    return not words or len(words & _words(plain)) >= _SHARE * len(words)


def _is_stub(text: str) -> bool:
    return _STUB.search(text) is not None and _SENDS.search(text) is not None


def _words(text: str) -> set[str]:
    """The different words, without accents: some plain text lost them."""
    letters = unicodedata.normalize("NFKD", text[:_MOST].casefold())
    return set(_WORD.findall("".join(letter for letter in letters if not unicodedata.combining(letter))))
