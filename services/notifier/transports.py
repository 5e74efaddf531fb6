"""The transports of the outgoing accounts in use: one each, replaced when its account is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Self

from pydantic import SecretStr

from services.notifier.notification import Account, Secrets, Security
from services.notifier.smtp import SmtpTransport
from services.notifier.transport import AccountTrouble, Transport
from shared.configuration import Configuration
from shared.logins import account_name
from shared.portal.delivery import DeliveryReason
from shared.sealing import CannotOpen, Keyring
from shared.secure_addresses import RequireTls

Make = Callable[[Account, Secrets], Transport]


def _graph(account: Account, secrets: Secrets) -> Transport:
    from services.notifier.graph import GraphTransport  # noqa: PLC0415 - HTTP is loaded where an account needs it

    return GraphTransport(account, secrets)


KINDS: Final[Mapping[str, Make]] = {"smtp": SmtpTransport, "graph": _graph}


def _refuse_without_tls(account: Account) -> None:
    if account.host and account.security is Security.NONE and Configuration.load().require_tls is RequireTls.ALWAYS:
        raise AccountTrouble(
            DeliveryReason.NOT_SECURE,
            "This account sends without TLS, which IMPORTER_REQUIRE_TLS=always forbids: give it --security starttls or "
            "tls.",
            tried=False,
        )


class Transports:
    """Finds or makes the transport of an account; closes all on leaving."""

    def __init__(self, keyring: Keyring, kinds: Mapping[str, Make] = KINDS) -> None:
        self._keyring = keyring
        self._kinds = kinds
        self._open: dict[int, tuple[int, Transport]] = {}
        self._fingerprints: dict[int, tuple[int, bytes]] = {}
        self._replaced: list[Transport] = []

    def of(self, account: Account) -> Transport:
        """The transport of this version of the account. AccountTrouble when its secrets cannot be decrypted."""
        version, transport = self._open.get(account.id, (None, None))
        if transport is None or version != account.version:
            _refuse_without_tls(account)
            earlier, transport = transport, self._kinds[account.kind](account, self._secrets(account))
            if earlier is not None:
                self._replaced.append(earlier)  # it may still be sending: closed once it is idle
            self._open[account.id] = (account.version, transport)
        return transport

    def fingerprint(self, account: Account) -> bytes | None:
        """Which account and secret its login is of; None without one. AccountTrouble as `of`."""
        version, fingerprint = self._fingerprints.get(account.id, (None, None))
        if version == account.version:
            return fingerprint
        secrets = self._secrets(account)
        secret = secrets.password or secrets.certificate
        if account.username is None or secret is None:
            return None
        name = account_name(account.username, account.host or None, account.tenant)
        fingerprint = self._keyring.fingerprint(name, secret)
        self._fingerprints[account.id] = (account.version, fingerprint)
        return fingerprint

    async def close_idle(self) -> None:
        """Close connections that nobody has used for a while, also those of accounts as they were before a change."""
        transports = [transport for _, transport in self._open.values()] + self._replaced
        await asyncio.gather(*(transport.close_idle() for transport in transports))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        transports = [transport for _, transport in self._open.values()] + self._replaced
        self._open, self._replaced = {}, []
        await asyncio.gather(*(transport.close() for transport in transports))

    def _secrets(self, account: Account) -> Secrets:
        try:
            return Secrets(self._opened(account.password_encrypted), self._opened(account.certificate_encrypted))
        except CannotOpen as error:
            raise AccountTrouble(DeliveryReason.LOGIN_REFUSED, str(error), tried=False) from error

    def _opened(self, encrypted: bytes | None) -> SecretStr | None:
        return None if encrypted is None else self._keyring.open(encrypted)
