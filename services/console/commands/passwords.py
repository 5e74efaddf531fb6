"""`set-password` and `set-certificate` for a mailbox (SPEC S3, D9), an account, and a login that both may share.

A secret is prompted for, read from standard input or from a file, and never an argument. One takes the other's place.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import SecretStr

from services.console import repository
from services.console.changes import FORGOTTEN, LONGEST_PASSWORD, password_columns
from services.console.fields import BadValue, Day
from services.console.output import done
from services.console.resources import ACCOUNTS, HELPDESKS, IMPORTER, LOGINS, Resource
from services.console.session import with_database
from services.console.texts import N_, _
from shared.database.pool import Connection
from shared.database.sealing_keys import published_key

LARGEST_CERTIFICATE: Final = 256 * 1024
"""Bytes of a PEM with a key, its certificate and a chain; more is something else."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Whose secret it is: the table, how a person names a row of it, and what is missing when there is none."""

    resource: Resource
    named: Resource
    column: str
    missing: str


_MAILBOX: Final = _Place(
    IMPORTER, HELPDESKS, "helpdesk_id", N_("Save the helpdesk's importer settings first: importer set.")
)
_ACCOUNT: Final = _Place(ACCOUNTS, ACCOUNTS, "id", N_("This account does not exist any more."))

_LOGIN: Final = _Place(LOGINS, LOGINS, "id", N_("This login does not exist any more."))

Login = Annotated[str, typer.Argument(help="the login's name or id")]
Helpdesk = Annotated[str, typer.Argument(help="the helpdesk's name or id")]
Account = Annotated[str, typer.Argument(help="the account's name or id")]
ExpiresOn = Annotated[
    str, typer.Option("--expires-on", metavar="DATE", help="the day on which a client secret ends, as Entra shows it")
]
Files = Annotated[
    list[Path] | None, typer.Argument(help="PEM files with the private key and the certificate; else standard input")
]


def set_mailbox_password(helpdesk: Helpdesk, *, expires_on: ExpiresOn = "") -> None:
    """Set the password of a helpdesk's mailbox («Wachtwoord wijzigen»), or its app's client secret.

    It is asked for, or read from standard input; it is stored sealed, for the service alone, and never shown.
    A certificate is forgotten.
    """
    _set_password(_MAILBOX, helpdesk, expires_on)


def set_account_password(account: Account, *, expires_on: ExpiresOn = "") -> None:
    """Set the password of an outgoing account, or its app's client secret.

    It is asked for, or read from standard input; it is stored sealed, for the service alone, and never shown.
    A certificate is forgotten.
    """
    _set_password(_ACCOUNT, account, expires_on)


def set_login_password(login: Login, *, expires_on: ExpiresOn = "") -> None:
    """Set the password of a login, or its app's client secret, for all mailboxes and accounts that use it.

    It is asked for, or read from standard input; it is stored sealed, for the services alone, and never shown.
    A certificate is forgotten.
    """
    _set_password(_LOGIN, login, expires_on)


def set_mailbox_certificate(helpdesk: Helpdesk, files: Files = None) -> None:
    """Set the certificate by which a mailbox's app logs in at Microsoft Entra: an RSA key and its certificate, as PEM.

    They are stored sealed, for the service alone, and never shown. A password is forgotten.
    """
    _set_certificate(_MAILBOX, helpdesk, files or [])


def set_account_certificate(account: Account, files: Files = None) -> None:
    """Set the certificate by which an account's app logs in at Microsoft Entra: an RSA key and its certificate, as PEM.

    They are stored sealed, for the service alone, and never shown. A password is forgotten.
    """
    _set_certificate(_ACCOUNT, account, files or [])


def set_login_certificate(login: Login, files: Files = None) -> None:
    """Set the certificate by which an app logs in at Microsoft Entra, for all who use the login.

    An RSA key and its certificate, as PEM. They are stored sealed, for the services alone, and never shown. A password
    is forgotten.
    """
    _set_certificate(_LOGIN, login, files or [])


def _set_password(place: _Place, key: str, expires_on: str) -> None:
    try:
        ends = Day().parse(expires_on) if expires_on else None
    except BadValue as error:
        raise BadValue(f"--expires-on: {error}.") from None
    password = asked_password()

    async def columns(connection: Connection) -> dict[str, Any]:
        return {**await password_columns(connection, password), "secret_expires_on": ends}

    _store(place, key, columns)
    done(_("The password for %(key)s is changed.") % {"key": key})


def _set_certificate(place: _Place, key: str, files: Sequence[Path]) -> None:
    from services.console.certificate import app_certificate  # noqa: PLC0415 - X.509, for the few who have one

    certificate = app_certificate(_given(files), datetime.now(UTC))

    async def columns(connection: Connection) -> dict[str, Any]:
        sealed = (await published_key(connection)).seal(certificate.pem)
        return {**FORGOTTEN, "certificate_encrypted": sealed, "certificate_expires_at": certificate.expires_at}

    _store(place, key, columns)
    told = {"key": key, "until": f"{certificate.expires_at:%Y-%m-%d %H:%M} UTC"}
    done(_("The certificate for %(key)s is changed; it holds until %(until)s.") % told)


def asked_password() -> SecretStr:
    """The new password: typed twice at a terminal, or the first line of standard input."""
    if sys.stdin.isatty():
        password: str = typer.prompt(_("New password"), hide_input=True, confirmation_prompt=_("Once more"))
    else:
        password = sys.stdin.readline(LONGEST_PASSWORD + 2).rstrip("\r\n")
    if not password:
        raise BadValue(_("No password was given. Type it at the prompt, or send it on standard input."))
    if len(password) > LONGEST_PASSWORD:
        raise BadValue(_("The password is longer than %(most)s characters.") % {"most": LONGEST_PASSWORD})
    return SecretStr(password)


def _given(files: Sequence[Path]) -> bytes:
    """What the files hold one after the other, or standard input does."""
    try:
        read = [file.read_bytes() for file in files] or [sys.stdin.read(LARGEST_CERTIFICATE + 1).encode()]
    except OSError as error:
        told = {"file": error.filename, "why": error.strerror}
        raise BadValue(_("The file %(file)s cannot be read (%(why)s).") % told) from None
    given = b"\n".join(read)
    if len(given) > LARGEST_CERTIFICATE:
        sentence = _("A key with its certificate has at most %(most)s bytes; this is something else.")
        raise BadValue(sentence % {"most": LARGEST_CERTIFICATE})
    return given


def _store(place: _Place, key: str, columns: Callable[[Connection], Awaitable[Mapping[str, Any]]]) -> None:
    async def work(connection: Connection) -> None:
        row = {place.column: await repository.find(connection, place.named, key)}
        if not await repository.update(connection, place.resource, row, await columns(connection)):
            raise BadValue(_(place.missing))

    with_database(work)
