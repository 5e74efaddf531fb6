"""What an error of Graph means for a mailbox (Microsoft, «Microsoft Graph error responses», Outlook's error codes)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from services.fetcher.mailboxes.protocol import AccessDenied, MailboxError, MailboxMissing, MailboxUnreachable
from shared.microsoft.errors import GraphRefused

_GONE: Final = frozenset(["ErrorItemNotFound", "ErrorFolderNotFound"])
_NO_MAILBOX: Final = frozenset(
    [
        "ResourceNotFound",
        "Request_ResourceNotFound",
        "ErrorInvalidUser",
        "ErrorNonExistentMailbox",
        "MailboxNotFound",
        "ErrorNoSuchMailbox",
    ]
)
_NOT_ONLINE: Final = frozenset(
    ["MailboxNotEnabledForRESTAPI", "ErrorMailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI"]
)

_OF_A_MAIL: Final = frozenset(
    [
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.GATEWAY_TIMEOUT,
    ]
)


def is_gone(refused: GraphRefused) -> bool:
    """Whether the item or folder that was asked for is not there (any more), in a mailbox that is."""
    return refused.status == HTTPStatus.NOT_FOUND and refused.code in _GONE


def has_no_mime(refused: GraphRefused) -> bool:
    """Whether Exchange cannot write this mail as MIME, however often it is asked."""
    return refused.code == "ErrorMimeContentConversionFailed"


def mail_is_to_blame(refused: GraphRefused) -> bool:
    """Whether a request about one mail failed in a way that may be this mail's own: the others must go on."""
    return refused.status in _OF_A_MAIL


def mailbox_error(refused: GraphRefused, address: str) -> MailboxError:
    """The mailbox's error, with a sentence that says what to do."""
    said = f"{refused.status} {refused.code}".strip()
    if refused.code in _NOT_ONLINE:
        return MailboxMissing(
            f"Postvak {address} staat niet in Exchange Online, of heeft geen licentie ({said}): controleer de "
            "licentie, of het postvak op een eigen Exchange-server staat (kies dan de soort «ews»)."
        )
    if refused.status == HTTPStatus.NOT_FOUND and refused.code in _NO_MAILBOX:
        return MailboxMissing(
            f"Postvak {address} is er niet in deze tenant ({said}): controleer het mailadres en de tenant."
        )
    if refused.status == HTTPStatus.NOT_FOUND:
        return MailboxMissing(f"De map is er niet meer in postvak {address} ({said}): controleer de naam bij «Map».")
    if refused.status == HTTPStatus.FORBIDDEN:
        return AccessDenied(
            f"De app mag niet bij postvak {address} ({said}): geef haar de rol «Application Mail.ReadWrite» voor dit "
            "postvak (RBAC for Applications, zie docs/exchange.md). Een nieuwe rol werkt na 30 minuten tot 2 uur."
        )
    return MailboxUnreachable(f"Exchange Online geeft een fout ({said}); het wordt opnieuw geprobeerd.")
