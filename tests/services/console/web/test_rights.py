"""Who views one helpdesk sees nothing of another's: by address, list, search, JSON or event stream."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from services.console.web.application import PAGES
from tests.services.console.web.conftest import World, form_of

OWN, OTHERS, SUPPLEMENT, DUPLICATE, QUARANTINED = (f"00000000-0000-0000-0000-00000000000{n}" for n in range(1, 6))
"""Mails of every_table.sql: all of helpdesk 1, but the second."""
SECRET = "geheim-van-verkoop"
PERSONAL = "klant@persoonlijk.example"
OPEN_TO_ALL = {"/login", "/login/openid", "/login/openid/back", "/welcome/{token}"}


@pytest.fixture(autouse=True, scope="module")
async def words(world: World) -> None:
    """Words by which a leak is seen."""
    await world.owner.execute(
        "UPDATE imported_mails SET subject = $1, sender_address = 'geheim@verkoop.example' WHERE helpdesk_id = 2",
        SECRET,
    )
    await world.owner.execute(
        "UPDATE imported_mails SET subject = 'Persoonlijk onderwerp', sender_name = 'Klant Persoonlijk',"
        " sender_address = $1 WHERE helpdesk_id = 1",
        PERSONAL,
    )
    await world.owner.execute("UPDATE helpdesks SET name = 'Helpdesk-van-verkoop' WHERE id = 2")


PATHS = [
    "/", "/mails", "/mails?helpdesk=2", "/mails?subject=geheim", "/mails?sender=verkoop",
    "/work/quarantine", "/work/quarantine?helpdesk=2", "/work/dead-letters", "/work/review", "/work/backlog",
    "/work/undelivered", "/tickets/TCK-12", "/notifications", "/notifications?helpdesk=2", f"/mails/{OWN}",
    "/helpdesks/1/log",
]  # fmt: skip
OF_ADMINISTRATORS = ["/audit", "/audit?helpdesk=2"]


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("path", [*PATHS, *OF_ADMINISTRATORS])
async def test_no_list_shows_anything_of_another_helpdesk(world: World, path: str, accept: str) -> None:
    async with await world.logged_in("anna", accept=accept) as client:
        answer = await client.get(path)
    assert answer.status_code == httpx.codes.OK
    assert SECRET not in answer.text
    assert OTHERS not in answer.text
    assert "verkoop" not in answer.text.lower().replace('value="verkoop"', "").replace('"sender": "verkoop"', "")


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("part", ["", "/html", "/raw", "/download", f"/pictures/{OWN}"])
@pytest.mark.parametrize("mail_id", [OTHERS, "00000000-0000-0000-0000-0000000000ff", "no-id"])
async def test_another_helpdesks_mail_is_as_one_that_is_not_there(
    world: World, mail_id: str, part: str, accept: str
) -> None:
    async with await world.logged_in("anna", accept=accept) as client:
        answer = await client.get(f"/mails/{mail_id}{part}")
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert SECRET not in answer.text


@pytest.mark.parametrize("what", ["replay", "discard"])
async def test_another_helpdesks_mail_is_not_changed(world: World, what: str) -> None:
    before = await world.owner.fetch("SELECT * FROM imported_mails WHERE mail_id = $1", QUARANTINED)
    async with await world.logged_in("verkoop") as client:
        form = await form_of(client, "/")
        alone = await client.post(f"/mails/{QUARANTINED}/{what}", data=form)
        many = await client.post("/work/quarantine", data={**form, "mail": QUARANTINED, "what": what, "why": "x"})
        filtered = await client.post(
            "/work/quarantine", data={**form, "of": "all", "helpdesk": "1", "what": what, "why": "x"}
        )
    assert alone.status_code == httpx.codes.NOT_FOUND
    assert "done=0" in many.headers["location"]
    assert "done=0" in filtered.headers["location"]
    assert await world.owner.fetch("SELECT * FROM imported_mails WHERE mail_id = $1", QUARANTINED) == before


async def test_a_viewer_changes_nothing(world: World) -> None:
    before = await world.owner.fetch("SELECT * FROM imported_mails ORDER BY 1")
    async with await world.logged_in("viewer") as client:
        form = await form_of(client, "/")
        for path, data in (
            (f"/mails/{QUARANTINED}/replay", {}),
            ("/work/quarantine", {"of": "all", "what": "replay"}),
            ("/work/dead-letters", {"mail": QUARANTINED}),
            ("/work/review", {"mail": OWN}),
            ("/work/dead-letters", {"of": "all"}),
            ("/work/review", {"of": "all"}),
            ("/work/jobs/1", {"what": "stop"}),
            ("/work/backlog", {"helpdesk": "1", "choice": "import"}),
            ("/work/undelivered", {}),
        ):
            answer = await client.post(path, data={**form, **data})
            assert answer.status_code == httpx.codes.NOT_FOUND or "done=0" in answer.headers["location"], path
        assert "<button>Opnieuw" not in (await client.get(f"/mails/{QUARANTINED}")).text
    assert await world.owner.fetch("SELECT * FROM imported_mails ORDER BY 1") == before


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("path", [*PATHS, f"/mails/{SUPPLEMENT}", f"/mails/{DUPLICATE}", f"/mails/{QUARANTINED}"])
async def test_a_viewer_without_personal_data_sees_none_in_list_or_detail(world: World, path: str, accept: str) -> None:
    async with await world.logged_in("kijker", accept=accept) as client:
        answer = await client.get(path)
    assert answer.status_code == httpx.codes.OK
    for personal in (PERSONAL, "Persoonlijk onderwerp", "Klant Persoonlijk", "Anna@Korenaar.example"):
        assert personal not in answer.text


async def test_a_viewer_without_personal_data_learns_none_by_searching(world: World) -> None:
    async with await world.logged_in("kijker", accept="application/json") as client:
        assert (await client.get("/mails?sender=persoonlijk")).json()["mails"] == []
        assert (await client.get("/work/quarantine?subject=Persoonlijk")).json()["mails"] == []
    async with await world.logged_in("viewer", accept="application/json") as client:
        assert len((await client.get("/mails?sender=persoonlijk")).json()["mails"]) == 4


async def test_the_stream_shows_what_the_page_shows(world: World) -> None:
    async with await world.logged_in("anna") as client, client.stream("GET", "/today/stream") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines: list[str] = []
        async for line in stream.aiter_lines():
            if not line:
                break
            lines.append(line)
    text = "\n".join(lines)
    assert "Support" in text
    assert "verkoop" not in text.lower()
    assert "Wachtrijen" not in text


async def test_only_an_operator_sees_the_queues(world: World) -> None:
    answers: dict[str, Any] = {}
    for name in ("baas", "anna"):
        async with await world.logged_in(name, accept="application/json") as client:
            answers[name] = json.loads((await client.get("/")).text)
    assert answers["baas"]["broker_trouble"]
    assert answers["anna"]["broker_trouble"] == ""


def test_every_page_is_one_that_asks_who_it_is() -> None:
    assert {route.path for route in PAGES} >= OPEN_TO_ALL
    assert {route.endpoint.__qualname__ for route in PAGES} == {"page.<locals>.endpoint"}


async def test_every_page_but_the_open_ones_sends_a_stranger_away(world: World) -> None:
    async with world.client() as client:
        for route in PAGES:
            path = route.path.replace("{mail_id}", OWN).replace("{attachment_id}", OWN).replace("{token}", "x")
            path = path.replace("{helpdesk_id}", "1").replace("{row}", "1").replace("{resource}", "contact")
            path = (
                path.replace("{kind}", "ticket-added-customer")
                .replace("{field}", "subject")
                .replace("{user_id}", "1")
                .replace("{number:path}", "1")
            )
            if route.path in OPEN_TO_ALL or "GET" not in (route.methods or ()):
                continue
            assert (await client.get(path)).headers["location"].startswith("/login?next="), path
