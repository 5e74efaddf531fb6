"""Leases of mailboxes, in every order in which the statements of two fetchers may reach the database."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import permutations

import pytest

from services.fetcher.repository.mailboxes import ClaimedMailbox, MailboxRepository
from tests.services.fetcher.harness import LEASE, Desk, Fetching

Step = Callable[[MailboxRepository, ClaimedMailbox], Awaitable[None]]


async def renew(mailboxes: MailboxRepository, claimed: ClaimedMailbox) -> None:
    await mailboxes.renew(LEASE, {claimed.helpdesk_id: claimed.generation})


async def finish(mailboxes: MailboxRepository, claimed: ClaimedMailbox) -> None:
    await mailboxes.finish(claimed, succeeded=True, next_check_after=timedelta(0), failed_checks=0, problem=None)


async def release(mailboxes: MailboxRepository, claimed: ClaimedMailbox) -> None:
    await mailboxes.release([claimed.helpdesk_id])


STEPS: tuple[Step, ...] = (renew, finish, release)


def names(order: tuple[Step, ...]) -> str:
    """The order as the id of its case."""
    return "-".join(step.__name__ for step in order)


@pytest.mark.parametrize("ending", [finish, release], ids=["finished", "released"])
async def test_a_renewal_revives_no_lease_that_was_given_back(desk: Desk, ending: Step) -> None:
    async with Fetching.on(desk) as ours, Fetching.on(desk, holder="another") as theirs:
        (claimed,) = await ours.mailboxes.claim(LEASE, 1)
        await ending(ours.mailboxes, claimed)
        assert await ours.mailboxes.renew(LEASE, {desk.helpdesk_id: claimed.generation}) == set()
        assert len(await theirs.mailboxes.claim(LEASE, 1)) == 1


@pytest.mark.parametrize("order", list(permutations(STEPS)), ids=names)
@pytest.mark.parametrize("taken_over_after", [1, 2])
async def test_a_fetcher_that_is_done_takes_nothing_from_the_next(
    desk: Desk, order: tuple[Step, ...], taken_over_after: int
) -> None:
    async with Fetching.on(desk) as ours, Fetching.on(desk, holder="another") as theirs:
        (claimed,) = await ours.mailboxes.claim(LEASE, 1)
        taken_over = False
        for count, step in enumerate(order, start=1):
            await step(ours.mailboxes, claimed)
            if count >= taken_over_after and not taken_over:
                taken_over = len(await theirs.mailboxes.claim(LEASE, 1)) == 1
                assert taken_over == any(done is not renew for done in order[:count])
        state = await desk.state()
        assert not taken_over or state["lease_holder"] == "another"
        if not taken_over:
            assert len(await theirs.mailboxes.claim(LEASE, 1)) == 1


@pytest.mark.parametrize(
    ("lease_until", "is_free"),
    [("'-infinity'", True), ("now() + interval '3 hours'", True), ("now() + interval '15 seconds'", False)],
    ids=["given back", "of a fetcher that died then", "held"],
)
async def test_a_mailbox_that_was_checked_in_the_future_is_checked_now(
    desk: Desk,
    lease_until: str,
    is_free: bool,  # noqa: FBT001 - a case
) -> None:
    """The database's clock was ahead and was set right: else nobody checks the mailbox until then, or for years."""
    async with Fetching.on(desk) as ours:
        await desk.owner.execute(
            f"""UPDATE mailbox_states SET last_check_at = now() + interval '3 hours', failed_checks = 1,
                    next_check_at = now() + interval '3 hours', lease_until = {lease_until}"""  # noqa: S608
        )
        claimed = await ours.mailboxes.claim(LEASE, 1)
        assert len(claimed) == is_free
        for each in claimed:
            await ours.mailboxes.finish(
                each, succeeded=True, next_check_after=timedelta(minutes=1), failed_checks=0, problem=None
            )
            assert await ours.mailboxes.claim(LEASE, 1) == [], "once: it has its time by the right clock then"
