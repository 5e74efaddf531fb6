"""What keeps a mailbox from being read, or people from seeing all of its mail: the kinds of «probleem».

    kind                who acts                      is shown while
    login-refused       who knows the password        the login rests, until it is changed or taken
    login-expired       who may make a new secret     as login-refused: its secret or certificate has ended
    secret-unreadable   the operator                  no key opens the stored password or certificate
    mailbox-missing     who sets up the mailbox       server, address, path or folder lead nowhere
    access-denied       who grants rights             a right is missing
    switched-off        who runs the mail server      the protocol is switched off for this mailbox or tenant
    not-secure          who sets up the mailbox       no TLS, or a certificate of the server that does not hold
    throttled           nobody, as a rule             the server asked us to wait
    unreachable         who runs network or server    it does not answer
    mail-unreadable     who reads the log             a listed mail is not given
    after-import        who grants rights, makes room what was imported is not marked, moved or deleted
    backlog-waits       who chooses (D18)             old mail waits
    paused              who sets up the helpdesk      a role of D14 is not active
    our-outage          the operator                  our broker or database is away
    our-error           the supplier                  an error of ours

The kind is a label in metrics; the sentence is what people read.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ProblemKind(StrEnum):
    """The id of a kind, in `mailbox_states.problem_kind` and in metrics."""

    LOGIN_REFUSED = "login-refused"
    LOGIN_EXPIRED = "login-expired"
    SECRET_UNREADABLE = "secret-unreadable"  # noqa: S105 - no password
    MAILBOX_MISSING = "mailbox-missing"
    ACCESS_DENIED = "access-denied"
    SWITCHED_OFF = "switched-off"
    NOT_SECURE = "not-secure"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    MAIL_UNREADABLE = "mail-unreadable"
    AFTER_IMPORT = "after-import"
    BACKLOG_WAITS = "backlog-waits"
    PAUSED = "paused"
    OUR_OUTAGE = "our-outage"
    OUR_ERROR = "our-error"


@dataclass(frozen=True, slots=True)
class Problem:
    """What the settings show: a sentence that says what to do."""

    kind: ProblemKind
    sentence: str
