"""The fields of a delivery status part (RFC 3464 §2, internationalised by RFC 6533): one value per recipient.

QUIRK: servers leave out the blank line between the groups, put one within a group, leave out the address type, the
status or the action, and write actions of their own; each is read as what it must mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from services.classifier.reading.automatic.smtp_status import enhanced_code, status_of
from services.classifier.reading.limits import Limits
from services.classifier.reading.mime.safe_text import safe_line
from shared.messages import BouncedRecipient

MOST_RECIPIENTS: Final = 100
LONGEST_DIAGNOSTIC: Final = 500
ADDRESS: Final = re.compile(r"[^\s<>()\[\]{},;:\"'@=|«»「」]{1,64}@[^\W_](?:[\w.-]{0,250}[^\W_])?")
"""An address in the words of a server; Unicode too (RFC 6533)."""

_FIELD: Final = re.compile(r"^[>\s]{0,4}([A-Za-z][A-Za-z-]{2,40})[ \t]*:[ \t]*+(.*)$")
_ESCAPED: Final = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_NAMES_RECIPIENT: Final = frozenset({"final-recipient", "original-recipient", "x-actual-recipient"})
_TELLS_RESULT: Final = frozenset({"action", "status", "diagnostic-code"})
_KEPT: Final = _NAMES_RECIPIENT | _TELLS_RESULT | {"remote-mta"}
_ACTIONS: Final = frozenset({"failed", "delayed", "delivered", "relayed", "expanded"})
_OTHER_ACTIONS: Final = {"deliverable": "delivered", "delay": "delayed", "delivery": "delivered"}
_BY_CLASS: Final = {"2": "delivered", "4": "delayed", "5": "failed"}
_SAYS_NOTHING: Final = re.compile(r"[245]\.0\.0")
_BARE_USER: Final = re.compile(r"[^\s@;]{1,64}")


def looks_like_fields(text: str) -> bool:
    """Whether `text` holds such fields, wherever a server put them (a part of another type, a broken tree)."""
    names = {field[1].lower() for line in text.splitlines() if (field := _FIELD.match(line))}
    return bool(names & {"final-recipient", "original-recipient"}) and bool(names & {"action", "status"})


def recipients_in_fields(text: str, limits: Limits) -> list[BouncedRecipient]:
    """Each recipient that the fields name, in order; an address that they do not give is ''."""
    recipients = [_recipient(group, limits) for group in _groups(text, limits)]
    return recipients[:MOST_RECIPIENTS]


def _groups(text: str, limits: Limits) -> Iterator[dict[str, str]]:
    """The fields of one recipient after another; those of the message (RFC 3464 §2.2) are no group."""
    group: dict[str, str] = {}
    after_blank = False
    for name, value in _unfolded(text[: limits.header_block]):
        if not name:
            after_blank = True
            continue
        if name not in _KEPT:
            continue
        has_result = bool(group.keys() & _TELLS_RESULT)
        begins = name in _NAMES_RECIPIENT and (name in group or (after_blank and has_result))
        if begins or (after_blank and name in group):
            yield group
            group = {}
        after_blank = False
        group.setdefault(name, value)
    if group.keys() & (_NAMES_RECIPIENT | {"action", "status"}):
        yield group


def _unfolded(text: str) -> Iterator[tuple[str, str]]:
    """Name and value of each field, continuations joined; ('', '') for a blank line."""
    name, value = "", ""
    for line in text.splitlines():
        if name and line[:1] in {" ", "\t"} and line.strip():
            value += " " + line.strip()
            continue
        if name:
            yield name, value
            name = ""
        field = _FIELD.match(line)
        if field is not None:
            name, value = field[1].lower(), field[2].strip()
        elif not line.strip():
            yield "", ""
    if name:
        yield name, value


def _recipient(group: dict[str, str], limits: Limits) -> BouncedRecipient:
    diagnostic = group.get("diagnostic-code", "")
    said = diagnostic.partition(";")[2].strip() or diagnostic
    status = _status(group.get("status", ""), said, group.get("action", ""))
    final = _address(group.get("final-recipient", ""), limits)
    original = _address(group.get("original-recipient", ""), limits)
    written_to = original if "@" in original else final or original
    return BouncedRecipient(
        recipient=written_to or _address(group.get("x-actual-recipient", ""), limits),
        final_recipient=final if final.lower() != written_to.lower() else "",
        status=status,
        action=_action(group.get("action", ""), status),
        diagnostic=safe_line(said, LONGEST_DIAGNOSTIC),
    )


def _status(field: str, diagnostic: str, action: str) -> str:
    status = enhanced_code(field)
    if status and not _SAYS_NOTHING.fullmatch(status):
        return status
    # 5.0.0 says nothing where the server's own words, or the comment behind the code, say more
    in_words = status_of(f"{field} {diagnostic}" if status else diagnostic, delayed=_action(action, "") == "delayed")
    return in_words or status


def _action(field: str, status: str) -> str:
    word = re.split(r"[\s(;]", field.strip().lower(), maxsplit=1)[0]
    if not word:
        return _BY_CLASS.get(status[:1], "")
    return word if word in _ACTIONS else _OTHER_ACTIONS.get(word, "failed")


def _address(field: str, limits: Limits) -> str:
    r"""`rfc822; a@b`, `utf-8; \x{E9}@b`, `<a@b>`, or a local user without a domain."""
    kind, separator, rest = field.partition(";")
    value = (rest if separator else kind).strip()
    value = _ESCAPED.sub(lambda code: _character(int(code[1], 16)), value)
    address = ADDRESS.search(value)
    if address is not None:
        return safe_line(address[0], limits.address)
    bare = value.strip("<>\"' ")
    return safe_line(bare, limits.address) if _BARE_USER.fullmatch(bare) else ""


def _character(code_point: int) -> str:
    """RFC 6533 §3: a character by its number; one that no text may hold stays as it was written."""
    is_text = code_point <= 0x10FFFF and not 0xD800 <= code_point <= 0xDFFF  # noqa: PLR2004 - Unicode's bounds
    return chr(code_point) if is_text else f"\\x{{{code_point:X}}}"
