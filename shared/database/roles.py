"""The database's roles: one per service, one each for the tools of people and the helpdesk UI (DESIGN 8).

Roles belong to the whole server: they are made once, and each database grants them what 11_grants.sql says. Until a
password is set they cannot log in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final

import asyncpg

from shared.errors import Misconfigured
from shared.sentences import Sentence

ROLES: Final[Mapping[str, str]] = {
    "importer_fetcher": "database_password_fetcher",
    "importer_classifier": "database_password_classifier",
    "importer_ticket_writer": "database_password_ticket_writer",
    "importer_notifier": "database_password_notifier",
    "importer_console": "database_password_console",
    "importer_web": "database_password_web",
    "importer_operator": "database_password_operator",
    "importer_reconciler": "database_password_reconciler",
    "helpdesk_ui": "database_password_ui",
}
"""Each role, and the name of the secret that holds its password."""

_ITERATIONS: Final = 4096
_TRIES: Final = 5


async def ensure_roles(connection: asyncpg.Connection) -> None:
    """Make the roles that the server lacks; safe beside others who do the same, in this database or another."""
    for role in ROLES:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role):
            try:
                await connection.execute(f"CREATE ROLE {role} NOLOGIN")
            except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
                continue  # somebody was faster
            except asyncpg.InsufficientPrivilegeError as error:
                missing = Sentence(
                    "The database role %(role)s does not exist and may not be made by this login. "
                    "Give importer_owner CREATEROLE, or let a superuser make the role.",
                    role=role,
                )
                raise Misconfigured(missing) from error


async def close_database(connection: asyncpg.Connection) -> None:
    """Take from everybody the right to make temporary tables in this database, as its owner.

    Objects of one's own are what functions with the owner's rights could be lured with; none of our roles needs any.
    """
    name = await connection.fetchval("SELECT quote_ident(current_database())")
    await connection.execute(f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")


async def set_passwords(connection: asyncpg.Connection, passwords: Mapping[str, str]) -> None:
    """Let each of these roles (name → password) log in with its password. Only its SCRAM verifier is sent."""
    for role, password in passwords.items():
        if role not in ROLES:
            raise ValueError(f"{role} is no role of ours")
        statement = f"ALTER ROLE {role} LOGIN PASSWORD '{scram_verifier(password)}'"
        for left in reversed(range(_TRIES)):
            try:
                await connection.execute(statement)
                break
            except asyncpg.InternalServerError:  # "tuple concurrently updated": another migration, another database
                if not left:
                    raise
            except asyncpg.InsufficientPrivilegeError as error:
                denied = Sentence(
                    "The password of the database role %(role)s may not be set by this login. "
                    "As a superuser: GRANT %(role)s TO importer_owner WITH ADMIN OPTION (PostgreSQL 16 and later), "
                    "or ALTER ROLE importer_owner CREATEROLE.",
                    role=role,
                )
                raise Misconfigured(denied) from error


def scram_verifier(password: str, *, salt: bytes | None = None) -> str:
    """What PostgreSQL stores for a password (RFC 5803, SCRAM-SHA-256), so that no log of the server ever sees it.

    Misconfigured when the password is empty or not ASCII: its preparation (SASLprep) differs between clients.
    """
    if not password or not password.isascii():
        raise Misconfigured(Sentence("A database password must not be empty and consists of ASCII characters only."))
    salt = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${_ITERATIONS}:{_base64(salt)}${_base64(stored)}:{_base64(server)}"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
