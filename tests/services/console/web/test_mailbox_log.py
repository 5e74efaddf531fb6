"""A mailbox's log: what its checks were, and who changed its settings meanwhile (S8)."""

from __future__ import annotations

import httpx
import pytest

from tests.services.console.web.conftest import World

PATH = "/helpdesks/1/log"
MANY = """
    INSERT INTO mailbox_checks (helpdesk_id, at, took_ms, unread, taken_in, filed, quiet_checks, quiet_ms,
        quiet_longest_ms)
    SELECT 1, timestamptz '2026-02-01 00:00Z' + n / 3 * interval '1 hour', 400, 1, 1, 1, 0, 0, 0
    FROM generate_series(1, 120) AS n
"""
DEEDS = """
    INSERT INTO audit_log (at, actor, database_role, tool, kind, deed, thing, thing_id, helpdesk_id, before, after)
    SELECT timestamptz '2026-02-01 00:00Z' + n * interval '1 hour', 'Marie', 'importer_web', 'web', 'settings',
        'changed', 'importer_settings', '1', 1, '{"paused_reason": ""}', '{"paused_reason": "verhuizing"}'
    FROM generate_series(1, 30) AS n
"""
DIALOGUE = [
    {"at": 0, "took": 12, "asked": "connect imap.voorbeeld.nl:993", "came": "connected"},
    {"at": 13, "took": 300, "asked": "SELECT", "came": "NO [NOPERM]"},
    {"at": 400, "took": None, "asked": "UID SEARCH UNSEEN UNDELETED", "came": ""},
]


@pytest.fixture(autouse=True, scope="module")
async def history(world: World) -> None:
    """120 checks, three of each moment, and 30 deeds at some of the same moments."""
    await world.owner.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
    await world.owner.execute("DELETE FROM audit_log")
    await world.owner.execute(MANY)
    await world.owner.execute(DEEDS)
    await world.owner.execute("UPDATE mailbox_states SET quiet_checks = 7, quiet_ms = 700, quiet_longest_ms = 200")
    await world.owner.execute(
        "UPDATE mailbox_states SET failed_dialogue = $1, failed_dialogue_at = now() WHERE helpdesk_id = 1",
        DIALOGUE,
    )


async def told(client: httpx.AsyncClient) -> tuple[list[int], list[int]]:
    """The ids of the checks and of the deeds that all pages show, page after page."""
    checks, deeds = [], []
    page: str | None = PATH
    while page is not None:
        answer = (await client.get(page)).json()
        assert len(answer["rows"]) <= 50
        checks += [row["check"]["id"] for row in answer["rows"] if row["check"]]
        deeds += [row["deed"]["id"] for row in answer["rows"] if row["deed"]]
        page = answer["older"]
    return checks, deeds


async def test_S8_each_check_and_each_deed_is_told_once(world: World) -> None:
    async with await world.logged_in("anna", accept="application/json") as client:
        checks, deeds = await told(client)
    assert (len(checks), len(set(checks))) == (123, 123)
    assert (len(deeds), len(set(deeds))) == (30, 30)


async def test_who_only_looks_is_told_of_no_deeds(world: World) -> None:
    async with await world.logged_in("kijker", accept="application/json") as client:
        checks, deeds = await told(client)
    assert (len(checks), deeds) == (123, [])


async def test_S8_it_says_what_went_wrong_when_it_was_mended_and_who_paused(world: World) -> None:
    async with await world.logged_in("anna") as client:
        newest = (await client.get(PATH)).text
        oldest = (await client.get(f"{PATH}?after=2026-01-02T00:00:00%2B00:00 0")).text
    for said in ("7 controles die gingen als die ervoor", "gemiddeld 0,1", "Marie", "verhuizing"):
        assert said in newest, said
    for said in ("De mailserver antwoordt niet.", "Hersteld. Het probleem was er sinds", "540 controles"):
        assert said in oldest, said


async def test_another_helpdesks_log_is_as_one_that_is_not_there(world: World) -> None:
    for user in ("verkoop", "viewer", "anna"):
        other = 1 if user == "verkoop" else 2
        async with await world.logged_in(user, accept="application/json") as client:
            for path in (f"/helpdesks/{other}/log", "/helpdesks/99/log", "/helpdesks/x/log"):
                answer = await client.get(path)
                assert answer.status_code == httpx.codes.NOT_FOUND, (user, path)
                assert "De mailserver antwoordt niet." not in answer.text


async def test_nonsense_in_the_address_begins_at_the_beginning(world: World) -> None:
    async with await world.logged_in("anna", accept="application/json") as client:
        for after in ("x", "2026-02-01T00:00:00 1", "0001-01-01T00:00:00+00:00 999999999999999999"):
            assert (await client.get(PATH, params={"after": after})).status_code == httpx.codes.OK


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("anna", ("Gesprek met de mailserver", "geen antwoord")),
        ("kijker", ("Gesprek met de mailserver", "geen antwoord")),  # there is nothing personal in it
        ("viewer", ("Conversation with the mail server", "no answer")),
    ],
)
async def test_S8_it_shows_what_was_asked_and_came_in_the_last_failure(
    world: World, user: str, said: tuple[str, ...]
) -> None:
    async with await world.logged_in(user) as client:
        page = (await client.get(PATH)).text
        older = (await client.get(f"{PATH}?after=2026-01-02T00:00:00%2B00:00 0")).text
    for words in (*said, "connect imap.voorbeeld.nl:993", "NO [NOPERM]", "UID SEARCH UNSEEN UNDELETED"):
        assert words in page, words
    assert "NO [NOPERM]" not in older


async def test_S8_it_gives_the_same_as_json(world: World) -> None:
    async with await world.logged_in("anna", accept="application/json") as client:
        dialogue = (await client.get(PATH)).json()["dialogue"]
    assert dialogue["steps"][1] == {"after_seconds": 0.013, "asked": "SELECT", "came": "NO [NOPERM]", "seconds": 0.3}


async def test_S8_a_mailbox_of_which_no_check_failed_says_so(world: World) -> None:
    async with await world.logged_in("verkoop") as client:
        assert "nog geen controle mislukt" in (await client.get("/helpdesks/2/log")).text
