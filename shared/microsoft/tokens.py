"""Tokens of Microsoft Entra, by login and scope: asked for once however many wait, and renewed before they end.

They live in this process's memory only and are never shown; a token is an hour's work, so a connection is not kept.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Final

from pydantic import SecretStr

from shared.microsoft.credentials import AppLogin, Token
from shared.microsoft.errors import Unavailable
from shared.microsoft.patience import Patience

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
        from shared.microsoft.sign_in import ask  # noqa: PLC0415 - HTTP is loaded where somebody logs in by a token

        return await ask(login, scope, self._patience)


TOKENS: Final = Tokens()
"""Those that all mailboxes and accounts of this process share."""
