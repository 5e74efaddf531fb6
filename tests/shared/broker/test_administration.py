"""What `deploy-topology` does to a real broker, and what it leaves to a person."""

import aio_pika
import pytest
from aio_pika.exceptions import ChannelClosed
from pydantic import SecretStr

from shared.broker import administration
from shared.broker.session import BrokerOutage, Session
from shared.broker.topology import MAIL_CLASSIFIED, MAIL_RAW, dead_queue
from shared.errors import Misconfigured, Outage
from tests.shared.broker.harness import Queues, delete_queue
from tests.vhosts import Vhost


async def test_applying_it_again_changes_nothing(vhost: Vhost) -> None:
    again = await administration.apply(vhost.management, vhost.topology, vhost.passwords)
    assert again == administration.Deployment(changed=(), drift=())


async def test_what_went_missing_or_was_changed_is_put_right(vhost: Vhost) -> None:
    await delete_queue(vhost, dead_queue(MAIL_RAW))
    await vhost.management.send(
        "PUT",
        f"policies/{vhost.name}/importer.mail.raw",
        {"pattern": "^nothing$", "definition": {"delivery-limit": 3}, "priority": 100, "apply-to": "queues"},
    )
    user = f"{vhost.name}-fetcher"
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    await vhost.management.send("PUT", f"permissions/{vhost.name}/{user}", everything)
    differs = {drift.what for drift in await administration.find_drift(vhost.management, vhost.topology)}
    assert differs == {
        "The queue mail.raw.dead is missing",
        "The binding retry --mail.raw.dead--> mail.raw.dead is missing",
        "The policy importer.mail.raw differs",
        f"The permission of {user} differs",
    }

    applied = await administration.apply(vhost.management, vhost.topology, vhost.passwords)

    assert set(applied.changed) == {
        "queue mail.raw.dead",
        "binding retry --mail.raw.dead--> mail.raw.dead",
        "policy importer.mail.raw",
        f"permission of {user}",
    }
    assert applied.drift == ()


async def test_a_new_password_is_set_and_the_old_one_refused(vhost: Vhost) -> None:
    old = vhost.dsn("fetcher")
    passwords = {**vhost.passwords, "fetcher": SecretStr("another")}
    applied = await administration.apply(vhost.management, vhost.topology, passwords)
    assert applied.changed == (f"user {vhost.name}-fetcher",)
    with pytest.raises(BrokerOutage, match="ACCESS_REFUSED"):
        await Session.open(old, "test")


async def test_a_queue_with_other_arguments_is_reported_and_keeps_its_messages(vhost: Vhost) -> None:
    await delete_queue(vhost, MAIL_RAW)
    async with Queues.of(vhost.admin_dsn) as queues:
        await queues.channel.declare_queue(MAIL_RAW, durable=True)
        await queues.put(MAIL_RAW, aio_pika.Message(b"a mail"))
        deployment = await administration.apply(vhost.management, vhost.topology, vhost.passwords)
        assert (await queues.take(MAIL_RAW)).body == b"a mail"
    (drift,) = deployment.drift
    assert "The queue mail.raw differs" in drift.what
    assert "let it run empty" in drift.remedy


async def test_a_foreign_binding_or_policy_on_our_queues_is_reported_and_left(vhost: Vhost) -> None:
    await vhost.management.send(
        "PUT",
        f"policies/{vhost.name}/ha-everything",
        {"pattern": ".*", "definition": {"message-ttl": 1000}, "priority": 500, "apply-to": "queues"},
    )
    await vhost.management.send(
        "POST", f"bindings/{vhost.name}/e/mail/q/{MAIL_CLASSIFIED}", {"routing_key": "#", "arguments": {}}
    )
    deployment = await administration.apply(vhost.management, vhost.topology, vhost.passwords)
    assert deployment.changed == ()
    texts = [str(drift) for drift in deployment.drift]
    assert [text for text in texts if "mail --#--> mail.classified" in text]
    overruled = [drift.what for drift in deployment.drift if "ha-everything overrules" in drift.what]
    assert len(overruled) == len(vhost.topology.queues)


async def test_an_operator_s_limit_that_takes_messages_away_is_reported(vhost: Vhost) -> None:
    """It holds beside our policy, whatever its priority."""
    for name, definition in (("ttl", {"message-ttl": 1000, "max-length": 2}), ("fine", {"max-in-memory-length": 9})):
        await vhost.management.send(
            "PUT",
            f"operator-policies/{vhost.name}/{name}",
            {"pattern": "^mail", "definition": definition, "priority": 0, "apply-to": "queues"},
        )
    (drift,) = await administration.find_drift(vhost.management, vhost.topology)
    ours = sum(queue.startswith("mail") for queue in vhost.topology.queues)
    assert drift.what == f"The operator policy ttl limits {ours} of our queues (max-length, message-ttl)"


