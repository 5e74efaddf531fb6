"""What can be wrong on the way to an Exchange server, before it has answered, as the sentences that people read."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from services.fetcher.mailboxes.ews.errors import Place
from services.fetcher.mailboxes.protocol import MailboxError, MailboxMissing, MailboxUnreachable
from services.fetcher.rules.problem import ProblemKind


def network_problem(error: BaseException, place: Place) -> MailboxError:
    """What went wrong before there was an answer."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return _tls_problem(cause, place)
        if isinstance(cause, socket.gaierror):
            return MailboxUnreachable(
                f"De naam {place.host} is niet te vinden in DNS: controleer bij «Server» de naam, of laat de beheerder "
                "de DNS-server van deze machine bekijken."
            )
        if isinstance(cause, TimeoutError):
            return MailboxUnreachable(
                f"De server {place.host} antwoordt niet op tijd: controleer of hij aan staat en of een firewall de "
                "verbinding toelaat."
            )
        if isinstance(cause, ConnectionRefusedError):
            return MailboxUnreachable(
                f"De server {place.host} weigert de verbinding: controleer bij «Server» naam en poort, en of de server "
                "aan staat."
            )
    return MailboxUnreachable(
        f"De verbinding met {place.host} lukt niet of brak af: controleer het netwerk, en bij «Server» naam en poort."
    )


def _tls_problem(error: ssl.SSLError, place: Place) -> MailboxError:
    if not isinstance(error, ssl.SSLCertVerificationError):
        return MailboxUnreachable(
            f"Met {place.host} kan geen beveiligde verbinding worden gemaakt ({error.reason or 'TLS'}): nodig is TLS "
            "1.2 of nieuwer. Zet dat aan op de server, en controleer bij «Server» de poort.",
            kind=ProblemKind.NOT_SECURE,
        )
    match error.verify_code:
        case 62 | 64:
            return MailboxMissing(
                f"Het certificaat van de server is niet voor de naam {place.host}: vul bij «Server» een naam in die in "
                "het certificaat staat, of laat er een certificaat met deze naam op zetten.",
                kind=ProblemKind.NOT_SECURE,
            )
        case 9 | 10:
            return MailboxMissing(
                f"Het certificaat van {place.host} is verlopen of nog niet geldig: laat de beheerder het vernieuwen, "
                "en controleer de klok van deze machine.",
                kind=ProblemKind.NOT_SECURE,
            )
        case _:
            given = (
                f"het CA-bestand {place.ca_file} hoort er niet bij: vul het bestand van de juiste uitgever in"
                if place.ca_file
                else "vul bij «CA-bestand» het certificaat van de uitgever in (PEM)"
            )
            return MailboxMissing(
                f"Het certificaat van {place.host} is niet van een uitgever die hier wordt vertrouwd: {given}.",
                kind=ProblemKind.NOT_SECURE,
            )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it wraps, as requests and urllib3 do: in arguments, reasons and causes."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = (*each.args, getattr(each, "reason", None), each.__cause__, each.__context__)
        waiting += [cause for cause in inner if isinstance(cause, BaseException)]
