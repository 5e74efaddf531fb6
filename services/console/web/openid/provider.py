"""The provider as a server: what it says of itself, its keys, the id token that it gives for a code, and userinfo.

Over TLS with a certificate that is checked, to addresses that may be connected to, within seconds and a size; no
redirect is followed. What it says of itself and its keys are kept for an hour. Raises NotBelieved for whatever else
comes.
"""

from __future__ import annotations

import asyncio
import re
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.console.web.openid.groups import is_told_elsewhere
from services.console.web.openid.id_token import ALGORITHMS, Expected, NotBelieved, UnknownKey, believed
from services.console.web.openid.settings import OpenIdSettings
from shared.bounded_json import read_json
from shared.connecting import ForbiddenAddress
from shared.http_connections import CheckedTransport, NoCookies

SECONDS: Final = 10
"""For one answer of the provider, from the connection to its last byte."""
MOST_BYTES: Final = 256 * 1024
"""Of an answer; Microsoft's keys are some 20,000."""
_BEARER: Final = re.compile(r"[\w.~+/-]+=*", re.ASCII)
"""RFC 6750 §2.1."""
_MOST_KEYS: Final = 100
_KEPT: Final = 3600
"""Seconds for which what it says of itself, and its keys, are not asked for again."""
_BETWEEN: Final = 60
"""Seconds between two looks for a key that is not known: whoever makes up a key id sends us there no more often."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the provider says of itself (OpenID Connect Discovery 1.0 §3), as far as it is used."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    scopes: frozenset[str]
    """Those that it says it knows."""
    algorithms: tuple[str, ...]
    by_form: bool
    """The secret goes to it in the form: it takes no header Authorization."""
    names_itself: bool
    """Its answers to the browser name their issuer (RFC 9207)."""


@dataclass(frozen=True, slots=True)
class _Kept:
    metadata: Metadata
    keys: KeySet
    at: float


class Provider:
    """One provider; all requests of the console share it."""

    def __init__(self, settings: OpenIdSettings) -> None:
        self.settings: Final = settings
        self.ahead: float | None = None
        """Seconds by which its clock was ahead of ours at its last answer; None: it did not say."""
        self._kept: _Kept | None = None
        self._asking = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """What it says of itself."""
        return (await self._known()).metadata

    async def claims(
        self, code: str, verifier: str, redirect_uri: str, nonce: str, wanted: str | None = None
    ) -> Mapping[str, Any]:
        """Of the person whose browser came back with this code; `wanted` from userinfo where the id token has none.

        Raises NotBelieved.
        """
        known = await self._known()
        tokens = await self._tokens(known.metadata, code, verifier, redirect_uri)
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise NotBelieved("the provider gave no id token")
        try:
            claims = self._believed(token, known, nonce)
        except UnknownKey:
            claims = self._believed(token, await self._known(after=known), nonce)
        if wanted is None or wanted in claims or is_told_elsewhere(claims, wanted):
            return claims
        said = await self._userinfo(known.metadata, tokens.get("access_token"), claims["sub"])
        return {**claims, **{name: said[name] for name in (wanted, "_claim_names", "hasgroups") if name in said}}

    async def _userinfo(self, metadata: Metadata, access_token: object, subject: str) -> Mapping[str, Any]:
        """What it says there of this person (OpenID Connect Core 1.0 §5.3); of another it is not believed (§5.3.2)."""
        if metadata.userinfo_endpoint is None or access_token is None:
            return {}
        if not isinstance(access_token, str) or not _BEARER.fullmatch(access_token):
            raise NotBelieved("the provider's access token cannot be sent")
        said = await self._asked("GET", metadata.userinfo_endpoint, {"Authorization": f"Bearer {access_token}"})
        if said.get("sub") != subject:
            raise NotBelieved("userinfo is of another subject than the id token")
        return said

    def _believed(self, token: str, known: _Kept, nonce: str) -> Mapping[str, Any]:
        settings = self.settings
        expected = Expected(settings.issuer, settings.client_id, nonce, known.metadata.algorithms)
        return believed(token, known.keys, expected, time.time())

    async def _known(self, after: _Kept | None = None) -> _Kept:
        """What is kept, or else asked for; `after`: newer than that, where it may be asked for again."""
        async with self._asking:
            kept, now = self._kept, time.monotonic()
            longest = _BETWEEN if after is not None and kept is after else _KEPT
            if kept is None or now - kept.at >= longest:
                metadata = self.metadata_of(await self.said_of_itself())
                keys = await self.keys_of(metadata)
                self._kept = kept = _Kept(metadata, keys, now)
            return kept

    async def said_of_itself(self) -> Mapping[str, Any]:
        """Its discovery document, asked for now. Raises NotBelieved."""
        return await self._asked("GET", f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration", {})

    async def keys_of(self, metadata: Metadata) -> KeySet:
        """Its keys, asked for now. Raises NotBelieved."""
        return _key_set(await self._asked("GET", metadata.jwks_uri, {}))

    def metadata_of(self, said: Mapping[str, Any]) -> Metadata:
        """What of its discovery document is used, where all of it is there. Raises NotBelieved."""
        if said.get("issuer") != self.settings.issuer:
            raise NotBelieved("what the provider says of itself is of another issuer than IMPORTER_WEB_OIDC_ISSUER")
        offered = said.get("id_token_signing_alg_values_supported")
        algorithms = tuple(name for name in ALGORITHMS if isinstance(offered, list) and name in offered)
        if not algorithms:
            raise NotBelieved(f"the provider signs by none of {', '.join(ALGORITHMS)}")
        scopes = said.get("scopes_supported")
        methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return Metadata(
            authorization_endpoint=_https(said, "authorization_endpoint"),
            token_endpoint=_https(said, "token_endpoint"),
            jwks_uri=_https(said, "jwks_uri"),
            userinfo_endpoint=_https(said, "userinfo_endpoint") if "userinfo_endpoint" in said else None,
            scopes=frozenset(name for name in scopes if isinstance(name, str))
            if isinstance(scopes, list)
            else frozenset(),
            algorithms=algorithms,
            by_form=isinstance(methods, list) and "client_secret_basic" not in methods,
            names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        )

    async def _tokens(self, metadata: Metadata, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        form["code_verifier"] = verifier
        client_id, secret = self.settings.client_id, self.settings.client_secret.get_secret_value()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if metadata.by_form:
            form |= {"client_id": client_id, "client_secret": secret}
        else:  # RFC 6749 §2.3.1: both are encoded as in a form
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return await self._asked("POST", metadata.token_endpoint, headers, urlencode(form))

    async def _asked(
        self, method: str, url: str, headers: Mapping[str, str], content: str | None = None
    ) -> dict[str, Any]:
        """The object that it answers."""
        try:
            async with (
                asyncio.timeout(SECONDS),
                self._client() as client,
                client.stream(method, url, content=content, headers=dict(headers)) as answer,
            ):
                body = bytearray()
                async for piece in answer.aiter_raw():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise NotBelieved(f"the answer of {url} is too large")
        except ForbiddenAddress as error:
            raise NotBelieved(str(error)) from error
        except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:  # TimeoutError is an OSError
            raise NotBelieved(f"{url} does not answer ({type(error).__name__})") from error
        self.ahead = _ahead(answer.headers.get("date", ""))
        if answer.status_code != HTTPStatus.OK:
            raise NotBelieved(f"{url} answers {answer.status_code}")
        try:
            said = read_json(body)
        except ValueError as error:
            raise NotBelieved(f"the answer of {url} is no JSON") from error
        if not isinstance(said, dict):
            raise NotBelieved(f"the answer of {url} is no object")
        return said

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=CheckedTransport(self.settings.tls),
            timeout=SECONDS,
            # what is compressed may be small on the wire and large in memory
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "helpdesk-importer"},
            cookies=NoCookies(),
            trust_env=False,
        )


def _https(said: Mapping[str, Any], name: str) -> str:
    address = said.get(name)
    try:
        parts = urlsplit(address) if isinstance(address, str) else None
    except ValueError:
        parts = None
    if not isinstance(address, str) or parts is None or parts.scheme != "https" or not parts.hostname or parts.fragment:
        raise NotBelieved(f"the provider's {name} is no https address")
    return address


def _ahead(date: str) -> float | None:
    """How far a clock is ahead of ours, by what it wrote in its answer (RFC 9110 §6.6.1)."""
    try:
        return parsedate_to_datetime(date).timestamp() - time.time()
    except ValueError:
        return None


def _key_set(said: Mapping[str, Any]) -> KeySet:
    """The keys that may sign; what is of no use to us (encryption, kinds that we do not know) is left out."""
    listed = said.get("keys")
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise NotBelieved("the provider's keys are no list, or too many")
    usable = [
        {name: value for name, value in key.items() if name in {"kty", "kid", "n", "e", "crv", "x", "y", "alg", "use"}}
        for key in listed
        if isinstance(key, dict) and key.get("kty") in ("RSA", "EC") and key.get("use", "sig") == "sig"
    ]
    try:
        return KeySet.import_key_set({"keys": usable})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise NotBelieved(f"the provider's keys cannot be read ({type(error).__name__})") from error
