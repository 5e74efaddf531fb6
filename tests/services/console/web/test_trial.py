"""«Probeer een mail»: the page asks, the classifier and ticket_writer answer, and nothing is kept or written."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
import pytest
from playwright.async_api import Browser

from services.classifier.questions import Trials
from services.classifier.reading.pool import ReaderPool
from services.console.web.pages.trial import LARGEST_MAIL
from services.ticket_writer.questions import answers
from services.ticket_writer.repository import Repository
from shared.answering import Answering
from tests.services.console.web.conftest import World, form_of
from tests.services.console.web.test_browser import DESKTOP, PHONE, VIOLATIONS, opened

PAGE: Final = "/helpdesks/1/try"
ANNA: Final = b"From: Anna de Vries <anna@korenaar.example>\r\nTo: support@helpdesk.example\r\n"
NEW: Final = ANNA + b"Subject: Geen bonnen\r\nMessage-ID: <nieuw@korenaar.example>\r\n\r\nEr komen geen bonnen.\r\n"
ANSWER: Final = ANNA + b"Subject: Re: [TCK-12] Kassa hapert\r\nMessage-ID: <re@korenaar.example>\r\n\r\nWeer stuk.\r\n"
STRANGER: Final = (
    b"From: Wie <wie@nergens.example>\r\nSubject: Vraag\r\nMessage-ID: <v@nergens.example>\r\n"
    b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nHallo\r\n--x\r\n'
    b'Content-Type: application/pdf; name="offerte.pdf"\r\n'
    b'Content-Disposition: attachment; filename="offerte.pdf"\r\n\r\n%PDF\r\n--x--\r\n'
)
GARBAGE: Final = bytes(range(256)) * 40
WAITING: Final = "SELECT service, question, asked_by, mail, arguments FROM service_questions WHERE question = 'try'"
NUMBERS: Final = "TCK-[0-9]{1,5}"
OTHER_TABLES: Final = """
    SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'helpdesk'::regnamespace
        AND relname NOT IN ('service_questions', 'web_sessions') ORDER BY relname"""


@pytest.fixture(autouse=True)
async def nothing_asked(world: World) -> AsyncIterator[None]:
    yield
    await world.owner.execute("DELETE FROM service_questions")


@asynccontextmanager
async def services(world: World) -> AsyncIterator[None]:
    """The classifier and ticket_writer, each in its own role, as far as they answer questions."""
    stop = asyncio.Event()
    async with (
        world.database.pool("classifier") as of_classifier,
        world.database.pool("ticket_writer") as of_writer,
        ReaderPool(readers=1, memory_bytes=1536 * 1024 * 1024) as readers,
    ):
        trials = Trials(of_classifier, readers, number_pattern=NUMBERS, seconds=10)
        running = [
            asyncio.create_task(Answering(of_classifier, "classifier", trials.answers).run(stop)),
            asyncio.create_task(Answering(of_writer, "ticket_writer", answers(Repository(of_writer))).run(stop)),
        ]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*running)


async def send(world: World, user: str, mail: bytes, path: str = PAGE, **more: str) -> httpx.Response:
    """The answer to the form with this file."""
    async with await world.logged_in(user) as client:
        token = await form_of(client, "/own")
        return await client.post(path, data={**token, **more}, files={"file": ("mail.eml", mail)})


async def answered(world: World, user: str) -> Mapping[str, Any]:
    """The answer that the page shows him, once it is there."""
    async with await world.logged_in(user, accept="application/json") as client, asyncio.timeout(60):
        while True:
            tried: Mapping[str, Any] = (await client.get(f"{PAGE}/answer")).json()["tried"]
            if tried["answered_at"] is not None:
                answer: Mapping[str, Any] = tried["answer"]
                return answer
            await asyncio.sleep(0.05)


async def everything(world: World) -> dict[str, str]:
    """A digest of each table, save the one of questions and that of sessions, and all numbers that were given."""
    names = [row["relname"] for row in await world.owner.fetch(OTHER_TABLES)]
    found = {
        name: await world.owner.fetchval(
            f"SELECT md5(coalesce(string_agg(row::text, '|' ORDER BY row::text), '')) FROM {name} AS row"  # noqa: S608
        )
        for name in names
    }
    numbers = await world.owner.fetch(
        "SELECT sequencename, last_value FROM pg_sequences WHERE sequencename NOT LIKE 'service_questions%' ORDER BY 1"
    )
    return {**found, "numbers": str(numbers)}


async def test_a_new_ticket_is_told_with_contact_and_notifications_and_nothing_is_written(world: World) -> None:
    before = await everything(world)
    async with services(world):
        sent = await send(world, "anna", NEW)
        assert (sent.status_code, sent.headers["location"]) == (httpx.codes.SEE_OTHER, f"{PAGE}#answer")
        answer = await answered(world, "anna")
    assert (answer["ok"], answer["outcome"], answer["contact"]) == (True, "ticket", "Anna de Vries")
    assert {"contact-known", "no-ticket-number"} <= {reason["id"] for reason in answer["reasons"]}
    to_customer = [each for each in answer["notifications"] if each["kind"] == "ticket-added-customer"]
    assert [(each["address"], each["not_sent"]) for each in to_customer] == [("anna@korenaar.example", None)]
    assert await everything(world) == before


async def test_D1_an_answer_goes_to_the_ticket_that_it_names(world: World) -> None:
    before = await everything(world)
    async with services(world):
        await send(world, "anna", ANSWER)
        answer = await answered(world, "anna")
    assert (answer["outcome"], answer["ticket"], answer["ticket_numbers"]) == ("supplement", "1000001", ["TCK-12"])
    assert "ticket-alias" in {reason["id"] for reason in answer["reasons"]}
    assert answer["text"].strip() == "Weer stuk."
    assert await everything(world) == before


async def test_D4_an_unknown_sender_is_the_default_contact_and_a_pdf_is_left_out(world: World) -> None:
    async with services(world):
        await send(world, "anna", STRANGER)
        answer = await answered(world, "anna")
    assert (answer["contact"], answer["is_known"]) == ("Onbekende afzender", False)
    assert [part["name"] for part in answer["left_out"]] == ["offerte.pdf"]


async def test_D17_what_is_no_mail_would_be_quarantined(world: World) -> None:
    async with services(world):
        await send(world, "anna", GARBAGE)
        answer = await answered(world, "anna")
    assert (answer["outcome"], answer["notifications"]) == ("quarantine", [])
    assert all(reason["sentence"] for reason in answer["reasons"])


async def test_a_helpdesk_whose_settings_lack_something_is_told_so(world: World) -> None:
    async with services(world):
        await world.owner.execute(
            "INSERT INTO service_questions (service, question, helpdesk_id, asked_by, mail)"
            " VALUES ('classifier', 'try', 2, 'verkoop', $1)",
            NEW,
        )
        async with await world.logged_in("verkoop", accept="text/html") as client, asyncio.timeout(60):
            while "kan nog geen tickets maken" not in (await client.get("/helpdesks/2/try")).text:
                await asyncio.sleep(0.05)


async def test_the_mail_is_gone_when_it_is_read_and_its_facts_when_they_are_answered(world: World) -> None:
    await send(world, "anna", NEW)
    row = await world.owner.fetchrow(WAITING)
    assert row is not None
    assert (row["service"], row["asked_by"], row["mail"]) == ("classifier", "anna", NEW)
    async with world.database.connect("classifier") as classifier:
        await classifier.execute("UPDATE service_questions SET service = 'ticket_writer', arguments = $1", {"a": 1})
    row = await world.owner.fetchrow(WAITING)
    assert row is not None
    assert (row["service"], row["mail"], row["arguments"]) == ("ticket_writer", None, {"a": 1})
    async with world.database.connect("ticket_writer") as writer:
        await writer.execute("UPDATE service_questions SET answered_at = now(), answer = $1", {"ok": False})
    row = await world.owner.fetchrow(WAITING)
    assert row is not None
    assert (row["mail"], row["arguments"]) == (None, {})


async def test_the_console_cannot_read_a_mail_back_and_nobody_answers_for_another(world: World) -> None:
    await send(world, "anna", NEW)
    await world.owner.execute(
        "INSERT INTO service_questions (service, question, helpdesk_id, asked_by)"
        " VALUES ('fetcher', 'discover', 1, 'anna')"
    )
    for role in ("web", "ticket_writer", "fetcher"):
        async with world.database.connect(role) as other:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await other.fetch("SELECT mail FROM service_questions")
    forged = "UPDATE service_questions SET answered_at = now(), answer = '{}' WHERE service = $1"
    for role, asked in (("classifier", "fetcher"), ("ticket_writer", "fetcher"), ("fetcher", "classifier")):
        async with world.database.connect(role) as other:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await other.execute(forged, asked)


async def test_a_mail_that_nobody_reads_goes_after_ten_minutes_whichever_service_runs(world: World) -> None:
    await send(world, "anna", NEW)
    await world.owner.execute("UPDATE service_questions SET asked_at = now() - interval '11 minutes'")
    stop = asyncio.Event()
    async with world.database.pool("ticket_writer") as pool, asyncio.timeout(30):
        running = asyncio.create_task(Answering(pool, "ticket_writer", answers(Repository(pool))).run(stop))
        while await world.owner.fetchrow(WAITING) is not None:
            await asyncio.sleep(0.05)
        stop.set()
        await running


async def test_another_mail_takes_the_place_of_the_first_and_is_forgotten_by_a_click(world: World) -> None:
    await send(world, "anna", NEW)
    await send(world, "anna", ANSWER)
    assert [row["mail"] for row in await world.owner.fetch(WAITING)] == [ANSWER]
    await send(world, "anna", b"", what="forget")
    assert await world.owner.fetch(WAITING) == []


async def test_what_one_tries_no_other_sees(world: World) -> None:
    await send(world, "anna", NEW)
    async with await world.logged_in("baas", accept="application/json") as client:
        assert (await client.get(PAGE)).json()["tried"] is None


async def test_a_mail_is_pasted_as_text(world: World) -> None:
    await send(world, "anna", b"", text="\r\n" + NEW.decode())
    assert [row["mail"] for row in await world.owner.fetch(WAITING)] == [NEW]


@pytest.mark.parametrize(
    ("mail", "status", "sentence"),
    [
        (b"", httpx.codes.UNPROCESSABLE_ENTITY, "Kies een bestand"),
        (b"x" * (LARGEST_MAIL + 1), httpx.codes.UNPROCESSABLE_ENTITY, "hoogstens 10 MB"),
        (b"x" * (LARGEST_MAIL * 2), httpx.codes.REQUEST_ENTITY_TOO_LARGE, "te groot voor deze pagina"),
    ],
    ids=["nothing", "too large", "far too large"],
)
async def test_what_cannot_be_tried_is_refused_with_a_sentence(
    world: World, mail: bytes, status: int, sentence: str
) -> None:
    answer = await send(world, "anna", mail)
    assert answer.status_code == status
    assert sentence in answer.text
    assert await world.owner.fetch(WAITING) == []


async def test_a_pasted_text_beyond_its_bounds_is_refused_with_a_sentence(world: World) -> None:
    answer = await send(world, "anna", b"", text="x" * (1024 * 1024 + 1))
    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert "te groot voor deze pagina" in answer.text


async def test_the_largest_mail_is_taken_byte_for_byte(world: World) -> None:
    mail = (NEW + b"\x00\xff" * LARGEST_MAIL)[:LARGEST_MAIL]
    assert (await send(world, "anna", mail)).status_code == httpx.codes.SEE_OTHER
    assert [row["mail"] == mail for row in await world.owner.fetch(WAITING)] == [True]


async def test_D17_a_mail_beyond_the_helpdesks_own_limit_is_refused_with_a_sentence(world: World) -> None:
    await world.owner.execute("UPDATE importer_settings SET max_mail_bytes = 1024 WHERE helpdesk_id = 1")
    try:
        assert "leest deze helpdesk alleen het begin" in (await send(world, "anna", NEW + b"x" * 1024)).text
    finally:
        await world.owner.execute("UPDATE importer_settings SET max_mail_bytes = DEFAULT WHERE helpdesk_id = 1")


@pytest.mark.parametrize(
    ("user", "helpdesk"), [("anna", 2), ("verkoop", 1), ("viewer", 1), ("kijker", 1), ("anna", 99)]
)
async def test_another_helpdesk_is_as_one_that_is_not_there(world: World, user: str, helpdesk: int) -> None:
    async with await world.logged_in(user) as client:
        for path in (f"/helpdesks/{helpdesk}/try", f"/helpdesks/{helpdesk}/try/answer"):
            for accept in ("text/html", "application/json"):
                assert (await client.get(path, headers={"accept": accept})).status_code == httpx.codes.NOT_FOUND
    assert (await send(world, user, NEW, f"/helpdesks/{helpdesk}/try")).status_code == httpx.codes.NOT_FOUND
    assert await world.owner.fetch(WAITING) == []


async def test_CSRF_a_form_without_the_token_tries_nothing(world: World) -> None:
    async with await world.logged_in("anna") as client:
        answer = await client.post(PAGE, files={"file": ("mail.eml", NEW)})
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert await world.owner.fetch(WAITING) == []


HOSTILE: Final = (
    b"From: =?utf-8?q?=3Cscript=3Ealert=281=29=3C/script=3E?= <wie@nergens.example>\r\n"
    b"Subject: </pre><script>document.title='broken'</script>\r\nMessage-ID: <h@nergens.example>\r\n"
    b"Content-Type: text/html\r\n\r\n<p>Hallo</p><script>document.title='broken'</script>\r\n"
)


async def test_what_a_mail_says_stays_text_on_the_page(world: World) -> None:
    async with services(world):
        await send(world, "anna", HOSTILE)
        await answered(world, "anna")
    async with await world.logged_in("anna", accept="text/html") as client:
        page = (await client.get(PAGE)).text
    assert re.findall(r"<script(?![^>]*\bnonce=)", page) == []
    assert "&lt;script&gt;document.title" in page


async def test_in_a_browser_the_answer_comes_by_itself_and_axe_finds_nothing(
    world: World, browser: Browser, axe: str
) -> None:
    async with services(world):
        for scheme, size, user in (("light", PHONE, "baas"), ("dark", DESKTOP, "boss")):
            async with opened(world, browser, user, viewport=size, color_scheme=scheme, bypass_csp=True) as page:
                await page.goto(world.address + PAGE)
                file = {"name": "mail.eml", "mimeType": "message/rfc822", "buffer": STRANGER}
                await page.set_input_files("input[name=file]", file)  # type: ignore[arg-type]
                await page.click("form.settings > button")
                await page.wait_for_selector("#became")
                assert "offerte.pdf" in await page.inner_text("#answer")
                await page.evaluate(axe)
                assert await page.evaluate(VIOLATIONS) == []
                assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
                if folder := os.environ.get("SCREENSHOTS"):
                    await page.screenshot(path=Path(folder) / f"probeer-een-mail-antwoord-{scheme}.png", full_page=True)


async def test_without_scripts_a_mail_is_pasted_and_its_answer_read(world: World, browser: Browser) -> None:
    async with services(world), opened(world, browser, "anna", java_script_enabled=False) as page, asyncio.timeout(60):
        await page.goto(world.address + PAGE)
        await page.fill("textarea[name=text]", NEW.decode())
        await page.click("form.settings > button")
        while await page.locator("#became").count() == 0:
            await page.click("text=Kijk of er antwoord is")
        assert "nieuw ticket" in await page.inner_text("#answer")
