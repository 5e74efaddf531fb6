"""«Meldingen»: what became of each mail out, and sending now what waits (M2–M4)."""

from __future__ import annotations

import httpx
import pytest

from tests.services.console.web.conftest import World, form_of

WAITING = "20000000-0000-0000-0000-000000000001"
MANY = """
    INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size, full_size,
        received_at)
    SELECT ('30000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 1, 1, 'INBOX', 'out-' || n,
        (SELECT sha256 FROM blobs LIMIT 1), 1, 1, '2026-10-01T08:00Z'
    FROM generate_series(1, 120) AS n"""
MAILS_OUT = """
    INSERT INTO notifications (id, mail_id, kind, helpdesk_id, ticket_id, recipient_address, state, reason, created_at,
        server_reply)
    SELECT gen_random_uuid(), ('30000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'ticket-added-customer', 1,
        1, 'klant' || n || '@persoonlijk.example', 'failed', 'refused',
        '2026-10-01T08:00Z'::timestamptz + (n / 3) * interval '1 minute', '550 <b>no such user</b>'
    FROM generate_series(1, 120) AS n"""


@pytest.fixture(autouse=True, scope="module")
async def mails_out(world: World) -> None:
    """120 that failed, three of each moment, beside the one that waits."""
    await world.owner.execute(MANY)
    await world.owner.execute(MAILS_OUT)


async def wait(world: World) -> None:
    """Let the planned one wait for another try, held by nobody."""
    await world.owner.execute("DELETE FROM outgoing_holds WHERE helpdesk_id IS NULL OR helpdesk_id = 1")
    await world.owner.execute(
        "UPDATE notifications SET next_try_at = now() + interval '1 hour', tries = 2 WHERE id = $1", WAITING
    )


async def is_due(world: World) -> bool:
    """Whether it goes now."""
    due: bool = await world.owner.fetchval("SELECT next_try_at <= now() FROM notifications WHERE id = $1", WAITING)
    return due


async def test_every_mail_out_is_on_one_page_and_on_no_other(world: World) -> None:
    seen: list[str] = []
    async with await world.logged_in("anna", accept="application/json") as client:
        path: str | None = "/notifications?state=failed"
        while path is not None:
            page = (await client.get(path)).json()
            seen += [one["id"] for one in page["notifications"]]
            assert len(page["notifications"]) <= 50
            path = page["older"]
    assert (len(seen), len(set(seen))) == (120, 120)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("state=planned", 1),
        ("state=sent", 0),
        ("state=planned&helpdesk=2", 0),
        ("ticket=nergens", 0),
        ("state=nonsense&helpdesk=1&after=nonsense", 50),
        ("state=failed&after=2026-10-01T08:00 x", 50),
    ],
)
async def test_filters_combine(world: World, query: str, count: int) -> None:
    async with await world.logged_in("anna", accept="application/json") as client:
        assert len((await client.get(f"/notifications?{query}")).json()["notifications"]) == count


async def test_why_a_customer_got_no_mail_is_found_by_the_number_of_the_ticket(world: World) -> None:
    number = await world.owner.fetchval("SELECT number FROM tickets WHERE id = 1")
    async with await world.logged_in("anna") as client:
        page = (await client.get("/notifications", params={"ticket": number, "state": "failed"})).text
    assert number in page
    assert "mislukt" in page
    assert "550 &lt;b&gt;no such user&lt;/b&gt;" in page


async def test_one_that_waits_is_sent_now_and_the_filter_stays(world: World) -> None:
    await wait(world)
    async with await world.logged_in("anna") as client:
        form = await form_of(client, "/notifications?state=planned")
        answer = await client.post("/notifications", data={**form, "notification": WAITING, "state": "planned"})
        assert answer.headers["location"] == "/notifications?state=planned&sent=1"
        assert "1 melding wordt nu verstuurd." in (await client.get(answer.headers["location"])).text
    assert await is_due(world)


@pytest.mark.parametrize("user", ["verkoop", "viewer", "kijker"])
async def test_who_does_not_administer_the_helpdesk_sends_nothing(world: World, user: str) -> None:
    await wait(world)
    async with await world.logged_in(user) as client:
        form = await form_of(client, "/notifications")
        for named in (WAITING, "no-id", ""):
            answer = await client.post("/notifications", data={**form, "notification": named})
            assert answer.headers["location"].endswith("sent=0")
        assert f'value="{WAITING}"' not in (await client.get("/notifications")).text
    assert not await is_due(world)


async def test_what_is_held_is_not_sent_now(world: World) -> None:
    await wait(world)
    await world.owner.execute("INSERT INTO outgoing_holds (helpdesk_id, reason) VALUES (1, 'Wacht')")
    async with await world.logged_in("anna") as client:
        form = await form_of(client, "/notifications")
        answer = await client.post("/notifications", data={**form, "notification": WAITING})
        page = (await client.get("/notifications?state=planned")).text
    assert answer.headers["location"].endswith("sent=0")
    assert "tegengehouden" in page
    assert f'value="{WAITING}"' not in page
    assert not await is_due(world)


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_a_viewer_without_personal_data_sees_no_recipient_and_no_answer(world: World, accept: str) -> None:
    async with await world.logged_in("kijker", accept=accept) as client:
        page = (await client.get("/notifications")).text
    assert "ticket-added-customer" in page or "bevestiging aan de klant" in page
    assert "persoonlijk.example" not in page
    assert "no such user" not in page


