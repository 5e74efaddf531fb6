"""What the pages show and do, as a browser without scripts has it, and as programs do."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import httpx
import pytest

from services.console.web import bulk
from tests.services.console.web.conftest import World, form_of

TICKET, QUARANTINED = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000005"
MANY = """
    INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size, full_size,
        received_at, outcome, outcome_at, reasons, subject, sender_address)
    SELECT gen_random_uuid(), 1, 1, 'INBOX', 'many-' || n, (SELECT sha256 FROM blobs LIMIT 1), 1, 1,
        '2026-10-01T08:00Z'::timestamptz + (n / 3) * interval '1 minute', 'quarantine', now(), '[{"id": "no-sender"}]',
        'Stapel ' || n, CASE WHEN n % 2 = 0 THEN 'even@stapel.example' ELSE 'odd@stapel.example' END
    FROM generate_series(1, 120) AS n"""
SEE_OTHER = httpx.codes.SEE_OTHER


@pytest.fixture(autouse=True, scope="module")
async def many(world: World) -> None:
    """120 mails in quarantine, three of each moment."""
    await world.owner.execute(MANY)


async def waiting(world: World) -> int:
    """How many of them nobody has decided about."""
    count: int = await world.owner.fetchval(
        "SELECT count(*) FROM imported_mails WHERE item_key LIKE 'many-%' AND replay_number = 0"
        """ AND NOT reasons @> '[{"id": "discarded-by-person"}]'"""
    )
    return count


async def test_every_mail_is_on_one_page_of_the_list_and_on_no_other(world: World) -> None:
    seen: list[str] = []
    async with await world.logged_in("anna", accept="application/json") as client:
        path: str | None = "/mails?subject=stapel"
        while path is not None:
            page = (await client.get(path)).json()
            seen += [mail["mail_id"] for mail in page["mails"]]
            assert len(page["mails"]) <= 50
            path = page["older"]
    assert (len(seen), len(set(seen))) == (120, 120)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("subject=stapel&sender=even", 50),
        ("since=2026-11-01", 4),
        ("outcome=ticket", 1),
        ("outcome=on-its-way", 0),
        ("outcome=no-outcome&since=not-a-day&helpdesk=x&after=nonsense", 0),
        ("helpdesk=1&outcome=supplement", 1),
    ],
)
async def test_filters_combine_and_stay_in_the_form(world: World, query: str, count: int) -> None:
    async with await world.logged_in("anna") as client:
        listed = (await client.get(f"/mails?{query}", headers={"accept": "application/json"})).json()
        assert len(listed["mails"]) == count
        assert {f"{name}={value}" for name, value in listed["chosen"].items() if value} == set(
            query.removesuffix("&after=nonsense").split("&")
        )


@pytest.mark.parametrize("path", ["/mails?subject=nergens", "/work/quarantine?subject=nergens"])
async def test_an_empty_list_says_what_to_do(world: World, path: str) -> None:
    async with await world.logged_in("anna") as client:
        assert "aan deze filters" in (await client.get(path)).text


async def test_what_waits_is_counted_and_leads_to_its_list(world: World) -> None:
    async with await world.logged_in("anna") as client:
        page = (await client.get("/")).text
        counts = (await client.get("/", headers={"accept": "application/json"})).json()["today"]["waiting"]
    assert counts["quarantine"] == 120
    assert counts["dead_letters"] == 1  # which keeps another in quarantine
    assert '<a href="/work/quarantine">120 mails in quarantaine</a>' in page


async def test_what_waits_in_no_work_list_is_told_as_status_does(world: World) -> None:
    await world.owner.execute("UPDATE held_mails SET held_until = now() + interval '1 hour' WHERE helpdesk_id = 1")
    pages = {}
    for name in ("viewer", "kijker", "verkoop"):
        async with await world.logged_in(name) as client:
            pages[name] = (await client.get("/")).text
    await world.owner.execute("UPDATE held_mails SET held_until = now() WHERE helpdesk_id = 1")
    assert "veel@elders.example to Support wait" in pages["viewer"]
    assert "… aan Support wachten op hun beurt" in pages["kijker"]  # who may not see senders
    assert "veel@elders.example" not in pages["kijker"] + pages["verkoop"]
    assert "Support" not in pages["verkoop"]


async def test_S8_the_problem_of_a_mailbox_is_read_in_the_visitors_language(world: World) -> None:
    problem = "UPDATE mailbox_states SET problem = $1, problem_kind = $2, problem_since = $3 WHERE helpdesk_id = 1"
    await world.owner.execute(problem, "De map is weg.", "mailbox-missing", datetime.now(UTC))
    pages = {}
    for name in ("viewer", "kijker"):
        async with await world.logged_in(name) as client:
            pages[name] = [(await client.get(path)).text for path in ("/", "/helpdesks/1/log")]
    await world.owner.execute(problem, None, None, None)
    for page in pages["viewer"]:
        assert "Server, address, path or folder lead nowhere: see the settings of the mailbox." in page
    for page in pages["kijker"]:
        assert "De map is weg." in page
        assert "lead nowhere" not in page


async def test_S8_a_mailbox_in_the_middle_of_an_import_says_how_many_mails_came(world: World) -> None:
    checked = "UPDATE mailbox_states SET last_check_at = $1 WHERE helpdesk_id = 1"
    await world.owner.execute(checked, datetime.now(UTC))
    async with await world.logged_in("anna") as client:
        page = (await client.get("/")).text
        today = (await client.get("/", headers={"accept": "application/json"})).json()["today"]
    taken_in = today["imports"]["Support"]["taken_in"]
    assert today["imports"]["Support"]["first"] is True
    assert f"importeert: {taken_in} mails tot nu toe" in page
    left = "UPDATE mailbox_states SET import_left = $1, import_left_at = $2 WHERE helpdesk_id = 1"
    await world.owner.execute(left, 9000, datetime.now(UTC))
    async with await world.logged_in("anna") as client:
        pages = [(await client.get(path)).text for path in ("/", "/helpdesks/1/log")]
    await world.owner.execute(left, None, None)
    await world.owner.execute(checked, None)
    assert [f"importeert: {taken_in} van {9000 + taken_in} mails" in one for one in pages] == [True, True]


async def test_D7_a_mail_is_replayed_from_its_page_and_its_letter_is_closed(world: World) -> None:
    async with await world.logged_in("anna") as client:
        page = (await client.get(f"/mails/{QUARANTINED}")).text
        assert "Opnieuw inlezen" in page
        answer = await client.post(f"/mails/{QUARANTINED}/replay", data=await form_of(client, "/"))
        assert answer.headers["location"] == f"/mails/{QUARANTINED}"
        again = await client.post(f"/mails/{QUARANTINED}/replay", data=await form_of(client, "/"))
        assert again.status_code == httpx.codes.CONFLICT
        assert "al opnieuw ingelezen" in again.text
    replays = await world.owner.fetchval("SELECT replay_number FROM imported_mails WHERE mail_id = $1", QUARANTINED)
    assert replays == 1
    assert await world.owner.fetchval("SELECT count(*) FROM dead_letters WHERE resolved_at IS NULL") == 0


async def test_many_are_treated_by_the_filter_and_not_by_the_page(world: World) -> None:
    async with await world.logged_in("anna") as client:
        form = await form_of(client, "/")
        without_reason = await client.post("/work/quarantine", data={**form, "of": "all", "what": "discard"})
        assert without_reason.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert await waiting(world) == 120
        data = {**form, "of": "all", "sender": "even", "what": "discard", "why": "Reclame"}
        answer = await client.post("/work/quarantine", data=data)
        assert await waiting(world) == 120
        async with world.database.pool("web") as pool:
            while await bulk.get_on(pool):
                pass
        assert await waiting(world) == 60
        assert "60 van 60" in (await client.get(answer.headers["location"])).text
        ticked = [row["mail_id"] for row in await world.owner.fetch(
            "SELECT mail_id FROM imported_mails WHERE sender_address = 'odd@stapel.example' LIMIT 2")]  # fmt: skip
        answer = await client.post(
            "/work/quarantine", data={**form, "mail": [*map(str, ticked), "no-id"], "what": "replay"}
        )
        assert "what=replay&done=2&left=0" in answer.headers["location"]
        assert await waiting(world) == 58
        path = "/mails?sender=even&outcome=quarantine"
        listed = (await client.get(path, headers={"accept": "application/json"})).json()["mails"]
        assert {mail["reasons"][-1]["detail"] for mail in listed} == {"Reclame"}


async def test_a_raw_mail_is_a_file_and_never_a_page(world: World) -> None:
    async with await world.logged_in("anna") as client:
        answer = await client.get(f"/mails/{TICKET}/download")
    assert answer.headers["content-disposition"] == f'attachment; filename="{TICKET}.eml"'
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content == b"1"


PAGES = ["/", "/helpdesks/1/log", "/work/jobs", "/work/jobs/1", "/mails", f"/mails/{TICKET}",
         "/work/quarantine", "/work/dead-letters",
         "/work/review", "/work/backlog",
         "/work/undelivered", "/notifications", "/notifications/20000000-0000-0000-0000-000000000001/resend",
         "/tickets/TCK-12", "/audit", "/users", "/users/2", "/templates",
         "/templates/1/ticket-added-customer", "/own", "/helpdesks/1/importer", "/helpdesks/1/reading",
         "/helpdesks/1/changes",
         "/no-such-page"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_kept_nowhere_runs_only_our_scripts_and_is_small(world: World, path: str) -> None:
    async with await world.logged_in("baas") as client:
        answer = await client.get(path)
        assert answer.headers["cache-control"] == "no-store"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        weight = len(answer.content) + sum(
            [len((await client.get(address)).content) for address in set(_loaded(answer.text))]
        )
    assert "<script>" not in answer.text
    assert " onclick" not in answer.text
    assert " style=" not in answer.text
    assert weight < 150 * 1024


def _loaded(page: str) -> list[str]:
    return [part.split('"')[0] for mark in ('src="/static', 'href="/static') for part in _after(page, mark)]


def _after(page: str, mark: str) -> list[str]:
    return ["/static" + piece for piece in page.split(mark)[1:]]


async def test_what_pages_load_is_kept_for_ever_and_its_address_changes_with_it(world: World) -> None:
    async with await world.logged_in("baas") as client:
        (address, *_) = _loaded((await client.get("/")).text)
        assert "immutable" in (await client.get(address)).headers["cache-control"]
        version = address.split("/")[2]
        assert (await client.get(address.replace(version, "0" * 16))).status_code == httpx.codes.NOT_FOUND


async def test_an_error_of_ours_is_a_sentence_with_the_headers_of_a_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await world.logged_in("baas") as client:
        monkeypatch.setattr("services.console.web.pages.mails.mails.mails", None)
        answer = await client.get("/mails")
    assert answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR
    assert "Er ging bij ons iets mis" in answer.text
    assert "TypeError" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_vandaag_says_first_that_nothing_is_read_or_sent_from_a_copy(world: World) -> None:
    held = "Er wordt geen postvak gelezen en geen mail verstuurd."
    async with await world.logged_in("anna") as client:
        assert held not in (await client.get("/")).text
        await world.owner.execute("UPDATE installation SET restored_at = now(), restored_to = now()")
        try:
            page = (await client.get("/")).text
        finally:
            await world.owner.execute("UPDATE installation SET restored_at = NULL, restored_to = NULL")
    assert page.index(held) < page.index("Postvakken")
    assert "installation confirm" in page


TYPED_AT = [
    "/helpdesks/1/log", "/work/jobs/{}", "/work/jobs/1", "/mails", "/notifications", "/audit", "/work/quarantine",
    "/work/dead-letters", "/work/review", "/work/backlog",
    "/notifications/{}/resend",
    "/work/undelivered", "/helpdesks/{}/importer", "/helpdesks/1/statuses/{}", "/mails/{}", "/users/{}", "/tickets/{}",
    "/templates/1/ticket-added-customer/preview",
    "/templates/1/{}",
    "/templates/{}/summary",
    "/templates",
]  # fmt: skip


@pytest.mark.parametrize("nonsense", ["9" * 5000, "9" * 19, "٣", "-1", "\0", "\ud800", "'", "x" * 5000])
@pytest.mark.parametrize("path", TYPED_AT)
async def test_nonsense_in_an_address_is_no_error_of_ours(world: World, path: str, nonsense: str) -> None:
    typed = quote(nonsense, errors="surrogatepass")
    names = (
        "helpdesk",
        "after",
        "since",
        "outcome",
        "sender",
        "subject",
        "state",
        "ticket",
        "sent",
        "what",
        "done",
        "mail",
        "actor",
    )
    async with await world.logged_in("baas") as client:
        address = path.format(typed)
        assert (await client.get(address)).status_code < httpx.codes.INTERNAL_SERVER_ERROR
        for name in names:
            answer = await client.get(f"{address}?what=x&{name}={typed}")
            assert answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR, f"{name}: {answer.text[:2000]}"


async def test_a_form_with_a_character_that_no_text_has_is_refused_by_a_sentence(world: World) -> None:
    async with await world.logged_in("baas") as client:
        form = await form_of(client, "/helpdesks/1/statuses/new")
        answer = await client.post("/helpdesks/1/statuses/new", data={**form, "name": "Open\0"})
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "In de tekst staat een teken dat niet kan." in answer.text
