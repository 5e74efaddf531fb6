"""One login at the provider: what a browser holds meanwhile, and what of it comes back. Pure.

The browser holds a secret, sealed with where it goes and when it ends. State, nonce and the verifier of PKCE (RFC 7636)
are made from that secret, so that nothing is kept here: a state that another browser began is none for this one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from services.console.web.tokens import new_token

LASTS: Final = 600
"""Seconds in which a person logs in at the provider."""
_LONGEST_WAY: Final = 1500
"""Characters of the address to go on to: a browser keeps 4,096 bytes of a cookie."""


@dataclass(frozen=True, slots=True)
class Login:
    """`wanted` is a path of ours, to go on to."""

    secret: str
    wanted: str
    ends: int

    @property
    def state(self) -> str:
        """What the browser brings back, and no other browser can."""
        return self._made("state")

    @property
    def nonce(self) -> str:
        """What the id token must have."""
        return self._made("nonce")

    @property
    def verifier(self) -> str:
        """What whoever stole the code has not."""
        return self._made("verifier")

    @property
    def challenge(self) -> str:
        """The verifier as the provider gets it at first (S256)."""
        return _text(hashlib.sha256(self.verifier.encode()).digest())

    def _made(self, use: str) -> str:
        return _text(hmac.digest(self.secret.encode(), use.encode(), "sha256"))


def new_login(wanted: str, now: float) -> Login:
    """A login that begins."""
    return Login(new_token(), wanted if len(wanted) <= _LONGEST_WAY else "/", int(now) + LASTS)


def sealed(login: Login, key: str) -> str:
    """What the browser holds of it; `key` is the client's secret, which the browser has not."""
    content = _text(json.dumps([login.secret, login.wanted, login.ends]).encode())
    return f"{content}.{_seal(content, key)}"


def opened(cookie: str, key: str, now: float) -> Login | None:
    """The login of this browser; None: it began none, or too long ago."""
    content, _, seal = cookie.partition(".")
    if not hmac.compare_digest(seal.encode("utf-8", "surrogatepass"), _seal(content, key).encode()):
        return None
    secret, wanted, ends = json.loads(urlsafe_b64decode(content + "=" * (-len(content) % 4)))
    return Login(secret, wanted, ends) if now < ends else None


def way_to(endpoint: str, client_id: str, scope: str, redirect_uri: str, login: Login) -> str:
    """The address at the provider where the person logs in."""
    query = urlencode(
        {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "scope": scope,
            "state": login.state,
            "nonce": login.nonce,
            "code_challenge": login.challenge,
            "code_challenge_method": "S256",
        }
    )
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"


def _seal(content: str, key: str) -> str:
    made = hmac.digest(key.encode(), b"login of the web console", "sha256")
    return hmac.new(made, content.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
