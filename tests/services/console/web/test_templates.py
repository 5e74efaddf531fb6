"""«Sjablonen»: edited, checked by the rule of the command line and the database, seen and taken back (M2–M4)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from html import unescape
from typing import Any
from urllib.parse import urlencode

import asyncpg
import httpx
import pytest

from shared.templates.defaults import default_texts
from shared.templates.facts import OwnTemplate
from shared.templates.kinds import TemplateKind
from tests.services.console.web.conftest import World, form_of

CUSTOMER = TemplateKind.TICKET_ADDED_CUSTOMER
EXECUTOR = TemplateKind.SUPPLEMENT_ADDED_EXECUTOR
CUSTOMERS, EXECUTORS, SUMMARIES = (
    "/templates/1/ticket-added-customer",
    f"/templates/1/{EXECUTOR}",
    "/templates/1/summary",
)
CLEAR = "DELETE FROM templates WHERE helpdesk_id = 1"
DEFAULT = default_texts(CUSTOMER)
JSON = "application/json"
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(autouse=True, scope="module")
async def words(world: World) -> None:
    """Words of the customer, by which a preview is known, and a leak."""
    await world.owner.execute(
        "UPDATE imported_mails SET subject = 'Persoonlijk onderwerp', sender_name = 'Klant Persoonlijk',"
        " sender_address = 'klant@persoonlijk.example' WHERE helpdesk_id = 1"
    )
    await world.owner.execute(
        "UPDATE tickets SET body_html = html, body_full_html = html, body_full_text = 'x'"
        " FROM (VALUES ('<p>Mijn <b>geheim</b></p>')) AS written (html)"
    )


@pytest.fixture(autouse=True)
async def no_template(world: World) -> AsyncIterator[None]:
    await world.owner.execute(CLEAR)
    yield
    await world.owner.execute(CLEAR)


async def send(
    world: World, user: str, path: str, data: Mapping[str, str], accept: str = "text/html"
) -> httpx.Response:
    """What a form answers to this user."""
    async with await world.logged_in(user, accept=accept) as client:
        return await client.post(path, data={**await form_of(client, "/own"), **data})


async def page_of(world: World, path: str = CUSTOMERS, user: str = "anna") -> dict[str, Any]:
    """The values of the page."""
    async with await world.logged_in(user, accept=JSON) as client:
        values: dict[str, Any] = (await client.get(path)).json()
        return values


def typed(page: Mapping[str, Any]) -> dict[str, str]:
    """What a browser sends back of the page."""
    return {"version": str(page["version"]), **{one["name"]: one["value"] for one in page["fields"]}}


async def stored(world: World, kind: TemplateKind = CUSTOMER) -> OwnTemplate | None:
    row = await world.owner.fetchrow(
        "SELECT subject, body_html, body_text FROM templates WHERE helpdesk_id = 1 AND kind = $1", kind
    )
    return None if row is None else OwnTemplate(**row)


async def number(world: World) -> str:
    found: str = await world.owner.fetchval("SELECT number FROM tickets WHERE id = 1")
    return found


async def test_without_an_own_template_the_default_stands_in_the_fields_and_saving_it_stores_nothing(
    world: World,
) -> None:
    page = await page_of(world)
    assert typed(page) | {"version": ""} == {
        "version": "", "subject": DEFAULT.subject, "html": DEFAULT.body_html, "text": DEFAULT.body_text,
    }  # fmt: skip
    answer = await send(world, "anna", CUSTOMERS, typed(page))
    assert answer.headers["location"] == f"{CUSTOMERS}?saved"
    assert await stored(world) is None


async def test_M4_a_subject_is_saved_and_the_bodies_stay_the_default(world: World) -> None:
    subject = "[Ticketnummer] is binnen"
    await send(world, "anna", CUSTOMERS, typed(await page_of(world)) | {"subject": f"  {subject} "})
    assert await stored(world) == OwnTemplate(subject)
    page = await page_of(world)
    assert typed(page)["subject"] == subject
    assert typed(page)["html"] == DEFAULT.body_html
    assert page["is_own"]


async def test_M4_with_an_own_html_the_text_is_made_from_it(world: World) -> None:
    await send(world, "anna", CUSTOMERS, typed(await page_of(world)) | {"html": "<p>Dag\r\n[ontvanger]</p>"})
    assert await stored(world) == OwnTemplate(body_html="<p>Dag\n[ontvanger]</p>")
    assert typed(await page_of(world))["text"] == ""
    async with await world.logged_in("anna", accept=JSON) as client:
        mail = (await client.get(f"{CUSTOMERS}/preview")).json()
    assert "Dag Sanne de Wit" in mail["text"]


@pytest.mark.parametrize(
    ("path", "field", "text", "sentence"),
    [
        pytest.param(CUSTOMERS, "subject", "Zonder nummer", "In het onderwerp hoort [ticketnummer]", id="no number"),
        pytest.param(CUSTOMERS, "subject", "[ticketnumer]", "Bedoelt u [ticketnummer]?", id="misspelt"),
        pytest.param(CUSTOMERS, "subject", "[ticketnummer] [omschrijving]", "is te lang", id="too long a value"),
        pytest.param(CUSTOMERS, "subject", "[ticketnummer] [status?]", "hoort in de tekst", id="no line that goes"),
        pytest.param(CUSTOMERS, "subject", "[ticketnummer]" + "x" * 500, "hoogstens 500 tekens", id="too long"),
        pytest.param(CUSTOMERS, "html", "<p>[xyzzy]</p>", "[xyzzy] is geen invulveld: kies", id="unknown in html"),
        pytest.param(CUSTOMERS, "text", "Beste [ontvanger", "Na een [ komt geen ]", id="not closed"),
        pytest.param(CUSTOMERS, "text", "x" * 262_145, "te lang", id="a very long text"),
        pytest.param(SUMMARIES, "text", "[tickettitel]", "[tickettitel] is geen invulveld", id="not of a summary"),
    ],
)
async def test_D14_a_template_that_cannot_be_used_is_refused_beside_its_field_saved_or_typed(
    world: World, path: str, field: str, text: str, sentence: str
) -> None:
    data = typed(await page_of(world, path)) | {field: text}
    answer = await send(world, "anna", path, data, JSON)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    (refused,) = [one for one in answer.json()["fields"] if one["problem"]]
    assert (refused["name"], refused["value"]) == (field, text)
    assert sentence in refused["problem"]
    checked = await send(world, "anna", f"{path}/check/{field}", data, JSON)
    assert checked.json() == {"problem": refused["problem"]}
    previewed = await send(world, "anna", f"{path}/preview", data, JSON)
    assert previewed.json()["problems"] == [refused["problem"]]
    assert await world.owner.fetchval("SELECT count(*) FROM templates WHERE helpdesk_id = 1") == 0
    if len(text) < 500:  # the database knows no length
        with pytest.raises(asyncpg.CheckViolationError):
            await world.owner.execute(
                "INSERT INTO templates (helpdesk_id, kind, subject, body_text) VALUES (1, $1, $2, $3)",
                path.rpartition("/")[2], *((text, None) if field == "subject" else (None, text)),
            )  # fmt: skip


@pytest.mark.parametrize("kind", TemplateKind)
async def test_each_kind_offers_its_placeholders_and_reads_in_both_languages(world: World, kind: TemplateKind) -> None:
    for user in ("baas", "boss"):
        async with await world.logged_in(user) as client:
            answer = await client.get(f"/templates/1/{kind}")
            assert answer.status_code == httpx.codes.OK
            assert "<code>[ontvanger]</code>" in answer.text
            assert ("<code>[overzicht]</code>" in answer.text) == (kind is TemplateKind.SUMMARY)
            frame = await client.get(f"/templates/1/{kind}/preview")
            assert "Sanne de Wit" in frame.text


@pytest.mark.parametrize(
    ("user", "said", "other"),
    [
        ("baas", "het nummer van het ticket", "the ticket's number"),
        ("boss", "the ticket's number", "het nummer van het ticket"),
    ],
)
async def test_what_a_placeholder_stands_for_is_in_the_visitors_language(
    world: World, user: str, said: str, other: str
) -> None:
    async with await world.logged_in(user) as client:
        page = unescape((await client.get(CUSTOMERS)).text)
    assert f"<td>{said}</td>" in page
    assert other not in page


async def test_M4_a_preview_on_a_real_ticket_is_what_the_notifier_writes_of_it(world: World) -> None:
    await world.owner.execute("UPDATE importer_settings SET marker = '== hierboven ==' WHERE helpdesk_id = 1")
    data = {
        "subject": "[ticketnummer]: [tickettitel]",
        "html": "<p>[ontvanger], [omschrijving] [status]</p>",
        "text": "",
    }
    answer = await send(world, "anna", f"{CUSTOMERS}/preview", data | {"ticket": await number(world)}, JSON)
    mail = answer.json()
    assert mail["subject"] == f"{await number(world)}: Kassa hapert"
    assert mail["html"].startswith("<p>== hierboven ==</p>")
    assert "Klant Persoonlijk" in mail["html"]
    assert "<p>Mijn <b>geheim</b></p>" in mail["html"]
    assert "Mijn geheim" in mail["text"]
    assert "E-mail Geïmporteerd" in mail["text"]
    assert await stored(world) is None


async def test_each_placeholder_of_a_preview_is_the_tickets_own(world: World) -> None:
    names = (
        "organisatie",
        "contactpersoon",
        "aanmelder",
        "prioriteit",
        "soort",
        "deadline",
    )
    await world.owner.execute("UPDATE tickets SET deadline_at = '2026-11-24T09:30Z', ticket_type_id = 1 WHERE id = 1")
    data = {"subject": "[ticketnummer]", "html": "", "text": "\n".join(f"{name}=[{name}];" for name in names)}
    answer = await send(world, "anna", f"{CUSTOMERS}/preview", data | {"ticket": await number(world)}, JSON)
    text = answer.json()["text"]
    for name, value in zip(
        names,
        ("Bakkerij De Korenaar", "Anna de Vries", "Anna de Vries", "Hoog", "Storing", "24-11-2026 10:30"),
        strict=True,
    ):
        assert f"{name}={value};" in text


async def test_M3_a_preview_is_of_the_newest_supplement_and_of_no_ticket_without_one(world: World) -> None:
    page = await page_of(world, EXECUTORS)
    assert [one["number"] for one in page["tickets"]] == [await number(world)]
    async with await world.logged_in("anna", accept=JSON) as client:
        mail = (await client.get(f"{EXECUTORS}/preview", params={"ticket": await number(world)})).json()
        other = (await client.get(f"{EXECUTORS}/preview", params={"ticket": "404"})).json()
    assert mail["problems"] == []
    assert "Klant Persoonlijk" in mail["text"]
    assert "geen ticket met dit nummer" in other["problems"][0]


async def test_another_helpdesks_ticket_is_as_one_that_is_not_there(world: World) -> None:
    others = await world.owner.fetchval("SELECT number FROM tickets WHERE helpdesk_id = 2")
    async with await world.logged_in("anna", accept=JSON) as client:
        mail = (await client.get(f"{CUSTOMERS}/preview", params={"ticket": others})).json()
    assert (mail["subject"], mail["html"]) == ("", "")
    assert "geen ticket met dit nummer" in mail["problems"][0]


async def test_one_click_goes_back_to_the_version_before_and_one_to_the_default(world: World) -> None:
    for subject in ("[ticketnummer] een", "[ticketnummer] twee"):
        await send(world, "anna", CUSTOMERS, typed(await page_of(world)) | {"subject": subject})
    page = await page_of(world)
    assert page["earlier"]["own"]["subject"] == "[ticketnummer] een"
    assert page["earlier"]["changed_by"] == "anna"
    version = {"version": str(page["version"])}
    assert (await send(world, "anna", f"{CUSTOMERS}/back", version | {"to": "earlier"})).is_redirect
    assert await stored(world) == OwnTemplate("[ticketnummer] een")
    stale = await send(world, "anna", f"{CUSTOMERS}/back", version | {"to": "default"})
    assert stale.status_code == httpx.codes.CONFLICT
    version = {"version": str((await page_of(world))["version"])}
    assert (await send(world, "anna", f"{CUSTOMERS}/back", version | {"to": "default"})).is_redirect
    assert await stored(world) == OwnTemplate()
    assert not (await page_of(world))["is_own"]


async def test_there_is_no_earlier_version_of_a_first_template(world: World) -> None:
    await send(world, "anna", CUSTOMERS, typed(await page_of(world)) | {"subject": "[ticketnummer] een"})
    page = await page_of(world)
    assert page["earlier"] is None
    answer = await send(world, "anna", f"{CUSTOMERS}/back", {"version": str(page["version"]), "to": "earlier"})
    assert answer.status_code == httpx.codes.CONFLICT
    assert await stored(world) == OwnTemplate("[ticketnummer] een")


async def test_who_saves_over_a_colleagues_change_is_told_and_keeps_what_he_typed(world: World) -> None:
    page = await page_of(world)
    await send(world, "baas", CUSTOMERS, typed(page) | {"subject": "[ticketnummer] van baas"})
    answer = await send(world, "anna", CUSTOMERS, typed(page) | {"subject": "[ticketnummer] van anna"})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "Iemand anders veranderde dit intussen" in answer.text
    assert "[ticketnummer] van anna" in answer.text
    assert await stored(world) == OwnTemplate("[ticketnummer] van baas")


@pytest.mark.parametrize("user", ["viewer", "kijker", "verkoop"])
@pytest.mark.parametrize("part", ["", "/back", "/check/subject", "/preview"])
async def test_who_does_not_administer_the_helpdesk_changes_nothing(world: World, user: str, part: str) -> None:
    data = {"subject": "[ticketnummer] van mij", "html": "", "text": "", "version": "0", "to": "default"}
    assert (await send(world, user, f"{CUSTOMERS}{part}", data)).status_code == httpx.codes.NOT_FOUND
    assert await stored(world) is None


async def test_a_viewer_sees_and_is_offered_no_button(world: World) -> None:
    async with await world.logged_in("viewer") as client:
        assert CUSTOMERS in (await client.get("/templates")).text
        page = (await client.get(CUSTOMERS)).text
        mail = (await client.get(f"{CUSTOMERS}/preview", params={"ticket": await number(world)})).text
    assert "readonly" in page
    assert "formaction" not in page
    assert page.count("<button") == 1  # to log out
    assert "Klant Persoonlijk" in mail


async def test_a_viewer_without_personal_data_gets_an_invented_ticket(world: World) -> None:
    for accept in ("text/html", JSON):
        async with await world.logged_in("kijker", accept=accept) as client:
            page = await client.get(CUSTOMERS)
            mail = await client.get(f"{CUSTOMERS}/preview", params={"ticket": await number(world)})
        for personal in ("Persoonlijk", "persoonlijk.example", "geheim"):
            assert personal not in page.text
            assert personal not in mail.text
        assert "Sanne de Wit" in mail.text


@pytest.mark.parametrize(
    "path", ["/templates/2/ticket-added-customer", "/templates/1/no-such-kind", "/templates/x/summary"]
)
@pytest.mark.parametrize("part", ["", "/preview"])
async def test_another_helpdesks_template_is_as_one_that_is_not_there(world: World, path: str, part: str) -> None:
    async with await world.logged_in("anna") as client:
        assert (await client.get(f"{path}{part}")).status_code == httpx.codes.NOT_FOUND
        assert "/templates/2/" not in (await client.get("/templates")).text


async def test_CSRF_a_form_without_the_token_saves_nothing(world: World) -> None:
    async with await world.logged_in("anna") as client:
        for part in ("", "/back", "/check/subject", "/preview"):
            answer = await client.post(f"{CUSTOMERS}{part}", data={"subject": "[ticketnummer] x"})
            assert answer.status_code == httpx.codes.FORBIDDEN
    assert await stored(world) is None


async def test_a_preview_is_a_frame_of_an_origin_of_its_own_and_a_page_escapes_what_was_typed(world: World) -> None:
    data = {"subject": f"[ticketnummer] {ATTACK}", "html": f"<p>a</p>{ATTACK}", "text": f"</textarea></pre>{ATTACK}"}
    answer = await send(world, "anna", f"{CUSTOMERS}/preview", data)
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    saved = await send(world, "anna", CUSTOMERS, data)
    assert saved.is_redirect
    async with await world.logged_in("anna") as client:
        page = await client.get(CUSTOMERS)
    for text in (answer.text, page.text):
        assert "<script>alert" not in text
        assert "<img" not in text
    assert "&lt;script&gt;alert(1)" in answer.text


@pytest.mark.parametrize("part", ["", "/check/text", "/preview"])
async def test_characters_that_no_text_has_are_no_error_of_ours(world: World, part: str) -> None:
    async with await world.logged_in("anna") as client:
        form = urlencode(
            {**await form_of(client, "/own"), "subject": "[ticketnummer]", "version": "\0", "ticket": "\0"}
        )
        answer = await client.post(
            f"{CUSTOMERS}{part}",
            content=f"{form}&text=%ED%A0%80a%00b&html=%00",
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
    assert answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR


# ── a test mail to oneself ───────────────────────────────────────────────────────────────────────────────────────────

ASKED = "SELECT service, helpdesk_id, asked_by, arguments FROM service_questions WHERE question = 'test-mail'"
SAY = """
    UPDATE service_questions SET answered_at = now(), answer = $1
    WHERE question = 'test-mail' AND answered_at IS NULL"""


@pytest.fixture
async def no_test(world: World) -> AsyncIterator[None]:
    """Nobody has asked for one, and anna logs in by her address."""
    await world.owner.execute("UPDATE web_users SET name = 'anna@helpdesk.example' WHERE name = 'anna'")
    yield
    await world.owner.execute("UPDATE web_users SET name = 'anna' WHERE name = 'anna@helpdesk.example'")
    await world.owner.execute("DELETE FROM service_questions WHERE question = 'test-mail'")


@pytest.mark.usefixtures("no_test")
async def test_what_was_typed_is_asked_of_the_notifier_for_who_asks_and_stays_in_the_form(world: World) -> None:
    anna = "anna@helpdesk.example"
    data = {"subject": "[ticketnummer] proef", "html": "<p>x</p>", "text": "", "ticket": await number(world)}
    answer = await send(world, anna, f"{CUSTOMERS}/test", data, "text/html")
    assert "[ticketnummer] proef" in answer.text
    assert "De testmail wordt verstuurd." in answer.text
    [row] = await world.owner.fetch(ASKED)
    assert (row["service"], row["helpdesk_id"], row["asked_by"]) == ("notifier", 1, anna)
    assert row["arguments"]["subject"] == "[ticketnummer] proef"
    assert row["arguments"]["ticket"] == await number(world)
    assert await stored(world) is None
    for told, said in (
        (
            {"ok": True, "to": anna, "reply": "250 genomen", "trouble": "", "problem": ""},
            f"Testmail verstuurd aan {anna}",
        ),
        ({"ok": False, "to": anna, "reply": "", "trouble": "held", "problem": ""}, "wordt tegengehouden"),
        ({"ok": False, "to": anna, "reply": "", "trouble": "server-away", "problem": "weg"}, "weg"),
    ):
        await send(world, anna, f"{CUSTOMERS}/test", data, "text/html")
        await world.owner.execute(SAY, told)
        async with await world.logged_in(anna) as client:
            assert said in (await client.get(f"{CUSTOMERS}/test")).text


@pytest.mark.usefixtures("no_test")
async def test_what_cannot_be_sent_is_said_beside_the_field_and_asked_of_nobody(world: World) -> None:
    data = {"subject": "zonder nummer", "html": "", "text": "", "ticket": await number(world)}
    answer = await send(world, "anna@helpdesk.example", f"{CUSTOMERS}/test", data, "text/html")
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert await world.owner.fetch(ASKED) == []


@pytest.mark.parametrize("user", ["viewer", "kijker", "verkoop"])
async def test_who_does_not_administer_the_helpdesk_sends_no_test_mail(world: World, user: str) -> None:
    answer = await send(world, user, f"{CUSTOMERS}/test", {"subject": "[ticketnummer]", "ticket": await number(world)})
    assert answer.status_code == httpx.codes.NOT_FOUND
    assert await world.owner.fetch(ASKED) == []
