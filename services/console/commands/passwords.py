"""`set-password` for a mailbox (SPEC S3) and for an outgoing account: prompted or from stdin, never an argument."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer
from pydantic import SecretStr

from services.console import repository
from services.console.fields import BadValue
from services.console.output import done
from services.console.resources import ACCOUNTS, HELPDESKS, IMPORTER, Resource
from services.console.session import ConsoleConfiguration, with_database
from shared.database.pool import Connection
from shared.encryption import Encryption

LONGEST_PASSWORD: Final = 4096


def _asked() -> str:
    """The new password: typed twice at a terminal, or the first line of standard input."""
    if sys.stdin.isatty():
        password: str = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline(LONGEST_PASSWORD + 2).rstrip("\r\n")
    if not password:
        raise BadValue("No password was given. Type it at the prompt, or send it on standard input.")
    if len(password) > LONGEST_PASSWORD:
        raise BadValue(f"The password is longer than {LONGEST_PASSWORD} characters.")
    return password


def _encrypted(password: str) -> bytes:
    keys = ConsoleConfiguration.load().secret("encryption_keys")
    return Encryption.from_secret(keys).encrypt(SecretStr(password))


def set_mailbox_password(helpdesk: Annotated[str, typer.Argument(help="the helpdesk's name or id")]) -> None:
    """Set the password of a helpdesk's mailbox («Wachtwoord wijzigen»). It is stored encrypted and never shown."""
    _set(IMPORTER, HELPDESKS, helpdesk, "helpdesk_id", "Save the helpdesk's importer settings first: importer set.")


def set_account_password(account: Annotated[str, typer.Argument(help="the account's name or id")]) -> None:
    """Set the password of an outgoing account. It is stored encrypted and never shown."""
    _set(ACCOUNTS, ACCOUNTS, account, "id", "This account does not exist any more.")


def _set(resource: Resource, named: Resource, key: str, column: str, missing: str) -> None:
    encrypted = _encrypted(_asked())

    async def work(connection: Connection) -> None:
        place = {column: await repository.find(connection, named, key)}
        if not await repository.update(connection, resource, place, {"password_encrypted": encrypted}):
            raise BadValue(missing)
        if resource is IMPORTER:
            await repository.check_soon(connection, place[column])
        done(f"The password for {key} is changed.")

    with_database(work)
