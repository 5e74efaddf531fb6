"""`helpdesk-importer deploy-topology`: exchanges, queues, policies, users and their rights on RabbitMQ."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import typer

from services.console.texts import _
from shared.broker import administration
from shared.broker.administration import Deployment, Management
from shared.broker.topology import Topology, topology
from shared.configuration import BrokerAdministration
from shared.errors import Outage
from shared.sentences import Sentence

_POLL_SECONDS: Final = 0.1


def deploy_topology(
    *,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; only tell what differs.")] = False,
    wait: Annotated[float, typer.Option(min=0, help="Give RabbitMQ so many seconds to start.")] = 0,
) -> None:
    """Create or update what the services need on RabbitMQ.

    Safe to repeat; never deletes anything.

    Reads IMPORTER_RABBITMQ_MANAGEMENT_URL, IMPORTER_AMQP_URL (its virtual host) and the secrets amqp_password_admin and
    amqp_password_SERVICE. Exit codes: 0 RabbitMQ is as it must be; 1 something differs that a person has to mend (each
    on a line, with what to do), or RabbitMQ does not answer; 78 bad configuration.
    """
    deployment = asyncio.run(_deploy(BrokerAdministration.load(), topology(), check=check, wait=wait))
    for changed in deployment.changed:
        typer.echo(_("applied: %(change)s") % {"change": changed})
    for drift in deployment.drift:
        typer.echo(_("differs: %(drift)s") % {"drift": drift}, err=True)
    if deployment.drift:
        raise typer.Exit(1)
    typer.echo(_("RabbitMQ is as it must be."))


async def _deploy(configuration: BrokerAdministration, wanted: Topology, *, check: bool, wait: float) -> Deployment:
    vhost = administration.vhost_of(configuration.amqp_url)
    async with administration.management(configuration.management_dsn, vhost) as broker:
        await _until_it_takes_connections(broker, asyncio.get_running_loop().time() + wait)
        if check:
            return Deployment((), await administration.find_drift(broker, wanted))
        passwords = {user.service: configuration.secret(f"amqp_password_{user.service}") for user in wanted.users}
        return await administration.apply(broker, wanted, passwords)


async def _until_it_takes_connections(broker: Management, deadline: float) -> None:
    """Wait until the node that starts has opened its AMQP listener, which is last; Outage after the deadline."""
    clock = asyncio.get_running_loop().time
    while True:
        try:
            overview = await broker.get("overview")
            if any(listener["protocol"].startswith("amqp") for listener in overview["listeners"]):
                return
        except Outage:
            if clock() > deadline:
                raise
        if clock() > deadline:
            raise Outage(
                Sentence("RabbitMQ's management API answers, but it takes no AMQP connections yet: try again.")
            )
        await asyncio.sleep(_POLL_SECONDS)


COMMANDS: Final = {"deploy-topology": deploy_topology}
