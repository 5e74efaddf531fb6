"""Text that PostgreSQL takes and that a screen shows as it is (other importers lose such mails).

NUL and lone surrogates reach no column. Control characters leave every text; those that turn the direction of writing
(Unicode TR 36, «bidirectional spoofing») and invisible ones leave subjects and names, where they lie to the reader.
"""

from __future__ import annotations

import re
from typing import Final

ELLIPSIS: Final = "…"

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_INVISIBLE: Final = re.compile("[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_NOT_SAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
"""Line ends that are no LF and control characters: most texts have neither."""
_LINE_ENDS: Final = re.compile("\r\n?|\x85|\u2028|\u2029")
_SPACES: Final = re.compile(r"\s+")


def safe_text(text: str) -> str:
    """A body's text: line ends become LF, control characters save tab and line end are gone."""
    if _NOT_SAFE.search(text) is None:
        return text
    return _CONTROL.sub("", _LINE_ENDS.sub("\n", text.replace("\x0c", "\n")))


def safe_line(text: str, longest: int) -> str:
    """One line, for a subject, a name or a file name: white space is single, nothing hides, at most `longest` long."""
    line = _SPACES.sub(" ", _INVISIBLE.sub("", _CONTROL.sub("", _SPACES.sub(" ", text)))).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + ELLIPSIS


def cut(text: str, longest: int, most_lines: int) -> tuple[str, bool]:
    """`text` of at most `longest` characters and `most_lines` lines, and whether something was cut off."""
    shortened = text if len(text) <= longest else text[: longest - 1] + ELLIPSIS
    if shortened.count("\n") >= most_lines:
        shortened = "\n".join(shortened.split("\n", most_lines)[:most_lines]).rstrip() + ELLIPSIS
    return shortened, shortened is not text
