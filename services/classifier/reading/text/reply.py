"""What a reply says itself: without what it quotes, and without what clients add below (a setting for supplements).

    Ja, dat is goed.                                        ← kept
    Verstuurd vanaf mijn iPhone                             ← of the client
    Op 3 maart 2026 om 10:00 schreef Jan <jan@…>:           ← begins the quote
    > Schikt dinsdag?                                       ← quoted
    Dinsdag kan ook.                                        ← kept: an answer below

A quote ends what is said where the client marks no lines of it: at a block of header lines (Outlook), at a separator
(«-----Oorspronkelijk bericht-----»), at an attribution without quote marks below it, or where the html says so. Where
quoted lines are marked (`>`, a blockquote), they go and what stands around them stays, save quotes in the midst of a
text that no attribution announces, since those a person put there, and the lines that are answered where answers and
quotes alternate (`answers`). What is forwarded is no quote, and nothing of it goes. Nothing is trimmed where nothing
would be left.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum
from itertools import islice
from typing import Final

from services.classifier.reading.text.answers import Voice, answered_lines
from services.classifier.reading.text.attribution import attribution_end, tells_a_moment, tells_who_wrote_when
from services.classifier.reading.text.disclaimer import disclaimer_begins_at
from services.classifier.reading.text.header_block import (
    MOST_LINES,
    Field,
    Separator,
    bare,
    fields_in_one_line,
    header_block_at,
    separator,
)
from services.classifier.reading.text.lines import Line, Quoted
from services.classifier.reading.text.signature import (
    contact_details_at,
    is_contact,
    is_device_line,
    is_rule,
    is_signature_mark,
    warning_ends_at,
)

_QUOTE_MARK: Final = re.compile(r"^[ \t\xa0]{0,3}(?:>|&gt;)(?!\s{0,3}[:\uff1a]\s*$)")
"""`>:` alone ends an attribution whose address was wrapped."""
_BEGINS_MARK: Final = frozenset(" \t\xa0>&")
_GROUPWISE: Final = re.compile(r">>>\s?([^>\s].*)>>>\s*$")
_LONGEST_GROUPWISE: Final = 300
_RULED: Final = re.compile(r"^[\s>*]*[-_=–—]{3,}[\s*]*$")
_WRAPPED_AFTER: Final = 60
"""A quoted line of so many characters may go on in a line that lost its quote mark."""
_ANSWER: Final = (
    r"(?:antwoord|beantwoord|geantwoord|reactie|reageer|gereageerd|opmerking|commentaar|answer|response|responded|"
    r"repl(?:y|ies|ied)|comment|antwort|geantwortet|beantwortet|anmerkung|kommentar|réponse|répond|commentaire|respuesta|"
    r"respond|comentario|rispost|svar)\w{0,4}"
)
_COLOUR: Final = (
    r"(?:in\W(?:het\W)?)?(?:rood|rode|blauwe?|groene?|geel|gele|oranje|paarse?|red|blue|green|bold|rot|blau|grün)|"
    r"in\W(?:vet|kleur|colou?r)|en\Wrouge|en\Wrojo|in\Wrosso|(?:i\W)?(?:rött|rødt)"
)
_PLACE: Final = (
    r"hieronder|onderstaande?|below|in-?line|unten|ci-dessous|abajo|sotto|nedan|nedenfor|"
    r"tussen\W(?:de|het)\W(?:regels|tekst)|" + _COLOUR
)
_MESSAGE: Final = r"e-?mail|mail|bericht|message|nachricht|courriel|mensaje|messaggio"
_ANSWERS_BELOW: Final = re.compile(
    rf"(?<!\w)(?:{_ANSWER}\W(?:\w+\W){{0,6}}?(?:{_PLACE}|in (?:de|uw|je) (?:tekst|e-?mail|mail))|"
    rf"(?:{_PLACE})\W(?:\w+\W){{0,4}}?{_ANSWER}|"
    rf"(?:zie|see|siehe|voir|vedi|ver|se)\W(?:\w+\W){{0,3}}?(?:onder|{_PLACE})|"
    rf"hieronder|onderstaande?|untenstehende\w?|ci-dessous|(?:{_MESSAGE})\Wbelow|below\W(?:{_MESSAGE}))(?!\w)|"
    rf"(?<!\w)(?:{_MESSAGE})(?:\W\w+){{0,6}}:\W*$",
)
"""Of a text in small letters: answers that stand in the quote, or words that say something with it alone.

