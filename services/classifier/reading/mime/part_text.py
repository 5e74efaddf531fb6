"""The text of a part: its charset undone, and what the kind of text means by its lines (RFC 3676, RFC 1896)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from services.classifier.reading.mime.charset import decode, html_label

_FLOWED_QUOTE: Final = re.compile(r"^(>*)( ?)(.*)$", re.DOTALL)
_MOST_BYTES: Final = 16 * 1024 * 1024
"""Of a part that are decoded, at most four a character: far more characters than anybody reads of a mail (`Limits`)."""
_ENRICHED: Final = frozenset({"text/enriched", "text/richtext"})


def text_of(content: bytes, media_type: str, parameters: Mapping[str, str]) -> str:
    """The text that `content` (transfer encoding undone) is by its Content-Type: line ends LF, paragraphs joined."""
    content = content[:_MOST_BYTES]
    label = parameters.get("charset")
    if media_type == "text/html":
        label = html_label(content, label)
    text = decode(content, label).replace("\r\n", "\n").replace("\r", "\n")
    if media_type in _ENRICHED:
        return unenriched(text)
    if media_type == "text/plain" and parameters.get("format", "").lower() == "flowed":
        return unflowed(text, delete_space=parameters.get("delsp", "").lower() == "yes")
    return text


def unflowed(text: str, *, delete_space: bool) -> str:
    """Paragraphs of format=flowed joined again (RFC 3676 4): a line that ends in a space goes on in the next line.

    Lines of one quote depth are joined; the signature mark `-- ` is a line of its own.
    """
    joined: list[list[str]] = []
    open_depth = -1
    for line in text.split("\n"):
        match = _FLOWED_QUOTE.match(line)
        marks, rest = (match[1], match[3]) if match else ("", line)
        depth = len(marks)
        flows = rest.endswith(" ") and rest != "-- "
        piece = rest[:-1] if flows and delete_space else rest
        if open_depth == depth and rest != "-- ":
            joined[-1].append(piece)
        else:
            joined.append([f"{marks} {piece}" if marks else piece])
        open_depth = depth if flows else -1
    return "\n".join("".join(pieces) for pieces in joined)


def unenriched(text: str) -> str:
    """The text of text/enriched (RFC 1896): commands go, single line ends are spaces, others lose one."""
    text = re.sub(r"\n+", lambda ends: "\n" * (len(ends[0]) - 1) or " ", text)
    text = re.sub(r"<param>[^<]{0,1000}</param>", "", text, flags=re.IGNORECASE)
    return re.sub(r"<(?:(<)|/?[A-Za-z][A-Za-z0-9-]{0,59}>)", lambda command: command[1] or "", text)
