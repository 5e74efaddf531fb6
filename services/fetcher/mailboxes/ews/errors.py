"""What can be wrong with an Exchange server, as the sentences that people read and the types that the fetcher acts on.

Which response codes mean the same stands in `response_codes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from services.fetcher.mailboxes.ews.answers import LONGEST_BACK_OFF, EwsError
from services.fetcher.mailboxes.ews.response_codes import BUSY, NO_FOLDER, PASSING, WRONG_SCHEMA
from services.fetcher.mailboxes.protocol import (
    AccessDenied,
    LoginRefused,
    MailboxError,
    MailboxMissing,
    MailboxUnreachable,
)
from services.fetcher.rules.problem import ProblemKind

CLOUD_HOSTS: Final = ("office365.com", "office.com", "outlook.com", "office365.us", "partner.outlook.cn")


@dataclass(frozen=True, slots=True)
class Place:
    """What sentences tell of a mailbox: its server, login, address and how it is entered."""

    host: str
    login: str
    address: str | None
    impersonate: bool
    ca_file: str | None = None

    @property
    def whose(self) -> str:
        """The mailbox, in words."""
        return f"de mailbox {self.address}" if self.address else f"de mailbox van {self.login}"

    @property
    def is_cloud(self) -> bool:
        """Whether the server is Exchange Online's."""
        return any(self.host == cloud or self.host.endswith(f".{cloud}") for cloud in CLOUD_HOSTS)


def _grant(place: Place) -> str:
    if place.impersonate:
        return f"geef {place.login} in Exchange de rol ApplicationImpersonation voor die mailbox"
    return f"geef {place.login} in Exchange volledige toegang (Full Access) tot die mailbox"


def _disabled(place: Place) -> MailboxError:
    return LoginRefused(
        f"Het account {place.login} is uitgeschakeld: laat de beheerder van Exchange het inschakelen, "
        "of vul een ander account in."
    )


def _expired(place: Place) -> MailboxError:
    return LoginRefused(
        f"Het wachtwoord van {place.login} is verlopen of moet worden gewijzigd: stel in Active Directory een nieuw "
        "wachtwoord in (liefst een dat niet verloopt) en vul het hier in.",
        kind=ProblemKind.LOGIN_EXPIRED,
    )


def _denied(place: Place) -> MailboxError:
    return AccessDenied(f"{place.login} heeft niet de rechten om in {place.whose} te werken: {_grant(place)}.")


def _no_impersonation(place: Place) -> MailboxError:
    return AccessDenied(
        f"{place.login} mag {place.whose} niet namens de eigenaar openen (impersonation): {_grant(place)}, "
        "of zet «namens de eigenaar» uit en geef volledige toegang."
    )


def _switched_off(place: Place) -> MailboxError:
    if place.is_cloud:
        return AccessDenied(
            "Microsoft 365 laat EWS niet meer toe (geblokkeerd sinds oktober 2026): kies de soort mailbox «graph» "
            "en registreer daarvoor een app.",
            kind=ProblemKind.SWITCHED_OFF,
        )
    return AccessDenied(
        f"De server {place.host} weigert EWS voor {place.login}: zet EWS aan voor deze mailbox en de organisatie "
        "(Set-CASMailbox -EwsEnabled, EwsApplicationAccessPolicy) of kies een ander account.",
        kind=ProblemKind.SWITCHED_OFF,
    )


def _no_mailbox(place: Place) -> MailboxError:
    return MailboxMissing(
        f"Exchange kent {place.whose} niet: controleer het adres van de mailbox (het primaire adres, geen alias)."
    )


