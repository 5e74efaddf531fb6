"""«Gebruikers»: operators add people, give and take rights, end sessions; nobody else does so, or shuts himself out."""

from __future__ import annotations

import html
import re
from urllib.parse import urlsplit

import httpx
import pytest

from tests.services.console.web.conftest import World, form_of

NEW_PASSWORD = "nog een zin die men onthoudt"
LINK = re.compile(r'value="(http://[^"]*/welcome/[^"]*)"')


async def id_of(world: World, name: str) -> int:
    """The number of a user."""
    found: int = await world.owner.fetchval("SELECT id FROM web_users WHERE name = $1", name)
    return found


async def add(client: httpx.AsyncClient, name: str, **more: str) -> httpx.Response:
    """Send the form for a new user."""
    form = await form_of(client, "/users")
    return await client.post("/users", data={**form, "name": name, "language": "nl", **more})


async def rights_of(world: World, user_id: int) -> list[tuple[int, str, bool]]:
    """What he may do for which helpdesk."""
    rows = await world.owner.fetch(
        "SELECT helpdesk_id, role, personal_data FROM web_rights WHERE user_id = $1 ORDER BY 1", user_id
    )
    return [tuple(row) for row in rows]


async def test_a_new_user_comes_in_by_his_link_once_and_his_password_is_his_own(world: World) -> None:
    async with await world.logged_in("baas") as client:
        answer = await add(client, "nieuw@servicedesk.example")
        assert answer.status_code == httpx.codes.OK
        (link,) = LINK.findall(answer.text)
    path = urlsplit(html.unescape(link)).path
    async with world.client() as visitor:
        form = await form_of(visitor, path)
        answer = await visitor.post(path, data={**form, "password": NEW_PASSWORD})
        assert answer.status_code == httpx.codes.SEE_OTHER
        assert (await visitor.get("/own")).status_code == httpx.codes.OK
        assert (await visitor.get("/users")).status_code == httpx.codes.NOT_FOUND
    async with world.client() as late:
        assert (await late.get(path)).status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize(
    ("name", "status", "sentence"),
    [
        ("  ", httpx.codes.UNPROCESSABLE_ENTITY, "Vul een naam in"),
        ("x" * 255, httpx.codes.UNPROCESSABLE_ENTITY, "Vul een naam in"),
        ("ANNA", httpx.codes.CONFLICT, "Er is al een gebruiker met deze naam."),
    ],
)
async def test_a_name_that_cannot_be_is_refused_beside_the_field(
    world: World, name: str, status: int, sentence: str
) -> None:
    before = await world.owner.fetchval("SELECT count(*) FROM web_users")
    async with await world.logged_in("baas") as client:
        answer = await add(client, name)
    assert (answer.status_code, sentence in answer.text) == (status, True)
    assert await world.owner.fetchval("SELECT count(*) FROM web_users") == before


async def test_rights_are_given_changed_and_taken(world: World) -> None:
    async with await world.logged_in("baas") as client:
        await add(client, "rechten")
        user_id = await id_of(world, "rechten")
        path = f"/users/{user_id}"
        for choices, rights in (
            (
                {"helpdesk-1": "viewer", "helpdesk-2": "administrator"},
                [(1, "viewer", False), (2, "administrator", False)],
            ),
            ({"helpdesk-1": "viewer-with-personal-data"}, [(1, "viewer", True), (2, "administrator", False)]),
            (
                {"helpdesk-1": "no such choice", "helpdesk-99": "administrator"},
                [(1, "viewer", True), (2, "administrator", False)],
            ),
            ({"helpdesk-1": "nothing", "helpdesk-2": "viewer"}, [(2, "viewer", False)]),
        ):
            answer = await client.post(path, data={**await form_of(client, path), **choices})
            assert answer.headers["location"] == f"{path}?saved"
            assert await rights_of(world, user_id) == rights


