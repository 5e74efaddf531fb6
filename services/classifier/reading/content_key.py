"""The identity of a mail's content (SPEC D13): what stays the same when it moves, is copied, or changes protocol.

Version 1. `text_digest` is the SHA-256 of the whole text in Unicode NFC without any white space or invisible character:
servers that make the MIME anew wrap, indent and pad otherwise, but keep the words. It is taken of the text that the
html shows where there is html (Exchange keeps the html and makes the plain text itself), else of the plain text.
`key` is the SHA-256 of these, each with its length before it: Message-ID without brackets and white space; sender
address in lower case; Date as seconds since 1970 in UTC, or as written without white space if it is no date; subject in
NFC with single spaces. Without a Message-ID `text_digest` is part of it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime
from typing import Final

from shared.messages import ContentKey

VERSION: Final = 1

_UNSEEN: Final = re.compile("[\u00ad\u180e\u200b-\u200f\u2060\ufeff]")
"""Beside white space."""


def content_key(
    *,
    message_id: str | None,
    sender: str,
    sent_at: datetime | None,
    date: str,
    subject: str,
    text: str,
    recipients: tuple[str, ...] = (),
) -> ContentKey:
    """The content key of a mail; `date` is the Date header as written, used when it is no `sent_at`.

    `recipients` are those of a delivery report: one without Message-ID is told by them too.
    """
    text_digest = hashlib.sha256(_without_space(text).encode("utf-8", "replace")).hexdigest()
    moment = str(int(sent_at.timestamp())) if sent_at is not None else _without_space(date)
    parts = [
        _without_space(message_id or ""),
        sender.strip().lower(),
        moment,
        " ".join(unicodedata.normalize("NFC", subject).split()),
    ]
    if not parts[0]:
        parts += [text_digest, *(recipient.strip().lower() for recipient in recipients)]
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8", "replace")
        digest.update(b"%d:" % len(content))
        digest.update(content)
    return ContentKey(version=VERSION, key=digest.hexdigest(), text_digest=text_digest)


def _without_space(text: str) -> str:
    joined = "".join(unicodedata.normalize("NFC", text).split())
    return joined if joined.isascii() else _UNSEEN.sub("", joined)
