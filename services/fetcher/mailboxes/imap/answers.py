"""What an IMAP server's refusal means: response codes (RFC 5530, RFC 3501 §7.1), and the words of servers without them.

Everything here is pure, but that it knows the secrets of the check that it runs in. The sentences are for the settings
screen; the server's own words stand in them, cut short and without what looks like an address, a name or a secret.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from typing import Final

from services.fetcher.mailboxes.protocol import (
    AccessDenied,
    LoginRefused,
    MailboxError,
    MailboxMissing,
    MailboxUnreachable,
    TooManyConnections,
)
from services.fetcher.rules.problem import ProblemKind
from shared import dialogue

_CODE: Final = re.compile(r"\s*\[([A-Z0-9-]+)[ \]]", re.IGNORECASE)
_BUSY_CODES: Final = frozenset({"UNAVAILABLE", "LIMIT", "INUSE", "SERVERBUG", "OVERQUOTA", "THROTTLED", "CORRUPTION"})
_REFUSED_CODES: Final = frozenset({"AUTHENTICATIONFAILED", "EXPIRED"})
_BUSY: Final = re.compile(
    r"temporar|try (?:again )?later|try again|unavailable|too many|maximum number of|internal (?:server )?error|"
    r"time(?:d )?-?out|overloaded|busy|throttl|server error|system error|shutting down|not ready|"
    r"unable to (?:open|contact)",
    re.IGNORECASE,
)
_SWITCHED_OFF: Final = re.compile(
    r"(?:imap|protocol|service|access|account|mailbox).{0,40}(?:disabled|not enabled|not allowed|blocked|switched off)|"
    r"not enabled for imap|disabled for imap|web ?login required|application-specific password|log in via your web",
    re.IGNORECASE,
)
_TOO_MANY: Final = re.compile(
    r"(?:too many|maximum|limit)\b.{0,30}\b(?:connection|session)s?\b|connection limit", re.IGNORECASE
)
"""QUIRK: no code of RFC 5530 says just this: Dovecot writes [UNAVAILABLE], Gmail [ALERT], others [LIMIT] or none."""
_NOT_CONNECTED: Final = re.compile(r"authenticated but not connected|not connected to a mailbox", re.IGNORECASE)
_NEEDS_TLS: Final = re.compile(
    r"(?:requires?|without|need|must).{0,40}(?:tls|ssl|encrypt|secur)|plaintext", re.IGNORECASE
)
_MISSING: Final = re.compile(
    r"does ?n[o']t exist|not exist|not found|unknown (?:mailbox|folder|namespace)|no such|non-?existent|"
    r"invalid mailbox",
    re.IGNORECASE,
)
_FORBIDDEN: Final = re.compile(r"permission|denied|not permitted|not allowed|unauthori[sz]ed|read-?only", re.IGNORECASE)
_WORDS: Final = 160
"""Characters of a server's own words that are shown."""
_LOOKED_AT: Final = 10_000


def code_of(text: str) -> str:
    """The response code of an answer, in capitals; empty when it has none."""
    code = _CODE.match(text)
    return code[1].upper() if code else ""


def own_words(text: str, secrets: Iterable[str] = ()) -> str:
    """What the server says, on one line, without any of `secrets`, those of the check, and addresses."""
    for secret in sorted(filter(None, {*secrets, *dialogue.withheld()}), key=len, reverse=True):
        text = text.replace(secret, "…")
    words = "".join(char if char.isprintable() else " " for char in text[:_LOOKED_AT]).split()
    line = " ".join("…" if "@" in word else word for word in words)
    return line if len(line) <= _WORDS else f"{line[:_WORDS]}…"


def login_error(text: str, secrets: Iterable[str] = (), *, app: bool = False) -> MailboxError:
    """What a NO or BAD to LOGIN or AUTHENTICATE means. Whatever is not known to pass by itself is a refusal."""
    code, said = code_of(text), f"De server antwoordt: «{own_words(text, secrets)}»."
    if code == "EXPIRED":
        return LoginRefused(
            f"Het wachtwoord van deze login is verlopen: stel een nieuw wachtwoord in. {said}",
            kind=ProblemKind.LOGIN_EXPIRED,
        )
    if code == "PRIVACYREQUIRED" or (not code and _NEEDS_TLS.search(text)):
        return MailboxMissing(
            f"De server laat alleen over een versleutelde verbinding inloggen: vul bij «Server» imaps://… in. {said}",
            kind=ProblemKind.NOT_SECURE,
        )
    if (passing := _passing_trouble(code, text, said)) is not None:
        return passing
    if code == "AUTHORIZATIONFAILED" or _NOT_CONNECTED.search(text):
        return AccessDenied(
            "Naam en wachtwoord kloppen, maar deze login mag deze mailbox niet openen: geef hem er rechten op. " + said
        )
    if code == "CONTACTADMIN" or _SWITCHED_OFF.search(text):
        return LoginRefused(
            "De server laat deze login niet via IMAP toe: zet IMAP voor de mailbox aan, of kies een app-wachtwoord. "
            + said,
            kind=ProblemKind.SWITCHED_OFF,
        )
    if app:
        advice = (
            "app: geef de app-registratie IMAP.AccessAsApp met toestemming van de beheerder, en haar service-principal "
            "volledige toegang tot de mailbox"
        )
    else:
        advice = "login: controleer gebruikersnaam en wachtwoord, en of IMAP aan staat"
    return LoginRefused(f"De server weigert deze {advice}. {said}")


