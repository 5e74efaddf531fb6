"""How to log in to a mailbox: its row beside its login, whose secret is opened here and nowhere else in the fetcher."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import asyncpg
from pydantic import SecretStr

from services.fetcher.mailboxes.protocol import MailboxAccess
from shared.database.logins import note_fingerprint, standing
from shared.database.pool import Connection
from shared.logins import LoginStanding, account_name
from shared.sealing import CannotOpen, Keyring

ACCESS: Final = """
    settings.mailbox_kind, settings.server, settings.allow_unencrypted, settings.impersonate, settings.mailbox_address,
    settings.folder, settings.login_id, login.username, login.password_encrypted, login.certificate_encrypted,
    login.tenant, coalesce(login.cloud, 'global') AS cloud, login.ca_file"""
"""The columns that `opened` reads besides STANDING, with LOGIN."""

LOGIN: Final = """
    LEFT JOIN logins AS login ON login.id = settings.login_id
    LEFT JOIN login_states AS login_state ON login_state.login_id = settings.login_id"""
"""The login of `importer_settings AS settings`."""


@dataclass(frozen=True, slots=True)
class Opened:
    """How to log in, and how that login stands; `unreadable`: no key of ours opens its secret, which is left out."""

    access: MailboxAccess
    standing: LoginStanding | None
    unreadable: bool


async def opened(connection: Connection, row: asyncpg.Record, keyring: Keyring) -> Opened:
    """The login of a row with ACCESS and STANDING. Whose it is, as its secret tells, is stored when that is news."""
    login, access = standing(row), _without_secret(row)
    try:
        password = _secret(row, "password_encrypted", keyring)
        certificate = _secret(row, "certificate_encrypted", keyring)
    except CannotOpen:
        return Opened(access, login, unreadable=True)
    secret = password or certificate
    if login is not None and access.username is not None and secret is not None:
        fingerprint = keyring.fingerprint(account_name(access.username, access.server, access.tenant), secret)
        if fingerprint != login.fingerprint:
            login = await note_fingerprint(connection, login, fingerprint)
    return Opened(replace(access, password=password, certificate=certificate), login, unreadable=False)


def _secret(row: asyncpg.Record, column: str, keyring: Keyring) -> SecretStr | None:
    return None if row[column] is None else keyring.open(row[column])


def _without_secret(row: asyncpg.Record) -> MailboxAccess:
    return MailboxAccess(
        kind=row["mailbox_kind"],
        server=row["server"],
        folder=row["folder"],
        address=row["mailbox_address"],
        username=row["username"],
        password=None,
        tenant=row["tenant"],
        certificate=None,
        cloud=row["cloud"],
        ca_file=row["ca_file"],
        impersonate=row["impersonate"],
        allow_unencrypted=row["allow_unencrypted"],
    )
