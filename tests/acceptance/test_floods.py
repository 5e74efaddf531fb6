"""A sender who floods is slowed, not dropped, and nobody waits behind him (SPEC D18)."""

import json

import pytest

from tests.acceptance.desks import Desk, invite, open_desk
from tests.acceptance.pipeline import Pipeline, a_mail, eventually
from tests.acceptance.test_mailbox import command

ALLOWED = 10
UNCOUNTED = ALLOWED // 5
"""Mails of a sender that the classifier lets pass before it asks the database."""
FLOOD = 40
HELD = FLOOD - ALLOWED - UNCOUNTED


@pytest.fixture
async def desk(pipeline: Pipeline) -> Desk:
    return await open_desk(pipeline, mails_per_sender_per_hour=ALLOWED)


async def held(pipeline: Pipeline, desk: Desk) -> int:
    count: int = await pipeline.connection.fetchval(
        "SELECT count(*) FROM helpdesk.held_mails WHERE helpdesk_id = $1 AND held_until > now()", desk.id
    )
    return count


async def decided(pipeline: Pipeline, desk: Desk) -> int:
    count: int = await pipeline.connection.fetchval(
        "SELECT count(*) FROM helpdesk.imported_mails WHERE helpdesk_id = $1 AND outcome = 'ticket'", desk.id
    )
    return count


async def flooded(pipeline: Pipeline, desk: Desk, sender: str) -> None:
    """So many mails of one sender came, and what is more than he may send waits."""
    for number in range(FLOOD):
        pipeline.drop(a_mail(sender=sender, text=f"Melding {number}."), desk.name)

    async def all_met() -> bool:
        return await held(pipeline, desk) == HELD and await decided(pipeline, desk) == FLOOD - HELD

    await eventually(all_met, f"{HELD} mails held, the others tickets")


async def test_D18_what_one_sends_beyond_his_number_waits_and_all_of_it_comes(pipeline: Pipeline, desk: Desk) -> None:
    cast = await invite(pipeline)
    flooder = f"Monitor <monitor{desk.id}@elders{desk.id}.example>"
    await flooded(pipeline, desk, flooder)
    turns = await pipeline.connection.fetch(
        "SELECT extract(epoch FROM held_until - min(held_until) OVER ())::int AS after, next_republish_at = held_until"
        " AS is_due FROM helpdesk.held_mails JOIN helpdesk.imported_mails USING (mail_id)"
        " WHERE held_mails.helpdesk_id = $1 ORDER BY held_until",
        desk.id,
    )
    assert all(turn["is_due"] for turn in turns)
    apart = 3600 // ALLOWED
    assert [round(turn["after"] / apart) for turn in turns] == list(range(HELD)), "one after the other"

    await pipeline.ticket(a_mail(sender=cast.senders["contact"]), desk.name)
    said = await command(pipeline, "status", code=3)
    assert f"{HELD} mails of monitor{desk.id}@elders{desk.id}.example to {desk.name.replace('desk', 'Helpdesk ')}" in (
        " ".join(said.split())
    )
    waiting = await pipeline.row(
        "SELECT mail_id FROM helpdesk.held_mails WHERE helpdesk_id = $1 ORDER BY held_until LIMIT 1", desk.id
    )
    shown = json.loads(await command(pipeline, "mails", "show", str(waiting["mail_id"]), "--json"))
    assert (shown["outcome"], shown["waits_its_turn_until"] is not None) == (None, True)

    address = flooder.partition("<")[2].rstrip(">").upper()
    assert f"{HELD} mails go on" in await command(pipeline, "mails", "release", "--sender", address)

    async def all_came() -> bool:
        return await decided(pipeline, desk) == FLOOD + 1

    await eventually(all_came, "each mail a ticket")
    assert await held(pipeline, desk) == 0


async def test_D18_an_answer_to_a_ticket_passes_a_flood_in_the_same_name(pipeline: Pipeline, desk: Desk) -> None:
    cast = await invite(pipeline)
    ticket = await pipeline.ticket(a_mail(sender=cast.senders["contact"]), desk.name)
    for number in range(FLOOD):
        pipeline.drop(a_mail(sender=cast.senders["contact"], text=f"Vervalst {number}."), desk.name)

    async def is_held() -> bool:
        return await held(pipeline, desk) > 0

    await eventually(is_held, "the flood waits")
    await pipeline.supplement(a_mail(sender=cast.senders["contact"], subject=f"Re: [{ticket['number']}]"), desk.name)


async def test_D18_whom_a_rule_lets_through_is_not_counted(pipeline: Pipeline, desk: Desk) -> None:
    sender = f"monitor@toegestaan{desk.id}.example"
    await command(pipeline, "senders", "allow", sender, "--helpdesk", str(desk.id))
    for number in range(FLOOD):
        pipeline.drop(a_mail(sender=sender, text=f"Melding {number}."), desk.name)

    async def all_came() -> bool:
        return await decided(pipeline, desk) == FLOOD

    await eventually(all_came, "each mail a ticket")
    assert await held(pipeline, desk) == 0
