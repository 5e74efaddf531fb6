"""The line that a client writes above a quote: «Op di 3 maart 2026 om 10:00 schreef Jan <jan@klant.example>:».

Known by its verb, in some fifty languages, together with a date or an address; or, where a client writes no verb, by a
date and an address that end in a colon; or, in any language, by a date or an address straight above a quote. Zoho puts
dashes around it («---- On … wrote ----»). It may be wrapped over four lines: before the address (Gmail), after a day
(«30.») or a name («Jansen B.V.») that ends in a full stop, or after a long name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from services.classifier.reading.text.header_block import bare

_MOST_LINES: Final = 4
_LONGEST: Final = 400

_WROTE: Final = re.compile(
    r"(?<!\w)(?:schreef|geschreven|schrijft|geskryf|skryf|wrote|writes|written by|schrieb|schreibt|geschrieben|"
    r"a\s+écrit|écrivait|écrit|ecrit|escribió|escribio|ha\s+escrito|scritto|scrive|escreveu|escreveu:|escribiu|"
    r"va\s+escriure|ha\s+escrit|skrev|skreiv|skrifaði|kirjoitti|napisał(?:a|\(a\))?|pisze|napsal(?:a|\(a\))?|"
    r"napísal(?:a|\(a\))?|(?:ezt\s+)?írta|написав(?:\(-?ла\))?|написала?|писал\(?а?\)?|пишет|пише|написал\(а\)|напиша|"
    r"напис[ао]л?|je\s+napisa(?:o|la|l)|je\s+(?:pisal|napisal)a?|napisa(?:o|la)|yazd[ıi]|yazmış|a\s+scris|έγραψε|"
    r"έγραψαν|rašė|rakstīja|kirjutas|shkroi|kirjoittaa|menulis|đã\s+viết|viết|idatzi\s+du|"
    r"wiadomość\s+napisana\s+przez|missatge\s+de|noted)(?!\w)|"
    # Horde and SquirrelMail name who is quoted, and no day
    r"^(?:quoting|citeren|zitat\s+von|citando(?:\s+a)?|citat\s+(?:från|fra)|citation\s+de)\s(?=[^:]{0,200}@)|"
    r"כתב(?:ה)?|מאת|كتب(?:ت)?|نوشت|写道|寫道|写入|寫入|書きました|のメッセージ|のメール|작성|썼습니다|님이\s|เขียน(?:ว่า)?|ने\s+लिखा|লিখেছেন|დაწერა",
    re.IGNORECASE,
)
_I_WROTE: Final = re.compile(
    r"(?<!\w)(?:(?:ik|wij|we|i|ich|wir|nous|yo|io|jag|jeg)\s|j['’])(?:\w+\s){0,2}(?:schre(?:ef|ven)|"
    r"geschreven|wrote|written|schrieb(?:en)?|geschrieben|écrit|escrito|scritto|skrev)(?!\w)|"
    r"(?<!\w)(?:schreef|wrote|schrieb|skrev)\s(?:ik|wij|we|ich|wir|to|aan|an|that|dat|dass|jag|jeg)(?!\w)",
    re.IGNORECASE,
)
"""«Op 3 maart schreef ik u:» is a sentence, unless a quote stands straight below."""
_TIME: Final = r"[0-9٠-٩۰-۹]{1,2}\s?[:.h٫時点时]\s?[0-9٠-٩۰-۹]{2}"
_DATE: Final = (
    r"[0-9٠-٩۰-۹]{1,4}\s?[-/.\u200f年월]\s?[0-9٠-٩۰-۹]{1,2}\s?[-/.\u200f月월]?|(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])|"
    r"٢٠[٠-٩]{2}|(?<!\w)[0-9]{1,2}\.?\s+(?:de\s+)?[^\W\d_]{3,12}\.?(?!\w)|(?<!\w)[^\W\d_]{3,9}\.?\s+[0-9]{1,2}(?:st|"
    r"nd|rd|th)?,"
)
_MOMENT: Final = re.compile(rf"{_TIME}|{_DATE}")
_YEAR: Final = re.compile(
    r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])|[٠-٩۰-۹]{4}|"
    r"(?<![0-9])[0-9]{1,2}\s?[-/.]\s?[0-9]{1,2}\s?[-/.]\s?[0-9]{2}(?![0-9])"
)
"""«Op 3 maart om 10:00 schreef Jan:» is a sentence too; clients name the year."""
_ADDRESS: Final = re.compile(r"[^\s<>\"'@]{1,64}@[^\s<>\"'@]{3,250}")
_ENDS: Final = re.compile(r"(?:[:：﹕]|&gt;:?)[\s>*_\u2069\u202c\u200f]*$")
_ENDS_WITH_ADDRESS: Final = re.compile(r"@[^\s<>@]{3,250}[>)\]\"'’\s]{0,6}[:：]$")
_CLOCK: Final = re.compile(_TIME)
_DAY: Final = re.compile(rf"{_DATE}")
_DASHES: Final = re.compile(r"^[-–—]{2,}\s*|(?:(?<!\s)\s++)?(?<![-–—])[-–—]{2,}+$")
_ENDS_WITH_DAY: Final = re.compile(r"(?<![\w.:])[0-9]{1,2}\.?$")
_NUMBER_OR_AT: Final = re.compile(r"[0-9٠-٩۰-۹@]")
"""What every moment and every address has: the lines without it need no closer look, and they are most."""
_IN_ENDS: Final = (":", "：", "﹕", "&gt;", "--")
"""One of them is in every line that ends as attributions do."""
_GOES_ON: Final = frozenset("<([,;&")
_LONGEST_DAY: Final = 4
"""Characters that a day at the end of a line is known by, the one before it too."""
_WRAPPED: Final = 40
"""A client that wraps at 60 to 80 characters leaves lines at least as long."""


def attribution_end(lines: Sequence[str], begin: int, above_quote: Sequence[bool] = ()) -> int | None:
    """The line after the attribution that begins in line `begin`; None where none does.

    `above_quote`: for each line whether a marked quote follows: straight above one, an attribution may be in any
    language. Without it none does.
    """
    text = ""
    for index in range(begin, min(len(lines), begin + _MOST_LINES)):
        line = bare(lines[index][: 2 * _LONGEST])
        closes_address = text.rfind("<") > text.rfind(">")
        if not line or (index > begin and lines[index].lstrip().startswith(">") and not closes_address):
            return None
        text = f"{text} {line}".strip()
        if len(text) > _LONGEST:
            return None
        is_above_quote = bool(above_quote) and above_quote[index]
        if _is_attribution(text, above_quote=is_above_quote):
            begins_below = any(_begins_at(lines, start, index, is_above_quote) for start in range(begin + 1, index + 1))
            return None if begins_below else index + 1
        if index == begin and not _may_go_on(lines, begin):
            return None
    return None


def attribution_begin(lines: Sequence[str], end: int, *, above_quote: bool = True) -> int | None:
    """The line in which the attribution begins that ends before line `end`, straight above a quote; None for none.

    `above_quote` is False where another attribution stands between.
    """
    quoted_below = [False] * (end - 1) + [above_quote]
    above, least = lines[:end], max(0, end - _MOST_LINES)
    return next((begin for begin in range(least, end) if attribution_end(above, begin, quoted_below) == end), None)


def _begins_at(lines: Sequence[str], start: int, end: int, above_quote: bool) -> bool:  # noqa: FBT001 - as it was found
    """Whether the lines `start` to `end` are an attribution by themselves: what stands above them somebody said.

    Who wrote when stands in them, and they begin as a line does: not with an address, in mid-date, or within a name
    that stands first.
    """
    above = bare(lines[start - 1][: 2 * _LONGEST])
    text = " ".join(bare(line[: 2 * _LONGEST]) for line in lines[start : end + 1])
    moment, address = _MOMENT.search(text), _ADDRESS.search(text)
    if moment is None or _WROTE.search(text) is None or not _is_attribution(text, above_quote=above_quote):
        return False
    is_name_first = address is not None and address.start() < moment.start()
    in_name = is_name_first and _NUMBER_OR_AT.search(above) is None
    in_date = _ENDS_WITH_DAY.search(above[-_LONGEST_DAY:]) is not None
    return not (in_name or in_date or text[0].islower() or text[0] in _GOES_ON)


def tells_who_wrote_when(line: str) -> bool:
    """Whether a line has an attribution's verb and date; Thunderbird ends it without a colon above header lines."""
    text = bare(line[: 2 * _LONGEST])
    return (
        len(text) <= _LONGEST
        and _NUMBER_OR_AT.search(text) is not None
        and _WROTE.search(text) is not None
        and _MOMENT.search(text) is not None
    )


