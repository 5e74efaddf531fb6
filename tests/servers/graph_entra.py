"""Microsoft Entra as apps see it: the token endpoint of a tenant, which refuses what the real one refuses.

Checked: tenant, app, secret or signed assertion (RFC 7523: PS256, `x5t#S256`, audience, times, no replay) and scope.
What differs from the real one: a token says nothing (Microsoft's are JWTs that nobody but the resource may read), the
error texts are shorter, and Conditional Access is a switch.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

TENANT: Final = "3f2b8a5e-0000-4000-8000-00000000beef"
CLIENT_ID: Final = "9a1c7d42-0000-4000-8000-0000000000aa"
SECRET: Final = "Zr~8Q~a-client-secret-of-the-tests"
OUTLOOK: Final = "https://outlook.office365.com"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class App:
    """An app registration: the secrets and certificates that it may log in with."""

    secrets: dict[str, bool] = field(default_factory=lambda: {SECRET: True})
    """Each secret, and whether it is still valid."""
    certificates: list[x509.Certificate] = field(default_factory=list)
    blocked: bool = False
    """Conditional Access."""


@dataclass(frozen=True)
class Grant:
    """What a token stands for."""

    client_id: str
    audience: str
    ends_at: float


class Refused(Exception):
    """An OAuth error with its AADSTS code."""

    def __init__(self, status: int, error: str, code: int, text: str) -> None:
        super().__init__(text)
        self.status, self.error, self.code, self.text = status, error, code, text


class Entra:
    """The apps of one tenant and the tokens that they were given. `expires_in` is a token's life in seconds."""

    def __init__(self, resources: tuple[str, ...] = (OUTLOOK,)) -> None:
        self.apps = {CLIENT_ID: App()}
        self.resources = set(resources)
        self.expires_in = 3600
        self.given: list[str] = []
        """Every token that was given out, in order."""
        self._grants: dict[str, Grant] = {}
        self._seen: set[str] = set()

    def grant_of(self, token: str, audience: str) -> Grant | None:
        """What the token allows at this resource; None when it is unknown, for another one, or has ended."""
        grant = self._grants.get(token)
        return grant if grant and grant.audience == audience and time.time() < grant.ends_at else None

    def end_tokens(self) -> None:
        """Let every token end before its time, as when an administrator withdraws them."""
        self._grants.clear()

    async def token(self, request: web.Request) -> web.Response:
        """POST /{tenant}/oauth2/v2.0/token."""
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        try:
            grant = self._grant(request.match_info["tenant"], form, str(request.url))
        except Refused as refused:
            return web.json_response(
                {
                    "error": refused.error,
                    "error_description": f"AADSTS{refused.code}: {refused.text} Trace ID: 0 Timestamp: now",
                    "error_codes": [refused.code],
                },
                status=refused.status,
            )
        token = f"eyJ0eXAiOiJKV1QifQ.{secrets.token_urlsafe(48)}"
        self._grants[token] = grant
        self.given.append(token)
        return web.json_response({"token_type": "Bearer", "expires_in": self.expires_in, "access_token": token})

    def _grant(self, tenant: str, form: Mapping[str, str], url: str) -> Grant:
        if tenant != TENANT:
            raise Refused(400, "invalid_request", 90002, f"Tenant '{tenant}' not found.")
        if form.get("grant_type") != "client_credentials":
            raise Refused(400, "unsupported_grant_type", 70003, "The grant type is not supported.")
        client_id = form.get("client_id", "")
        app = self.apps.get(client_id)
        if app is None:
            raise Refused(400, "unauthorized_client", 700016, f"Application '{client_id}' was not found.")
        if app.blocked:
            raise Refused(400, "invalid_grant", 53003, "Access has been blocked by Conditional Access policies.")
        self._check_client(app, client_id, form, url)
        scope = form.get("scope", "")
        if not scope.endswith("/.default"):
            raise Refused(400, "invalid_scope", 1002012, f"The provided value for scope {scope} is not valid.")
        audience = scope.removesuffix("/.default")
        if audience not in self.resources:
            raise Refused(400, "invalid_resource", 500011, f"The resource principal named {audience} was not found.")
        return Grant(client_id, audience, time.time() + self.expires_in)

    def _check_client(self, app: App, client_id: str, form: Mapping[str, str], url: str) -> None:
        if "client_assertion" in form:
            if form.get("client_assertion_type") != ASSERTION_TYPE:
                raise Refused(400, "invalid_request", 900144, "client_assertion_type is missing.")
            self._check_assertion(app, client_id, form["client_assertion"], url)
        elif form.get("client_secret") not in app.secrets:
            raise Refused(401, "invalid_client", 7000215, "Invalid client secret provided.")
        elif not app.secrets[form["client_secret"]]:
            raise Refused(401, "invalid_client", 7000222, "The provided client secret keys are expired.")

    def _check_assertion(self, app: App, client_id: str, assertion: str, url: str) -> None:
        """RFC 7523 §3 and Microsoft, «Certificate credentials»."""
        wrong = Refused(401, "invalid_client", 700027, "Client assertion failed signature validation.")
        try:
            signed, _, signature = assertion.rpartition(".")
            header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
            thumbprint = _decoded(header["x5t#S256"])
        except (ValueError, KeyError, binascii.Error):
            raise Refused(401, "invalid_client", 50027, "Invalid JWT token.") from None
        known = {each.fingerprint(hashes.SHA256()): each for each in app.certificates}
        if header.get("alg") != "PS256" or thumbprint not in known:
            raise wrong
        key = known[thumbprint].public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise wrong
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)
        try:
            key.verify(_decoded(signature), signed.encode(), pss, hashes.SHA256())
        except InvalidSignature:
            raise wrong from None
        self._check_claims(claims, client_id, url)

    def _check_claims(self, claims: Mapping[str, Any], client_id: str, url: str) -> None:
        now = time.time()
        if claims.get("aud") != url:
            raise Refused(401, "invalid_client", 700023, "Client assertion audience claim does not match.")
        if not claims.get("iss") == claims.get("sub") == client_id:
            raise Refused(401, "invalid_client", 700021, "Client assertion application identifier does not match.")
        if not claims.get("nbf", 0) <= now < claims.get("exp", 0):
            raise Refused(401, "invalid_client", 700024, "Client assertion is not within its valid time range.")
        if claims.get("jti") in self._seen or not claims.get("jti"):
            raise Refused(401, "invalid_client", 700022, "Client assertion was used before.")
        self._seen.add(claims["jti"])


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
