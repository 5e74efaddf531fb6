"""`encryption key generate` and `encryption rotate`: new keys for the stored secrets of logins.

    helpdesk-importer encryption key generate --add     # the new key opens too, and comes first
    (restart the services)                              # each reads the keys at its start
    helpdesk-importer encryption rotate                 # publishes its public key and seals what is stored for it
    (remove the old keys from the secret, below the first line)

Nobody but the owner of the database may read and write all secrets, so `rotate` works as
importer_owner, as `migrate` does: no role that a person or a service uses every day gets a privilege for it.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from services.console.commands.migrate import KEYS, DatabaseAdministration
from services.console.output import done
from services.console.texts import _, ngettext
from shared.configuration import Configuration, variable_of
from shared.database.pool import Connection, SchemaLacks, open_pool, transaction
from shared.database.sealing_keys import publish
from shared.errors import Misconfigured
from shared.sealing import CannotOpen, Keyring, new_key
from shared.sentences import Sentence

_PATIENCE: Final = timedelta(seconds=5)

_LOGINS: Final = """
SELECT id, name, password_encrypted, certificate_encrypted FROM logins
WHERE num_nonnulls(password_encrypted, certificate_encrypted) > 0 ORDER BY name FOR UPDATE
"""
_SET: Final = "UPDATE logins SET password_encrypted = $2, certificate_encrypted = $3 WHERE id = $1"
_THE_SAME_SECRETS: Final = "SET LOCAL helpdesk.reencrypting = 'on'"
"""Tells the database that no login changes: one that was refused goes on resting."""


def generate(
    *,
    add: Annotated[
        bool, typer.Option("--add", help="Put it first into the file of the secret encryption_keys instead.")
    ] = False,
) -> None:
    """Make a new key and print it.

    With --add it is put above the keys in the secret's file (which is made when it is missing), and not printed.
    Afterwards restart fetcher and notifier, and seal all secrets for it with `encryption rotate`.
    """
    key = new_key().get_secret_value()
    if not add:
        typer.echo(key)
        return
    configuration = Configuration.load()
    if os.environ.get(variable := variable_of(KEYS)):
        raise Misconfigured(
            Sentence(
                "The keys are given in %(variable)s itself, which no command can change: put a new key first in it, "
                "or name a file in %(variable)s_FILE.",
                variable=variable,
            )
        )
    file = configuration.secret_file(KEYS)
    if file.exists():
        keys = configuration.secret(KEYS)
        Keyring.from_secret(keys)
        key = f"{key}\n{keys.get_secret_value()}"
    _replace(file, f"{key}\n")
    done(
        _("A new key is the first in %(file)s. Restart the services, then: helpdesk-importer encryption rotate.")
        % {"file": file}
    )


def _replace(file: Path, content: str) -> None:
    """Write the file whole or not at all, as private as it was, or for its owner alone."""
    try:
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
        descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as out:
                out.write(content)
                out.flush()
                os.fchmod(out.fileno(), mode)
                os.fsync(out.fileno())
            Path(draft).replace(file)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Misconfigured(
            Sentence(
                "The secret's file %(file)s cannot be written (%(why)s). Put the key that "
                "helpdesk-importer encryption key generate prints first into it by hand.",
                file=str(file),
                why=error.strerror,
            )
        ) from None


def rotate() -> None:
    """Publish the newest key, and seal every stored password and certificate for it.

    All of them in one transaction, or none. Works as importer_owner: reads IMPORTER_DATABASE_URL and the secrets
    database_password_owner and encryption_keys. Restart fetcher and notifier first, so that they open it.
    """
    configuration = DatabaseAdministration.load()
    keyring = Keyring.from_secret(configuration.secret(KEYS))
    count = asyncio.run(_rotate(configuration.database_dsn, keyring))
    sealed = ngettext(
        "Passwords and certificates sealed for the newest key: of %(count)s login.",
        "Passwords and certificates sealed for the newest key: of %(count)s logins.",
        count,
    )
    done(sealed % {"count": count})
    done(_("The older keys in the secret encryption_keys are needed no more."))


async def _rotate(dsn: str, keyring: Keyring) -> int:
    """Publish the key and reseal all; of how many logins. Raises CannotOpen, with nothing changed."""
    pool = await open_pool(dsn, application_name="helpdesk-importer encryption", max_size=1, patience=_PATIENCE)
    try:
        async with pool, transaction(pool) as connection:
            await connection.execute(_THE_SAME_SECRETS)
            await publish(connection, keyring.public)
            return await _reseal_all(connection, keyring)
    except SchemaLacks as error:
        raise Misconfigured(
            Sentence(
                "Only the owner of the database may read all secrets and publish a key (%(error)s): leave the login "
                "out of IMPORTER_DATABASE_URL, or put importer_owner there.",
                error=str(error.__cause__),
            )
        ) from None


async def _reseal_all(connection: Connection, keyring: Keyring) -> int:
    rows = await connection.fetch(_LOGINS)
    for row in rows:
        try:
            rotated = [
                None if row[column] is None else keyring.reseal(row[column])
                for column in ("password_encrypted", "certificate_encrypted")
            ]
        except CannotOpen as error:
            raise CannotOpen(
                Sentence("The login %(login)s: %(why)s Nothing was changed.", login=row["name"], why=str(error))
            ) from None
        await connection.execute(_SET, row["id"], *rotated)
    return len(rows)


def _group() -> typer.Typer:
    key = typer.Typer(help="Keys.", no_args_is_help=True)
    key.command("generate")(generate)
    made = typer.Typer(
        help="The keys of stored passwords and certificates: make a new one, and seal everything for it.",
        no_args_is_help=True,
    )
    made.add_typer(key, name="key")
    made.command("rotate")(rotate)
    return made


COMMANDS: Final = {"encryption": _group()}