def tells_a_moment(text: str) -> bool:
    """Whether a day and a time of it stand in a text."""
    return _CLOCK.search(text) is not None and _DAY.search(text) is not None


def _may_go_on(lines: Sequence[str], begin: int) -> bool:
    """Whether line `begin` may be the first of an attribution: it has the date or the address and ends nothing.

    A full stop ends a sentence, unless it is a day's, or an address follows that ends the attribution. A line with
    neither is a long name at the beginning of its paragraph.
    """
    line = bare(lines[begin][: 2 * _LONGEST])
    if line.endswith(("!", "?")):
        return False
    following = bare(lines[begin + 1][: 2 * _LONGEST]) if begin + 1 < len(lines) else ""
    ends_with_day = _ENDS_WITH_DAY.search(line[-_LONGEST_DAY:]) is not None
    if ends_with_day and _WROTE.search(following) is not None:
        return _MOMENT.search(f"{line} {following}") is not None  # the month stands in the next line
    tells = _NUMBER_OR_AT.search(line) is not None
    if not tells or (_MOMENT.search(line) is None and _ADDRESS.search(line) is None):
        begins_paragraph = not begin or not bare(lines[begin - 1])
        ends_open = line[-1:].isalnum() or line.endswith(("<", "("))
        return begins_paragraph and ends_open and len(line) >= _WRAPPED and _who_wrote_when(following)
    if line.endswith("."):
        return ends_with_day or (_ADDRESS.search(following) is not None and _ENDS.search(following) is not None)
    return True


def _who_wrote_when(text: str) -> bool:
    return "@" in text and all(pattern.search(text) is not None for pattern in (_ADDRESS, _MOMENT, _WROTE))


def _is_attribution(text: str, *, above_quote: bool) -> bool:
    may_end = above_quote or any(mark in text for mark in _IN_ENDS)
    if not may_end or _NUMBER_OR_AT.search(text) is None:
        return False
    bared = _DASHES.sub("", text)
    ends = _ENDS.search(bared) is not None or (text[:2] == text[-2:] == "--" and _WROTE.search(text) is not None)
    if not ends and not above_quote:
        return False
    address = _ADDRESS.search(text) is not None
    moment = _MOMENT.search(text) is not None
    if not address and not moment:
        return False
    if _WROTE.search(text) is not None:
        by_client = address or (_YEAR.search(text) is not None and _I_WROTE.search(text) is None)
        return (ends or (address and moment)) and (above_quote or by_client)
    if not (address and moment):
        return above_quote and ends and tells_a_moment(text)
    return above_quote or (_ENDS_WITH_ADDRESS.search(text) is not None and _CLOCK.search(text) is not None)
