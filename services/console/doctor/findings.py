"""What an examination finds, and how examinations run side by side: each within its time, whatever the others meet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.errors import ImporterError
from shared.one_line import one_line
from shared.sentences import Sentence


class Level(StrEnum):
    """How bad it is: mail is or will be held up (`fail`), or a person should look when there is time (`warn`)."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one part, English or a `Sentence`; for all but `ok` it says what to do."""

    level: Level
    part: str
    sentence: str
    dutch: str = ""
    """Where the sentence is made in both languages elsewhere."""


def well(part: str, sentence: str) -> Finding:
    """Nothing to do."""
    return Finding(Level.OK, part, sentence)


def warning(part: str, sentence: str, dutch: str = "") -> Finding:
    """Something to do when there is time, or something that could not be seen from here."""
    return Finding(Level.WARN, part, sentence, dutch)


def failure(part: str, sentence: str, dutch: str = "") -> Finding:
    """Something that keeps mail from going on, now or soon."""
    return Finding(Level.FAIL, part, sentence, dutch)


Examine = Callable[[], AsyncIterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """An examination of one part; what it raises (ImporterError) is a failure of that part."""

    part: str
    examine: Examine
    within: float
    """Seconds."""


_AT_ONCE: Final = 8
"""Checks under way at the same time: some of them are processes of their own."""


async def all_findings(checks: Sequence[Check]) -> list[Finding]:
    """What all of them find, in their order; one cause once."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(check: Check) -> list[Finding]:
        async with places:
            return await _findings(check)

    found = [finding for findings in await asyncio.gather(*map(one, checks)) for finding in findings]
    return _once(found)


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """What keeps several parts from being looked at is told of the first of them."""
    told: set[str] = set()
    kept = []
    for finding in findings:
        if finding.level is not Level.FAIL or finding.sentence not in told:
            kept.append(finding)
        told.add(finding.sentence)
    return kept


async def _findings(check: Check) -> list[Finding]:
    findings: list[Finding] = []
    try:
        async with asyncio.timeout(check.within):
            async for finding in check.examine():
                findings.append(finding)  # noqa: PERF401 - what was found before it fails counts too
    except TimeoutError:
        findings.append(
            failure(
                check.part,
                Sentence(
                    "There is no answer within %(seconds)s seconds: see whether it runs.", seconds=f"{check.within:g}"
                ),
            )
        )
    except ImporterError as trouble:
        findings.append(failure(check.part, told(trouble)))
    return findings


def told(trouble: ImporterError) -> str:
    """A trouble's text, as the sentence that it was raised with or on one line."""
    said = trouble.args[0] if trouble.args else ""
    return said if isinstance(said, Sentence) else sentence(str(trouble))


def sentence(text: str) -> str:
    """A trouble's text on one line, ending as a sentence does."""
    line = one_line(text)
    return line if line.endswith((".", "?", "!")) else f"{line}."
