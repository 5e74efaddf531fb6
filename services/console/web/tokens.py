"""Secrets that a browser holds: how they are made, and how a form proves that it came from a page of ours. Pure."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

_BYTES: Final = 32


def new_token() -> str:
    """256 random bits, fit for a cookie or an address."""
    return secrets.token_urlsafe(_BYTES)


def hash_of(token: str) -> bytes:
    """What the database keeps of a token, or of a name: nobody who reads it can log in with it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def form_token(cookie: str) -> str:
    """What the forms of the browser with this cookie hold; another site can neither read nor guess it."""
    return hmac.new(cookie.encode(), b"form", hashlib.sha256).hexdigest()


def is_form_token(given: str, cookie: str) -> bool:
    """Whether the form came from a page that we gave to this browser."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), form_token(cookie).encode())
