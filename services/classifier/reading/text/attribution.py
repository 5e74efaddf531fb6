"""The line that a client writes above a quote: «Op di 3 maart 2026 om 10:00 schreef Jan <jan@klant.example>:».

Known by its verb, in some fifty languages, together with a date or an address; or, where a client writes no verb, by a
date and an address that end in a colon; or, in any language, by a date or an address straight above a quote. It may be
wrapped over four lines.
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
    r"wiadomość\s+napisana\s+przez|noted)(?!\w)|"
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
_ADDRESS: Final = re.compile(r"[^\s<>\"'@]{1,64}@[^\s<>\"'@]{3,250}")
_ENDS: Final = re.compile(r"(?:[:：﹕]|&gt;:?)[\s>*_\u2069\u202c\u200f]*$")
_ENDS_WITH_ADDRESS: Final = re.compile(r"@[^\s<>@]{3,250}[>)\]\"'’\s]{0,6}[:：]$")
_CLOCK: Final = re.compile(_TIME)


def attribution_end(lines: Sequence[str], begin: int, above_quote: Sequence[bool] = ()) -> int | None:
    """The line after the attribution that begins in line `begin`; None where none does.

    `above_quote`: for each line whether a marked quote follows: straight above one, an attribution may be in any
    language. Without it none does.
    """
    text = ""
    for index in range(begin, min(len(lines), begin + _MOST_LINES)):
        line = bare(lines[index][: 2 * _LONGEST])
        if not line or (index > begin and lines[index].lstrip().startswith(">")):
            return None
        text = f"{text} {line}".strip()
        if len(text) > _LONGEST:
            return None
        if _is_attribution(text, above_quote=bool(above_quote) and above_quote[index]):
            return index + 1
        if index == begin and not _tells_part(line):
            return None
    return None


def tells_who_wrote_when(line: str) -> bool:
    """Whether a line has an attribution's verb and date; Thunderbird ends it without a colon above header lines."""
    text = bare(line[: 2 * _LONGEST])
    return len(text) <= _LONGEST and _WROTE.search(text) is not None and _MOMENT.search(text) is not None


def _tells_part(line: str) -> bool:
    """Whether a line may begin an attribution that goes on below: it has the date or the address, and ends nothing."""
    return not line.endswith((".", "!", "?")) and (
        _MOMENT.search(line) is not None or _ADDRESS.search(line) is not None
    )


def _is_attribution(text: str, *, above_quote: bool) -> bool:
    ends = _ENDS.search(text) is not None
    if not ends and not above_quote:
        return False
    address = _ADDRESS.search(text) is not None
    moment = _MOMENT.search(text) is not None
    if not address and not moment:
        return False
    if _WROTE.search(text) is not None:
        return (ends or (address and moment)) and (above_quote or address or _I_WROTE.search(text) is None)
    if not (address and moment):
        return False
    return above_quote or (_ENDS_WITH_ADDRESS.search(text) is not None and _CLOCK.search(text) is not None)