«Zie onder», «onderstaande mail klopt niet», «graag deze mail blokkeren:».
"""
_OF_ANSWERS_BELOW: Final = (
    "onder", "below", "inline", "in-line", "rood", "rode", "blauw", "groen", "geel", "gele", "oranje", "paars", "vet",
    "kleur", "red", "blue", "green", "bold", "colo", "rot", "blau", "grün", "unten", "roug", "ci-dessous", "abajo",
    "rojo", "sotto", "rosso", ":", "nedan", "neden", "tussen", "rött", "rødt",
    *(f"in {whose} {what}" for whose in ("de", "uw", "je") for what in ("tekst", "mail", "email", "e-mail")),
)  # fmt: skip
"""One of them is in all that _ANSWERS_BELOW finds; most texts have none."""
_MOST_SAID: Final = 2_000
_MOST_SAID_LINES: Final = 40
"""What is looked at of a text for words that announce answers in the quote: its beginning."""
_MOST_IN_SIGNATURE: Final = 25
"""Lines of a signature, with what a mailing list or a lawyer puts below it."""


class _Kind(IntEnum):
    SAID = 0
    BLANK = 1
    QUOTED = 2
    HEADER = 3
    """An attribution, a separator or a header block."""
    ADDED = 4
    """By the client: a signature, an advertisement, a disclaimer."""


def said_lines(lines: Sequence[Line]) -> tuple[bool, ...]:
    """For each line whether it is said here; all of them where nothing else would be left.

    What stands below the first MOST_LINES goes with the last of these.
    """
    beginning = _said_at_first(lines[:MOST_LINES])
    return beginning + beginning[-1:] * (len(lines) - len(beginning))


def _said_at_first(lines: Sequence[Line]) -> tuple[bool, ...]:
    texts = [line.text for line in lines]
    filled = [_has_content(line) for line in lines]
    kinds = _marked(lines, texts, filled)
    end = _find_headers(lines, texts, kinds)
    quoted = [kind is _Kind.QUOTED for kind in kinds]
    above_all = next((each for each, kind in enumerate(kinds) if kind > _Kind.BLANK), 0)
    announced = any(quoted) and _answers_below(texts, kinds, above_all)
    _keep_own_quotes(lines, kinds)
    _find_added(lines[:end], texts[:end], kinds)
    if any(quoted):
        voices = [_voice(*said) for said in zip(kinds, filled, quoted, strict=True)]
        for index in answered_lines(texts, voices[:end], announced=announced):
            kinds[index] = _Kind.SAID
    kept = tuple(kind in {_Kind.SAID, _Kind.BLANK} for kind in kinds)
    left = [keep and is_filled for keep, is_filled in zip(kept, filled, strict=True)]
    holds_answers = announced and not any(left[above_all:])  # within the quote, where a client marks no line of them
    return kept if any(left) and not holds_answers else (True,) * len(lines)


def _voice(kind: _Kind, is_filled: bool, is_quoted: bool) -> Voice:  # noqa: FBT001 - a row of three lists
    if not is_filled:
        return Voice.NONE
    if is_quoted:
        return Voice.QUOTED
    return Voice.SAID if kind is _Kind.SAID else Voice.OTHER


def _has_content(line: Line) -> bool:
    return line.has_image or bool(bare(line.text))


def _marked(lines: Sequence[Line], texts: Sequence[str], filled: Sequence[bool]) -> list[_Kind]:
    """What each line is by its own marks: blank, quoted, or said."""
    kinds = []
    for line, is_filled in zip(lines, filled, strict=True):
        if _has_mark(line.text) or (line.quoted is not Quoted.NO and is_filled):
            kinds.append(_Kind.QUOTED)
        elif not is_filled:
            kinds.append(_Kind.BLANK)
        else:
            kinds.append(_Kind.SAID)
    for index in range(1, len(kinds) - 1):
        between = kinds[index - 1 : index + 2] == [_Kind.QUOTED, _Kind.SAID, _Kind.QUOTED]
        if between and _has_mark(texts[index + 1]) and _goes_on(texts[index - 1], texts[index]):
            kinds[index] = _Kind.QUOTED
    return kinds


def _has_mark(text: str) -> bool:
    return text[:1] in _BEGINS_MARK and _QUOTE_MARK.match(text) is not None


def _goes_on(quoted: str, text: str) -> bool:
    """Whether a line may be the end of the quoted one above it, which a client wrapped: else it answers that."""
    asks = bare(quoted).endswith(("?", ":"))
    return len(quoted) >= _WRAPPED_AFTER and not asks and not text.lstrip()[:1].isupper()


def _find_headers(lines: Sequence[Line], texts: Sequence[str], kinds: list[_Kind]) -> int:
    """Marks what stands above quotes, and quotes that go on to the end; the line in which a mail begins that stays.

    That is one that is forwarded, or that holds the answers. The number of lines where none does.
    """
    above_quote = _above_quote(texts, kinds)
    said_above = False
    index = 0
    while index < len(lines):
        kind = kinds[index]
        if _begins_forward(texts[index], kind):
            return _kept_from(lines, kinds, index)
        if kind is _Kind.QUOTED:
            if attribution_end(texts, index, above_quote) is not None:
                kinds[index] = _Kind.HEADER
            below = next((each for each in range(index + 1, len(kinds)) if kinds[each] is not _Kind.QUOTED), len(kinds))
            if said_above and _marks_its_header_alone(texts, index, below):
                if _may_hold_answers(texts, kinds, index, below):
                    return _kept_from(lines, kinds, index)
                below = _pass_header(texts, kinds, index, below, said_above=True)
            index = below
            continue
        rest_is_quoted = said_above and lines[index].rest_is_quoted
        end = None if kind is _Kind.BLANK else _header_end(lines, texts, index, above_quote)
        end = len(lines) if rest_is_quoted else end
        if end is not None:
            if said_above and _may_hold_answers(texts, kinds, index, end):
                return _kept_from(lines, kinds, index)
            index = _pass_header(texts, kinds, index, end, said_above=said_above)
            continue
        said_above = said_above or (kind is _Kind.SAID and not is_device_line(texts[index]))
        index += 1
    return len(lines)


def _kept_from(lines: Sequence[Line], kinds: list[_Kind], index: int) -> int:
    """Line `index`, from which on all is said."""
    kinds[index:] = [_Kind.SAID if _has_content(line) else _Kind.BLANK for line in lines[index:]]
    return index


def _is_unmarked(kinds: Sequence[_Kind], index: int) -> bool:
    """Whether what stands at line `index` or below bears no mark of a quote."""
    below = next((kind for kind in islice(kinds, index, None) if kind is not _Kind.BLANK), None)
    return below is _Kind.SAID


def _may_hold_answers(texts: Sequence[str], kinds: Sequence[_Kind], begin: int, end: int) -> bool:
    """Whether a quote whose header stands from `begin` to `end` bears no marks, and is said to hold answers."""
    return (end == len(kinds) or _is_unmarked(kinds, end)) and _answers_below(texts, kinds, begin)


def _marks_its_header_alone(texts: Sequence[str], begin: int, end: int) -> bool:
    """Whether the marked lines `begin` up to `end` are the header of a quote whose own lines bear no mark.

    QUIRK: GroupWise writes `>>> Jan <jan@klant.example> 3-3-2026 10:00 >>>`, and Orange marks its header lines.
    """
    if end - begin == 1:
        line = _GROUPWISE.match(texts[begin][:_LONGEST_GROUPWISE])
        return line is not None and tells_a_moment(line[1])
    if not bare(texts[begin][:_LONGEST_GROUPWISE]).lower().startswith("message du "):
        return False
    block = header_block_at(texts, begin + 1)
    return block is not None and block.end <= end and not any(bare(texts[each]) for each in range(block.end, end))


def _begins_forward(text: str, kind: _Kind) -> bool:
    if kind is _Kind.BLANK or (kind is _Kind.QUOTED and _has_mark(text)):
        return False
    return separator(text) is Separator.FORWARDED


def _pass_header(texts: Sequence[str], kinds: list[_Kind], begin: int, end: int, *, said_above: bool) -> int:
    """Marks the header of a quote; all that follows too, where the quote is not marked and something stands above.

    QUIRK: an attribution above a block of header lines has no colon.
    """
    above = _last_said(kinds, begin)
    if above is not None and tells_who_wrote_when(texts[above]):
        begin = above
        said_above = _last_said(kinds, begin) is not None
    if said_above and _is_unmarked(kinds, end):
        end = len(kinds)
    kinds[begin:end] = [_Kind.HEADER] * (end - begin)
    return end


def _answers_below(texts: Sequence[str], kinds: Sequence[_Kind], index: int) -> bool:
    """Whether what is said above line `index` announces answers in the quote, which marks none of its lines."""
    begin = range(min(index, _MOST_SAID_LINES))
    lines = (texts[each] for each in begin if kinds[each] is _Kind.SAID and not is_device_line(texts[each]))
    said = " ".join(line[:_MOST_SAID] for line in lines)
    small = said[:_MOST_SAID].lower()
    return any(word in small for word in _OF_ANSWERS_BELOW) and _ANSWERS_BELOW.search(small) is not None


def _last_said(kinds: Sequence[_Kind], index: int) -> int | None:
    """The line above `index` with something on it, if that is said."""
    above = next((each for each in range(index - 1, -1, -1) if kinds[each] is not _Kind.BLANK), None)
    return above if above is not None and kinds[above] is _Kind.SAID else None


def _above_quote(texts: Sequence[str], kinds: Sequence[_Kind]) -> list[bool]:
    """For each line whether the next one with something on it is quoted, and does not say itself who wrote it when."""
    found = [False] * len(kinds)
    quoted = False
    for index in range(len(kinds) - 1, -1, -1):
        found[index] = quoted
        if kinds[index] is not _Kind.BLANK:
            begins = kinds[index] is _Kind.QUOTED and (not index or kinds[index - 1] is not _Kind.QUOTED)
            quoted = kinds[index] is _Kind.QUOTED and not (begins and attribution_end(texts, index) is not None)
    return found


def _header_end(lines: Sequence[Line], texts: Sequence[str], index: int, above_quote: Sequence[bool]) -> int | None:
    """The line after the header of a quote that begins in line `index`: any of the ways of clients."""
    if lines[index].in_quote_header:
        end = index
        while end < len(lines) and lines[end].in_quote_header:
            end += 1
        return end
    begin = index
    if (ruled := _RULED.match(texts[index]) is not None) or separator(texts[index]) is Separator.ORIGINAL:
        begin = next((each for each in range(index + 1, len(texts)) if bare(texts[each])), len(texts))
        if begin == len(texts):
            return None if ruled else begin
    block = header_block_at(texts, begin)
    if block is not None and (begin != index or block.is_of_client or _is_introduced(texts, begin)):
        return block.end
    glued = fields_in_one_line(texts[begin])
    if Field.FROM in glued and len(glued) > 2:  # noqa: PLR2004 - a sender and two more, as in a block
        return begin + 1
    if begin == index or ruled:
        return attribution_end(texts, begin, above_quote)
    return begin


def _is_introduced(texts: Sequence[str], index: int) -> bool:
    """Whether a rule or an attribution stands above line `index`, a blank line between them or none."""
    above = [text for text in texts[max(0, index - 2) : index] if text.strip()]
    return bool(above) and (_RULED.match(above[-1]) is not None or tells_who_wrote_when(above[-1]))


def _keep_own_quotes(lines: Sequence[Line], kinds: list[_Kind]) -> None:
    """Of quotes that nothing announced, only those at the very top and bottom go."""
    said = [index for index, kind in enumerate(kinds) if kind is _Kind.SAID]
    announced_at = next((index for index, kind in enumerate(kinds) if kind is _Kind.HEADER), len(kinds))
    for index in range(said[0], min(said[-1], announced_at)) if said else ():
        if kinds[index] is _Kind.QUOTED and lines[index].quoted is not Quoted.CERTAIN:
            kinds[index] = _Kind.SAID


def _find_added(lines: Sequence[Line], texts: Sequence[str], kinds: list[_Kind]) -> None:
    """Marks what clients and servers added to what is said."""
    for index, line in enumerate(lines):
        if kinds[index] is _Kind.SAID and line.in_signature:
            kinds[index] = _Kind.ADDED
    first = next((index for index, kind in enumerate(kinds) if kind is _Kind.SAID), len(kinds))
    for begin, end in _runs(kinds[: len(lines)]):
        for index in range(begin, end):
            is_device = kinds[index] is _Kind.SAID and is_device_line(texts[index])
            if index > first and (is_device or _is_signature(texts, kinds, index, end)):
                kinds[index:end] = [_Kind.ADDED] * (end - index)
                break
            if is_device:
                kinds[index] = _Kind.ADDED
    for ends in (disclaimer_begins_at, contact_details_at):
        said = _said(kinds[: len(lines)])
        begins = ends([texts[index] for index in said])
        for index in said[begins:] if begins is not None else ():
            kinds[index] = _Kind.ADDED
    said = _said(kinds[: len(lines)])
    for index in said[: warning_ends_at([texts[index] for index in said])]:
        kinds[index] = _Kind.ADDED


def _said(kinds: Sequence[_Kind]) -> list[int]:
    return [index for index, kind in enumerate(kinds) if kind in {_Kind.SAID, _Kind.BLANK}]


def _is_signature(texts: Sequence[str], kinds: Sequence[_Kind], index: int, end: int) -> bool:
    """Whether a mark begins a signature: what follows up to `end` is short; else it parts the text.

    A rule parts it too, unless below it stands how to reach somebody.
    """
    if not is_signature_mark(texts[index]):
        return False
    places = (place for place in range(index + 1, end) if kinds[place] is _Kind.SAID)
    below = [texts[place] for place in islice(places, _MOST_IN_SIGNATURE + 1)]
    return len(below) <= _MOST_IN_SIGNATURE and (not is_rule(texts[index]) or any(map(is_contact, below)))


def _runs(kinds: Sequence[_Kind]) -> list[tuple[int, int]]:
    """Where lines that are said stand together, blank ones between them."""
    runs = []
    begin = None
    for index, kind in enumerate([*kinds, _Kind.HEADER]):
        if kind in {_Kind.SAID, _Kind.BLANK}:
            begin = index if begin is None else begin
        elif begin is not None:
            runs.append((begin, index))
            begin = None
    return runs
