"""Asking Microsoft Entra for a token.

Its answers: 200 with a token; 400 or 401 with an OAuth error, which is definite unless it says otherwise (`refusals`);
429 and 5xx, which pass.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final
from urllib.parse import urlsplit

import httpx
import structlog
from pydantic import SecretStr

from shared.dialogue import Step, asking
from shared.dialogue import http as told
from shared.microsoft.credentials import AppLogin, Token
from shared.microsoft.errors import NotSecure, SignInRefused, Unavailable
from shared.microsoft.http import network_trouble, open_client, read_json, retry_after
from shared.microsoft.patience import Patience
from shared.microsoft.refusals import EXPIRED, error_codes, passes, refusal, told_of

RENEW_BEFORE: Final = 300.0
"""Seconds before its end from which a token is renewed; at most a tenth of its life."""
LONGEST_LIFE: Final = 86_400.0
"""Seconds; what is said to live longer is renewed after a day all the same (Entra: 24 to 28 hours at most)."""
ANSWER_BYTES: Final = 256 * 1024
LONGEST_TOKEN: Final = 64 * 1024
"""Characters: it is sent with every request. Entra's have some 2,000."""

log = structlog.get_logger(__name__)


async def ask(login: AppLogin, scope: str, patience: Patience) -> Token:
    """Raises SignInRefused, or Unavailable when Entra does not answer or has trouble."""
    form = await asyncio.to_thread(login.form, scope)
    host = urlsplit(login.token_url).netloc
    with network_trouble(host):
        async with (
            asyncio.timeout(patience.answer),
            await open_client(login.ca_file, connections=1, patience=patience) as client,
        ):
            with asking(told.asked("POST", login.token_url)) as step:
                async with client.stream("POST", login.token_url, data=form, extensions=told.trace()) as response:
                    step.came = told.came(response.status_code, response.headers)
                    asked_at = time.monotonic()
                    return await _read(response, step, host, asked_at)


async def _read(response: httpx.Response, step: Step, host: str, asked_at: float) -> Token:
    if response.is_redirect:
        raise NotSecure(f"{host} verwijst door naar een ander adres; dat wordt niet gevolgd: controleer de cloud.")
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        raise Unavailable(
            f"{host} kan de app nu niet aanmelden ({response.status_code}); het wordt opnieuw geprobeerd.",
            after=retry_after(response.headers),
        )
    answer = await read_json(response, limit=ANSWER_BYTES)
    if not response.is_success:
        step.also(told_of(answer))
        log.warning("sign_in_refused", host=host, status=response.status_code, codes=error_codes(answer))
        if passes(answer) or "error" not in answer:
            raise Unavailable(
                f"{host} kan de app nu niet aanmelden ({response.status_code}); het wordt opnieuw geprobeerd.",
                after=retry_after(response.headers),
            )
        raise SignInRefused(refusal(answer), expired=EXPIRED in error_codes(answer))
    try:
        value, life = answer["access_token"], float(answer["expires_in"])
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or not life >= 0:
            raise ValueError  # noqa: TRY301 - as what is missing
        if len(value) > LONGEST_TOKEN:
            raise ValueError  # noqa: TRY301 - as what is missing
    except (KeyError, TypeError, ValueError, OverflowError):
        raise Unavailable(f"{host} gaf geen bruikbaar token; het wordt opnieuw geprobeerd.") from None
    life = min(life, LONGEST_LIFE)
    ends_at = asked_at + life
    return Token(SecretStr(value), ends_at - min(RENEW_BEFORE, life / 10), ends_at)
