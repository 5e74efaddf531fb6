"""Whether a mail's plain text says what its html shows, or is a stub («your program cannot show html»)."""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")
_MOST: Final = 100_000
"""Characters that are compared."""
_SHARE: Final = 0.5


def says_the_same(plain: str, shown: str) -> bool:
    """Whether at least half of the different words that html shows stand in `plain`; html without words says nothing.

    Clients write both from one source; generators write other links, headings and footers in one of them.
    """
    words = set(_WORD.findall(shown[:_MOST].casefold()))
    return not words or len(words & set(_WORD.findall(plain[:_MOST].casefold()))) >= _SHARE * len(words)
