"""Who sent a mail (SPEC N2, D17, D19): the first usable address of From, else of Sender, Reply-To or the return path.

Mail from the mailbox's own address whose Reply-To is somebody else comes from a web form: that one is the sender. A
setting takes the Reply-To of other mail too; never that of automatic mail, where it names a list or a machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.classifier.reading.mime.address import is_usable, same_address
from shared.messages import MailAddress


class ReplyTo(StrEnum):
    """Why the address in Reply-To is the sender."""

    WEB_FORM = "web-form"
    SETTING = "setting"


@dataclass(frozen=True, slots=True)
class FoundSender:
    """`mailbox` is None when no address is usable. `from_own_address`: ours, and nobody else to be found (D19).

    `instead_of` wrote the mail where a setting takes its Reply-To: rules about senders are about who wrote.
    """

    mailbox: MailAddress | None
    by_reply_to: ReplyTo | None = None
    from_own_address: bool = False
    instead_of: MailAddress | None = None


def find_sender(
    *,
    from_: Sequence[MailAddress],
    sender: Sequence[MailAddress],
    reply_to: Sequence[MailAddress],
    return_path: Sequence[MailAddress],
    own_address: str | None,
    is_automatic: bool,
    reply_to_is_sender: bool = False,
) -> FoundSender:
    """The sender. Automatic mail may come from a name without a domain (`MAILER-DAEMON`): nobody answers it anyway."""
    candidates = [*from_, *sender, *reply_to, *return_path]
    mailbox = _first_usable(candidates)
    if mailbox is None and is_automatic:
        mailbox = next((candidate for candidate in candidates if candidate.address), None)
    if mailbox is None:
        return FoundSender(None)
    other = _first_usable(
        candidate
        for candidate in reply_to
        if not same_address(candidate.address, own_address or "")
        and not same_address(candidate.address, mailbox.address)
    )
    if own_address and same_address(mailbox.address, own_address):
        if other is not None:
            return FoundSender(other, by_reply_to=ReplyTo.WEB_FORM)
        return FoundSender(mailbox, from_own_address=True)
    if other is not None and reply_to_is_sender and not is_automatic:
        return FoundSender(other, by_reply_to=ReplyTo.SETTING, instead_of=mailbox)
    return FoundSender(mailbox)


def _first_usable(candidates: Iterable[MailAddress]) -> MailAddress | None:
    return next((candidate for candidate in candidates if is_usable(candidate.address)), None)
