"""An OpenID Connect provider on a port of 127.0.0.1, over TLS: discovery, authorize, token, userinfo and keys.

They are as OpenID Connect Core 1.0 and RFC 7636 have them. Who is asked at its page says yes at once; what it does
wrong, a test says.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote_plus, urlencode

import uvicorn
from joserfc import jws
from joserfc.jwk import ECKey, KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from services.console.web.listening import listen
from tests.servers.certificates import make_certificates

CLIENT_ID, CLIENT_SECRET = "console", "a secret: of the client & its %"
ACCESS_TOKEN = "what-userinfo-asks-for"
SEE_OTHER = 303


class Provider:
    """What it says and how it signs; a test changes that."""

    def __init__(self) -> None:
        self.issuer = ""
        self.ca_file = Path()
        self.keys: list[Any] = [RSAKey.generate_key(2048, {"kid": "rsa"}), ECKey.generate_key("P-256", {"kid": "ec"})]
        self.algorithm = "RS256"
        self.person: dict[str, Any] = {"sub": "42", "email": "anna", "email_verified": True}
        self.changed: dict[str, Any] = {}
        self.said_of: dict[str, Any] | None = None
        """What userinfo answers; None: it has none."""
        self.metadata: dict[str, Any] = {}
        self.ahead = timedelta()
        """How far its clock is ahead of ours, by what it writes in its answers about itself and its keys."""
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.instead: dict[str, Response] = {}
        """Answers in the place of those of `discovery`, `token` and `keys`."""
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}

    def signed(self, claims: dict[str, Any]) -> str:
        """By the key of its algorithm."""
        key = next(key for key in self.keys if key.key_type == ("EC" if self.algorithm == "ES256" else "RSA"))
        return by(key, self.algorithm, claims, key.kid)

    async def discovery(self, _: Request) -> Response:
        """What it says of itself."""
        self.asked.append("discovery")
        return self.instead.get("discovery") or JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256", "ES256", "HS256", "none"],
                "authorization_response_iss_parameter_supported": True,
            }
            | ({} if self.said_of is None else {"userinfo_endpoint": f"{self.issuer}/userinfo"})
            | self.metadata,
            headers=self._date(),
        )

    def _date(self) -> dict[str, str]:
        return {"date": format_datetime(datetime.now(UTC) + self.ahead, usegmt=True)}

    async def public_keys(self, _: Request) -> Response:
        """Its keys."""
        self.asked.append("keys")
        return self.instead.get("keys") or JSONResponse(KeySet(self.keys).as_dict(private=False), headers=self._date())

    async def authorize(self, request: Request) -> Response:
        """Send the browser back with a code."""
        asked = dict(request.query_params)
        right = asked["response_type"] == "code" and asked["client_id"] == CLIENT_ID
        if not right or asked["code_challenge_method"] != "S256" or "openid" not in asked["scope"].split():
            return Response("not asked as it must be", 400)
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        query = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        return RedirectResponse(f"{asked['redirect_uri']}?{query}", SEE_OTHER)

    async def token(self, request: Request) -> Response:
        """An id token for a code, once, to who has the secret of the client and the verifier of the login."""
        self.asked.append("token")
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if "token" in self.instead:
            return self.instead["token"]
        kind, _, pair = request.headers.get("authorization", "").partition(" ")
        given = tuple(map(unquote_plus, b64decode(pair).decode().split(":"))) if kind == "Basic" else None
        if (given or (form.get("client_id"), form.get("client_secret"))) != (CLIENT_ID, CLIENT_SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        login = self._codes.pop(form["code"], None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            login is None
            or login["redirect_uri"] != form["redirect_uri"]
            or login["code_challenge"] != challenge
            or form["grant_type"] != "authorization_code"
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "nonce": login["nonce"], "iat": now, "exp": now + 300}
        claims |= self.person | self.changed
        return JSONResponse({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": self.sign(claims)})

    async def userinfo(self, request: Request) -> Response:
        """What it says of the person beside the id token, to who has the access token."""
        self.asked.append("userinfo")
        if request.headers.get("authorization") != f"Bearer {ACCESS_TOKEN}":
            return JSONResponse({"error": "invalid_token"}, 401)
        return self.instead.get("userinfo") or JSONResponse(self.said_of)


def by(key: Any, algorithm: str, claims: dict[str, Any], kid: str) -> str:
    """A token of these claims that this key signed."""
    return jws.serialize_compact({"alg": algorithm, "kid": kid}, json.dumps(claims), key, algorithms=[algorithm])


def unsigned(claims: dict[str, Any]) -> str:
    """A token by `none` (RFC 7515 appendix A.5)."""
    header, payload = (
        urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "none"}, claims)
    )
    return f"{header}.{payload}."


def endless() -> Response:
    """An answer that does not end."""

    async def pieces() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65536
            await asyncio.sleep(0)  # whoever listens no more is noticed between two pieces

    return StreamingResponse(pieces(), media_type="application/json")


def silent() -> Response:
    """An answer that begins, and of which no more comes."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    return StreamingResponse(pieces(), media_type="application/json")


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Any:
        yield


@asynccontextmanager
async def running_provider(folder: Path) -> AsyncIterator[Provider]:
    """One that runs; its certificate lies in `folder`."""
    provider: Final = Provider()
    provider.ca_file = make_certificates(folder).ca_file
    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", provider.discovery),
            Route("/keys", provider.public_keys),
            Route("/authorize", provider.authorize),
            Route("/token", provider.token, methods=["POST"]),
            Route("/userinfo", provider.userinfo),
        ]
    )
    config = uvicorn.Config(
        app,
        log_config=None,
        lifespan="off",
        ssl_certfile=folder / "server.pem",
        timeout_graceful_shutdown=0,
        date_header=False,
    )
    server = _Server(config)
    with listen("127.0.0.1", 0) as listening:
        provider.issuer = f"https://127.0.0.1:{listening.getsockname()[1]}"
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield provider
        finally:
            server.should_exit = True
            await serving
