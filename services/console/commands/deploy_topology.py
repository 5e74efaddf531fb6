"""`helpdesk-importer deploy-topology`: exchanges, queues, policies, users and their rights on RabbitMQ."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

import typer

from shared.broker import administration
from shared.broker.administration import Deployment
from shared.broker.topology import Topology, topology
from shared.configuration import BrokerAdministration


def deploy_topology(
    *,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; only tell what differs.")] = False,
) -> None:
    """Create or update what the services need on RabbitMQ.

    Safe to repeat; never deletes anything.

    Reads IMPORTER_RABBITMQ_MANAGEMENT_URL, IMPORTER_AMQP_URL (its virtual host) and the secrets amqp_password_admin and
    amqp_password_SERVICE. Exit codes: 0 RabbitMQ is as it must be; 1 something differs that a person has to mend (each
    on a line, with what to do), or RabbitMQ does not answer; 78 bad configuration.
    """
    deployment = asyncio.run(_deploy(BrokerAdministration.load(), topology(), check=check))
    for changed in deployment.changed:
        typer.echo(f"applied: {changed}")
    for drift in deployment.drift:
        typer.echo(f"differs: {drift}", err=True)
    if deployment.drift:
        raise typer.Exit(1)
    typer.echo("RabbitMQ is as it must be.")


async def _deploy(configuration: BrokerAdministration, wanted: Topology, *, check: bool) -> Deployment:
    vhost = administration.vhost_of(configuration.amqp_url)
    async with administration.management(configuration.management_dsn, vhost) as broker:
        if check:
            return Deployment((), await administration.find_drift(broker, wanted))
        passwords = {user.service: configuration.secret(f"amqp_password_{user.service}") for user in wanted.users}
        return await administration.apply(broker, wanted, passwords)


COMMANDS: Final = {"deploy-topology": deploy_topology}
