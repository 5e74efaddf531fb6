"""«Logboek»: what people did, by actor and by what it is about; to each what is of the helpdesks he administers."""

from __future__ import annotations

import httpx
import pytest

from services.console.web.pages.settings.columns import name_of, names
from services.console.web.pages.settings.history import _FOLLOWING, _OF_EACH_ROW, DEEDS, THINGS
from tests.services.console.web.conftest import World

MANY = """
    INSERT INTO audit_log (at, actor, database_role, tool, kind, deed, thing, thing_id, helpdesk_id, mail_id, after)
    SELECT '2026-10-01T08:00Z'::timestamptz + (n / 3) * interval '1 minute',
        CASE WHEN n % 2 = 0 THEN 'Marieke' ELSE 'Joost' END, 'importer_web', 'web',
        CASE WHEN n % 4 = 0 THEN 'raw-mail' ELSE 'repair' END,
        CASE WHEN n % 4 = 0 THEN 'looked-at' ELSE 'replayed' END, 'imported_mails', n::text, 1 + n % 2,
        ('30000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, NULL
    FROM generate_series(1, 120) AS n"""


@pytest.fixture(autouse=True, scope="module")
async def deeds(world: World) -> None:
    """120 of two helpdesks, three of each moment, and one that is of none."""
    await world.owner.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
    await world.owner.execute("DELETE FROM audit_log")
    await world.owner.execute(MANY)
    await world.owner.execute(
        "INSERT INTO audit_log (at, actor, database_role, tool, kind, deed, thing) VALUES"
        " ('2026-09-01T08:00Z', 'Joost', 'importer_console', 'console', 'installation', 'confirmed', 'installation')"
    )


async def seen(client: httpx.AsyncClient, path: str) -> list[str]:
    """The numbers of what all pages show, page after page."""
    found: list[str] = []
    page: str | None = path
    while page is not None:
        told = (await client.get(page)).json()
        assert len(told["entries"]) <= 50
        found += [str(one["entry"]["id"]) for one in told["entries"]]
        page = told["older"]
    return found


async def test_an_operator_sees_each_deed_once_and_an_administrator_those_of_his_helpdesk(world: World) -> None:
    for user, count in (("baas", 121), ("anna", 60), ("verkoop", 60)):
        async with await world.logged_in(user, accept="application/json") as client:
            found = await seen(client, "/audit")
        assert (len(found), len(set(found))) == (count, count), user


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("actor=marie", 60),
        ("actor=marie&kind=raw-mail", 30),
        ("helpdesk=2", 60),
        ("thing=installation", 1),
        ("mail=30000000-0000-0000-0000-000000000007", 1),
        ("mail=no-id", 0),
        ("since=2026-10-02", 0),
        ("kind=nonsense&thing=installation&after=nonsense", 1),
    ],
)
async def test_filters_combine(world: World, query: str, count: int) -> None:
    async with await world.logged_in("baas", accept="application/json") as client:
        assert len(await seen(client, f"/audit?{query}")) == count


async def test_of_another_helpdesk_nothing_is_told_by_any_filter(world: World) -> None:
    async with await world.logged_in("verkoop", accept="application/json") as client:
        for query in ("helpdesk=1", "thing=installation", "mail=30000000-0000-0000-0000-000000000002"):
            assert await seen(client, f"/audit?{query}") == []


async def test_who_administers_nothing_is_not_let_in(world: World) -> None:
    async with await world.logged_in("kijker") as client:
        assert (await client.get("/audit")).status_code == httpx.codes.NOT_FOUND
        assert "/audit" not in (await client.get("/")).text


async def test_it_is_told_in_words(world: World) -> None:
    async with await world.logged_in("baas") as client:
        page = (await client.get("/audit?thing=installation")).text
        assert "Installatie" in page
        assert "bevestigd" in page
    async with await world.logged_in("boss") as client:
        assert "imported again" in (await client.get("/audit?actor=joost")).text


@pytest.mark.parametrize(
    ("user", "labels"),
    [("baas", ("Afzender", "Wat ermee gebeurt", "Soort")), ("boss", ("Sender", "What happens to it", "Kind"))],
)
async def test_a_column_is_called_what_its_page_calls_it(world: World, user: str, labels: tuple[str, ...]) -> None:
    await world.owner.execute(
        "INSERT INTO audit_log (actor, database_role, tool, kind, deed, thing, helpdesk_id, after) VALUES"
        " ('Marieke', 'importer_web', 'web', 'settings', 'added', 'sender_rules', 1, $1)",
        {"kind": "domain", "pattern": "stapel.example", "verdict": "block"},
    )
    async with await world.logged_in(user) as client:
        page = (await client.get("/audit?thing=sender_rules")).text
    await world.owner.execute("DELETE FROM audit_log WHERE thing = 'sender_rules'")
    for label in labels:
        assert f"<dt>{label}</dt>" in page
    for column in ("pattern", "verdict", "kind"):
        assert f"<dt>{column}</dt>" not in page


async def test_every_column_that_the_log_can_tell_of_has_a_name_on_the_screen(world: World) -> None:
    rows = await world.owner.fetch(
        "SELECT relname AS table, attname AS column, proname AS function,"
        " split_part(encode(tgargs, 'escape'), $1, 3) AS told"
        " FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid"
        " JOIN pg_attribute ON attrelid = tgrelid AND attnum > 0 AND NOT attisdropped"
        " WHERE proname IN ('audit_settings', 'audit_repair')",
        "\\000",
    )
    told = {
        (row["table"], row["column"])
        for row in rows
        if row["function"] == "audit_settings" or row["column"] in row["told"].split(",")
    }
    unsaid = _FOLLOWING | _OF_EACH_ROW | {"row_version", "secret_given_at", "address_key"}
    named = names()
    assert [one for one in sorted(told) if one[1] not in unsaid and name_of(named, *one) == one[1]] == []


async def test_who_got_which_right_is_said_in_names_and_words(world: World) -> None:
    await world.owner.execute(
        "INSERT INTO audit_log (actor, database_role, tool, kind, deed, thing, helpdesk_id, after) VALUES"
        " ('Marieke', 'importer_web', 'web', 'settings', 'added', 'web_rights', 1,"
        " jsonb_build_object('role', 'viewer', 'user_id', (SELECT id FROM web_users WHERE name = 'kijker')))"
    )
    async with await world.logged_in("baas") as client:
        page = (await client.get("/audit?thing=web_rights&actor=Marieke")).text
    assert '<dt>Gebruiker</dt><dd class="lines">– → kijker</dd>' in page
    assert '<dt>Rechten</dt><dd class="lines">– → kijken</dd>' in page


async def test_all_that_the_database_writes_there_has_words(world: World) -> None:
    rows = await world.owner.fetch(
        "SELECT relname AS thing, proname AS function, split_part(encode(tgargs, 'escape'), $1, 1) AS first"
        " FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid"
        " WHERE proname LIKE 'audit%'",
        "\\000",
    )
    assert {row["thing"] for row in rows} <= THINGS.keys()
    assert {row["first"] for row in rows if row["function"] == "audit_repair"} <= DEEDS.keys()
