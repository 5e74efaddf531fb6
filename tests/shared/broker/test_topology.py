"""The topology as a description: what must hold on every version of RabbitMQ."""

import re

from shared.broker.topology import MAIL_RAW, RETRY_EXCHANGE, WORK_QUEUES, Topology, topology

OURS = topology()


def rights(topology: Topology) -> dict[str, tuple[str, str, dict[str, str]]]:
    return {user.service: (user.write, user.read, dict(user.topics)) for user in topology.users}


def test_every_queue_is_ruled_by_exactly_one_policy() -> None:
    for queue in OURS.queues:
        assert len([policy for policy in OURS.policies if re.search(policy.pattern, queue)]) == 1, queue


def test_work_queues_tolerate_a_thousand_deliveries_and_refuse_when_full() -> None:
    assert OURS.policy_of(MAIL_RAW).definition == {
        "delivery-limit": 1000,
        "dead-letter-exchange": "retry",
        "dead-letter-routing-key": "mail.raw.dead",
        "dead-letter-strategy": "at-least-once",
        "overflow": "reject-publish",
        "max-length-bytes": 4 * 1024**3,
    }


def test_a_dead_letter_stays_for_ever_however_often_a_person_looks() -> None:
    for queue in WORK_QUEUES:
        assert OURS.policy_of(f"{queue.name}.dead").definition == {"delivery-limit": 1_000_000}


def test_what_waits_goes_back_to_its_own_queue_at_least_once() -> None:
    for queue in WORK_QUEUES:
        for name, milliseconds in (("10s", 10_000), ("1m", 60_000), ("10m", 600_000)):
            definition = OURS.policy_of(f"{queue.name}.wait.{name}").definition
            assert definition["message-ttl"] == milliseconds
            assert (definition["dead-letter-exchange"], definition["dead-letter-routing-key"]) == ("retry", queue.name)
            assert (definition["dead-letter-strategy"], definition["overflow"]) == ("at-least-once", "reject-publish")


def test_every_dead_letter_route_ends_in_a_queue() -> None:
    bound = {(binding.exchange, binding.routing_key): binding.queue for binding in OURS.bindings}
    for policy in OURS.policies:
        if "dead-letter-exchange" in policy.definition:
            target = policy.definition["dead-letter-routing-key"]
            assert bound[policy.definition["dead-letter-exchange"], target] == target


def test_privileges_are_the_least() -> None:
    def beside(queue: str) -> str:
        return rf"^({queue}\.wait\.10s|{queue}\.wait\.1m|{queue}\.wait\.10m|{queue}\.suspect|{queue}\.dead)$"

    def looked_into(*queues: str) -> str:
        """All but the suspects: each look would count against them."""
        kinds = ("", r"\.wait\.10s", r"\.wait\.1m", r"\.wait\.10m", r"\.dead")
        return f"^({'|'.join(queue + kind for queue in queues for kind in kinds)})$"

    assert rights(OURS) == {
        "fetcher": (r"^mail$", "^$", {"mail": r"^mail\.raw$"}),
        "classifier": (
            r"^(mail|retry)$",
            r"^(mail\.raw|mail\.raw\.suspect)$",
            {"mail": r"^mail\.classified$", "retry": beside(r"mail\.raw")},
        ),
        "ticket_writer": (
            r"^(ticket|retry)$",
            r"^(mail\.classified|mail\.classified\.suspect)$",
            {"ticket": r"^ticket\.event$", "retry": beside(r"mail\.classified")},
        ),
        "notifier": (
            r"^retry$",
            r"^(ticket\.events|ticket\.events\.suspect)$",
            {"retry": beside(r"ticket\.events")},
        ),
        "console": (
            r"^retry$",
            r"^(mail\.raw\.dead|mail\.classified\.dead|ticket\.events\.dead)$",
            {RETRY_EXCHANGE: r"^(mail\.raw|mail\.classified|ticket\.events)$"},
        ),
        "reconciler": (
            "^$",
            looked_into(r"mail\.raw", r"mail\.classified", r"ticket\.events"),
            {},
        ),
    }