_PROBLEMS: Final[Mapping[str, Callable[[Place], MailboxError]]] = MappingProxyType({
    "ErrorAccountDisabled": _disabled,
    "ErrorPasswordExpired": _expired,
    "ErrorPasswordChangeRequired": _expired,
    "ErrorAccessDenied": _denied,
    "ErrorMailboxLogonFailed": _denied,
    "ErrorImpersonateUserDenied": _no_impersonation,
    "ErrorImpersonationDenied": _no_impersonation,
    "ErrorImpersonationFailed": _no_impersonation,
    "ErrorUserNotAllowedByPolicy": _switched_off,
    "ErrorNonExistentMailbox": _no_mailbox,
    "ErrorCannotFindUser": _no_mailbox,
    "ErrorNonPrimarySmtpAddress": _no_mailbox,
    "ErrorInvalidSmtpAddress": _no_mailbox,
    "ErrorInvalidMailbox": _no_mailbox,
    "ErrorMailboxConfiguration": _no_mailbox,
    "ErrorMissingEmailAddress": _no_mailbox,
    "ErrorInvalidUserSid": _no_mailbox,
})  # fmt: skip


def ews_problem(error: EwsError, place: Place) -> MailboxError:
    """What a response code means for the whole mailbox."""
    if error.code in _PROBLEMS:
        return _PROBLEMS[error.code](place)
    if error.code in BUSY:
        return throttled(place, error.back_off)
    if error.code in PASSING:
        return MailboxUnreachable(
            f"Exchange kan {place.whose} nu niet bedienen ({error.code}). Dat gaat meestal vanzelf over; duurt het "
            "langer dan een uur, laat de beheerder dan de Exchange-server bekijken.",
            after=error.back_off,
        )
    if error.code in NO_FOLDER:
        return AccessDenied(
            f"Exchange laat {place.login} de map niet zien in {place.whose}: {_grant(place)}, en controleer het adres."
        )
    if error.code in WRONG_SCHEMA:
        return MailboxMissing(
            f"De server {place.host} spreekt geen versie van EWS die de importer kent ({error.code}): nodig is "
            "Exchange 2007 SP1 of nieuwer. Controleer bij «Server» of dit de Exchange-server is."
        )
    return MailboxUnreachable(
        f"Exchange weigert een opdracht ({error.code}). De mail blijft ongelezen en wordt later opnieuw geprobeerd; "
        "blijft dit zo, laat de beheerder dan de Exchange-server bekijken.",
        after=error.back_off,
    )


def act_problem(error: EwsError, place: Place) -> MailboxError:
    """What a response code means to whoever would change a mail."""
    if error.code == "ErrorAccessDenied":
        return AccessDenied(
            f"{place.login} mag in {place.whose} mails lezen, maar niet wijzigen (op gelezen zetten, verplaatsen, "
            "mappen maken): geef in Exchange volledige toegang tot die mailbox."
        )
    if error.code == "ErrorQuotaExceeded":
        return MailboxUnreachable(
            f"{_capital(place.whose)} is vol: maak er ruimte in, of laat de beheerder van Exchange de limiet verhogen."
        )
    return ews_problem(error, place)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def throttled(place: Place, after: timedelta | None) -> MailboxUnreachable:
    """The server asks for fewer requests."""
    return MailboxUnreachable(
        f"De server {place.host} heeft het te druk en vraagt om te wachten. De importer wacht en gaat vanzelf verder; "
        "gebeurt dit vaak, geef het account dan een ruimere throttling policy.",
        after=after,
        kind=ProblemKind.THROTTLED,
    )


def login_refused(place: Place) -> LoginRefused:
    """HTTP 401 after the login. IIS does not tell why."""
    return LoginRefused(
        f"De server {place.host} weigert de inlognaam {place.login} met dit wachtwoord: controleer beide, en of het "
        "account niet is vergrendeld, uitgeschakeld of verlopen. De importer probeert het niet vaker dan nodig, zodat "
        "het account niet wordt vergrendeld."
    )


def login_interrupted(place: Place) -> MailboxUnreachable:
    """NTLM belongs to a connection, and that does not last."""
    return MailboxUnreachable(
        f"Inloggen met NTLM lukt niet: de server {place.host}, of een proxy ervoor, verbreekt de verbinding tijdens "
        "het inloggen of geeft geen geldig antwoord. Laat de importer de Exchange-server rechtstreeks bereiken, of zet "
        "Basic-authenticatie aan."
    )