async def test_CSRF_a_form_without_the_token_sends_nothing(world: World) -> None:
    await wait(world)
    async with await world.logged_in("anna") as client:
        answer = await client.post("/notifications", data={"notification": WAITING})
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert not await is_due(world)


async def ended(world: World) -> str:
    """A mail to the contact of ticket 1 that failed, at an address that is not his any more; its id."""
    await world.owner.execute("DELETE FROM outgoing_holds WHERE helpdesk_id IS NULL OR helpdesk_id = 1")
    await world.owner.execute("DELETE FROM notifications WHERE resend_of IS NOT NULL")
    person = await world.owner.fetchval("SELECT contact_id FROM tickets WHERE id = 1")
    await world.owner.execute("DELETE FROM person_addresses WHERE person_id = $1", person)
    await world.owner.execute(
        "INSERT INTO person_addresses (person_id, address) VALUES ($1, 'goed@persoonlijk.example')", person
    )
    return str(
        await world.owner.fetchval(
            """UPDATE notifications SET recipient_person_id = $1, subject = 'Uw melding <1>'
               WHERE id = (SELECT id FROM notifications WHERE state = 'failed' ORDER BY created_at, id LIMIT 1)
               RETURNING id""",
            person,
        )
    )


async def planned_again(world: World, notification: str) -> int:
    """How often it was."""
    count: int = await world.owner.fetchval("SELECT count(*) FROM notifications WHERE resend_of = $1", notification)
    return count


async def test_one_that_failed_is_resent_once_after_a_question_however_often_the_form_comes(world: World) -> None:
    one = await ended(world)
    number = await world.owner.fetchval("SELECT number FROM tickets WHERE id = 1")
    async with await world.logged_in("anna") as client:
        page = (await client.get(f"/notifications/{one}/resend")).text
        assert "goed@persoonlijk.example" in page
        assert "Uw melding &lt;1&gt;" in page
        assert "550 &lt;b&gt;no such user&lt;/b&gt;" in page
        told = (await client.get(f"/notifications/{one}/resend", headers={"accept": "application/json"})).json()["one"]
        assert (told["recipient"], told["state"], told["barred"]) == ("goed@persoonlijk.example", "failed", None)
        form = await form_of(client, f"/notifications/{one}/resend")
        asked = {**form, "recipient": "goed@persoonlijk.example"}
        answer = await client.post(f"/notifications/{one}/resend", data=asked)
        assert answer.status_code == httpx.codes.SEE_OTHER
        shown = (await client.get(answer.headers["location"])).text
        assert "De melding wordt opnieuw verstuurd" in shown
        assert "opnieuw, op verzoek van een beheerder" in shown
        twice = await client.post(f"/notifications/{one}/resend", data=asked)
        assert twice.status_code == httpx.codes.CONFLICT
        assert "is al opnieuw verstuurd" in twice.text
        assert "opnieuw, op verzoek van een beheerder" in (await client.get(f"/tickets/{number}")).text
    assert await planned_again(world, one) == 1
    who = await world.owner.fetchval("SELECT actor FROM audit_log WHERE deed = 'resent' ORDER BY id DESC LIMIT 1")
    assert who == "anna"


@pytest.mark.parametrize("user", ["verkoop", "viewer", "kijker"])
async def test_who_does_not_administer_the_helpdesk_resends_nothing(world: World, user: str) -> None:
    one = await ended(world)
    async with await world.logged_in(user) as client:
        assert "/resend" not in (await client.get("/notifications")).text
        assert (await client.get(f"/notifications/{one}/resend")).status_code == httpx.codes.NOT_FOUND
        form = {**await form_of(client, "/notifications"), "recipient": "goed@persoonlijk.example"}
        for named in (one, "20000000-0000-0000-0000-00000000dead", "no-id"):
            answer = await client.post(f"/notifications/{named}/resend", data=form)
            assert answer.status_code == httpx.codes.NOT_FOUND
            assert "persoonlijk.example" not in answer.text
    assert await planned_again(world, one) == 0


async def test_CSRF_a_form_without_the_token_resends_nothing(world: World) -> None:
    one = await ended(world)
    async with await world.logged_in("anna") as client:
        answer = await client.post(f"/notifications/{one}/resend", data={"recipient": "goed@persoonlijk.example"})
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert await planned_again(world, one) == 0


@pytest.mark.parametrize("recipient", ["", "ander@persoonlijk.example"])
async def test_a_yes_to_another_recipient_is_asked_again(world: World, recipient: str) -> None:
    one = await ended(world)
    async with await world.logged_in("anna") as client:
        form = await form_of(client, f"/notifications/{one}/resend")
        answer = await client.post(f"/notifications/{one}/resend", data={**form, "recipient": recipient})
    assert answer.status_code == httpx.codes.CONFLICT
    assert "intussen veranderd" in answer.text
    assert await planned_again(world, one) == 0


async def test_one_that_still_waits_is_not_resent(world: World) -> None:
    await wait(world)
    async with await world.logged_in("anna") as client:
        page = await client.get(f"/notifications/{WAITING}/resend")
    assert "wordt nog verstuurd" in page.text
    assert 'name="recipient"' not in page.text
