"""`server-certificates`: what PostgreSQL and RabbitMQ show to their clients, where no authority is at hand.

    helpdesk-importer server-certificates /certificates --server postgres --server rabbitmq --name db.desk.example

Run it at each deployment, as `deploy/compose.yaml` does. A server takes up a new one when it is started again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from services.console.output import done
from services.console.server_certificates import make_certificates
from services.console.texts import _
from shared.errors import Misconfigured
from shared.sentences import Sentence


def server_certificates(
    folder: Annotated[Path, typer.Argument(help="Where they are: authority/, public/ca.pem, and a folder a server.")],
    server: Annotated[list[str], typer.Option("--server", help="A server, by its name among its clients.")],
    name: Annotated[
        list[str] | None,
        typer.Option("--name", help="Another name or address by which clients reach them; several: with commas."),
    ] = None,
) -> None:
    """Certificates for PostgreSQL and RabbitMQ, from an authority of one's own.

    A certificate lives two years, and is made anew in the second one, or when a name is added; its server must be
    started again then. Clients trust public/ca.pem (IMPORTER_SERVER_CA_FILE).
    """
    names = [one for listed in name or () for one in listed.split(",") if one]
    try:
        made = make_certificates(folder, server, names, now=datetime.now(UTC))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise Misconfigured(
            Sentence(
                "The certificates in %(folder)s cannot be made (%(why)s): it must be a folder that this user may "
                "write, and a file in it that is damaged must be taken away.",
                folder=str(folder),
                why=why,
            )
        ) from None
    for one in made:
        text = _("%(server)s: made, until %(day)s") if one.is_new else _("%(server)s: kept, until %(day)s")
        done(text % {"server": one.name, "day": f"{one.ends_at:%Y-%m-%d}"})


COMMANDS: Final = {"server-certificates": server_certificates}
