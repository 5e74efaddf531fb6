"""The DMARC result of a mail, from an Authentication-Results header that we may trust (RFC 8601, SPEC D10).

Anybody can write such a header. Only one whose authserv-id is on the helpdesk's list counts, and of those all fields of
the topmost server, since each server puts its own above those that were there and takes away what bears its name. The
field is read by its grammar (§2.2): what stands in quotes or comments is no result.

Exchange Online writes no authserv-id. It is called `exchange-online` in the helpdesk's list, and known by the topmost
field without a name that has Microsoft's own verdict, `compauth` (Microsoft, «Anti-spam message headers»).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from services.classifier.reading.mime.address import domain_spellings
from services.classifier.reading.mime.charset import decode
from services.classifier.reading.mime.header import Headers
from shared.messages import DmarcResult

_LEXEME: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([;=])|(\s+)|([^\s"();=]+)|(.)', re.DOTALL)
_COMMENT: Final = re.compile(r"\\.|[()]|[^()\\]+|\\", re.DOTALL)
_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
EXCHANGE_ONLINE: Final = "exchange-online"
_RESULTS: Final = {"pass": DmarcResult.PASS, "fail": DmarcResult.FAIL}


@dataclass(frozen=True, slots=True)
class _Field:
    """One header: whose it is ('' where it does not say), its statements, each as (name, value) pairs in order."""

    server: str
    statements: tuple[tuple[tuple[str, str], ...], ...]

    def has(self, method: str) -> bool:
        return any(_method(statement) == method for statement in self.statements)


def dmarc_result(headers: Headers, trusted_authserv_ids: Collection[str], *, domain: str = "") -> DmarcResult:
    """PASS or FAIL as a trusted server says; NONE when none does, or when it says anything else, be it beside a pass.

    `domain` is the sender's: a pass for another one says nothing of him.
    """
    trusted = {identity.strip().lower() for identity in trusted_authserv_ids}
    fields = [_parsed(decode(value)) for value in headers.all("authentication-results")]
    if fields and not fields[0].server and fields[0].has("compauth"):
        fields[0] = _Field(EXCHANGE_ONLINE, fields[0].statements)
    server = next((field.server for field in fields if field.server and field.server in trusted), None)
    counting = [field for field in fields if server is not None and field.server == server]
    results = {
        _result(statement, domain)
        for field in counting
        for statement in field.statements
        if _method(statement) == "dmarc"
    }
    if DmarcResult.FAIL in results:
        return DmarcResult.FAIL
    # What a client says (its HELO) may stand there as a statement of its own: a pass beside another result is none.
    return DmarcResult.PASS if results == {DmarcResult.PASS} else DmarcResult.NONE


def _result(statement: tuple[tuple[str, str], ...], domain: str) -> DmarcResult:
    result = _RESULTS.get(statement[0][1].lower(), DmarcResult.NONE)
    judged = next((value for name, value in statement if name == "header.from"), None)
    if result is not DmarcResult.PASS or judged is None or not domain:
        return result
    aligned = domain_spellings(judged.rpartition("@")[2])[0] == domain_spellings(domain)[0]
    return result if aligned else DmarcResult.NONE


def _method(statement: tuple[tuple[str, str], ...]) -> str:
    """The method of a statement, without its version."""
    return statement[0][0].partition("/")[0] if statement else ""


def _parsed(text: str) -> _Field:
    parts = list(_parts(text))
    first = parts[0]
    if any(word == "=" for word, quoted in first if not quoted):
        return _Field("", tuple(_pairs(part) for part in parts))
    server = first[0][0].lower() if first else ""
    return _Field("" if server == EXCHANGE_ONLINE else server, tuple(_pairs(part) for part in parts[1:]))


def _parts(text: str) -> Iterator[list[tuple[str, bool]]]:
    """The words between semicolons; `=` is a word. A word with quotes in it is marked, so that it is no mark itself."""
    part: list[tuple[str, bool]] = []
    word, quoted, position = "", False, 0

    def ended() -> list[tuple[str, bool]]:
        return [(word, quoted)] if word or quoted else []

    while (lexeme := _LEXEME.match(text, position)) is not None:
        position = lexeme.end()
        in_quotes, mark, space, token, stray = lexeme.groups()
        if stray == "(":
            position = _behind_comment(text, position)
            space = " "
        if mark or space:
            part += ended()
            word, quoted = "", False
        if mark == ";":
            yield part
            part = []
        elif mark:
            part.append((mark, False))
        elif in_quotes is not None:
            word, quoted = word + _PAIR.sub(r"\1", in_quotes), True
        elif not space:
            word += token or stray or ""
    yield part + ended()


def _behind_comment(text: str, start: int) -> int:
    """Where a comment ends that begins before `start`; comments nest, and one that never ends is all."""
    depth = 1
    for piece in _COMMENT.finditer(text, start):
        depth += (piece[0] == "(") - (piece[0] == ")")
        if not depth:
            return piece.end()
    return len(text)


def _pairs(part: list[tuple[str, bool]]) -> tuple[tuple[str, str], ...]:
    """What stands on both sides of each `=`: first the method and its result, then properties and reason.

    Nothing where the method is in quotes, or where it is not all that stands before its result.
    """
    marks = [place for place, word in enumerate(part) if word == ("=", False)]
    if not marks or any(quoted for _, quoted in part[: marks[0]]):
        return ()
    if marks[0] + 1 >= len(part) or part[marks[0] + 1][1]:
        return ()
    stated = ("".join(word for word, _ in part[: marks[0]]).lower(), part[marks[0] + 1][0])
    properties = (mark for mark in marks[1:] if mark + 1 < len(part) and not part[mark - 1][1])
    return (stated, *((part[mark - 1][0].lower(), part[mark + 1][0]) for mark in properties))
