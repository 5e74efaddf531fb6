"""Jobs: what is done to many mails goes on by itself, is paused and stopped, and one mail stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from services.console.repairs import mails
from services.console.web import bulk
from shared.database.pool import Pool
from shared.errors import TryAgain
from tests.services.console.web.conftest import World, form_of
from tests.shared.broker.harness import eventually

MANY = """
    INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size, full_size,
        received_at, published_at, marked_read_at, outcome, outcome_at, reasons, sender_address, subject)
    SELECT ('50000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 1, 1, 'INBOX', 'many-' || n, raw_sha256,
        raw_size, full_size, now() - n * interval '1 minute', now(), now(), 'quarantine', now(),
        '[{"id": "our-error"}]', 'stapel@stapel.example', 'Onderwerp ' || n
    FROM generate_series(1, 60) AS n, (SELECT * FROM imported_mails WHERE raw_sha256 IS NOT NULL LIMIT 1) AS like_this
"""
OF_MANY = "FROM imported_mails WHERE item_key LIKE 'many-%'"


@pytest.fixture
async def web(world: World) -> AsyncIterator[Pool]:
    """60 mails in quarantine that nobody has treated; the database as the console sees it."""
    await world.owner.execute("DELETE FROM web_jobs WHERE id > 1")
    await world.owner.execute("ALTER TABLE imported_mails DISABLE TRIGGER USER")
    await world.owner.execute(f"DELETE {OF_MANY}")
    await world.owner.execute("ALTER TABLE imported_mails ENABLE TRIGGER USER")
    await world.owner.execute(MANY)
    async with world.database.pool("web") as pool:
        yield pool


async def started(client: httpx.AsyncClient, **typed: str) -> str:
    """The address of a job that treats the 60."""
    form = await form_of(client, "/")
    answer = await client.post(
        "/work/quarantine", data={**form, "of": "all", "sender": "stapel", "what": "replay", **typed}
    )
    assert answer.headers["location"].startswith("/work/jobs/"), answer.headers["location"]
    return answer.headers["location"]


async def told(client: httpx.AsyncClient, path: str) -> dict[str, object]:
    """How far it is."""
    answer: dict[str, object] = (await client.get(path, headers={"accept": "application/json"})).json()["job"]
    return answer


async def work_off(pool: Pool) -> None:
    """Work until nothing is to be done."""
    while await bulk.get_on(pool):
        pass


async def replayed(world: World) -> list[int]:
    """How often each of the 60 was replayed."""
    return [row["replay_number"] for row in await world.owner.fetch(f"SELECT replay_number {OF_MANY}")]


async def test_D7_a_job_treats_each_mail_once_in_the_name_of_who_started_it(world: World, web: Pool) -> None:
    async with await world.logged_in("anna") as client:
        path = await started(client)
        assert "0 van 60" in (await client.get(path)).text
        await work_off(web)
        job = await told(client, path)
        page = (await client.get(path)).text
    assert (job["state"], job["done"], job["failed"]) == ("done", 60, 0)
    assert "60 van 60" in page
    assert "Pauzeren" not in page
    assert await replayed(world) == [1] * 60
    assert await world.owner.fetchval(
        "SELECT count(*) FROM audit_log WHERE actor = 'anna' AND deed = 'replayed' AND mail_id::text LIKE '50000000-%'"
    ) == 60  # fmt: skip


async def test_a_job_is_paused_goes_on_and_is_stopped(world: World, web: Pool) -> None:
    async with await world.logged_in("anna") as client:
        path, form = await started(client), await form_of(client, "/")
        assert await bulk.get_on(web)
        await client.post(path, data={**form, "what": "pause"})
        assert not await bulk.get_on(web)
        paused = await told(client, path)
        assert (paused["state"], paused["done"]) == ("paused", bulk.AT_A_TIME)
        await client.post(path, data={**form, "what": "resume"})
        assert await bulk.get_on(web)
        page = (await client.get(path)).text
        assert "per minuut" in page
        await client.post(path, data={**form, "what": "stop"})
        await work_off(web)
        stopped = await told(client, path)
        again = await client.post(path, data={**form, "what": "resume"})
    assert (stopped["state"], stopped["done"]) == ("stopped", 2 * bulk.AT_A_TIME)
    assert again.status_code == httpx.codes.CONFLICT
    assert sorted(await replayed(world)) == [0] * 20 + [1] * 40


async def test_a_console_that_dies_leaves_the_job_to_the_next(
    world: World, web: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_hand = asyncio.Event()
    replay = mails.replay

    async def replay_and_hang(*given: object) -> None:
        await replay(*given)  # type: ignore[arg-type]
        in_hand.set()
        await asyncio.Event().wait()

    async with await world.logged_in("anna") as client:
        path = await started(client)
        assert await bulk.get_on(web)
        with monkeypatch.context() as patched:
            patched.setattr(mails, "replay", replay_and_hang)
            dying = asyncio.create_task(bulk.get_on(web))
            await in_hand.wait()
            assert not await bulk.get_on(web)  # nobody else takes it meanwhile
            dying.cancel()
            await asyncio.wait([dying])
        stop = asyncio.Event()
        working = asyncio.create_task(bulk.work(web, stop))

        async def is_done() -> bool:
            return (await told(client, path))["state"] == "done"

        try:
            await eventually(is_done)
        finally:
            stop.set()
            await working
    assert await replayed(world) == [1] * 60


async def test_a_mail_that_cannot_be_treated_stops_no_other_and_says_why(
    world: World, web: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay = mails.replay
    troubles = {"000000000007": TryAgain("busy"), "000000000033": RuntimeError("a bug")}

    async def trouble(connection: object, mail_id: object, within: object) -> None:
        if (error := troubles.get(str(mail_id)[-12:])) is not None:
            raise error
        await replay(connection, mail_id, within)  # type: ignore[arg-type]

    monkeypatch.setattr(mails, "replay", trouble)
    async with await world.logged_in("anna") as client:
        path = await started(client)
        await world.owner.execute("UPDATE imported_mails SET replay_number = 1 WHERE item_key = 'many-9'")
        await work_off(web)
        job, page = await told(client, path), (await client.get(path)).text
    assert (job["state"], job["done"], job["failed"]) == ("done", 57, 3)
    for said in ("Een ander hield de mail vast", "Er ging bij ons iets mis", "wordt al opnieuw ingelezen"):
        assert said in page, said


async def test_rights_are_those_of_the_moment(world: World, web: Pool) -> None:
    async with await world.logged_in("anna") as client:
        path = await started(client)
        assert await bulk.get_on(web)
        await world.owner.execute(
            "UPDATE web_rights SET role = 'viewer' WHERE user_id = (SELECT id FROM web_users WHERE name = 'anna')"
        )
        try:
            await work_off(web)
            job = await told(client, path)
        finally:
            await world.owner.execute(
                "UPDATE web_rights SET role = 'administrator'"
                " WHERE user_id = (SELECT id FROM web_users WHERE name = 'anna')"
            )
    assert (job["done"], job["failed"]) == (bulk.AT_A_TIME, 60 - bulk.AT_A_TIME)
    assert sum(await replayed(world)) == bulk.AT_A_TIME


@pytest.mark.usefixtures("web")
async def test_another_ones_job_is_as_one_that_is_not_there(world: World) -> None:
    async with await world.logged_in("anna") as client:
        path = await started(client)
    for user in ("verkoop", "viewer"):
        async with await world.logged_in(user, accept="application/json") as client:
            form = await form_of(client, "/")
            for address in (path, f"{path}/progress", "/work/jobs/1", "/work/jobs/99"):
                assert (await client.get(address)).status_code == httpx.codes.NOT_FOUND, address
            for what in ("stop", "pause"):
                assert (await client.post(path, data={**form, "what": what})).status_code == httpx.codes.NOT_FOUND
            assert (await client.get("/work/jobs")).json()["jobs"] == []
    async with await world.logged_in("baas", accept="application/json") as client:
        assert (await told(client, path))["state"] == "running"


async def test_of_another_helpdesk_no_job_takes_a_mail(world: World, web: Pool) -> None:
    async with await world.logged_in("verkoop") as client:
        form = await form_of(client, "/")
        for typed in ({"sender": "stapel"}, {"helpdesk": "1"}, {"helpdesk": "x"}):
            answer = await client.post("/work/quarantine", data={**form, "of": "all", "what": "replay", **typed})
            assert "done=0" in answer.headers["location"], typed
    await work_off(web)
    assert sum(await replayed(world)) == 0


async def test_D20_all_that_waits_for_a_look_is_accepted_by_a_job(world: World, web: Pool) -> None:
    await world.owner.execute("UPDATE tickets SET needs_review = true WHERE id = 1")
    await world.owner.execute("DELETE FROM review_requests")
    async with await world.logged_in("baas") as client:
        form = await form_of(client, "/")
        answer = await client.post("/work/review", data={**form, "of": "all"})
        await work_off(web)
        job = await told(client, answer.headers["location"])
    assert (job["what"], job["state"], job["failed"]) == ("accept", "done", 0)
    assert await world.owner.fetchval("SELECT count(*) FROM review_requests") == job["done"] == 1


async def test_D7_all_that_is_stuck_is_read_again_by_a_job(world: World, web: Pool) -> None:
    async with await world.logged_in("baas") as client:
        form = await form_of(client, "/")
        answer = await client.post("/work/dead-letters", data={**form, "of": "all"})
        await work_off(web)
        job = await told(client, answer.headers["location"])
    assert (job["what"], job["state"], job["failed"]) == ("replay", "done", 0)
