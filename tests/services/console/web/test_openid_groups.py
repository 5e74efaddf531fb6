"""Groups of an OpenID Connect provider give rights: those that it names, of its own, at each login, and no others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.async_api import Browser
from starlette.responses import JSONResponse, Response

from services.console.web.openid.groups import NONE, Unknown, groups_of
from services.console.web.visit import SESSION_COOKIE
from shared.database.pool import Pool
from tests.servers.openid_provider import Provider, running_provider
from tests.services.console.web.conftest import PASSWORD, World, form_of
from tests.services.console.web.test_browser import VIOLATIONS
from tests.services.console.web.test_openid import (
    back_from,
    browsing,
    console,
    logged_in,
    refused,
    to_provider,
)

SEE_OTHER, OK, FORBIDDEN = httpx.codes.SEE_OTHER, httpx.codes.OK, httpx.codes.FORBIDDEN
NOBODY = {"sub": "77", "email": "nieuw@example.org", "email_verified": True}
"""Who is no user here."""


@pytest.fixture(scope="module")
async def pool(world: World) -> AsyncIterator[Pool]:
    async with world.database.pool("web") as pool:
        yield pool


@pytest.fixture
async def provider(world: World, tmp_path: Path) -> AsyncIterator[Provider]:
    await world.owner.execute("DELETE FROM web_memberships; DELETE FROM web_group_rights;")
    await world.owner.execute("UPDATE web_users SET openid_issuer = NULL, openid_subject = NULL, active = true")
    await world.owner.execute("DELETE FROM web_sessions; DELETE FROM web_users WHERE name LIKE '%@example.org'")
    async with running_provider(tmp_path) as provider:
        yield provider


@pytest.fixture
async def address(pool: Pool, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    async with console(pool, provider, monkeypatch) as address:
        yield address


At = tuple[Pool, Provider, pytest.MonkeyPatch]


@pytest.fixture
def at(pool: Pool, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> At:
    """What a console of its own needs."""
    return pool, provider, monkeypatch


@asynccontextmanager
async def as_boss(world: World, address: str, name: str = "baas") -> AsyncIterator[httpx.AsyncClient]:
    async with await world.logged_in(name) as boss:
        boss.base_url = httpx.URL(address)
        yield boss


async def give(
    world: World, issuer: str, group: str, helpdesk: int | None, role: str, *, personal: bool = False
) -> None:
    await world.owner.execute(
        "INSERT INTO web_group_rights (issuer, group_name, helpdesk_id, role, personal_data)"
        " VALUES ($1, $2, $3, $4, $5)",
        issuer, group, helpdesk, role, personal,
    )  # fmt: skip


def anna(*groups: Any, **more: Any) -> dict[str, Any]:
    """«anna», who administers helpdesk 1 by hand, with these groups."""
    return {"sub": "42", "email": "anna", "email_verified": True, "groups": list(groups), **more}


async def rights_in(client: httpx.AsyncClient) -> dict[int, bool]:
    """The helpdesks that a visitor sees, and whether he administers each."""
    page = (await client.get("/mails", headers={"accept": "application/json"})).json()
    return {right["helpdesk_id"]: right["administrator"] for right in page["helpdesks"]}


async def stays_out(client: httpx.AsyncClient) -> str:
    return await refused(client, await back_from(client, await to_provider(client)), FORBIDDEN)


async def groups_of_user(world: World, name: str) -> list[str]:
    rows = await world.owner.fetch(
        "SELECT group_name FROM web_memberships JOIN web_users ON id = user_id WHERE name = $1 ORDER BY 1", name
    )
    return [row["group_name"] for row in rows]


async def test_groups_give_rights_beside_those_by_hand_and_what_one_leaves_is_gone_at_the_next_login(
    address: str, provider: Provider, world: World
) -> None:
    await give(world, provider.issuer, "sales", 2, "viewer")
    await give(world, provider.issuer, "sales-leads", 2, "administrator")
    provider.person = anna("sales", "sales-leads", "another that gives nothing")
    async with browsing(address) as client:
        assert (await logged_in(client)).status_code == SEE_OTHER
        assert await rights_in(client) == {1: True, 2: True}
    assert await groups_of_user(world, "anna") == ["sales", "sales-leads"]
    provider.person = anna("sales")
    async with browsing(address) as client:
        await logged_in(client)
        assert await rights_in(client) == {1: True, 2: False}
    provider.person = anna()
    async with browsing(address) as client:
        await logged_in(client)
        assert await rights_in(client) == {1: True}
    audited = await world.owner.fetch(
        "SELECT actor, deed, coalesce(after, before) ->> 'group_name' AS group FROM audit_log"
        " WHERE thing = 'web_memberships' AND actor = 'anna' ORDER BY id"
    )
    assert {tuple(row) for row in audited} >= {
        ("anna", "added", "sales"), ("anna", "removed", "sales-leads"), ("anna", "removed", "sales"),
    }  # fmt: skip


async def test_a_right_for_all_helpdesks_and_that_of_an_operator(
    address: str, provider: Provider, world: World
) -> None:
    await give(world, provider.issuer, "lookers", None, "viewer")
    await give(world, provider.issuer, "bosses", None, "operator")
    provider.person = {**NOBODY, "email": "kijker", "groups": ["lookers"]}
    async with browsing(address) as client:
        await logged_in(client)
        helpdesks = await world.owner.fetch("SELECT id FROM helpdesks")
        assert await rights_in(client) == {row["id"]: False for row in helpdesks}
        assert (await client.get("/users")).status_code == httpx.codes.NOT_FOUND
    provider.person = {**NOBODY, "email": "kijker", "groups": ["bosses"]}
    async with browsing(address) as client:
        await logged_in(client)
        assert (await client.get("/users")).status_code == OK
        assert (await client.get("/groups")).status_code == OK


async def test_who_is_in_no_group_and_has_nothing_by_hand_is_told_so(
    address: str, provider: Provider, world: World
) -> None:
    await world.owner.execute("INSERT INTO web_users (name) VALUES ('nieuw@example.org')")
    await give(world, provider.issuer, "sales", 2, "viewer")
    for groups in (None, [], ["others"]):
        provider.person = {**NOBODY, **({} if groups is None else {"groups": groups})}
        async with browsing(address) as client:
            assert "geen groep die ze geeft" in await stays_out(client)
    provider.person = {**NOBODY, "groups": ["sales"]}
    async with browsing(address) as client:
        assert (await logged_in(client)).status_code == SEE_OTHER
        provider.person = NOBODY
        async with browsing(address) as later:
            await stays_out(later)
        assert await rights_in(client) == {}  # what he had open knows it too


async def test_a_session_by_password_has_no_right_of_a_group(address: str, provider: Provider, world: World) -> None:
    await give(world, provider.issuer, "bosses", None, "operator")
    provider.person = anna("bosses")
    async with browsing(address) as client:
        await logged_in(client)
        assert (await client.get("/users")).status_code == OK
        async with browsing(address) as other:
            form = await form_of(other, "/login")
            await other.post("/login", data={**form, "name": "anna", "password": PASSWORD})
            assert await rights_in(other) == {1: True}
            assert (await other.get("/users")).status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize(
    ("makes", "person", "comes_in"),
    [
        (False, {**NOBODY, "groups": ["sales"]}, False),
        (True, {**NOBODY, "groups": ["sales"]}, True),
        (True, {**NOBODY, "groups": ["others"]}, False),
        (True, {**NOBODY, "groups": ["sales"], "email_verified": False}, False),
        (True, {**NOBODY, "groups": ["sales"], "email": " "}, False),
        (True, {**NOBODY, "groups": ["sales"], "email": "on\u200bseen@example.org"}, False),
        (True, {**NOBODY, "groups": ["sales"], "email": "x" * 255}, False),
        (True, {"sub": "77", "groups": ["sales"]}, False),
    ],
)
async def test_a_person_in_a_group_is_made_a_user_where_the_setting_says_so(
    at: At, world: World, *, makes: bool, person: dict[str, Any], comes_in: bool
) -> None:
    pool, provider, monkeypatch = at
    await give(world, provider.issuer, "sales", 2, "viewer")
    provider.person = person
    before = await world.owner.fetchval("SELECT count(*) FROM web_users")
    async with (
        console(pool, provider, monkeypatch, web_oidc_make_users=makes) as address,
        browsing(address) as client,
    ):
        if comes_in:
            assert (await logged_in(client)).status_code == SEE_OTHER
            assert await rights_in(client) == {2: False}
        else:
            await stays_out(client)
    assert await world.owner.fetchval("SELECT count(*) FROM web_users") == before + comes_in


async def test_nobody_is_made_in_the_name_of_another_user_or_beside_his_locked_one(
    pool: Pool, provider: Provider, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    await give(world, provider.issuer, "sales", 2, "viewer")
    provider.person = anna()
    async with console(pool, provider, monkeypatch, web_oidc_make_users=True) as address:
        async with browsing(address) as client:
            await logged_in(client)
        provider.person = {"sub": "43", "email": "ANNA", "email_verified": True, "groups": ["sales"]}
        async with browsing(address) as client:
            await stays_out(client)
        await world.owner.execute("UPDATE web_users SET active = false WHERE name = 'anna'")
        provider.person = anna("sales") | {"email": "anna.anders@example.org"}
        async with browsing(address) as client:
            await stays_out(client)
    assert not await world.owner.fetchval("SELECT EXISTS (SELECT FROM web_users WHERE name LIKE 'anna.%')")


@pytest.mark.parametrize(
    "overage",
    [
        {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://evil.example/"}}},
        {"hasgroups": True},
        {"hasgroups": "true"},
    ],
)
async def test_more_groups_than_the_provider_names_are_not_read_as_none(
    address: str, provider: Provider, world: World, overage: dict[str, Any]
) -> None:
    await give(world, provider.issuer, "sales", 2, "viewer")
    await world.owner.execute("INSERT INTO web_users (name) VALUES ('nieuw@example.org')")
    provider.person = {**NOBODY, "groups": ["sales"]}
    async with browsing(address) as client:
        await logged_in(client)
    provider.person = {**NOBODY, **overage}
    provider.said_of = {"sub": "77", "groups": ["sales"]}
    async with browsing(address) as client:
        assert "in meer groepen dan hij noemt" in await stays_out(client)
    assert await groups_of_user(world, "nieuw@example.org") == ["sales"]
    provider.person = {"sub": "42", "email": "anna", "email_verified": True, **overage}
    async with browsing(address) as client:
        came = await logged_in(client)
        page = (await client.get(came.headers["location"])).text
        assert "zegt niet in welke groepen u zit" in page
        assert await rights_in(client) == {1: True}


@pytest.mark.parametrize(
    "said",
    [{"groups": 7}, {"groups": {"sales": True}}, {"groups": ["sales", 7]}, {"groups": [["sales"]]}, {"groups": True}],
)
async def test_groups_of_a_wrong_type_give_nothing(
    address: str, provider: Provider, world: World, said: dict[str, Any]
) -> None:
    await give(world, provider.issuer, "sales", 2, "viewer")
    await world.owner.execute("INSERT INTO web_users (name) VALUES ('nieuw@example.org')")
    provider.person = {**NOBODY, **said}
    async with browsing(address) as client:
        assert "noemt uw groepen niet zoals het moet" in await stays_out(client)


LOOKALIKES = [
    "Sales", "SALES", " sales", "sales ", "sales\u200b", "s\u0430les", "sale\u017f", "\uff53ales", "sales\0", "sal%",
    "sales,others", "/sales", "*",
]  # fmt: skip


async def test_a_group_that_only_looks_like_one_gives_nothing(address: str, provider: Provider, world: World) -> None:
    await give(world, provider.issuer, "sales", None, "operator")
    provider.person = anna(*LOOKALIKES)
    async with browsing(address) as client:
        await logged_in(client)
        assert await rights_in(client) == {1: True}
    assert await groups_of_user(world, "anna") == []


async def test_a_group_of_the_same_name_at_another_provider_gives_nothing(
    address: str, provider: Provider, world: World
) -> None:
    await give(world, "https://former.example", "sales", None, "operator")
    provider.person = anna("sales")
    async with browsing(address) as client:
        await logged_in(client)
        assert await rights_in(client) == {1: True}


async def test_very_many_groups_are_read_or_refused_whole(address: str, provider: Provider, world: World) -> None:
    await give(world, provider.issuer, "group 2500", 2, "viewer")
    provider.person = anna(*(f"group {number}" for number in range(2501)))
    async with browsing(address) as client:
        await logged_in(client)
        assert await rights_in(client) == {1: True, 2: False}
    provider.person = anna(*(f"group {number}" for number in range(50_000)))
    async with browsing(address) as client:
        await refused(client, await back_from(client, await to_provider(client)))


@pytest.mark.parametrize(
    ("said", "comes"),
    [
        ({"sub": "42", "groups": ["sales"]}, True),
        ({"sub": "43", "groups": ["sales"]}, False),
        ({"groups": ["sales"]}, False),
        ({"sub": ["42"], "groups": ["sales"]}, False),
    ],
    ids=["his own", "another's", "nobody's", "a list"],
)
async def test_userinfo_counts_where_it_is_of_the_same_subject(
    address: str,
    provider: Provider,
    world: World,
    said: dict[str, Any],
    comes: bool,  # noqa: FBT001 - of the table
) -> None:
    await give(world, provider.issuer, "sales", 2, "viewer")
    provider.person, provider.said_of = {"sub": "42", "email": "anna", "email_verified": True}, said
    async with browsing(address) as client:
        if comes:
            await logged_in(client)
            assert await rights_in(client) == {1: True, 2: False}
        else:
            await refused(client, await back_from(client, await to_provider(client)))
    assert "userinfo" in provider.asked


@pytest.mark.parametrize(
    "answer", [Response("no", 500), JSONResponse([1]), Response("a.b.c")], ids=["500", "list", "jwt"]
)
async def test_a_broken_userinfo_is_not_read_as_no_groups(
    address: str, provider: Provider, world: World, answer: Response
) -> None:
    await give(world, provider.issuer, "sales", 2, "viewer")
    provider.person, provider.said_of = {"sub": "42", "email": "anna", "email_verified": True}, {"sub": "42"}
    provider.instead["userinfo"] = answer
    async with browsing(address) as client:
        await refused(client, await back_from(client, await to_provider(client)))


async def test_userinfo_cannot_say_who_somebody_is(address: str, provider: Provider, world: World) -> None:
    await give(world, provider.issuer, "sales", 2, "viewer")
    provider.person = {"sub": "42", "email": "anna", "email_verified": True}
    provider.said_of = {"sub": "42", "email": "baas", "iss": "https://evil.example", "groups": ["sales"]}
    async with browsing(address) as client:
        await logged_in(client)
        assert "anna" in (await client.get("/own")).text


def test_a_single_name_is_a_list_of_one_and_another_claim_has_its_own_overage() -> None:
    assert groups_of({"groups": "sales"}, "groups") == frozenset({"sales"})
    assert groups_of({"roles": ["sales"], "hasgroups": True}, "roles") == frozenset({"sales"})
    assert groups_of({"roles": ["a"], "_claim_names": {"roles": "s"}}, "roles") is Unknown.TOO_MANY
    assert groups_of({"groups": ["a"], "_claim_names": ["groups"]}, "groups") == frozenset({"a"})
    assert groups_of({}, "groups") == NONE


@pytest.mark.parametrize("scopes", [None, 7, ["openid", 7], ["openid", "groups"]])
async def test_the_scope_for_groups_is_asked_for_where_there_is_one(
    address: str, provider: Provider, scopes: object
) -> None:
    provider.metadata = {} if scopes is None else {"scopes_supported": scopes}
    async with browsing(address) as client:
        asked = parse_qs(urlsplit(await to_provider(client)).query)["scope"][0]
    assert ("groups" in asked.split()) == (isinstance(scopes, list) and "groups" in scopes)


async def post(client: httpx.AsyncClient, path: str = "/groups", **data: str) -> httpx.Response:
    return await client.post(path, data={**await form_of(client, "/groups"), **data})


async def test_an_operator_gives_groups_rights_changes_and_takes_them_and_the_log_has_it(
    address: str, provider: Provider, world: World
) -> None:
    async with as_boss(world, address) as boss:
        data = {"group": "0b1c-7d2e", "called": "Verkopers", "helpdesk": "2", "gives": "viewer"}
        assert (await post(boss, **data)).headers["location"] == "/groups?saved"
        await post(boss, **{**data, "gives": "administrator"})
        (one,) = await world.owner.fetch("SELECT * FROM web_group_rights")
        assert (one["issuer"], one["role"], one["helpdesk_id"]) == (provider.issuer, "administrator", 2)
        page = (await boss.get("/groups")).text
        assert "Verkopers" in page
        assert "0b1c-7d2e" in page
        await post(boss, "/groups/remove", right=str(one["id"]))
        assert await world.owner.fetchval("SELECT count(*) FROM web_group_rights") == 0
        log = (await boss.get("/audit?thing=web_group_rights")).text
        assert "Rechten van een groep" in log
    deeds = await world.owner.fetch(
        "SELECT actor, deed FROM audit_log WHERE thing = 'web_group_rights' AND actor = 'baas' ORDER BY id"
    )
    assert [tuple(row) for row in deeds][-3:] == [("baas", "added"), ("baas", "changed"), ("baas", "removed")]


@pytest.mark.parametrize(
    "changed",
    [
        {"group": ""}, {"group": "x" * 255}, {"group": "sal\u200bes"}, {"called": "a\u202eb"}, {"gives": "nothing"},
        {"gives": "king"}, {"helpdesk": "99"}, {"helpdesk": "one"},
    ],
)  # fmt: skip
async def test_what_cannot_be_given_is_refused_beside_the_form(
    address: str, world: World, changed: dict[str, str]
) -> None:
    async with as_boss(world, address) as boss:
        answer = await post(boss, **{"group": "sales", "called": "", "helpdesk": "1", "gives": "viewer", **changed})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert 'role="alert"' in answer.text
    assert await world.owner.fetchval("SELECT count(*) FROM web_group_rights") == 0


async def test_who_does_not_administer_everything_sees_and_changes_no_group(address: str, world: World) -> None:
    async with as_boss(world, address, "anna") as client:
        form = await form_of(client, "/own")
        assert (await client.get("/groups")).status_code == httpx.codes.NOT_FOUND
        for path, data in (("/groups", {"group": "x", "gives": "operator"}), ("/groups/remove", {"right": "1"})):
            assert (await client.post(path, data={**form, **data})).status_code == httpx.codes.NOT_FOUND
    assert await world.owner.fetchval("SELECT count(*) FROM web_group_rights") == 0


async def test_an_operator_by_group_does_not_shut_himself_out(address: str, provider: Provider, world: World) -> None:
    await give(world, provider.issuer, "bosses", None, "operator")
    provider.person = anna("bosses")
    async with browsing(address) as client:
        await logged_in(client)
        number = str(await world.owner.fetchval("SELECT id FROM web_group_rights"))
        answer = await post(client, "/groups/remove", right=number)
        assert answer.status_code == httpx.codes.CONFLICT
        answer = await post(client, group="bosses", gives="viewer", helpdesk="")
        assert answer.status_code == httpx.codes.CONFLICT
    assert await world.owner.fetchval("SELECT role FROM web_group_rights") == "operator"


async def test_the_last_operator_by_hand_stays_though_groups_make_others(
    address: str, provider: Provider, world: World
) -> None:
    await give(world, provider.issuer, "bosses", None, "operator")
    await world.owner.execute("UPDATE web_users SET operator = name = 'baas'")
    provider.person = anna("bosses")
    try:
        last = await world.owner.fetchval("SELECT id FROM web_users WHERE name = 'baas'")
        async with browsing(address) as client:
            await logged_in(client)
            form = await form_of(client, f"/users/{last}")
            for what in ("lock", "no-operator"):
                answer = await client.post(f"/users/{last}/access", data={**form, "what": what})
                assert answer.status_code == httpx.codes.CONFLICT
                assert "laatste die zelf alles beheert" in answer.text
            assert await world.owner.fetchval("SELECT operator AND active FROM web_users WHERE id = $1", last)
        await world.owner.execute("UPDATE web_users SET operator = false")
        async with browsing(address) as client:
            await logged_in(client)
            answer = await post(client, group="more bosses", gives="operator")
            assert answer.status_code == httpx.codes.CONFLICT
    finally:
        await world.owner.execute("UPDATE web_users SET operator = name IN ('baas', 'boss', 'baas-van-alles')")


async def test_rights_by_group_are_shown_apart_and_unbinding_ends_them(
    address: str, provider: Provider, world: World
) -> None:
    await give(world, provider.issuer, "sales", 2, "viewer")
    provider.person = anna("sales")
    async with browsing(address) as client:
        await logged_in(client)
    number = await world.owner.fetchval("SELECT id FROM web_users WHERE name = 'anna'")
    async with as_boss(world, address) as boss:
        shown = (await boss.get(f"/users/{number}", headers={"accept": "application/json"})).json()
        assert [(right["group"], right["helpdesk"]) for right in shown["by_group"]] == [("sales", "Verkoop")]
        assert {right["helpdesk"]: right["choice"] for right in shown["rights"]}["Verkoop"] == "nothing"
        await boss.post(f"/users/{number}/access", data={**await form_of(boss, f"/users/{number}"), "what": "unbind"})
    assert await world.owner.fetchval("SELECT count(*) FROM web_rights_by_group") == 0


async def test_a_forged_form_of_another_site_gives_no_group_anything(address: str, world: World) -> None:
    async with as_boss(world, address) as boss:
        form = await form_of(boss, "/groups")
        data = {**form, "group": "x", "gives": "operator"}
        answer = await boss.post("/groups", data=data, headers={"origin": "https://evil.example"})
        assert answer.status_code == FORBIDDEN
        assert (await boss.post("/groups", data={"group": "x", "gives": "operator"})).status_code == FORBIDDEN
    assert await world.owner.fetchval("SELECT count(*) FROM web_group_rights") == 0


WORDS = {"baas": ("Verkopers", "Weghalen", "Toevoegen"), "boss": ("Verkopers", "Remove", "Add")}


@pytest.mark.parametrize("name", WORDS)
async def test_a_person_gives_a_group_rights_in_a_browser_and_axe_finds_nothing(
    address: str, world: World, browser: Browser, axe: str, name: str
) -> None:
    called, remove, add = WORDS[name]
    async with as_boss(world, address, name) as boss:
        token = boss.cookies[SESSION_COOKIE]
    window = await browser.new_context(viewport={"width": 360, "height": 740}, bypass_csp=True)
    try:
        await window.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": address}])
        page = await window.new_page()
        await page.goto(f"{address}/groups")
        await page.fill("input[name=group]", "0b1c-7d2e")
        await page.fill("input[name=called]", called)
        await page.get_by_role("button", name=add).click()
        await page.get_by_role("status").wait_for()
        await page.evaluate(axe)
        assert await page.evaluate(VIOLATIONS) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await page.get_by_role("button", name=f"{remove}: {called}").click()
        await page.get_by_role("status").wait_for()
        assert called not in await page.inner_text("main")
    finally:
        await window.close()
    assert await world.owner.fetchval("SELECT count(*) FROM web_group_rights") == 0
