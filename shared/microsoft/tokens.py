"""Tokens of Microsoft Entra, by login and scope: asked for once however many wait, and renewed before they end.

They live in this process's memory only and are never shown; a token is an hour's work, so a connection is not kept.
Entra's answers: 200 with a token; 400 or 401 with an OAuth error, which is definite unless it says otherwise
(`refusals`); 429 and 5xx, which pass.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import httpx
import structlog
from pydantic import SecretStr

from shared.microsoft.credentials import AppLogin
from shared.microsoft.errors import NotSecure, SignInRefused, Unavailable
from shared.microsoft.http import Patience, network_trouble, open_client, read_json, retry_after
from shared.microsoft.refusals import EXPIRED, error_codes, passes, refusal

RENEW_BEFORE: Final = 300.0
"""Seconds before its end from which a token is renewed; at most a tenth of its life."""
LONGEST_LIFE: Final = 86_400.0
"""Seconds; what is said to live longer is renewed after a day all the same (Entra: 24 to 28 hours at most)."""
ANSWER_BYTES: Final = 256 * 1024
LONGEST_TOKEN: Final = 64 * 1024
"""Characters: it is sent with every request. Entra's have some 2,000."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Token:
    """A token; times by the monotonic clock, in seconds."""

    value: SecretStr = field(repr=False)
    renew_at: float
    ends_at: float


_Key = tuple[AppLogin, str]


class Tokens:
    """The tokens of this process."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._known: dict[_Key, Token] = {}
        self._asking: dict[_Key, asyncio.Task[Token]] = {}

    async def of(self, login: AppLogin, scope: str) -> SecretStr:
        """A token that holds for some minutes more. Raises SignInRefused, or Unavailable when Entra does not answer."""
        known = self._known.get((login, scope))
        if known is not None and time.monotonic() < known.renew_at:
            return known.value
        try:
            return (await self._ask_once((login, scope))).value
        except Unavailable:
            if known is not None and time.monotonic() < known.ends_at:
                return known.value
            raise

    async def renewed(self, login: AppLogin, scope: str, *, refused: SecretStr) -> SecretStr:
        """Another token in place of one that a server refused; raises as `of`."""
        self.forget(login, scope, refused=refused)
        return await self.of(login, scope)

    def forget(self, login: AppLogin, scope: str, *, refused: SecretStr) -> None:
        """Let the next who asks get another token than this one."""
        known = self._known.get((login, scope))
        if known is not None and known.value == refused:
            del self._known[login, scope]

    async def _ask_once(self, key: _Key) -> Token:
        """Ask, or wait for who asks already; a waiter that is cancelled does not take the others with it."""
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.create_task(self._ask(*key), name="token of Microsoft Entra")
            self._asking[key] = asking
            asking.add_done_callback(partial(self._asked, key))
        return await asyncio.shield(asking)

    def _asked(self, key: _Key, asking: asyncio.Task[Token]) -> None:
        self._asking.pop(key, None)
        if not asking.cancelled() and asking.exception() is None:
            now = time.monotonic()
            self._known = {each: token for each, token in self._known.items() if now < token.ends_at}
            self._known[key] = asking.result()

    async def _ask(self, login: AppLogin, scope: str) -> Token:
        form = await asyncio.to_thread(login.form, scope)
        host = urlsplit(login.token_url).netloc
        with network_trouble(host):
            async with (
                asyncio.timeout(self._patience.answer),
                await open_client(login.ca_file, connections=1, patience=self._patience) as client,
                client.stream("POST", login.token_url, data=form) as response,
            ):
                asked_at = time.monotonic()
                return await _read(response, host, asked_at)


async def _read(response: httpx.Response, host: str, asked_at: float) -> Token:
    if response.is_redirect:
        raise NotSecure(f"{host} verwijst door naar een ander adres; dat wordt niet gevolgd: controleer de cloud.")
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        raise Unavailable(
            f"{host} kan de app nu niet aanmelden ({response.status_code}); het wordt opnieuw geprobeerd.",
            after=retry_after(response.headers),
        )
    answer = await read_json(response, limit=ANSWER_BYTES)
    if not response.is_success:
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


TOKENS: Final = Tokens()
"""Those that all mailboxes and accounts of this process share."""
