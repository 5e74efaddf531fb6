"""Leases under any order of what two fetchers do to one mailbox, as hypothesis finds it, on a real PostgreSQL.

A model beside the database says who holds the mailbox. After each step, whoever takes it:

    one holder        a fetcher gets the mailbox only when nobody holds it, and what the other still does of an older
                      check neither ends nor records anything
    no revival        a renewal keeps a lease and never makes one
    no standing still a mailbox that is on and held by nobody is had by whoever asks next

A fetcher goes on with its last check although the lease was lost meanwhile: its statements come late, and twice.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.fetcher.repository.mailboxes import ClaimedMailbox, MailboxRepository
from tests.services.fetcher.harness import LEASE, Desk, Fetching

FETCHERS: Final = ("ours", "theirs")
BY_A_FETCHER: Final = ("claim", "renew", "finish", "record backlog", "release")
BY_OTHERS: Final = ("time runs out", "switch", "another folder")
"""The lease's time runs out; a person switches the mailbox off or on, or makes it another one."""

STEPS: Final = st.one_of(
    st.tuples(st.sampled_from(BY_A_FETCHER), st.sampled_from(FETCHERS)),
    st.tuples(st.sampled_from(BY_OTHERS), st.just("")),
)


@dataclass
class Model:
    """The desk, and what must be true of its mailbox."""

    desk: Desk
    fetchers: dict[str, MailboxRepository]
    holder: str | None = None
    in_time: bool = False
    on: bool = True
    generation: int = 1
    checks: dict[str, ClaimedMailbox] = field(default_factory=dict)
    """The last check that each fetcher began."""

    @classmethod
    async def begin(cls, desk: Desk, fetchers: dict[str, MailboxRepository]) -> "Model":
        """The mailbox on, due and held by nobody."""
        await desk.set(enabled=True)
        await desk.owner.execute(
            "UPDATE mailbox_states SET lease_holder = NULL, lease_until = '-infinity', next_check_at = '-infinity',"
            " last_check_at = NULL"
        )
        generation = await desk.owner.fetchval("SELECT generation FROM importer_settings")
        return cls(desk, fetchers, generation=generation)

    async def step(self, what: str, who: str) -> None:
        """Do it, and hold the answer against the model."""
        match what:
            case "claim":
                await self.claim(who)
            case "time runs out":
                await self.desk.owner.execute("UPDATE mailbox_states SET lease_until = least(lease_until, now())")
                self.in_time = False
            case "switch":
                self.on = not self.on
                await self.desk.set(enabled=self.on)
            case "another folder":
                self.generation += 1
                await self.desk.set(folder=f"Map {self.generation}")
            case _ if who in self.checks:
                await self.go_on(what, who, self.checks[who])
        state = await self.desk.state()
        assert state["lease_holder"] == self.holder
        assert await self.is_leased() == (self.holder is not None and self.in_time)

    async def claim(self, who: str) -> None:
        """Whoever asks has it, when it is on and nobody holds it."""
        claimed = await self.fetchers[who].claim(LEASE, 10)
        assert len(claimed) == (self.on and not (self.holder and self.in_time))
        if claimed:
            self.holder, self.in_time, self.checks[who] = who, True, claimed[0]
            assert claimed[0].generation == self.generation

    async def go_on(self, what: str, who: str, check: ClaimedMailbox) -> None:
        """A statement of a check that may have lost its lease long ago."""
        mine, same = self.holder == who, check.generation == self.generation
        before = (await self.desk.state())["last_check_at"]
        kept = await go_on(self.fetchers[who], what, check)
        recorded = (await self.desk.state())["last_check_at"] != before
        assert kept == (what == "renew" and mine and same and self.on)
        assert recorded == (what == "finish" and mine and same)
        self.in_time = self.in_time or kept
        if what in {"finish", "release"} and mine:
            self.holder = None

    async def is_leased(self) -> bool:
        """Whether the lease's time has not run out."""
        leased: bool = await self.desk.owner.fetchval("SELECT lease_until > now() FROM mailbox_states")
        return leased


async def go_on(mailboxes: MailboxRepository, what: str, check: ClaimedMailbox) -> bool:
    """One statement of a fetcher about its check; whether its lease was renewed."""
    match what:
        case "renew":
            return bool(await mailboxes.renew(LEASE, {check.helpdesk_id: check.generation}))
        case "finish":
            await mailboxes.finish(check, succeeded=True, next_check_after=timedelta(0), failed_checks=0, problem=None)
        case "record backlog":
            await mailboxes.record_backlog(check, None)
        case "release":
            await mailboxes.release([check.helpdesk_id])
    return False


@pytest.fixture
async def both(desk: Desk) -> AsyncIterator[dict[str, MailboxRepository]]:
    """Two fetchers."""
    async with Fetching.on(desk, holder="ours") as ours, Fetching.on(desk, holder="theirs") as theirs:
        yield {"ours": ours.mailboxes, "theirs": theirs.mailboxes}


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=1, max_size=20))
async def test_a_mailbox_has_one_holder_and_stands_still_for_nobody(
    desk: Desk, both: dict[str, MailboxRepository], steps: list[tuple[str, str]]
) -> None:
    model = await Model.begin(desk, both)
    for what, who in steps:
        await model.step(what, who)
    for who in FETCHERS:
        await model.step("release", who)
    if not model.on:
        await model.step("switch", "")
    if model.holder is None:
        await model.step("claim", "theirs")


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(of_each=st.lists(st.lists(st.sampled_from(BY_A_FETCHER), max_size=6), min_size=2, max_size=2))
async def test_statements_that_meet_give_a_mailbox_to_one_fetcher(
    desk: Desk, both: dict[str, MailboxRepository], of_each: list[list[str]]
) -> None:
    """Both at once, each on connections of its own: who is given it has it alone until he gives it back."""
    await Model.begin(desk, both)
    holders: set[str] = set()

    async def run(who: str, steps: list[str]) -> None:
        check: ClaimedMailbox | None = None
        for what in steps:
            if what == "claim":
                for claimed in await both[who].claim(LEASE, 10):
                    assert not holders
                    holders.add(who)
                    check = claimed
            elif check is not None:
                if what in {"finish", "release"}:
                    holders.discard(who)  # from here on the other may have it
                await go_on(both[who], what, check)

    await asyncio.gather(*(run(who, steps) for who, steps in zip(FETCHERS, of_each, strict=True)))
    assert {(await desk.state())["lease_holder"]} - {None} == holders