async def test_the_broker_s_own_delivery_limit_parks_and_does_not_delete(vhost: Vhost) -> None:
    policy = vhost.topology.policy_of(MAIL_RAW)
    await vhost.management.send(
        "PUT",
        f"policies/{vhost.name}/{policy.name}",
        {"pattern": policy.pattern, "definition": {**policy.definition, "delivery-limit": 1}, "priority": 100},
    )
    async with Queues.of(vhost.admin_dsn) as queues:
        await queues.put(MAIL_RAW, aio_pika.Message(b"a mail"))
        await queues.crash(MAIL_RAW, times=2)
        assert (await queues.take(dead_queue(MAIL_RAW))).body == b"a mail"


async def test_a_refused_administrator_is_told_which_secret_to_check(module_vhost: Vhost) -> None:
    address = module_vhost.empty.server.management_url.rpartition("@")[2]
    wrong = SecretStr(f"http://nobody:wrong@{address}")
    async with administration.management(wrong, module_vhost.name) as broker:
        with pytest.raises(Misconfigured, match="amqp_password_nobody"):
            await administration.apply(broker, module_vhost.topology, module_vhost.passwords)


async def test_a_management_api_that_is_away_is_an_outage(module_vhost: Vhost) -> None:
    async with administration.management(SecretStr("http://127.0.0.1:1"), module_vhost.name) as broker:
        with pytest.raises(Outage, match="does not answer"):
            await administration.find_drift(broker, module_vhost.topology)


SERVICES_AND_WHAT_THEY_MAY_READ = {
    "fetcher": set(),
    "classifier": {"mail.raw", "mail.raw.suspect"},
    "ticket_writer": {"mail.classified", "mail.classified.suspect"},
    "notifier": {"ticket.events", "ticket.events.suspect"},
    "console": {"mail.raw.dead", "mail.classified.dead", "ticket.events.dead"},
    "reconciler": {
        f"{queue}{beside}"
        for queue in ("mail.raw", "mail.classified", "ticket.events")
        for beside in ("", ".wait.10s", ".wait.1m", ".wait.10m", ".dead")
    },
}


async def is_allowed(dsn: SecretStr, act: str, *names: str) -> bool:
    async with await aio_pika.connect(dsn.get_secret_value()) as connection:
        channel = await connection.channel(on_return_raises=True)
        try:
            if act == "read":
                queue = await channel.get_queue(names[0], ensure=False)
                await queue.get(fail=False)
            elif act == "publish":
                exchange = await channel.get_exchange(names[0], ensure=False)
                await exchange.publish(aio_pika.Message(b""), names[1], timeout=5)
            else:
                await channel.declare_queue(names[0], durable=True, arguments={"x-queue-type": "quorum"})
        except ChannelClosed as closed:
            if "ACCESS_REFUSED" not in str(closed):
                raise
            return False
        return True


@pytest.mark.parametrize("service", SERVICES_AND_WHAT_THEY_MAY_READ)
async def test_a_service_reads_its_own_queues_and_no_other(module_vhost: Vhost, service: str) -> None:
    dsn = module_vhost.dsn(service)
    allowed = {queue for queue in module_vhost.topology.queues if await is_allowed(dsn, "read", queue)}
    assert allowed == SERVICES_AND_WHAT_THEY_MAY_READ[service]


@pytest.mark.parametrize(
    ("service", "exchange", "routing_key"),
    [
        pytest.param("fetcher", "mail", "mail.classified", id="fetcher as classifier"),
        pytest.param("fetcher", "retry", "mail.raw", id="fetcher to retries"),
        pytest.param("classifier", "mail", "mail.raw", id="classifier as fetcher"),
        pytest.param("classifier", "retry", "mail.classified.dead", id="classifier to another's dead letters"),
        pytest.param("classifier", "ticket", "ticket.event", id="classifier as ticket writer"),
        pytest.param("ticket_writer", "mail", "mail.classified", id="ticket writer as classifier"),
        pytest.param("notifier", "ticket", "ticket.event", id="notifier as ticket writer"),
        pytest.param("console", "mail", "mail.raw", id="console as fetcher"),
        pytest.param("reconciler", "retry", "mail.raw", id="reconciler as console"),
        pytest.param("console", "", "mail.raw", id="anyone to a queue by the default exchange"),
    ],
)
async def test_a_service_publishes_nothing_that_is_another_s(
    module_vhost: Vhost, service: str, exchange: str, routing_key: str
) -> None:
    assert not await is_allowed(module_vhost.dsn(service), "publish", exchange, routing_key)


@pytest.mark.parametrize("service", SERVICES_AND_WHAT_THEY_MAY_READ)
async def test_no_service_may_configure_anything(module_vhost: Vhost, service: str) -> None:
    assert not await is_allowed(module_vhost.dsn(service), "declare", "mail.extra")


async def test_the_console_may_watch_the_queues(module_vhost: Vhost) -> None:
    user = f"{module_vhost.name}-console"
    address = module_vhost.empty.server.management_url.rpartition("@")[2]
    dsn = SecretStr(f"http://{user}:{module_vhost.passwords['console'].get_secret_value()}@{address}")
    async with administration.management(dsn, module_vhost.name) as watching:
        queues = await watching.get(f"queues/{module_vhost.name}")
    assert {queue["name"] for queue in queues} == set(module_vhost.topology.queues)
