"""Text without links, and without what a mail program would make a link of: a stranger's mail is repeated so (M4).

Whoever forges a sender has us write to whom he likes. So the word goes that has a link in it: a scheme (`https://`,
`mailto:`), `www.`, a domain under a top-level domain that exists (the Public Suffix List has them), an address, a host
with a path behind it, a path of Windows. Numbers of telephones, prices, versions and most names of files stay.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import pairwise
from typing import Final

import idna
from publicsuffixlist import PublicSuffixList

LEFT_OUT: Final = "(link weggelaten)"

_WORD: Final = re.compile(r"\S+")
_SCHEME: Final = re.compile(
    r"://|www\.|\\\\|\b(?:https?|ftp|mailto|javascript|vbscript|data|file|sips?|skype|sms|magnet|smb):", re.IGNORECASE
)
_HOST: Final = re.compile(r"[\w.-]+")
_NUMBERED_HOST: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}[/:]")
_BEGINS_A_PATH: Final = frozenset("/:?#")
_DOTS: Final = str.maketrans({"。": ".", "｡": ".", "．": ".", "․": "."})  # noqa: RUF001 - all are dots in a domain (UTS 46)


def without_links(text: str) -> str:
    """`text` with LEFT_OUT in place of each word that has a link in it."""
    return _WORD.sub(lambda word: LEFT_OUT if _has_link(word[0]) else word[0], text)


def _has_link(word: str) -> bool:
    seen = unicodedata.normalize("NFKC", word).translate(_DOTS)
    seen = "".join(character for character in seen if unicodedata.category(character) != "Cf")
    if _SCHEME.search(seen) or _NUMBERED_HOST.search(seen):
        return True
    return any(_is_domain(host[0], seen[host.end() : host.end() + 1]) for host in _HOST.finditer(seen))


def _is_domain(host: str, behind: str) -> bool:
    """Whether a label of it, not the first, is a top-level domain; where a path begins behind it, any name will do."""
    labels = host.split(".")
    ends = [label for before, label in pairwise(labels) if before and label]
    if any(_is_top_level(label) for label in ends):
        return True
    return behind in _BEGINS_A_PATH and any(len(label) > 1 and not label.isdecimal() for label in ends[-1:])


def _is_top_level(label: str) -> bool:
    try:
        ascii_label = label if label.isascii() else idna.encode(label, uts46=True).decode("ascii")
    except idna.IDNAError:
        return False
    return _suffixes().publicsuffix(ascii_label.lower()) is not None


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True, accept_unknown=False)
