"""The header block with which a mail arrived, where its server keeps that apart from the mail that it gives.

Exchange 2007 and gromox make a mail's MIME anew from its properties, later versions of Exchange once somebody changed
the mail. What no property holds is lost: Authentication-Results, Received, Return-Path, Auto-Submitted, List-Id and
more. The whole block stands in the property PidTagTransportMessageHeaders (0x007D); Microsoft Graph has it as
`internetMessageHeaders`. Fields of it go in front of the mail's own:

- only those whose name the mail does not have at all, all of that name, in order: the topmost server's counts;
- never MIME-Version and Content-*: they describe a content that is no longer the same;
- never Message-ID, From, Date and Subject: they make the mail's identity (SPEC D13), which stays what the mail itself
  says, on every version of a server and for what was imported already.

The block is the sender's text. Each field is written anew: its name of the characters of RFC 5322 §3.6.8, its value on
one logical line without control characters, as UTF-8 (RFC 6532). The same mail and block give the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

MOST_BYTES: Final = 256 * 1024
"""Of a header block that is written, and of a mail's beginning in which its own fields are looked for."""

_STRUCTURE: Final = ("content-", "mime-version")
_IDENTITY: Final = frozenset({"message-id", "from", "date", "subject"})
_NAME: Final = re.compile(r"[!-9;-~]{1,200}")
_FIELD: Final = re.compile(r"([!-9;-~]{1,200})[ \t]*:(.*)", re.DOTALL)
_OWN_FIELD: Final = re.compile(rb"^([!-9;-~]{1,200})[ \t]*:", re.MULTILINE)
_FIRST_LINE: Final = re.compile(rb"[!-9;-~]{1,200}[ \t]*:[^\n]*\n")
_BLANK_LINE: Final = re.compile(rb"^\r?\n", re.MULTILINE)
_CONTROLS: Final = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)], " ")
_FOLD: Final = 900
"""Characters of a line; RFC 5322 §2.1.1 allows 998 bytes."""


def missing_fields(beginning: bytes, block: str) -> bytes:
    """What is to be put in front of a mail that begins like this, from its header block: whole lines, or nothing.

    `beginning` has the mail's own header fields, as far as MOST_BYTES go. Nothing is put in front of what does not
    begin with a field (an mbox line, a blank line, lines that end in CR): the mail's own header would change, or end.
    """
    if _FIRST_LINE.match(beginning) is None:
        return b""
    end = _BLANK_LINE.search(beginning)
    return written(fields_of(block), without=_IDENTITY | field_names(beginning[: end.start() if end else None]))


def fields_of(block: str) -> Iterator[tuple[str, str]]:
    """The fields of a header block, unfolded, up to its first blank line; lines that belong to no field are left out.

    QUIRK: Outlook's blocks begin with «Microsoft Mail Internet Headers Version 2.0». A bare CR begins no line.
    """
    name, value = "", ""
    for line in block.lstrip("\r\n").replace("\r\n", "\n").split("\n"):
        if not line:
            break
        if line[0] in " \t":
            value += line
            continue
        if name:
            yield name, value
        field = _FIELD.match(line)
        name, value = (field[1], field[2]) if field else ("", "")
    if name:
        yield name, value


def field_names(header: bytes) -> frozenset[str]:
    """The names of a header's fields, in lower case."""
    return frozenset(name.decode("ascii").lower() for name in _OWN_FIELD.findall(header))


def written(fields: Iterable[tuple[str, str]], *, without: Collection[str] = ()) -> bytes:
    """Name and value of fields as header lines, in order, as many as MOST_BYTES hold.

    Left out are what describes a mail's structure, names `without` (in lower case), and what is no name at all.
    """
    lines, size = [], 0
    for name, value in fields:
        if not _NAME.fullmatch(name) or name.lower().startswith(_STRUCTURE) or name.lower() in without:
            continue
        line = _folded(name, value).encode("utf-8", "replace")
        size += len(line)
        if size > MOST_BYTES:
            break
        lines.append(line)
    return b"".join(lines)


def _folded(name: str, value: str) -> str:
    lines = [f"{name}:"]
    for word in value.translate(_CONTROLS).split():
        if len(lines[-1]) + len(word) > _FOLD:
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines) + "\r\n"
