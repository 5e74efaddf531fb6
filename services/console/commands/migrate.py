"""`helpdesk-importer migrate`: brings the database to this version's schema and lets the services log in."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import typer
from pydantic import Field

from services.console.texts import _
from shared.configuration import Configuration, DatabaseUrl
from shared.database.pool import open_pool, transaction
from shared.database.roles import ROLES
from shared.database.sealing_keys import publish
from shared.sealing import Keyring

KEYS: Final = "encryption_keys"


class DatabaseAdministration(Configuration):
    """The configuration of who owns the database."""

    database_url: DatabaseUrl = Field(
        description="postgresql://HOST:PORT/DATABASE; the role is importer_owner with the secret "
        "database_password_owner, unless the address holds credentials"
    )

    @property
    def database_dsn(self) -> str:
        """The URL of the database with its owner's role and password."""
        return self.with_credentials(self.database_url, "importer_owner", "database_password_owner").get_secret_value()

    def passwords(self) -> dict[str, str]:
        """The password of each role whose secret is given here; one that is given but unreadable is Misconfigured."""
        return {role: self.secret(name).get_secret_value() for role, name in ROLES.items() if self.gives(name)}


def migrate(
    to: Annotated[str | None, typer.Option(help="Stop at this revision, such as 0001.")] = None,
    finish: Annotated[  # noqa: FBT002 - typer makes the flag of it
        bool, typer.Option("--finish", help="Also what no service of the version before survives: none runs any more.")
    ] = False,
    back_to: Annotated[
        str | None, typer.Option(help="Go back to this revision instead (base: an empty database).")
    ] = None,
    lose_data: Annotated[  # noqa: FBT002 - typer makes the flag of it
        bool, typer.Option("--lose-data", help="With --back-to: also when rows are destroyed by it.")
    ] = False,
) -> None:
    """Bring the database to the newest schema, as its owner.

    Safe to repeat, beside another that does the same, and beside services of the version before: what those would not
    survive waits for --finish.

    Publishes the public key of the secret encryption_keys, where that is there, for whoever writes secrets.
    Makes the roles of the services and sets the password of each whose secret database_password_… is there.
    Reads IMPORTER_DATABASE_URL and the secret database_password_owner.
    """
    # Alembic takes a quarter of a second to import, which all other commands do without.
    from shared.database.migrate import downgrade, newest_revision  # noqa: PLC0415
    from shared.database.migrate import migrate as migrate_database  # noqa: PLC0415

    configuration = DatabaseAdministration.load()
    if back_to is not None:
        asyncio.run(downgrade(configuration.database_dsn, to=back_to, lose_data=lose_data))
        typer.echo(_("The schema is back at revision %(revision)s.") % {"revision": back_to})
        return
    passwords = configuration.passwords()
    reached = asyncio.run(migrate_database(configuration.database_dsn, to=to, finish=finish, passwords=passwords))
    typer.echo(_("The schema is at revision %(revision)s.") % {"revision": reached})
    if reached < newest_revision() and to is None:
        typer.echo(_("When no service of the version before runs any more: helpdesk-importer migrate --finish."))
    if to is None and configuration.gives(KEYS):
        asyncio.run(_publish(configuration))
        typer.echo(_("Secrets are sealed for the first key of encryption_keys."))
    for role, secret in ROLES.items():
        text = (
            _("%(role)s: may log in") if role in passwords else _("%(role)s: left as it is (%(secret)s is not given)")
        )
        typer.echo(text % {"role": role, "secret": secret})


async def _publish(configuration: DatabaseAdministration) -> None:
    """Tell whoever writes secrets the public key of the newest private one."""
    key = Keyring.from_secret(configuration.secret(KEYS)).public
    pool = await open_pool(configuration.database_dsn, application_name="helpdesk-importer migrate", max_size=1)
    async with pool, transaction(pool) as connection:
        await publish(connection, key)


COMMANDS: Final = {"migrate": migrate}
