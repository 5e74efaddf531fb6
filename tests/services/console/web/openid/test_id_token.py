"""An id token is believed only where all of it holds: each case is one thing that does not."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from services.console.web.openid.id_token import LEEWAY, LONGEST, Expected, NotBelieved, UnknownKey, believed

NOW = 1_800_000_000
EXPECTED = Expected("https://login.example", "console", "the-nonce")
CLAIMS = {
    "iss": "https://login.example",
    "aud": "console",
    "sub": "42",
    "nonce": "the-nonce",
    "iat": NOW,
    "exp": NOW + 300,
}
RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
STRANGE = RSAKey.generate_key(2048, {"kid": "rsa"})
KEYS = KeySet.import_key_set(KeySet([RSA, EC]).as_dict(private=False))


def signed(key: Any = RSA, algorithm: str = "RS256", *, kid: str | None = "rsa", **changed: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **changed}.items() if value is not None}
    header = {"alg": algorithm} | ({} if kid is None else {"kid": kid})
    return jws.serialize_compact(header, json.dumps(claims), key, algorithms=[algorithm])


def part(value: Any) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("key", "algorithm", "kid"), [(RSA, "RS256", "rsa"), (RSA, "PS256", "rsa"), (EC, "ES256", "ec")]
)
def test_what_holds_is_believed(key: Any, algorithm: str, kid: str) -> None:
    assert believed(signed(key, algorithm, kid=kid), KEYS, EXPECTED, NOW)["sub"] == "42"


@pytest.mark.parametrize("audience", ["console", ["console"]])
def test_the_audience_is_a_name_or_a_list_of_it_alone(audience: Any) -> None:
    assert believed(signed(aud=audience), KEYS, EXPECTED, NOW)["aud"] == audience


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://login.example/"}, {"iss": None}, {"aud": "other"}, {"aud": ["console", "other"]}, {"aud": []},
        {"aud": None}, {"azp": "other"}, {"nonce": "another"}, {"nonce": None}, {"nonce": 1}, {"nonce": "é"},
        {"sub": None}, {"sub": ""}, {"sub": 42}, {"sub": "x" * 256}, {"exp": NOW - LEEWAY}, {"exp": None},
        {"exp": "soon"}, {"exp": True}, {"iat": None}, {"iat": NOW + LEEWAY + 1}, {"nbf": NOW + LEEWAY + 1},
        {"nbf": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_one_claim_that_does_not_hold_is_enough(changed: dict[str, Any]) -> None:
    with pytest.raises(NotBelieved):
        believed(signed(**changed), KEYS, EXPECTED, NOW)


PUBLIC_PEM = RSA.as_pem(private=False)
UNSIGNED = {
    "alg none": f"{part({'alg': 'none', 'kid': 'rsa'})}.{part(CLAIMS)}.",
    "alg None": f"{part({'alg': 'None', 'kid': 'rsa'})}.{part(CLAIMS)}.",
    "no signature": signed().rpartition(".")[0] + ".",
    "two parts": signed().rpartition(".")[0],
    "another's key of the same name": signed(STRANGE),
    "claims changed": ".".join([signed().split(".")[0], part({**CLAIMS, "sub": "1"}), signed().split(".")[2]]),
    "the name of the other key": signed(RSA, kid="ec"),
    "no json": jws.serialize_compact({"alg": "RS256", "kid": "rsa"}, "not json", RSA),
    "a list": jws.serialize_compact({"alg": "RS256", "kid": "rsa"}, "[]", RSA),
    "NaN": jws.serialize_compact({"alg": "RS256", "kid": "rsa"}, '{"exp": NaN}', RSA),
    "header no object": f"{part([])}.{part(CLAIMS)}.x",
    "kid a list": f"{part({'alg': 'RS256', 'kid': []})}.{part(CLAIMS)}.x",
    "critical header": f"{part({'alg': 'RS256', 'kid': 'rsa', 'crit': ['x'], 'x': 1})}.{part(CLAIMS)}.x",
    "not ascii": "é.é.é",
    "empty": "",
    "too long": "a" * (LONGEST + 1),
}


@pytest.mark.parametrize("attack", UNSIGNED)
def test_what_the_provider_did_not_sign_is_not_believed(attack: str) -> None:
    with pytest.raises(NotBelieved):
        believed(UNSIGNED[attack], KEYS, EXPECTED, NOW)


def test_a_public_key_is_no_secret_for_an_hmac() -> None:
    forged = jws.serialize_compact(
        {"alg": "HS256", "kid": "rsa"}, json.dumps(CLAIMS), OctKey.import_key(PUBLIC_PEM.hex()), algorithms=["HS256"]
    )
    with pytest.raises(NotBelieved):
        believed(forged, KEYS, EXPECTED, NOW)


def test_a_key_that_is_not_known_says_so_that_the_keys_be_read_again() -> None:
    with pytest.raises(UnknownKey):
        believed(signed(STRANGE, kid="new"), KEYS, EXPECTED, NOW)