async def test_who_is_locked_is_out_at_once_and_his_links_end(world: World) -> None:
    async with await world.logged_in("baas") as client:
        (link,) = LINK.findall((await add(client, "uitgesloten")).text)
        user_id = await id_of(world, "uitgesloten")
        async with await world.logged_in("uitgesloten") as other:
            assert (await other.get("/own")).status_code == httpx.codes.OK
            form = await form_of(client, f"/users/{user_id}")
            await client.post(f"/users/{user_id}/access", data={**form, "what": "lock"})
            assert (await other.get("/own")).headers["location"].startswith("/login")
        async with world.client() as visitor:
            assert (await visitor.get(urlsplit(link).path)).status_code == httpx.codes.NOT_FOUND
        await client.post(f"/users/{user_id}/access", data={**form, "what": "unlock"})
    assert await world.owner.fetchval("SELECT active FROM web_users WHERE id = $1", user_id)


async def test_all_sessions_of_a_user_end(world: World) -> None:
    async with await world.logged_in("baas") as client, await world.logged_in("kijker") as other:
        user_id = await id_of(world, "kijker")
        form = await form_of(client, f"/users/{user_id}")
        assert "Sessies beëindigen" in (await client.get(f"/users/{user_id}")).text
        await client.post(f"/users/{user_id}/sessions", data=form)
        assert (await other.get("/")).headers["location"].startswith("/login")


@pytest.mark.parametrize("what", ["lock", "no-operator"])
async def test_nobody_shuts_himself_out(world: World, what: str) -> None:
    async with await world.logged_in("baas") as client:
        user_id = await id_of(world, "baas")
        form = await form_of(client, f"/users/{user_id}")
        answer = await client.post(f"/users/{user_id}/access", data={**form, "what": what})
        assert answer.status_code == httpx.codes.CONFLICT
        assert 'value="lock"' not in (await client.get(f"/users/{user_id}")).text
    assert await world.owner.fetchval("SELECT active AND operator FROM web_users WHERE id = $1", user_id)


async def test_an_operator_makes_another_one_and_unmakes_him(world: World) -> None:
    async with await world.logged_in("baas") as client:
        await add(client, "tweede baas", operator="yes")
        user_id = await id_of(world, "tweede baas")
        for what, is_operator in (("no-operator", False), ("operator", True), ("nonsense", True)):
            form = await form_of(client, f"/users/{user_id}")
            await client.post(f"/users/{user_id}/access", data={**form, "what": what})
            told = await world.owner.fetchval("SELECT operator FROM web_users WHERE id = $1", user_id)
            assert told is is_operator


@pytest.mark.parametrize("user", ["anna", "kijker"])
async def test_who_does_not_administer_everything_sees_and_changes_no_user(world: World, user: str) -> None:
    boss = await id_of(world, "boss")
    before = await world.owner.fetch("SELECT * FROM web_users ORDER BY id")
    async with await world.logged_in(user) as client:
        form = await form_of(client, "/own")
        for path in ("/users", f"/users/{boss}"):
            assert (await client.get(path)).status_code == httpx.codes.NOT_FOUND
        for path, data in (
            ("/users", {"name": "binnendringer", "language": "nl", "operator": "yes"}),
            (f"/users/{await id_of(world, user)}", {"helpdesk-2": "administrator"}),
            (f"/users/{await id_of(world, user)}/access", {"what": "operator"}),
            (f"/users/{boss}/sessions", {}),
            (f"/users/{boss}/link", {}),
        ):
            assert (await client.post(path, data={**form, **data})).status_code == httpx.codes.NOT_FOUND
        assert 'href="/users"' not in (await client.get("/")).text
    assert await world.owner.fetch("SELECT * FROM web_users ORDER BY id") == before


async def test_a_link_and_who_made_it_stand_in_the_log_without_its_secret(world: World) -> None:
    async with await world.logged_in("baas") as client:
        await add(client, "met koppeling")
        user_id = await id_of(world, "met koppeling")
        answer = await client.post(f"/users/{user_id}/link", data=await form_of(client, f"/users/{user_id}"))
        (link,) = LINK.findall(answer.text)
    rows = await world.owner.fetch(
        "SELECT actor, deed, after::text FROM audit_log WHERE thing = 'web_invitations' AND thing_id = $1", str(user_id)
    )
    assert [(row["actor"], row["deed"]) for row in rows] == [("baas", "added")] * 2
    digests = await world.owner.fetch("SELECT encode(token_hash, 'hex') AS hash FROM web_invitations")
    for row in rows:
        assert not any(one["hash"] in row["after"] for one in digests)
        assert link.rsplit("/", 1)[1] not in row["after"]
