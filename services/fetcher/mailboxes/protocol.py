"""What the fetcher asks of a mailbox, whatever its kind: Maildir, IMAP, EWS or Graph.

A mailbox is opened with `registry.open_mailbox`, checked by one task at a time, and closed. Within a check several
mails are fetched, or marked, at once: an adapter whose server wants one request at a time queues them itself. They
raise:

    ImporterError
    ├── MailboxError             the check ends here, mail stays unread; the text is shown with the settings
    │   ├── LoginRefused         asking again may lock the account: next probe after an hour, doubling to a day
    │   ├── SecretUnreadable     no key of ours opens the stored password or certificate: somebody must set it again
    │   ├── MailboxMissing       wrong server, address, path or folder: somebody must change a setting
    │   ├── AccessDenied         logged in, but a right is missing: somebody must grant it
    │   └── MailboxUnreachable   network, server or disk trouble: may pass by itself; `after` when the server says so
    │       └── TooManyConnections   as many are open as its server allows: close others, then try again
    └── MailError                only this mail is affected, the others go on
        ├── MailGone             somebody moved or deleted it: nothing is left to do
        ├── MailTooLarge         larger than the limit, although it was not listed so: fetch its head
        └── MailUnreadable       the mailbox lists it but does not give it

Their texts are Dutch sentences that say what to do, since people read them in the settings («probleem»).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Final, NewType, Protocol

from pydantic import SecretStr

from services.fetcher.rules.problem import ProblemKind
from shared.errors import ImporterError
from shared.one_line import sentence

ItemKey = NewType("ItemKey", str)
"""The item's own identity within its folder (DESIGN 2): printable, stable until the item leaves the folder."""

MOST_LISTED: Final = 100_000
"""Unread mails of a listing; of more, the newest: those that are taken in make room for the others."""
LONGEST_KEY: Final = 1000
"""Characters of an item's key; Exchange's have some 150."""
LISTED_CHARACTERS: Final = 32 * 1024 * 1024
"""Characters of the keys and hints of a listing: MOST_LISTED mails of Exchange have 20 million."""
LARGEST_NUMBER: Final = 2**53
"""What a server says is larger is no size and no count."""
LONGEST_STATE: Final = 64 * 1024
"""Characters of a mailbox's state; Exchange's grows with what was moved out of the folder."""
_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)

INBOX = "INBOX"
"""The setting «folder» that means the mailbox's own inbox, in any case (as in IMAP, RFC 9051 §5.1)."""


class MailboxError(ImporterError):
    """The mailbox cannot be worked with now. The text is a sentence for the settings screen.

    `kind` sorts it in metrics; who knows better than the type says so.
    """

    kind = ProblemKind.UNREACHABLE

    def __init__(self, text: str, *, kind: ProblemKind | None = None) -> None:
        super().__init__(sentence(text))
        if kind is not None:
            self.kind = kind


class LoginRefused(MailboxError):
    """The server definitely refused this login.

    `by_sign_in`: Microsoft Entra did, to whom it is an app's, whichever mailbox it would open.
    """

    kind = ProblemKind.LOGIN_REFUSED

    def __init__(self, text: str, *, kind: ProblemKind | None = None, by_sign_in: bool = False) -> None:
        super().__init__(text, kind=kind)
        self.by_sign_in = by_sign_in


class SecretUnreadable(MailboxError):
    """The stored password or certificate cannot be decrypted; nothing was asked of the mailbox."""

    kind = ProblemKind.SECRET_UNREADABLE

    def __init__(self) -> None:
        super().__init__(
            "Het opgeslagen wachtwoord of certificaat kan niet worden ontsleuteld: stel het opnieuw in, of laat de "
            "beheerder de sleutel terugzetten waarmee het is versleuteld (encryption_keys)."
        )


class MailboxMissing(MailboxError):
    """There is no such mailbox, server or folder."""

    kind = ProblemKind.MAILBOX_MISSING


class AccessDenied(MailboxError):
    """The mailbox is there, but we may not do what we must."""

    kind = ProblemKind.ACCESS_DENIED


