"""What keeps a mailbox from being read, in English, by its kind: the sentence that the fetcher records is Dutch.

It has the details (which folder, what the server said), and is quoted where they matter.
"""

from __future__ import annotations

from typing import Final

_KINDS: Final = {
    "login-refused": "The server refuses the login. It is seldom tried, so that it is not locked: set it right.",
    "login-expired": "The secret or certificate of the login has ended: make a new one and set it.",
    "secret-unreadable": "No key opens the stored password or certificate: bring back the secret encryption_keys, or "
    "set it again.",
    "mailbox-missing": "Server, address, path or folder lead nowhere: see the settings of the mailbox.",
    "access-denied": "The login is taken, but a right is missing: grant it.",
    "switched-off": "The mail server has this protocol switched off for the mailbox: have it switched on.",
    "not-secure": "There is no safe connection: the server has no TLS, or its certificate does not hold.",
    "throttled": "The server wants to be left alone for a while; it goes on by itself.",
    "unreachable": "The server does not answer as it should. It is tried by itself; see whether it runs and can be "
    "reached.",
    "mail-unreadable": "The mailbox lists mails and does not give them; the others are imported.",
    "after-import": "What was imported cannot be marked read, moved or deleted: see rights and room in the mailbox.",
    "paused": "Default contact, default employee or the status for imported tickets is not active: make it active "
    "again, or choose another.",
    "our-error": "An error of the importer itself: the log of the fetcher has it, for its supplier. It is tried again.",
}
_WHOLE: Final = {
    "backlog-waits": "Old mail waits for your choice: import it, import it without mails, or mark it read.",
    "our-outage": "RabbitMQ or the database keeps the importer from its work. That passes by itself as a rule; after "
    "some minutes, look at these servers.",
}
"""Kinds of which the sentence in Dutch says no more."""


def problem_in_english(kind: str | None, problem: str | None) -> str:
    """What the problem is and what to do, and what was recorded of it; that alone for a kind that we do not know."""
    if kind in _WHOLE:
        return _WHOLE[kind]
    if kind not in _KINDS:
        return problem or ""
    return f"{_KINDS[kind]} In Dutch: «{problem}»"
