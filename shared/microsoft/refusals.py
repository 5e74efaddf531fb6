"""What an error of Microsoft Entra means (RFC 6749 §5.2), and what to do about it.

The AADSTS codes are hints: Microsoft changes them without notice. What decides is the OAuth `error`; a code only makes
the sentence better. Nothing of Entra's own description is repeated save the code: it may name people and addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

EXPIRED: Final = 7000222
"""AADSTS7000222: the client secret has ended."""
_WORD: Final = re.compile(r"[a-z_]{1,60}")
_ERRORS: Final = frozenset({
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
    "invalid_scope", "invalid_resource", "interaction_required", "temporarily_unavailable", "server_error",
})  # fmt: skip
"""Those of RFC 6749 §5.2, and Entra's own."""
_TRANSIENT_ERRORS: Final = frozenset(["temporarily_unavailable", "server_error"])
_TRANSIENT_CODES: Final = frozenset([50196, 90033])
"""50196: asked too often; 90033: a fault that passes."""
_MOST_CODES: Final = 10
_HIGHEST_CODE: Final = 10**9

_SENTENCES: Final[Mapping[int, str]] = MappingProxyType(
    {
        7000215: (
            "Het clientgeheim is onjuist: maak in Microsoft Entra een nieuw clientgeheim en stel de waarde ervan in "
            "(niet de id van het geheim)."
        ),
        EXPIRED: "Het clientgeheim is verlopen: maak in Microsoft Entra een nieuw clientgeheim en stel dat hier in.",
        700027: (
            "Microsoft Entra herkent het certificaat niet, of het is verlopen: voeg het certificaat toe aan de "
            "app-registratie, of stel hier het certificaat in dat daar staat."
        ),
        700016: (
            "De app-registratie is niet bekend in deze tenant: controleer de toepassings-id (client) en de tenant, en "
            "of de beheerder de app heeft goedgekeurd."
        ),
        90002: "De tenant is niet bekend: controleer «Tenant» (de map-id uit Microsoft Entra) en de cloud.",
        53003: (
            "Voorwaardelijke toegang (Conditional Access) in Microsoft Entra blokkeert de app: laat de beheerder deze "
            "app toestaan vanaf het adres van deze server."
        ),
        7000112: "De app-registratie is uitgeschakeld: laat de beheerder haar in Microsoft Entra inschakelen.",
        500011: (
            "De dienst waar de app toegang toe vraagt, is niet bekend in deze tenant: controleer de cloud, en of de "
            "tenant Exchange Online heeft."
        ),
        1002012: "De gevraagde scope wordt niet aanvaard: controleer de cloud.",
    }
)
_ALIASES: Final[Mapping[int, int]] = MappingProxyType({700030: 700027, 7000229: 700016, 900023: 90002, 900382: 90002})
"""700030: no valid certificate; 7000229: the app has no service principal here; 900023, 900382: no valid tenant."""


def error_codes(answer: Mapping[str, Any]) -> list[int]:
    """The first AADSTS codes of an error answer; none when it has none that are numbers."""
    codes = answer.get("error_codes")
    if not isinstance(codes, list):
        return []
    return [code for code in codes[:_MOST_CODES] if isinstance(code, int) and 0 < code < _HIGHEST_CODE]


def told_of(answer: Mapping[str, Any]) -> str:
    """What a failed check tells of it: the error of RFC 6749 and the AADSTS codes, as far as they are known here."""
    known = [f"AADSTS{code}" for code in error_codes(answer) if code in {*_SENTENCES, *_ALIASES, *_TRANSIENT_CODES}]
    error = answer.get("error")
    return ", ".join([error, *known] if isinstance(error, str) and error in _ERRORS else known)


def passes(answer: Mapping[str, Any]) -> bool:
    """Whether Entra itself says that the same request may succeed later."""
    return str(answer.get("error")) in _TRANSIENT_ERRORS or not _TRANSIENT_CODES.isdisjoint(error_codes(answer))


def refusal(answer: Mapping[str, Any]) -> str:
    """A sentence for people: what is wrong with the login, and what to do."""
    codes = error_codes(answer)
    known = next((sentence for code in codes if (sentence := _SENTENCES.get(_ALIASES.get(code, code)))), None)
    said = ", ".join(f"AADSTS{code}" for code in codes) or _word(answer.get("error"))
    if known is not None:
        return f"{known} ({said})"
    return (
        f"Microsoft Entra weigert de aanmelding van de app ({said}): controleer tenant, toepassings-id en "
        "clientgeheim of certificaat."
    )


def _word(error: Any) -> str:
    """An OAuth error is a word; anything else is not repeated."""
    return error if isinstance(error, str) and _WORD.fullmatch(error) else "geen code"
