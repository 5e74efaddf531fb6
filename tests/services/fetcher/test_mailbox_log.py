"""A mailbox's log: a row for a check that had something to do or went otherwise than the one before, else a number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.fetcher.repository.mailboxes import Went
from services.fetcher.rules.problem import Problem, ProblemKind
from tests.services.fetcher.harness import LEASE, Desk, Fetching, fetcher, mail, minutes_ago
from tests.shared.broker.harness import eventually

AWAY = Problem(ProblemKind.UNREACHABLE, "De mailserver antwoordt niet.")


async def checked(desk: Desk, fetching: Fetching, *, problem: Problem | None = None, **went: Any) -> None:
    """A check that came to this, and took a second."""
    await desk.owner.execute("UPDATE mailbox_states SET next_check_at = now(), lease_until = '-infinity'")
    (claimed,) = await fetching.mailboxes.claim(LEASE, 10)
    await fetching.mailboxes.finish(
        claimed,
        succeeded=problem is None,
        next_check_after=timedelta(0),
        failed_checks=0,
        problem=problem,
        went=Went(timedelta(seconds=1), **went),
    )


async def log(desk: Desk) -> list[tuple[Any, ...]]:
    """Its rows: taken in, kind of problem, whether one ended, quiet checks before it, and what they took."""
    rows = await desk.owner.fetch(
        "SELECT taken_in, problem_kind, problem_ended IS NOT NULL, quiet_checks, quiet_ms FROM mailbox_checks"
        " ORDER BY id"
    )
    return [tuple(row) for row in rows]


async def test_S8_checks_that_go_as_the_one_before_are_a_number(desk: Desk, fetching: Fetching) -> None:
    for _ in range(4):
        await checked(desk, fetching)
    await checked(desk, fetching, taken_in=2)
    await checked(desk, fetching)
    for _ in range(3):
        await checked(desk, fetching, problem=AWAY)
    await checked(desk, fetching, problem=Problem(ProblemKind.MAILBOX_MISSING, "De map is weg."))
    await checked(desk, fetching)
    await checked(desk, fetching, filed=1)
    await checked(desk, fetching)
    assert await log(desk) == [
        (0, None, False, 0, 0),
        (2, None, False, 3, 3000),
        (0, "unreachable", False, 1, 1000),
        (0, "mailbox-missing", False, 2, 2000),
        (0, None, True, 0, 0),
        (0, None, False, 0, 0),
    ]
    state = await desk.state()
    assert (state["quiet_checks"], state["quiet_ms"], state["quiet_longest_ms"]) == (1, 1000, 1000)


async def test_S8_a_problem_that_says_something_else_each_time_is_one_row_an_hour(
    desk: Desk, fetching: Fetching
) -> None:
    for number in range(4):
        await checked(desk, fetching, problem=Problem(ProblemKind.UNREACHABLE, f"De mailserver zegt: fout {number}."))
        if number == 0:
            since = (await desk.state())["problem_since"]
    assert (await desk.state())["problem_since"] == since
    await desk.owner.execute("UPDATE mailbox_checks SET at = at - interval '1 hour'")
    await checked(desk, fetching, problem=Problem(ProblemKind.UNREACHABLE, "De mailserver zegt: fout 4."))
    rows = await desk.owner.fetch("SELECT problem, alike, quiet_checks FROM mailbox_checks ORDER BY id")
    assert [tuple(row) for row in rows] == [
        ("De mailserver zegt: fout 3.", 3, 0),
        ("De mailserver zegt: fout 4.", 0, 3),
    ]


async def test_a_check_whose_lease_was_lost_tells_nothing(desk: Desk, fetching: Fetching) -> None:
    claimed = await fetching.claim()
    await desk.owner.execute("UPDATE mailbox_states SET lease_holder = 'another'")
    await fetching.mailboxes.finish(
        claimed, succeeded=True, next_check_after=timedelta(0), failed_checks=0, problem=None, went=Went(taken_in=1)
    )
    assert await log(desk) == []


async def test_S8_the_service_tells_what_a_check_took_in_and_how_long_it_took(desk: Desk) -> None:
    desk.post_office.deliver(mail("een"), minutes_ago(0))
    desk.post_office.deliver(mail("twee"), minutes_ago(0))

    async def told() -> bool:
        return bool(await log(desk))

    async with fetcher(desk):
        await eventually(told)
    row = await desk.owner.fetchrow("SELECT unread, taken_in, filed, took_ms FROM mailbox_checks ORDER BY id LIMIT 1")
    assert row is not None
    assert (row["unread"], row["taken_in"], row["filed"]) == (2, 2, 0)
    assert row["took_ms"] > 0