class MailboxUnreachable(MailboxError):
    """The mailbox does not answer as it should; `after` is the least delay that its server asked for."""

    def __init__(self, text: str, *, after: timedelta | None = None, kind: ProblemKind | None = None) -> None:
        super().__init__(text, kind=kind or (ProblemKind.UNREACHABLE if after is None else ProblemKind.THROTTLED))
        self.after = after


class TooManyConnections(MailboxUnreachable):
    """The server allows no more connections at a time to this login, or with `of_all_logins` to this machine."""

    def __init__(self, sentence: str, *, of_all_logins: bool = False) -> None:
        super().__init__(sentence, kind=ProblemKind.THROTTLED)
        self.of_all_logins = of_all_logins


class MailError(ImporterError):
    """Something about one mail; the others are not affected."""

    def __init__(self, text: str = "") -> None:
        super().__init__(sentence(text))


class MailGone(MailError):
    """The mail is no longer in the folder."""


class MailTooLarge(MailError):
    """The mail is larger than the limit it was to be fetched with."""


class MailUnreadable(MailError):
    """The mail is listed, but the mailbox does not give its bytes."""


@dataclass(frozen=True, slots=True)
class MailboxAccess:
    """Where a mailbox is and how to log in (SPEC S2–S4, D9).

    `server` is a path for a Maildir, else a host, `host:port` or URL; None: found by autodiscover, or the cloud's own.
    `address` is the mailbox's; None: the login is its address. With a `tenant` (of Microsoft Entra) the login is an app
    registration: `username` its client id, and `password` a client secret or `certificate` a PEM with private key and
    certificate. Credentials are sent over TLS alone, unless `allow_unencrypted`.
    """

    kind: str
    server: str | None
    folder: str = INBOX
    address: str | None = None
    username: str | None = None
    password: SecretStr | None = None
    tenant: str | None = None
    certificate: SecretStr | None = None
    cloud: str = "global"
    ca_file: str | None = None
    impersonate: bool = False
    allow_unencrypted: bool = False


