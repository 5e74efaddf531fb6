"""Whether a mail's plain text says what its html shows, or is a stub («your program cannot show html»)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")
_MOST: Final = 100_000
"""Characters that are compared."""
_SHARE: Final = 0.5


def says_the_same(plain: str, shown: str) -> bool:
    """Whether at least half of the different words that html shows stand in `plain`; html without words says nothing.

    Clients write both from one source; generators write other links, headings and footers in one of them.
    """
    words = _words(shown)
    return not words or len(words & _words(plain)) >= _SHARE * len(words)


def _words(text: str) -> set[str]:
    """The different words, without accents: some plain text lost them."""
    letters = unicodedata.normalize("NFKD", text[:_MOST].casefold())
    return set(_WORD.findall("".join(letter for letter in letters if not unicodedata.combining(letter))))