def no_usable_login(place: Place, offered: frozenset[str]) -> AccessDenied:
    """The server offers no way of logging in that we have."""
    ways = ", ".join(sorted(offered)) or "geen enkele manier"
    if place.is_cloud or "bearer" in offered:
        return AccessDenied(
            f"De server {place.host} laat niet inloggen met een wachtwoord ({ways}). Is dit Microsoft 365, kies dan de "
            "soort mailbox «graph»."
        )
    return AccessDenied(
        f"De server {place.host} biedt om in te loggen alleen {ways} aan: zet op de map EWS van Exchange NTLM aan "
        "(Windows Authentication met provider NTLM), of Basic."
    )


def http_problem(status: int, place: Place, headers: Mapping[str, str]) -> MailboxError:
    """What an HTTP status other than success means; 401 is told apart by its caller."""
    after = retry_after(headers.get("Retry-After"))
    match status:
        case 301 | 302 | 303 | 307 | 308:
            problem = _redirected(place, headers.get("Location", ""))
        case 403:
            problem = _switched_off(place)
        case 404 | 405 | 410 | 440:  # 440: IIS shows the form of Outlook on the web
            problem = no_ews(place)
        case 456:  # QUIRK: Exchange's own numbers, for an account that is blocked and a password that has expired
            problem = _disabled(place)
        case 457:
            problem = _expired(place)
        case 429 | 503:
            problem = throttled(place, after)
        case _ if headers.get("X-CasErrorCode", "").endswith(("UserNotFound", "MailboxNotFound")):
            problem = _no_mailbox(place)
        case _:
            problem = MailboxUnreachable(
                f"De server {place.host} geeft een fout (HTTP {status}). De importer probeert het later opnieuw; "
                "blijft dit zo, laat de beheerder dan de Exchange-server bekijken.",
                after=after,
            )
    return problem


def _redirected(place: Place, location: str) -> MailboxError:
    elsewhere = urlsplit(location).hostname or "een andere pagina"
    return MailboxMissing(
        f"De server {place.host} verwijst door naar {elsewhere}. De importer volgt dat niet, om het wachtwoord niet "
        "weg te geven: vul bij «Server» het adres in dat moet worden gebruikt."
    )


def no_ews(place: Place) -> MailboxError:
    """A page for people, or nothing, where EWS should be."""
    if place.is_cloud:
        return _switched_off(place)
    return MailboxMissing(
        f"Op {place.host} antwoordt geen EWS: controleer bij «Server» de naam of het adres "
        "(https://SERVER/EWS/Exchange.asmx), en of er geen proxy of aanmeldpagina voor staat."
    )


def broken_answer(place: Place, how: str) -> MailboxUnreachable:
    """An answer that is not whole."""
    return MailboxUnreachable(
        f"De server {place.host} brak een antwoord af of gaf een onleesbaar antwoord ({how}). De mail blijft ongelezen "
        "en wordt later opnieuw geprobeerd; blijft dit zo, controleer dan netwerk en proxy."
    )


def incomplete_listing(place: Place) -> MailboxUnreachable:
    """The server told of more mails than it named."""
    return MailboxUnreachable(
        f"De server {place.host} noemt niet alle ongelezen mails van {place.whose}: laat de beheerder de mailbox en "
        "de server bekijken. De mails die wel worden genoemd, worden geïmporteerd."
    )


def no_change_key(place: Place) -> MailboxUnreachable:
    """The server wants the change key of a mail and does not tell it."""
    return MailboxUnreachable(
        f"De server {place.host} vraagt voor een mail in {place.whose} om een kenmerk dat hij niet noemt (ChangeKey), "
        "zodat de mail niet kan worden gewijzigd: laat de beheerder de server bekijken."
    )


def too_slow(place: Place, seconds: float) -> MailboxUnreachable:
    """No whole answer within the time."""
    return MailboxUnreachable(
        f"De server {place.host} antwoordde niet binnen {seconds:.0f} seconden: controleer het netwerk en de server. "
        "De importer probeert het later opnieuw."
    )


def retry_after(value: str | None) -> timedelta | None:
    """What a server asks for in Retry-After (RFC 9110 §10.2.3: seconds or a date), at most an hour."""
    if value is None:
        return None
    text = value.strip()
    if text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), LONGEST_BACK_OFF)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    delay = moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)
    return min(max(delay, timedelta(0)), LONGEST_BACK_OFF)