@dataclass(frozen=True, slots=True)
class MailReference:
    """A mail in the folder, not yet fetched.

    `received_at` is its arrival (DESIGN 15), `size` its bytes as the mailbox states them before it is fetched, or
    None. `hint` is the adapter's own note on where it saw the item; it may be out of date or empty. `key_if_reused` is
    a key of its own in case that `key` was another mail's before; empty where the mailbox gives none twice.
    """

    key: ItemKey
    received_at: datetime
    size: int | None
    hint: str = field(default="", compare=False)
    key_if_reused: ItemKey = field(default=ItemKey(""), compare=False)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Mails that came into the folder, read or unread, oldest first; `state` is what to ask from the next time.

    `more`: they are so many that there are others after `state`.
    """

    mails: tuple[MailReference, ...]
    state: str
    more: bool = False


@dataclass(frozen=True, slots=True)
class MailboxHealth:
    """What a health check found: how many mails are unread, and protocol, login and server in words.

    `junk_unread` counts the unread mails of the junk folder; None where the mailbox has none.
    """

    unread: int
    description: str
    junk_unread: int | None = None


def item_key(written: object) -> ItemKey | None:
    """A key as a server wrote it; None for what no request, or no column, could hold."""
    if isinstance(written, str) and 0 < len(written) <= LONGEST_KEY and written.isascii() and written.isprintable():
        return ItemKey(written)
    return None


def arrival(moment: datetime | None, now: datetime) -> datetime:
    """When a mail arrived, in UTC; `now` where its server tells no moment, or none that can be meant."""
    if moment is None:
        return now
    try:
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return now
    return moment if moment >= _EARLIEST else now


def count(written: object) -> int | None:
    """A size or a count as a server wrote it, as a number or in digits; None for what can be neither."""
    try:
        number = int(written)  # type: ignore[call-overload]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= LARGEST_NUMBER else None


def newest(mails: Iterable[MailReference]) -> list[MailReference]:
    """At most MOST_LISTED of them, the newest, in the order of their arrival."""
    return sorted(mails, key=lambda mail: mail.received_at)[-MOST_LISTED:]


class Listed:
    """Mails as a server lists them, page by page; of more than MOST_LISTED, or LISTED_CHARACTERS, the newest.

    A server that never gets done fills no memory with them.
    """

    def __init__(self) -> None:
        self._mails: dict[ItemKey, MailReference] = {}
        self._characters = 0

    def add(self, page: Iterable[MailReference]) -> None:
        """Take a page; a mail that was listed before is as this page has it."""
        for mail in page:
            self._mails[mail.key] = mail
            self._characters += _characters(mail)
        if len(self._mails) > 2 * MOST_LISTED or self._characters > 2 * LISTED_CHARACTERS:
            kept = self.newest()
            self._mails = {mail.key: mail for mail in kept}
            self._characters = sum(map(_characters, kept))

    @property
    def is_full(self) -> bool:
        """Whether more would push out the oldest: who can go on from here the next time stops here."""
        return len(self._mails) >= MOST_LISTED or self._characters >= LISTED_CHARACTERS

    def all(self) -> list[MailReference]:
        """All that were taken, in the order of their arrival, where taking ended once it was full."""
        return sorted(self._mails.values(), key=lambda mail: mail.received_at)

    def newest(self) -> list[MailReference]:
        """Those that are kept, in the order of their arrival."""
        mails, left, first = newest(self._mails.values()), LISTED_CHARACTERS, 0
        for place in range(len(mails) - 1, -1, -1):
            left -= _characters(mails[place])
            if left < 0:
                first = place + 1
                break
        return mails[first:]


def _characters(mail: MailReference) -> int:
    return len(mail.key) + len(mail.hint)


class Mailbox(Protocol):
    """An open folder of a mailbox."""

    @property
    def notifies(self) -> bool:
        """Whether `wait_for_change` tells of new mail; where it does not, the caller looks more often."""
        ...

    @property
    def listed(self) -> int:
        """How many unread mails the listing has whose first page was given."""
        ...

    def unread(self, page_size: int) -> AsyncIterator[tuple[MailReference, ...]]:
        """The unread mails, oldest first, in pages of at most `page_size`.

        The pages together are the mails that were unread when the first was asked for, each once: marking, moving and
        deleting while listing makes none of them skipped. Mail that arrives meanwhile may wait for the next listing,
        mail that others read meanwhile may be listed or not.
        """
        ...

    async def arrivals(self, state: str | None, since: datetime) -> Arrivals:
        """The mails, read ones too, that came into the folder after `state`, and the state now.

        Where there is no state, or the server does not know it any more, those received at `since` or later. A mail
        may be given again, or have left the folder meanwhile; drafts and what is flagged as deleted are none. Of more
        than about MOST_LISTED it gives a part, and a state from which the next look goes on (`Arrivals.more`); that
        look may give mails received before `since`.
        """
        ...

    async def fetch(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        """Write the raw mail (RFC 5322 bytes) into `into`, at most `limit` bytes; its size in bytes.

        Raises MailGone, MailTooLarge (then `into` holds a part) or MailUnreadable. The mail stays unread.
        """
        ...

    async def fetch_head(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        """Write the headers and the first text into `into`, at most `limit` bytes (SPEC D17); the whole mail's size.

        Nothing more of the mail is read or downloaded. Raises MailGone or MailUnreadable. The mail stays unread.
        """
        ...

    async def mark_read(self, mail: MailReference) -> None:
        """Mark the mail read; a mail that is read already, or gone, is done."""
        ...

    async def move(self, mail: MailReference, folder: str) -> None:
        """Move the mail, read, to `folder`, which is made if missing; a mail that is gone is done."""
        ...

    async def delete(self, mail: MailReference) -> None:
        """Move the mail, read, to the deleted items; a mail that is gone is done."""
        ...

    async def health_check(self) -> MailboxHealth:
        """Try what a check needs, without changing anything."""
        ...

    async def wait_for_change(self) -> None:
        """Return when mail may have arrived since the mailbox was opened or this last returned.

        A kind, or a server, without notifications never returns: the caller polls anyway.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and watches."""
        ...
