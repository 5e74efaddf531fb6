"""«Ticket»: a ticket as it was imported, with supplements, pictures, history and the mails out about it (N, A)."""

from __future__ import annotations

import httpx
import pytest

from tests.services.console.web.conftest import World

ALIAS = "TCK-12"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(autouse=True, scope="module")
async def words(world: World) -> None:
    """What a customer wrote, and what was left out."""
    await world.owner.execute(
        "UPDATE tickets SET body_full_text = $1, needs_review = true, sender_name = 'Klant Persoonlijk',"
        " sender_address = 'klant@persoon.example'"
        " WHERE id = 1",
        f"De kassa print niet. {HOSTILE}",
    )
    await world.owner.execute("UPDATE supplements SET body_full_text = 'Inmiddels wel.' WHERE id = 1")


async def number_of(world: World, ticket_id: int) -> str:
    """Its own number."""
    number: str = await world.owner.fetchval("SELECT number FROM tickets WHERE id = $1", ticket_id)
    return number


async def test_N_A_a_ticket_is_shown_with_all_that_belongs_to_it(world: World) -> None:
    async with await world.logged_in("anna") as client:
        page = (await client.get(f"/tickets/{await number_of(world, 1)}")).text
    for said in (
        "De kassa print niet.",
        "Inmiddels wel.",
        "Anna de Vries",
        "Aangemaakt via mail import",
        "Aangevuld via mail import",
        "bevestiging aan de klant",
        "weggelaten",
    ):
        assert said in page, said
    assert HOSTILE not in page


async def test_D1_it_is_found_by_an_earlier_number_too(world: World) -> None:
    async with await world.logged_in("anna", accept="application/json") as client:
        told = (await client.get(f"/tickets/{ALIAS}")).json()
    assert told["ticket"]["number"] == await number_of(world, 1)
    assert [one["text"] for one in told["supplements"]] == ["Inmiddels wel."]
    assert {one["description"] for one in told["history"]} >= {"Aangemaakt via mail import"}


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_another_helpdesks_ticket_is_as_one_that_is_not_there(world: World, accept: str) -> None:
    async with await world.logged_in("anna", accept=accept) as client:
        others = await client.get(f"/tickets/{await number_of(world, 2)}")
        nobodys = await client.get("/tickets/nergens")
    assert (others.status_code, nobodys.status_code) == (httpx.codes.NOT_FOUND, httpx.codes.NOT_FOUND)
    if accept == "application/json":
        assert others.text == nobodys.text


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_a_viewer_without_personal_data_sees_no_word_of_a_person(world: World, accept: str) -> None:
    async with await world.logged_in("kijker", accept=accept) as client:
        page = await client.get(f"/tickets/{ALIAS}")
    assert page.status_code == httpx.codes.OK
    for personal in (
        "kassa",
        "Inmiddels",
        "Anna",
        "Klant Persoonlijk",
        "persoon.example",
        "Korenaar",
        "via mail import",
    ):
        assert personal not in page.text, personal


async def test_lists_lead_to_it(world: World) -> None:
    link = f'href="/tickets/{await number_of(world, 1)}"'
    async with await world.logged_in("anna") as client:
        for path in ("/mails?outcome=ticket", "/notifications", "/work/review"):
            assert link in (await client.get(path)).text, path
