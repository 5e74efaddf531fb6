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
from services.console.texts import N_
from shared.broker.administration import find_drift, management, vhost_of
from shared.broker.session import VERSION_PROPERTY, BrokerOutage, NotLetIn, Session, running_version
from shared.broker.topology import topology
from shared.sentences import Sentence

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
            yield failure(
                PART,
                Sentence(
                    "It is version %(version)s, and %(oldest)s is the oldest that does: upgrade it.",
                    version=version,
                    oldest="3.10",
                ),
            )
        else:
            yield well(PART, Sentence("It answers, version %(version)s.", version=version))
        for alarm in await broker.alarms():
            yield failure(
                PART,
                Sentence(
                    "It takes no messages (%(what)s alarm of %(node)s): make room, or see which queue grows.",
                    what=alarm.get("resource"),
                    node=alarm.get("node"),
                ),
            )
        for node in await broker.get("nodes") or ():
            for finding in _node(node):
                yield finding
        if date:
            yield compared(PART, parsedate_to_datetime(date), between.replace(microsecond=0))
        async for finding in _versions(await broker.get(f"vhosts/{broker.vhost}/connections") or []):
            yield finding


def _node(node: dict[str, Any]) -> list[Finding]:
    if not node.get("running", True):
        return [
            failure(
                PART,
                Sentence("Its node %(node)s does not run: start it, before a second one stops.", node=node["name"]),
            )
        ]
    free, limit = int(node.get("disk_free") or 0), int(node.get("disk_free_limit") or 0)
    if not free:
        return []
    room, at = f"{free / _GIB:.1f}", f"{limit / _GIB:.1f}"
    if free < _ROOM * limit:
        little = Sentence(
            "The disk of %(node)s has %(room)s GiB left; at %(limit)s GiB RabbitMQ takes nothing more: make room on "
            "it.",
            node=node["name"],
            room=room,
            limit=at,
        )
        return [warning("disk", little)]
    return [well("disk", Sentence("The disk of %(node)s has %(room)s GiB left.", node=node["name"], room=room))]


async def _versions(connections: list[dict[str, Any]]) -> AsyncIterator[Finding]:
    """Of the virtual host's connections, those of ours, which tell by what program they were made."""
    ours = running_version()
    of = Counter(
        (str(told.get("connection_name", "")).partition(" ")[0], str(told[VERSION_PROPERTY]))
        for told in (connection.get("client_properties") or {} for connection in connections)
        if VERSION_PROPERTY in told
    )
    others = sorted((name, version) for name, version in of if version != ours)
    for name, version in others:
        yield warning(
            "versions",
            Sentence(
                "%(name)s runs as version %(version)s, this program is %(ours)s: start it again with this one.",
                name=name,
                version=version,
                ours=ours,
            ),
        )
    if of and not others:
        yield well("versions", Sentence("All that are connected are of this version, %(ours)s.", ours=ours))


async def examine_topology(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """What differs from what `deploy-topology` makes; needs the administrator's secret."""
    administrator = configuration.administration_of_broker()
    if administrator is None:
        yield warning(
            "queues",
            Sentence("Not compared: the secret amqp_password_admin is not at hand (deploy-topology --check)."),
        )
        return
    async with management(administrator, vhost_of(configuration.amqp_url)) as broker:
        wanted = topology()
        drift = await find_drift(broker, wanted)
    for difference in drift:
        yield failure("queues", f"{difference}.")
    if not drift:
        yield well(
            "queues",
            Sentence(
                "%(count)s queues, their policies, bindings and users' rights are as they must be.",
                count=len(wanted.queues),
            ),
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
        except NotLetIn:
            yield failure(
                "logins",
                Sentence(
                    "RabbitMQ does not let %(user)s into the virtual host %(vhost)s: run helpdesk-importer "
                    "deploy-topology, which makes it and gives the rights.",
                    user=user.name,
                    vhost=vhost_of(configuration.amqp_url),
                ),
            )
        except BrokerOutage as trouble:
            if "ACCESS_REFUSED" not in str(trouble):
                raise
            yield failure(
                "logins",
                Sentence(
                    "RabbitMQ refuses %(user)s with the secret %(secret)s: run helpdesk-importer deploy-topology, "
                    "which sets it.",
                    user=user.name,
                    secret=secret,
                ),
            )
    if taken:
        all_of_them = N_("Logins that RabbitMQ takes: %(count)s.")
        of_some = N_("Logins that RabbitMQ takes: %(count)s; secrets that are not at hand: %(others)s.")
        yield well("logins", Sentence(of_some if without else all_of_them, count=taken, others=without))
