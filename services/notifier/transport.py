"""The way a written mail leaves: one protocol for every kind of outgoing account, and how it may fail.

    NotDelivered
    ├── Refused         the server will never take this mail: failed, final
    └── Postponed       not now: tried again later
        ├── InDoubt          it may have been taken: tried again a few times, after long pauses
        └── AccountTrouble   no mail of this account gets out before somebody or something mends it

A new kind is a module with a `Transport`, and a line in `transports`.

SMTP cannot be asked whether it took a mail; a transport that makes a draft first can. It hands the draft's identity to
`keep_draft` before it sends, and gets it back with the next try (DESIGN 9).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from services.notifier.rules.addresses import Address
from shared.errors import ImporterError
from shared.one_line import sentence
from shared.portal.delivery import DeliveryReason

KeepDraft = Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail and its envelope; `content` has CRLF line ends, `message_id` no angle brackets.

    `tried_before` says that an earlier try may have come some way, `draft_id` what it kept. `keep_draft` is awaited
    with the draft's id and Message-ID, which from then on are this mail's; it raises TryAgain when they are not kept.
    `hand_over` is called before the first byte of the content goes to a server that cannot be asked for it afterwards:
    it raises TryAgain where the mail may be in another notifier's hands by now.
    """

    return_path: Address
    recipient: Address
    content: bytes = field(repr=False)
    message_id: str = ""
    tried_before: bool = False
    draft_id: str | None = None
    keep_draft: KeepDraft | None = field(default=None, repr=False, compare=False)
    hand_over: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)


class NotDelivered(ImporterError):
    """Not taken. `reason` sorts it, `reply` is what the server said, or our own sentence where it said nothing."""

    def __init__(self, reason: DeliveryReason, reply: str) -> None:
        self.reason = reason
        self.reply = sentence(reply)
        super().__init__(f"{reason.value}: {self.reply}")


class Refused(NotDelivered):
    """This mail will never be taken."""


class Postponed(NotDelivered):
    """Not now; the same mail may be taken later."""


class InDoubt(Postponed):
    """The server got the mail and never gave a clear answer for it: it may have taken it."""


class AccountTrouble(Postponed):
    """Nothing of this account is taken: the server is away, refuses the login, or is not safe to talk to.

    `tried` is False when nothing was asked of the server now: what stood in the way is known already. `refused_login`
    says that the login itself was refused, to whatever account it is lent; False for an app that Entra knows and this
    server does not let in.
    """

    def __init__(
        self, reason: DeliveryReason, reply: str, *, tried: bool = True, refused_login: bool | None = None
    ) -> None:
        super().__init__(reason, reply)
        self.tried = tried
        self.refused_login = (
            tried and reason is DeliveryReason.LOGIN_REFUSED if refused_login is None else refused_login
        )


class Transport(Protocol):
    """One outgoing account, ready to send; used concurrently."""

    async def send(self, mail: OutgoingMail) -> str:
        """Hand the mail over; return the server's reply once the server answers for the mail.

        Raises Refused or Postponed; InDoubt when no clear reply to the whole mail comes.
        """

    async def check(self) -> str:
        """Log in, although it may have been refused just before, and send nothing; protocol, server, login in words.

        Raises Refused or Postponed, as `send`.
        """

    async def close_idle(self) -> None:
        """Close connections that have been idle for long."""

    async def close(self) -> None:
        """Close every connection; nothing is being sent."""
