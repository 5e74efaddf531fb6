"""The header block that a mail client writes straight above what it quotes; it belongs to the quote (SPEC D16).

Three shapes: an attribution («Op … schreef …:», "On … wrote:"), a block of header lines («Van: … Verzonden: …») with
the rule or the words above it («-----Oorspronkelijk bericht-----»), and whatever the client itself marked as such in
its html. Each is looked for upwards from the first line of the quote, over blank lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from services.classifier.reading.text.lines import Line

_QUOTE_MARKS: Final = re.compile(r"^[>|\s\u200b\ufeff*_]+|[\s*_]+$")
_LINE_START: Final = re.compile(r"^[>|\s\u200b\ufeff]+")
_MOST_ATTRIBUTION_LINES: Final = 4
_MOST_HEADER_LINES: Final = 24
_LONGEST_ATTRIBUTION: Final = 400

_WROTE: Final = re.compile(
    r"\b(?:schreef|geschreven|wrote|writes|schrieb|schreibt|geschrieben|a écrit|écrit|escribió|escribio|ha scritto|"
    r"scritto|escreveu|skrev|skrifaði|kirjoitti|napisał(?:a|\(a\))?|napsal(?:a|\(a\))?|írta|написав|написал\w*|"
    r"пише|yazd\w|a scris|έγραψε)\b",
    re.IGNORECASE,
)
_BEGINS_ATTRIBUTION: Final = re.compile(
    r"^(?:op|on|am|le|il|el|em|den|die|dne|dnia|w dniu|om|på|в|kl|in data|at|a|pe)\b|[0-9]{1,4}[-./ ]|"
    r"<[^<>@\s]+@|\S+@\S+",
    re.IGNORECASE,
)

_FROM: Final = (
    "van|from|von|de|da|fra|från|od|lähettäjä|от|afzender|expéditeur|absender|mittente|remitente|feladó|gönderen"
)
_OTHER: Final = (
    "verzonden|verstuurd|gestuurd|datum|aan|onderwerp|beantwoorden aan|antwoord aan|bijlagen?|"
    "sent|date|to|subject|reply-to|reply to|attachments?|importance|priority|organization|"
    "gesendet|an|betreff|antwort an|anlagen?|wichtigkeit|"
    "envoyé|envoyé le|à|a|objet|répondre à|enviado|enviado el|para|asunto|assunto|data|inviato|oggetto|"
    "sendt|til|emne|skickat|till|ämne|wysłano|do|temat|odesláno|komu|předmět|cc|bcc|kopie|copie|copia|cci|kópia"
)
_HEADER: Final = re.compile(rf"^\s*(?:{_FROM}|{_OTHER})\s?:(?:\s|$|\S)", re.IGNORECASE)
_FROM_HEADER: Final = re.compile(rf"^\s*(?:{_FROM})\s?:", re.IGNORECASE)
_SEPARATOR: Final = re.compile(
    r"^\s*(?:[-_=]{2,}.{0,60}[-_=]{2,}|_{5,}|-{5,}|begin (?:doorgestuurd|forwarded).{0,20}:|"
    r"-+\s*(?:oorspronkelijk|original|ursprüngliche|message d'origine|doorgestuurd|forwarded|weitergeleitet).*)\s*$",
    re.IGNORECASE,
)


def quote_begins_at(lines: Sequence[Line], first_quoted: int) -> int:
    """The line at which the quote that reaches `first_quoted` begins, its header block included."""
    begin = first_quoted
    while True:
        above = _above_blank(lines, begin)
        if above < 0:
            return begin
        start = _marked(lines, above)
        if start is None:
            start = _header_block(lines, above)
        if start is None:
            start = _attribution(lines, above)
        if start is None:
            if begin < first_quoted and _SEPARATOR.match(_LINE_START.sub("", lines[above].text)):
                start = above
            else:
                return begin
        begin = start


def _bare(line: Line) -> str:
    return _QUOTE_MARKS.sub("", line.text.replace("\xa0", " "))


def _above_blank(lines: Sequence[Line], index: int) -> int:
    """The last line above `index` with something on it; -1 where there is none. An image is something."""
    above = index - 1
    while above >= 0 and not _LINE_START.sub("", lines[above].text) and not lines[above].has_image:
        above -= 1
    return above


def _marked(lines: Sequence[Line], last: int) -> int | None:
    start = last
    while start >= 0 and lines[start].in_quote_header:
        start -= 1
    return start + 1 if start < last else None


def _attribution(lines: Sequence[Line], last: int) -> int | None:
    """An attribution that ends in line `last`: up to four lines, wrapped by the client."""
    if not _bare(lines[last]).endswith(":"):
        return None
    text = ""
    for start in range(last, max(-1, last - _MOST_ATTRIBUTION_LINES), -1):
        bare = _bare(lines[start])
        if not bare:
            return None
        text = f"{bare} {text}".strip()
        if len(text) > _LONGEST_ATTRIBUTION:
            return None
        if _WROTE.search(text) and _BEGINS_ATTRIBUTION.search(bare) and _date_or_address(text):
            return start
    return None


def _date_or_address(text: str) -> bool:
    return "@" in text or re.search(r"[0-9]{1,2}[:.h][0-9]{2}|[0-9]{4}|[0-9]{1,2}[-/.][0-9]{1,2}", text) is not None


def _header_block(lines: Sequence[Line], last: int) -> int | None:
    """A block of header lines that ends in line `last`: a sender and one more, at most one blank line between."""
    found: int | None = None
    others = 0
    blanks = 0
    for index in range(last, max(-1, last - _MOST_HEADER_LINES), -1):
        bare = _bare(lines[index])
        if not bare:
            blanks += 1
            if blanks > 1:
                break
            continue
        blanks = 0
        if _FROM_HEADER.match(bare):
            found = index
            break
        others += bool(_HEADER.match(bare))
        if not others and last - index > 1:
            return None
    return found if found is not None and others else None
