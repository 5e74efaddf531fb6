"""RabbitMQ: version, alarms, room, the clock, what differs from the topology, logins, who runs another version."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from services.console.doctor.clocks import compared
from services.console.doctor.configuration import DoctorConfiguration
from services.console.doctor.findings import Finding, failure, warning, well
from shared.broker.administration import find_drift, management, vhost_of
from shared.broker.session import VERSION_PROPERTY, BrokerOutage, Session, running_version
from shared.broker.topology import topology
from shared.counted import many

PART: Final = "RabbitMQ"
_OLDEST: Final = (3, 10)
_GIB: Final = 1024**3
_ROOM: Final = 4
"""Free disk below so many times the limit is told: at the limit itself RabbitMQ takes nothing more."""


async def examine_server(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """Version, nodes, alarms, room on the disk, clock; by the management API, as importer_console."""
    async with management(configuration.management_dsn, vhost_of(configuration.amqp_url)) as broker:
        asked = datetime.now(UTC)
        overview, date = await broker.get_dated("overview")
        between = asked + (datetime.now(UTC) - asked) / 2
        version = str(overview["rabbitmq_version"])
        if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
            yield failure(PART, f"It is version {version}, and 3.10 is the oldest that does: upgrade it.")
        else:
            yield well(PART, f"It answers, version {version}.")
        for alarm in await broker.alarms():
            yield failure(
                PART,
                f"It takes no messages ({alarm.get('resource')} alarm of {alarm.get('node')}): make room, or see which "
                "queue grows.",
            )
        for node in await broker.get("nodes") or ():
            for finding in _node(node):
                yield finding
        if date:
            yield compared(PART, parsedate_to_datetime(date), between.replace(microsecond=0))
        async for finding in _versions(await broker.get("connections") or []):
            yield finding


def _node(node: dict[str, Any]) -> list[Finding]:
    if not node.get("running", True):
        return [failure(PART, f"Its node {node['name']} does not run: start it, before a second one stops.")]
    free, limit = int(node.get("disk_free") or 0), int(node.get("disk_free_limit") or 0)
    if not free:
        return []
    room = f"The disk of {node['name']} has {free / _GIB:.1f} GiB left"
    if free < _ROOM * limit:
        return [warning("disk", f"{room}; at {limit / _GIB:.1f} GiB RabbitMQ takes nothing more: make room on it.")]
    return [well("disk", f"{room}.")]


async def _versions(connections: list[dict[str, Any]]) -> AsyncIterator[Finding]:
    """Of our own connections, which tell by what program they were made."""
    ours = running_version()
    of = Counter(
        (str(told.get("connection_name", "")).partition(" ")[0], str(told[VERSION_PROPERTY]))
        for told in (connection.get("client_properties") or {} for connection in connections)
        if VERSION_PROPERTY in told
    )
    others = sorted((name, version) for name, version in of if version != ours)
    for name, version in others:
        yield warning(
            "versions", f"{name} runs as version {version}, this program is {ours}: start it again with this one."
        )
    if of and not others:
        yield well("versions", f"All that are connected are of this version, {ours}.")


async def examine_topology(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """What differs from what `deploy-topology` makes; needs the administrator's secret."""
    administrator = configuration.administration_of_broker()
    if administrator is None:
        yield warning(
            "queues", "Not compared: the secret amqp_password_admin is not at hand (deploy-topology --check)."
        )
        return
    async with management(administrator, vhost_of(configuration.amqp_url)) as broker:
        wanted = topology()
        drift = await find_drift(broker, wanted)
    for difference in drift:
        yield failure("queues", f"{difference}.")
    if not drift:
        yield well(
            "queues", f"{len(wanted.queues)} queues, their policies, bindings and users' rights are as they must be."
        )


async def examine_logins(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """Whether each user whose secret is at hand may log in with it."""
    taken, without = 0, 0
    for user in topology().users:
        secret = f"amqp_password_{user.service}"
        login = configuration.login_to_broker(user.name, secret)
        if login is None:
            without += 1
            continue
        try:
            async with await Session.open(login, "helpdesk-importer doctor"):
                taken += 1
        except BrokerOutage as trouble:
            if "ACCESS_REFUSED" not in str(trouble):
                raise
            yield failure(
                "logins",
                f"RabbitMQ refuses {user.name} with the secret {secret}: run helpdesk-importer deploy-topology, which "
                "sets it.",
            )
    if taken:
        others = f"; {many(without, 'secret')} of others are not at hand" if without else ""
        yield well("logins", f"RabbitMQ takes {many(taken, 'user')} with their secrets{others}.")
