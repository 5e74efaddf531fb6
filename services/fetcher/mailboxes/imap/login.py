"""Logging in at an IMAP server: XOAUTH2 with a token, PLAIN or LOGIN with a password."""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass
from typing import Final

from services.fetcher.mailboxes.imap import answers
from services.fetcher.mailboxes.imap.conversation import Conversation
from services.fetcher.mailboxes.imap.wire import TooMuch
from services.fetcher.mailboxes.protocol import LoginRefused, MailboxError, MailboxMissing
from services.fetcher.rules.problem import ProblemKind

MOST_CHALLENGES: Final = 5
"""In one login."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """`token` is for XOAUTH2; without one the password is for LOGIN or PLAIN."""

    login: str
    password: str = ""
    token: str = ""

    def __repr__(self) -> str:
        return "Credentials(…)"


def log_in(talk: Conversation, credentials: Credentials) -> str:
    """Log in once, in the first way that the server has; the name of that way. Raises MailboxError."""
    if talk.wire.state != "NONAUTH":
        return "PREAUTH"
    method, typ, text = "", "", ""
    if credentials.token:
        method = "XOAUTH2"
        typ, text = _authenticate(talk, method, f"user={credentials.login}\x01auth=Bearer {credentials.token}\x01\x01")
    else:
        if talk.can("AUTH=PLAIN"):
            method = "PLAIN"
            typ, text = _authenticate(talk, method, f"\x00{credentials.login}\x00{credentials.password}")
        if typ in {"", "BAD"} and not talk.can("LOGINDISABLED") and _fits_login(credentials):
            method = "LOGIN"  # also where PLAIN is announced but not understood: nothing was tried then
            typ, text = talk.wire.answer(
                talk.send("LOGIN", _astring(credentials.login), _astring(credentials.password))
            )
    if not typ:
        encrypted = isinstance(talk.wire.sock, ssl.SSLSocket)
        raise _no_way_in(encrypted=encrypted, disabled=talk.can("LOGINDISABLED"))
    if typ != "OK":
        secrets = (credentials.password, credentials.token, credentials.login)
        raise answers.login_error(text, secrets, app=bool(credentials.token))
    talk.wire.state = "AUTH"
    talk.client.forget_capabilities()
    return method


class _Sasl:
    """A SASL exchange of one response; what is asked then (XOAUTH2's error) gets an empty answer, a few times."""

    def __init__(self, response: bytes, *, sent: bool) -> None:
        self._response = response
        self._sent = sent
        self._left = MOST_CHALLENGES

    def respond(self, challenge: bytes) -> bytes:
        """The next response, in base64."""
        del challenge
        self._left -= 1
        if self._left < 0:
            raise TooMuch("a login without end")
        if self._sent:
            return b""
        self._sent = True
        return self._response


def _authenticate(talk: Conversation, mechanism: str, response: str) -> tuple[str, str]:
    encoded = base64.b64encode(response.encode())
    at_once = talk.can("SASL-IR")  # RFC 4959
    talk.note()
    sasl = _Sasl(encoded, sent=at_once)
    return talk.wire.answer(talk.wire.authenticate_by(mechanism, encoded if at_once else None, sasl.respond))


def _no_way_in(*, encrypted: bool, disabled: bool) -> MailboxError:
    if disabled and not encrypted:
        return MailboxMissing(
            "De server laat op deze onversleutelde verbinding niet inloggen (LOGINDISABLED): vul bij «Server» "
            "imaps://… in.",
            kind=ProblemKind.NOT_SECURE,
        )
    return LoginRefused(
        "De server laat niet met gebruikersnaam en wachtwoord inloggen: zet die manier van inloggen (LOGIN of PLAIN) "
        "voor deze mailbox aan, of kies een app-registratie."
    )


def _fits_login(credentials: Credentials) -> bool:
    """Whether LOGIN can carry them: RFC 3501 knows no characters beyond ASCII there."""
    return (credentials.login + credentials.password).isascii()


def _astring(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
