"""Plans: the same from the same seed, bounded, and with something of everything."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.chaos.plan import FULL_RUN_MAILS, LEADER, LIKENESS, NODES, Kind, faults_for, plan_of

KINDS = tuple(LIKENESS)


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert plan_of(1, 100, KINDS) == plan_of(1, 100, KINDS)
    assert plan_of(1, 100, KINDS) != plan_of(2, 100, KINDS)


@pytest.mark.parametrize("seed", range(20))
def test_a_full_run_has_two_hundred_faults_of_all_kinds_in_bounded_time(seed: int) -> None:
    plan = plan_of(seed, faults_for(FULL_RUN_MAILS), KINDS)
    assert len(plan) >= 200
    assert {fault.kind for fault in plan} == set(LIKENESS)
    assert all(0 < earlier.at < later.at for earlier, later in pairwise(plan))
    assert plan[-1].at < 3 * len(plan)
    assert all(fault.target in LIKENESS[fault.kind].targets and fault.seconds <= 8 for fault in plan)


def test_a_plan_keeps_to_the_kinds_and_the_seconds_that_it_may_use() -> None:
    plan = plan_of(3, 50, [Kind.LOCK_HELD, Kind.SERVICE_KILLED], longest=1.0)
    assert {fault.kind for fault in plan} == {Kind.LOCK_HELD, Kind.SERVICE_KILLED}
    assert max(fault.seconds for fault in plan) <= 1.0


def test_of_a_cluster_nodes_are_lost_one_by_one_and_the_leader_too() -> None:
    plan = plan_of(4, 60, [Kind.BROKER_KILLED, Kind.MEMORY_ALARM], nodes=NODES)
    assert {fault.target for fault in plan if fault.kind is Kind.BROKER_KILLED} == {*NODES, LEADER}
    assert {fault.target for fault in plan if fault.kind is Kind.MEMORY_ALARM} == {"the server"}
