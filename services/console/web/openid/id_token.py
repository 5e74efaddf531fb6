"""The id token of a login, checked as OpenID Connect Core 1.0 §3.1.3.7 asks; without exception or not at all. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from shared.bounded_json import read_json
from shared.errors import ImporterError

ALGORITHMS: Final = ("RS256", "PS256", "ES256")
"""By a key of the provider alone: never `none`, never HMAC, for which a public key would do as the secret."""
LEEWAY: Final = 60
"""Seconds that the provider's clock may differ from ours."""
LONGEST: Final = 64 * 1024
"""Characters; Entra's with two hundred groups has some 10,000."""
_LONGEST_SUBJECT: Final = 255


class NotBelieved(ImporterError):
    """The provider's answer does not hold; the text is for the log, and has nothing of the token in it."""


class UnknownKey(NotBelieved):
    """It is signed by a key that is not among those we have: the provider may have taken a new one since."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token must be for: our provider, our console, and this one login of this one browser."""

    issuer: str
    client_id: str
    nonce: str
    algorithms: tuple[str, ...] = ALGORITHMS
    """Those of ALGORITHMS by which the provider says that it signs."""


def believed(token: str, keys: KeySet, expected: Expected, now: float) -> Mapping[str, Any]:
    """The claims of the token, all of which hold at `now` (seconds since 1970). Raises NotBelieved."""
    claims = _signed(token, keys, expected.algorithms)
    if claims.get("iss") != expected.issuer:
        raise NotBelieved("the id token is of another issuer")
    _require_audience(claims, expected.client_id)
    _require_time(claims, now)
    nonce, subject = claims.get("nonce"), claims.get("sub")
    if not isinstance(nonce, str) or not hmac.compare_digest(_bytes(nonce), _bytes(expected.nonce)):
        raise NotBelieved("the id token is of another login")
    if not isinstance(subject, str) or not 1 <= len(subject) <= _LONGEST_SUBJECT or "\0" in subject:
        raise NotBelieved("the id token names no subject")
    return claims


def _signed(token: str, keys: KeySet, algorithms: tuple[str, ...]) -> Mapping[str, Any]:
    if len(token) > LONGEST:
        raise NotBelieved("the id token is too long")
    try:
        unchecked = jws.extract_compact(token.encode("ascii"))
        key_id = unchecked.headers().get("kid")
        if key_id is not None and all(key.kid != key_id for key in keys.keys):
            raise UnknownKey("the id token is signed by a key that is not known")
        signed = jws.deserialize_compact(token, keys, algorithms=list(algorithms))
        claims = read_json(signed.payload)
    except (JoseError, ValueError, TypeError, AttributeError) as error:
        raise NotBelieved(f"the id token is not signed as it must be ({type(error).__name__})") from error
    if not isinstance(claims, dict):
        raise NotBelieved("the id token is no object")
    return claims


def _require_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    if audience not in (client_id, [client_id]):  # of several, we would trust the others with our people
        raise NotBelieved("the id token is for another client")
    if claims.get("azp", client_id) != client_id:
        raise NotBelieved("the id token was given to another client")


def _require_time(claims: Mapping[str, Any], now: float) -> None:
    ends, made, begins = _time(claims.get("exp")), _time(claims.get("iat")), _time(claims.get("nbf", 0))
    if ends <= now - LEEWAY:
        raise NotBelieved("the id token has ended")
    if max(made, begins) > now + LEEWAY:
        raise NotBelieved("the id token begins later than now: compare the clocks")


def _time(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise NotBelieved("the id token does not say when it was made and when it ends")
    return value


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
