"""What keeps a notification from being delivered (`notifications.reason` while planned or failed; DESIGN 5, 9).

The notifier writes the id, and ticket_writer where a mail waits for others or a delivery report comes in;
`notifications.server_reply` or `report_diagnostic` holds the server's own words. `UNKNOWN_RECIPIENT` is what the limits
on mails out look at: no mail for 60 days to an address that a server does not know (SPEC D10).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared.portal.reasons import Explanation


class DeliveryReason(StrEnum):
    """The id of a reason. Planned: it is tried again. Failed: it is final."""

    COLLECTING = "collecting"
    """It waits for others to the same employee, to tell of them all in one mail (M2, M3)."""
    NO_ACCOUNT = "no-account"
    """The helpdesk has no outgoing account, or no address to send from."""
    LOGIN_REFUSED = "login-refused"
    """The server refuses the account's user name or password, or demands a login that the account does not have."""
    NOT_ALLOWED = "not-allowed"
    """The login is taken, but the account has no mailbox, or may not send from it or in this name."""
    NOT_SECURE = "not-secure"
    """The server offers no TLS or shows a certificate that does not hold."""
    SERVER_AWAY = "server-away"
    """The server does not answer, breaks off, or answers what is no SMTP."""
    REFUSED_FOR_NOW = "refused-for-now"
    """The server refused with 4xx: a greylist, a full mailbox, too much at once."""
    OUR_ERROR = "our-error"
    """The mail could not be written, by an error of ours; an update of the importer may cure it."""
    UNKNOWN_RECIPIENT = "unknown-recipient"
    """Final: the server does not know the address (5.1.1, RFC 3463)."""
    REFUSED = "refused"
    """Final: the server refused with another 5xx."""
    GAVE_UP = "gave-up"
    """Final: 72 hours of tries ended without delivery."""
    BOUNCED = "bounced"
    """Final: our server took the mail, and a delivery report said later that it did not arrive (RFC 3464)."""


UNKNOWN_RECIPIENT_CODES: Final = frozenset(["5.1.1", "5.1.10"])
"""Status codes (RFC 3463) of an address that does not exist. QUIRK: 5.1.10 is Exchange's own «recipient not found»."""


DELIVERY: Final[Mapping[DeliveryReason, Explanation]] = MappingProxyType(
    {
        DeliveryReason.COLLECTING: Explanation(
            "Er komen kort na elkaar veel mails voor deze medewerker: ze gaan binnen tien minuten samen in één mail."
        ),
        DeliveryReason.NO_ACCOUNT: Explanation(
            "De helpdesk heeft geen uitgaand account of geen afzenderadres.",
            "Kies bij de helpdesk een uitgaand account en een afzenderadres; de mail gaat dan alsnog.",
        ),
        DeliveryReason.LOGIN_REFUSED: Explanation(
            "De mailserver weigert de gebruikersnaam of het wachtwoord van het uitgaande account.",
            "Controleer de gebruikersnaam en stel het wachtwoord opnieuw in; de mail gaat dan alsnog.",
        ),
        DeliveryReason.NOT_ALLOWED: Explanation(
            "Het uitgaande account mag niet versturen uit dit postvak of namens dit afzenderadres.",
            "Lees in het antwoord van de server welk recht ontbreekt, en geef dat aan de app.",
        ),
        DeliveryReason.NOT_SECURE: Explanation(
            "De verbinding met de mailserver is niet veilig te maken.",
            "Controleer de beveiliging, de naam van de server en het CA-bestand van het uitgaande account.",
        ),
        DeliveryReason.SERVER_AWAY: Explanation(
            "De mailserver antwoordt niet; het wordt opnieuw geprobeerd.",
            "Controleer de naam en de poort van het uitgaande account, en of de server bereikbaar is.",
        ),
        DeliveryReason.REFUSED_FOR_NOW: Explanation(
            "De mailserver neemt de mail nu niet aan; het wordt opnieuw geprobeerd."
        ),
        DeliveryReason.OUR_ERROR: Explanation(
            "De mail kon door een eigen fout niet worden verstuurd; het wordt opnieuw geprobeerd.",
            "Meld dit aan de beheerder.",
        ),
        DeliveryReason.UNKNOWN_RECIPIENT: Explanation(
            "De mailserver kent het adres van de ontvanger niet.", "Controleer het e-mailadres van de ontvanger."
        ),
        DeliveryReason.REFUSED: Explanation(
            "De mailserver weigert de mail.", "Lees in het antwoord van de server waarom."
        ),
        DeliveryReason.GAVE_UP: Explanation(
            "De mail kon 72 uur lang niet worden verstuurd en is opgegeven.",
            "Verhelp de oorzaak die erbij staat, en breng de ontvanger zo nodig zelf op de hoogte.",
        ),
        DeliveryReason.BOUNCED: Explanation(
            "De mail is verstuurd maar kwam niet aan: er kwam een melding van onbestelbaarheid.",
            "Lees in de melding waarom, en controleer het e-mailadres van de ontvanger.",
        ),
    }
)
"""Each reason in Dutch, with what a person can do about it."""