def _passing_trouble(code: str, text: str, said: str) -> MailboxUnreachable | None:
    """What keeps a login from being taken now, and says nothing of the login."""
    refuses = code in {*_REFUSED_CODES, "AUTHORIZATIONFAILED"}
    if not refuses and _TOO_MANY.search(text):
        return TooManyConnections(
            "De mailserver laat voor deze login niet meer verbindingen tegelijk toe: verhoog dat aantal op de server "
            f"(Dovecot: mail_max_userip_connections), of sluit andere programma's die deze login gebruiken. {said}"
        )
    if code in _BUSY_CODES or (not refuses and _BUSY.search(text)):
        return MailboxUnreachable(
            "De mailserver kan het inloggen nu niet afhandelen; dat zegt niets over het wachtwoord. De importer "
            f"probeert het later opnieuw. {said}",
            kind=ProblemKind.THROTTLED if code in {"LIMIT", "THROTTLED"} else None,
        )
    return None


def goodbye_error(server: str, words: str) -> MailboxUnreachable:
    """What it means that a server says BYE where it should greet us."""
    if _TOO_MANY.search(words):
        return TooManyConnections(
            f"{server} laat vanaf deze machine niet meer verbindingen tegelijk toe: verhoog dat aantal op de server "
            f"(Courier: MAXPERIP). De server antwoordt: «{own_words(words)}».",
            of_all_logins=True,
        )
    return unreachable(server, OSError(words or "het is geen IMAP-server"))


def folder_error(text: str, folder: str) -> MailboxError:
    """What a NO or BAD to SELECT of the setting `folder` means."""
    code, said = code_of(text), f"De server antwoordt: «{own_words(text)}»."
    if code == "NONEXISTENT" or (not code and _MISSING.search(text)):
        return no_such_folder(folder)
    if code in _BUSY_CODES:
        return MailboxUnreachable(f"De mailserver kan de map «{folder}» nu niet openen; probeer het later. {said}")
    if code in {"NOPERM", "ACL"} or _NOT_CONNECTED.search(text) or _FORBIDDEN.search(text):
        return AccessDenied(f"Deze login mag de map «{folder}» niet openen: geef hem er rechten op. {said}")
    if _BUSY.search(text):
        return MailboxUnreachable(f"De mailserver kan de map «{folder}» nu niet openen; probeer het later. {said}")
    return MailboxMissing(f"De map «{folder}» kan niet worden geopend: controleer de instelling «Map». {said}")


def no_such_folder(folder: str) -> MailboxMissing:
    """For a folder that the settings name and the mailbox has not."""
    return MailboxMissing(f"De map «{folder}» is er niet in deze mailbox: controleer de instelling «Map».")


def read_only(folder: str) -> AccessDenied:
    """For a folder in which we cannot mark mail as read."""
    return AccessDenied(
        f"De map «{folder}» is voor deze login alleen te lezen, zodat mail niet als gelezen gemarkeerd kan worden: "
        "geef de login schrijfrechten op die map."
    )


def act_error(text: str, act: str) -> MailboxError:
    """What a NO or BAD to an act on a mail means; `act` completes «Een mail kan niet … worden»."""
    code, said = code_of(text), f"De server antwoordt: «{own_words(text)}»."
    if code == "OVERQUOTA" or "quota" in text.lower():
        return AccessDenied(f"Een mail kan niet {act} worden doordat de mailbox vol is: maak er ruimte. {said}")
    if code in _BUSY_CODES or (code not in {"NOPERM", "CANNOT"} and _BUSY.search(text)):
        return MailboxUnreachable(f"Een mail kan nu niet {act} worden; dat wordt later opnieuw geprobeerd. {said}")
    return AccessDenied(f"Een mail kan niet {act} worden: geef de login daar rechten op. {said}")


def certificate_error(error: ssl.SSLError, server: str) -> MailboxError:
    """What is wrong with the server's TLS, and what to do about it."""
    why = getattr(error, "verify_message", "") or (error.reason or type(error).__name__).replace("_", " ").lower()
    if not isinstance(error, ssl.SSLCertVerificationError):
        return MailboxUnreachable(
            f"Met {server} komt geen versleutelde verbinding tot stand ({why}): controleer de poort; met imap:// voor "
            "de naam begint de verbinding zonder TLS en gaat met STARTTLS verder.",
            kind=ProblemKind.NOT_SECURE,
        )
    if "hostname mismatch" in why.lower() or "ip address mismatch" in why.lower():
        advice = "vul bij «Server» de naam in die op het certificaat staat"
    elif "expired" in why.lower():
        advice = "laat de beheerder van de mailserver het vernieuwen"
    else:
        advice = "is het van een eigen certificaatautoriteit, geef dan haar certificaat als CA-bestand op"
    return MailboxMissing(
        f"Het certificaat van {server} wordt niet vertrouwd ({why}): {advice}.", kind=ProblemKind.NOT_SECURE
    )


def unreachable(server: str, error: BaseException) -> MailboxUnreachable:
    """For a server that cannot be reached, or that stopped answering."""
    return MailboxUnreachable(
        f"De mailserver {server} is niet te bereiken ({why(error)}): controleer naam, poort en firewall als dit "
        "aanhoudt."
    )


def why(error: BaseException) -> str:
    """What went wrong with a connection, in a few words."""
    if isinstance(error, TimeoutError):
        return "hij antwoordt niet op tijd"
    if isinstance(error, OSError) and error.strerror:
        return own_words(error.strerror)
    return own_words(str(error)) or type(error).__name__
