"""Text that PostgreSQL takes and that a screen shows as it is (other importers lose such mails).

NUL and lone surrogates reach no column. Control characters leave every text; those that turn the direction of writing
(Unicode TR 36, «bidirectional spoofing») and invisible ones leave subjects and names, where they lie to the reader.
"""

from __future__ import annotations

import re
from typing import Final

ELLIPSIS: Final = "…"

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_INVISIBLE: Final = re.compile(
    "(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f)|"
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e00ff]"
)
"""What no screen shows (Unicode, Default_Ignorable_Code_Point), save joiners and variation selectors, which change how
their neighbours look. Tags spell whole sentences that nobody sees; in a flag (Scotland's) they are part of it."""
_BLANK: Final = re.compile("[\u115f\u1160\u2800\u3164\uffa0]+")
"""Letters and signs that look like a space."""
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
    line = _CONTROL.sub("", _SPACES.sub(" ", text))
    if not line.isascii():
        line = _BLANK.sub(" ", _INVISIBLE.sub(_flag, line))
    line = _SPACES.sub(" ", line).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + ELLIPSIS


def _flag(found: re.Match[str]) -> str:
    return found[1] or ""


def cut(text: str, longest: int, most_lines: int) -> tuple[str, bool]:
    """`text` of at most `longest` characters and `most_lines` lines, and whether something was cut off."""
    shortened = text if len(text) <= longest else text[: longest - 1] + ELLIPSIS
    if shortened.count("\n") >= most_lines:
        shortened = "\n".join(shortened.split("\n", most_lines)[:most_lines]).rstrip() + ELLIPSIS
    return shortened, shortened is not text
