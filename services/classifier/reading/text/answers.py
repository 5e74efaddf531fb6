"""Answers between quotes: an answer says little without the line that it answers, so that line stays.

    Op 3 maart 2026 om 10:00 schreef Els <els@…>:
    > Beste Jan,
    > Schikt dinsdag?                                       ← answered: stays
    Ja.
    > En hoe laat?                                          ← answered: stays
    Om tien uur.
    > Groet, Els                                            ← answered by nothing

A text alternates where an answer stands between two quotes, whether or not anything announces that («zie hieronder»);
one answer below a quote is an ordinary reply, unless it is announced, and so is one above the quoted signature. Of a
quote the last line stays, with the lines before it that a client wrapped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum, auto
from itertools import groupby
from typing import Final

from services.classifier.reading.text.header_block import bare
from services.classifier.reading.text.signature import is_closing, is_signature_mark

_MARKS: Final = re.compile(r"^[ \t\xa0]{0,3}(?:(?:>|&gt;)[ \t\xa0]?){1,50}")
_ENDS_A_SENTENCE: Final = re.compile("[.?!:;…\u3002\uff1f\uff01]\\W{0,3}$")
_NAME: Final = re.compile(r"[-–—~ ]{0,4}[^\W\d_a-z][\w'’-]{1,30}(?: [^\W\d_a-z][\w'’.-]{0,30}){0,3}\s*$")
"""A line that is a name and nothing else, perhaps behind a dash."""
_WRAPPED: Final = range(45, 110)
"""Characters of a line that a client may have wrapped, marks of quotes with it."""
_MOST_WRAPPED: Final = 10


class Voice(Enum):
    """Whose a line is."""

    QUOTED = auto()
    SAID = auto()
    OTHER = auto()
    """What a client writes: attributions, signatures."""
    NONE = auto()
    """Nothing stands in it."""


def answered_lines(texts: Sequence[str], voices: Sequence[Voice], *, announced: bool) -> frozenset[int]:
    """The quoted lines that are answered; none where the text does not alternate.

    `announced`: the mail says that its answers stand in the quote.
    """
    runs = list(_runs(voices))
    answers = [
        number
        for number in range(1, len(runs))
        if runs[number][0] is Voice.SAID
        and runs[number - 1][0] is Voice.QUOTED
        and not is_closing(texts[runs[number][1][0]])
    ]
    is_between = (number + 1 < len(runs) and _quotes_on(texts, *runs[number + 1]) for number in answers)
    if not (announced or any(is_between)):
        return frozenset()
    return frozenset(line for number in answers for line in _last_line(texts, runs[number - 1][1]))


def _runs(voices: Sequence[Voice]) -> Iterator[tuple[Voice, list[int]]]:
    """Lines of one voice that stand together, empty ones left out."""
    spoken = [index for index, voice in enumerate(voices) if voice is not Voice.NONE]
    for voice, run in groupby(spoken, key=lambda index: voices[index]):
        yield voice, list(run)


def _quotes_on(texts: Sequence[str], voice: Voice, run: Sequence[int]) -> bool:
    """Whether a run is a quote that says more: not only the name and the signature that ended the quoted mail."""
    first = next((texts[index] for index in run if bare(texts[index])), "")
    is_end = is_closing(first) or is_signature_mark(_MARKS.sub("", first)) or _NAME.match(_MARKS.sub("", first))
    return voice is Voice.QUOTED and not is_end


def _last_line(texts: Sequence[str], quote: Sequence[int]) -> Iterator[int]:
    """The last line of a quote as it was written: with the lines before it that go on in it."""
    last = quote[-1]
    yield last
    for index in reversed(quote[-_MOST_WRAPPED - 1 : -1]):
        goes_on = index == last - 1 and _depth(texts[index]) == _depth(texts[last]) and _is_wrapped(texts[index])
        if not goes_on:
            return
        yield index
        last = index


def _is_wrapped(text: str) -> bool:
    return len(text) in _WRAPPED and _ENDS_A_SENTENCE.search(bare(text)) is None


def _depth(text: str) -> int:
    marks = _MARKS.match(text)
    return marks[0].count(">") + marks[0].count("&gt;") if marks else 0
