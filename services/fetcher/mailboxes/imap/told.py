"""What a failed check tells of its commands and their answers: by lists of words, never what was written freely."""

from __future__ import annotations

import re
from typing import Final

from services.fetcher.mailboxes.imap.answers import code_of

CODES: Final = frozenset({
    "ALERT", "BADCHARSET", "CAPABILITY", "PARSE", "PERMANENTFLAGS", "READ-ONLY", "READ-WRITE", "TRYCREATE", "UIDNEXT",
    "UIDVALIDITY", "UNSEEN", "UNAVAILABLE", "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED",
    "PRIVACYREQUIRED", "CONTACTADMIN", "NOPERM", "INUSE", "EXPUNGEISSUED", "CORRUPTION", "SERVERBUG", "CLIENTBUG",
    "CANNOT", "LIMIT", "OVERQUOTA", "ALREADYEXISTS", "NONEXISTENT", "APPENDUID", "COPYUID", "UIDNOTSTICKY",
    "UNKNOWN-CTE", "REFERRAL", "NOMODSEQ", "HIGHESTMODSEQ", "MODIFIED", "CLOSED", "NOTSAVED", "HASCHILDREN", "TOOBIG",
    "BADURL", "COMPRESSIONACTIVE", "USEATTR", "MAILBOXID", "INPROGRESS", "METADATA", "BADCOMPARATOR", "ANNOTATE",
    "ANNOTATIONS", "MAXCONVERTMESSAGES", "MAXCONVERTPARTS", "TEMPFAIL", "NOUPDATE", "NOTIFICATIONOVERFLOW",
    "BADEVENT", "UNDEFINED-FILTER", "URLMECH", "TOOMANYBOOKMARKS", "DOWNGRADED", "OBJECTIDS", "MESSAGELIMIT",
    "UIDREQUIRED", "THROTTLED",
})  # fmt: skip
"""The registry «IMAP Response Codes» (RFC 5530 and others), and THROTTLED, which Microsoft sends."""
_KINDS: Final = frozenset(["OK", "NO", "BAD", "BYE", "PREAUTH"])
_TALKATIVE: Final = frozenset(["UID", "FETCH", "SEARCH", "STORE", "STATUS", "EXPUNGE", "NOOP"])
"""The commands whose arguments are looked at."""
_WORDS: Final = frozenset({
    "FETCH", "SEARCH", "STORE", "COPY", "MOVE", "EXPUNGE", "UNSEEN", "UNDELETED", "UNDRAFT", "SINCE", "UID",
    "INTERNALDATE", "RFC822.SIZE", "FLAGS", "+FLAGS", "+FLAGS.SILENT", "\\SEEN", "\\DELETED", "BODY.PEEK[]", "*",
})  # fmt: skip
_NUMBERS: Final = re.compile(r"[0-9]{1,10}(?::(?:[0-9]{1,10}|\*))?")
_PART: Final = re.compile(r"BODY\.PEEK\[\](?:<[0-9]{1,12}\.[0-9]{1,12}>)?")
_DAY: Final = re.compile(r"[0-9]{1,2}-[A-Z][a-z]{2}-[0-9]{4}")
_SET: Final = re.compile(r"[0-9:,*]+")
_OTHER: Final = "{…}"


def asked(name: str, arguments: tuple[str | bytes | None, ...]) -> str:
    """A command's name, and what kinds of arguments it had; of LOGIN, AUTHENTICATE and most others its name alone."""
    if name not in _TALKATIVE:
        return name
    words = [name]
    for argument in arguments:
        for word in _kinds(argument):
            if word != _OTHER or words[-1] != _OTHER:
                words.append(word)
    return " ".join(words)


def came(kind: str, text: str) -> str:
    """The kind of an answer, and its response code where that is a registered one."""
    code = code_of(text)
    return f"{kind if kind in _KINDS else '?'}{f' [{code}]' if code in CODES else ''}"


def greeting(line: bytes) -> str:
    """The same of an untagged line, as a server begins with; «no IMAP» where it is none."""
    star, _, rest = line[:LOOKED_AT].decode("ascii", "replace").partition(" ")
    kind, _, text = rest.partition(" ")
    return came(kind.upper(), text) if star == "*" and kind.upper() in _KINDS else "no IMAP"


LOOKED_AT: Final = 500
"""Bytes of a line, of which the first words matter."""


def _kinds(argument: str | bytes | None) -> list[str]:
    text = argument.decode("ascii", "replace") if isinstance(argument, bytes) else argument or ""
    if '"' in text:  # the name of a folder
        return [_OTHER]
    return [_kind(word) for word in text.replace("(", " ").replace(")", " ").split()]


def _kind(word: str) -> str:
    if word.upper() in _WORDS or any(form.fullmatch(word) for form in (_NUMBERS, _PART, _DAY)):
        return word
    return f"{{{word.count(',') + 1} mails}}" if _SET.fullmatch(word) else _OTHER
