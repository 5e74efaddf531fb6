"""What Microsoft's answers mean for an outgoing account, and what to do about them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from services.notifier.transport import AccountTrouble, NotDelivered, Postponed, Refused
from shared.microsoft.errors import GraphRefused, MicrosoftError, NotSecure, SignInRefused, Unavailable
from shared.portal.delivery import DeliveryReason

_MAIL_REFUSED: Final = frozenset(
    ["ErrorInvalidRecipients", "ErrorMessageSizeExceeded", "ErrorMimeContentInvalid", "ErrorContentConversionFailed"]
)
_SEND_AS: Final = frozenset(["ErrorSendAsDenied", "ErrorSendOnBehalfOfDenied"])


def trouble_of(error: MicrosoftError) -> NotDelivered:
    """The sending error of an error of Microsoft's."""
    match error:
        case SignInRefused():
            return AccountTrouble(DeliveryReason.LOGIN_REFUSED, str(error))
        case NotSecure():
            return AccountTrouble(DeliveryReason.NOT_SECURE, str(error))
        case Unavailable():
            throttled = error.after is not None
            return AccountTrouble(
                DeliveryReason.REFUSED_FOR_NOW if throttled else DeliveryReason.SERVER_AWAY, str(error)
            )
        case GraphRefused():
            return _trouble_of_refusal(error)
    return AccountTrouble(DeliveryReason.SERVER_AWAY, str(error))


def _trouble_of_refusal(refused: GraphRefused) -> NotDelivered:
    said = f"{refused.status} {refused.code}".strip()
    if refused.code in _SEND_AS:
        return AccountTrouble(
            DeliveryReason.NOT_ALLOWED,
            f"{said}: het postvak van het account mag niet versturen namens het afzenderadres van de helpdesk: laat "
            "beide hetzelfde adres zijn, of geef het postvak het recht «Send As».",
        )
    if refused.code in _MAIL_REFUSED or refused.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Refused(DeliveryReason.REFUSED, f"{said}: {refused.message}")
    if refused.status == HTTPStatus.FORBIDDEN:
        return AccountTrouble(
            DeliveryReason.NOT_ALLOWED,
            f"{said}: geef de app de rollen «Application Mail.Send» en «Application Mail.ReadWrite» voor dit postvak "
            "(RBAC for Applications, zie docs/exchange.md); een nieuwe rol werkt na 30 minuten tot 2 uur.",
        )
    if refused.status == HTTPStatus.NOT_FOUND:
        return AccountTrouble(
            DeliveryReason.NOT_ALLOWED,
            f"{said}: het postvak van het account is er niet in Exchange Online, of heeft geen licentie: controleer "
            "het mailadres van het account en de tenant.",
        )
    return Postponed(DeliveryReason.REFUSED_FOR_NOW, f"{said}: {refused.message}")


def xoauth2_advice(reply: str) -> str:
    """What to do after SMTP's refusal of a good token: the token says who the app is, Exchange what it may."""
    if "5.7.139" in reply:
        return (
            "Zet SMTP AUTH aan voor het postvak: Set-CASMailbox ADRES -SmtpClientAuthenticationDisabled $false; en "
            "laat voorwaardelijke toegang de app toe."
        )
    return (
        "Controleer voor de app: het recht SMTP.SendAsApp met goedkeuring van de beheerder, New-ServicePrincipal met "
        "de object-id van de bedrijfstoepassing, en Add-MailboxPermission op het postvak (zie docs/exchange.md)."
    )
