"""The pages in a real browser: what axe finds, narrow and wide, dark and light, by keyboard, and a hostile mail."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from services.console.web.tokens import hash_of, new_token
from services.console.web.visit import SESSION_COOKIE
from tests.services.console.web.conftest import PASSWORD, World, serving

TICKET = "00000000-0000-0000-0000-000000000001"
PAGES = {
    "vandaag": "/", "mails": "/mails", "mail": f"/mails/{TICKET}", "ticket": "/tickets/TCK-12",
    "quarantaine": "/work/quarantine",
    "vastgelopen": "/work/dead-letters", "beoordelen": "/work/review", "oude-mail": "/work/backlog",
    "niet-verstuurd": "/work/undelivered", "meldingen": "/notifications",
    "melding-opnieuw": "/notifications/20000000-0000-0000-0000-000000000001/resend", "logboek": "/audit",
    "postvak": "/helpdesks/1/log", "taken": "/work/jobs", "taak": "/work/jobs/1", "gebruikers": "/users",
    "gebruiker": "/users/2", "groepen": "/groups", "voorkeuren": "/own",
    "helpdesks": "/helpdesks", "sjablonen": "/templates", "sjabloon": "/templates/1/ticket-added-customer",
    "e-mail-importer": "/helpdesks/1/importer", "inlezen": "/helpdesks/1/reading",
    "mail-bij-toevoegen": "/helpdesks/1/mail", "standaardwaarden": "/helpdesks/1/defaults",
    "statussen": "/helpdesks/1/statuses", "status": "/helpdesks/1/statuses/1",
    "prioriteiten": "/helpdesks/1/priorities",
    "afzenders": "/helpdesks/1/senders", "probeer-een-mail": "/helpdesks/1/try",
    "wijzigingen": "/helpdesks/1/changes", "kalender": "/calendars/1",
}  # fmt: skip
VIOLATIONS = """
    (async () => {
        const found = await axe.run(document, {resultTypes: ["violations"]});
        return found.violations.map(({id, nodes}) => [id, nodes.map(({html}) => html.slice(0, 120))]);
    })()"""
"""No more than these: all that axe looked at would be a megabyte a page."""
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
HOSTILE = """
    <p>Beste</p><script>parent.document.title = 'broken'</script><img src="https://evil.example/p.png" onerror="
    parent.document.title = 'broken'"><form action="/logout" method="post"><button>Klik</button></form>
    <a href="javascript:top.document.title='broken'" target="_top">weg</a><iframe src="/own"></iframe>
    <meta http-equiv="refresh" content="0; url=/own"><style>@import url("https://evil.example/x.css");</style>"""


@pytest.fixture(scope="module")
async def address(world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A console whose users log in with a provider too, since else there is no page about its groups."""
    secrets = tmp_path_factory.mktemp("secrets")
    (secrets / "web_oidc_client_secret").write_text("unused", encoding="ascii")
    provider = {"web_oidc_issuer": "https://login.example", "web_oidc_client_id": "console", "secrets_dir": secrets}
    async with world.database.pool("web") as pool, serving(pool, **provider) as address:
        yield address


@asynccontextmanager
async def opened(world: World, browser: Browser, name: str, **context: Any) -> AsyncIterator[Page]:
    """A window in which this user is logged in; nothing leaves this machine, and who tries is remembered."""
    token = new_token()
    await world.owner.execute(
        "INSERT INTO web_sessions (token_hash, user_id, ends_at)"
        " SELECT $1, id, now() + interval '1 hour' FROM web_users WHERE name = $2",
        hash_of(token),
        name,
    )
    window = await browser.new_context(**context)
    try:
        await window.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": world.address}])
        yield await window.new_page()
    finally:
        await window.close()


@pytest.fixture(scope="module")
async def phone_and_desktop(world: World, browser: Browser) -> AsyncIterator[tuple[Page, Page]]:
    """A narrow light window in Dutch and a wide dark one in English."""
    async with (
        opened(world, browser, "baas", viewport=PHONE, color_scheme="light", bypass_csp=True) as phone,
        opened(world, browser, "boss", viewport=DESKTOP, color_scheme="dark", bypass_csp=True) as desktop,
    ):
        yield phone, desktop


@pytest.mark.parametrize("name", PAGES)
async def test_axe_finds_nothing_and_the_page_fits_a_phone(
    address: str, phone_and_desktop: tuple[Page, Page], axe: str, name: str
) -> None:
    for window, size, scheme in zip(phone_and_desktop, (PHONE, DESKTOP), ("light", "dark"), strict=True):
        await window.goto(address + PAGES[name])
        await window.evaluate(axe)
        assert await window.evaluate(VIOLATIONS) == []
        width = await window.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"]
        if folder := os.environ.get("SCREENSHOTS"):
            await window.screenshot(path=Path(folder) / f"{name}-{scheme}.png", full_page=True)


async def test_a_page_breaks_no_rule_of_its_own_policy(world: World, address: str, browser: Browser) -> None:
    complaints: list[str] = []
    async with opened(world, browser, "baas") as page:
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        for path in PAGES.values():
            await page.goto(address + path)
    assert complaints == []


async def test_by_keyboard_alone_one_comes_in_and_out(world: World, browser: Browser) -> None:
    window = await browser.new_context()
    page = await window.new_page()
    await page.goto(f"{world.address}/mails")
    await page.locator("input[name=name]:focus").wait_for()  # which the browser gives it some time after the page
    await page.keyboard.type("anna")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/mails")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    for _ in range(9):
        await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Uitloggen"
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/login")
    await window.close()


async def test_without_scripts_a_page_reads_and_saves(world: World, browser: Browser) -> None:
    async with opened(world, browser, "verkoop", java_script_enabled=False) as page:
        await page.goto(f"{world.address}/own")
        await page.select_option("select[name=language]", "en")
        await page.click("main button")
        await page.wait_for_selector("h1 >> text=My preferences")
    await world.owner.execute("UPDATE web_users SET language = 'nl' WHERE name = 'verkoop'")


async def test_S5_a_contact_is_found_while_typing_and_saved(world: World, browser: Browser) -> None:
    async with opened(world, browser, "anna", viewport=PHONE) as page:
        await page.goto(f"{world.address}/helpdesks/1/importer")
        await page.fill("input[name=default_contact]", "")
        await page.locator("input[name=default_contact]").press_sequentially("vries")
        option = page.locator("#default_contact-list option")
        await option.wait_for(state="attached")
        assert await option.get_attribute("value") == "Anna@Korenaar.example"
        await page.fill("input[name=default_contact]", "Anna@Korenaar.example")
        await page.click("form.settings > button")
        await page.wait_for_url("**/importer?saved")
        assert await page.input_value("input[name=default_contact]") == "Anna de Vries"


async def test_the_answer_to_a_test_of_the_mailbox_comes_by_itself(world: World, browser: Browser) -> None:
    async with opened(world, browser, "anna") as page:
        await page.goto(f"{world.address}/helpdesks/1/importer")
        await page.click("text=Test de mailbox")
        await page.wait_for_selector("#answer >> text=wordt geprobeerd")
        await world.owner.execute(
            "UPDATE service_questions SET answered_at = now(), answer = $1 WHERE helpdesk_id = 1",
            {"ok": False, "problem": "De map bestaat niet.", "login_refused_since": None},
        )
        await page.wait_for_selector("#answer >> text=De map bestaat niet.")


async def test_without_scripts_a_setting_is_refused_beside_its_field_and_saved(world: World, browser: Browser) -> None:
    async with opened(world, browser, "anna", java_script_enabled=False, viewport=PHONE) as page:
        await page.goto(f"{world.address}/helpdesks/1/reading")
        await page.fill("input[name=check_interval]", "0")
        await page.click("form.settings > button")
        assert "van 1 tot en met 86400" in await page.inner_text("#check_interval-problem")
        await page.fill("input[name=check_interval]", "45")
        await page.uncheck("input[type=checkbox][name=hide_signature_images]")
        await page.click("form.settings > button")
        await page.wait_for_url("**/reading?saved")
        assert not await page.is_checked("input[type=checkbox][name=hide_signature_images]")
        await page.goto(f"{world.address}/helpdesks/1/changes")
        await page.click("button[name=entry] >> nth=0")
        await page.goto(f"{world.address}/helpdesks/1/reading")
        assert await page.input_value("input[name=check_interval]") == "30"


async def test_S8_the_dialogue_of_a_failed_check_opens_on_a_phone_by_keyboard(
    world: World, browser: Browser, axe: str
) -> None:
    async with opened(world, browser, "anna", viewport=PHONE, bypass_csp=True) as page:
        await page.goto(f"{world.address}/helpdesks/1/log")
        await page.focus("summary >> text=Gesprek met de mailserver")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("code >> text=een-lange-naam-van-een-mailserver")
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        await page.evaluate(axe)
        assert await page.evaluate(VIOLATIONS) == []


async def test_a_mails_html_stays_in_its_frame(world: World, browser: Browser) -> None:
    await world.owner.execute("UPDATE tickets SET body_full_html = $1 WHERE mail_id = $2", HOSTILE, TICKET)
    asked: list[str] = []
    async with opened(world, browser, "anna") as page:
        page.on("requestfinished", lambda request: asked.append(request.url))  # not those that the policy stopped
        await page.goto(f"{world.address}/mails/{TICKET}")
        frame = page.frame(url=f"**/mails/{TICKET}/html")
        assert frame is not None
        await frame.wait_for_load_state()
        assert await frame.evaluate("self.origin") == "null"
        assert "broken" not in await page.title()
        await frame.click("text=weg")
        await frame.click("text=Klik")
        assert page.url == f"{world.address}/mails/{TICKET}"
        await page.goto(f"{world.address}/")
        assert "Vandaag" in await page.title()
    assert [url for url in asked if "evil.example" in url] == []
    assert [url for url in asked if url.endswith(("/own", "/logout"))] == []


async def test_a_template_is_checked_while_it_is_typed_and_seen_before_it_is_saved(
    world: World, browser: Browser
) -> None:
    async with opened(world, browser, "anna", viewport=PHONE) as page:
        await page.goto(f"{world.address}/templates/1/ticket-added-customer")
        await page.fill("input[name=subject]", "Zonder nummer")
        await page.wait_for_selector("#subject-problem >> text=In het onderwerp hoort [ticketnummer]")
        await page.fill("input[name=subject]", "[ticketnummer] is er")
        await page.wait_for_selector("#subject-problem:empty", state="attached")
        await page.fill("textarea[name=html]", "<p>Hallo [ontvanger]</p>")
        await page.click("text=Bekijk wat er nu staat")
        await page.frame_locator("iframe[name=preview]").locator("text=Hallo").first.wait_for()
        assert page.url == f"{world.address}/templates/1/ticket-added-customer"
        await page.click("text=Bewaren")
        await page.wait_for_url("**/ticket-added-customer?saved")
        assert await page.input_value("input[name=subject]") == "[ticketnummer] is er"


async def test_without_scripts_a_template_is_refused_seen_saved_and_taken_back(world: World, browser: Browser) -> None:
    async with opened(world, browser, "anna", java_script_enabled=False) as page:
        await page.goto(f"{world.address}/templates/1/ticket-added-manager")
        await page.fill("textarea[name=text]", "Beste [ontvangr]")
        await page.click("text=Bewaren")
        await page.wait_for_selector("#text-problem >> text=Bedoelt u [ontvanger]?")
        await page.fill("textarea[name=text]", "Gegroet [ontvanger]")
        await page.click("text=Bekijk wat er nu staat")
        await page.frame_locator("iframe[name=preview]").locator("text=Gegroet Sanne de Wit").first.wait_for()
        await page.click("text=Bewaren")
        await page.wait_for_url("**/ticket-added-manager?saved")
        await page.click("text=Naar de standaard")
        await page.wait_for_selector("text=De standaard geldt")
        assert "Gegroet" not in await page.input_value("textarea[name=text]")


async def test_html_of_a_template_or_a_ticket_stays_in_the_frame_of_its_preview(world: World, browser: Browser) -> None:
    await world.owner.execute(
        "UPDATE tickets SET body_html = $1, body_full_html = $1, body_full_text = $1 WHERE mail_id = $2",
        HOSTILE,
        TICKET,
    )
    await world.owner.execute(
        "UPDATE imported_mails SET subject = $1, sender_name = $1 WHERE mail_id = $2", HOSTILE, TICKET
    )
    asked: list[str] = []
    address = f"{world.address}/templates/1/ticket-added-customer"
    async with opened(world, browser, "anna") as page:
        page.on("requestfinished", lambda request: asked.append(request.url))
        await page.goto(address)
        await page.fill("textarea[name=html]", f"Eigen {HOSTILE} [tickettitel] [afzender] [omschrijving]")
        await page.click("text=Bekijk wat er nu staat")
        await page.frame_locator("iframe[name=preview]").locator("text=Eigen").first.wait_for()
        (frame,) = [one for one in page.frames if one.url.endswith("/preview")]
        assert await frame.evaluate("self.origin") == "null"
        foreign = "document.querySelectorAll('script, form, iframe, img, meta[http-equiv], [onerror], [target]').length"
        assert await frame.evaluate(foreign) == 0
        await frame.click("text=weg >> nth=0")
        assert page.url == address
        assert "broken" not in await page.title()
        await page.click("text=Bewaren")
        await page.wait_for_url("**/ticket-added-customer?saved")
        assert "broken" not in await page.title()
    assert [url for url in asked if "evil.example" in url] == []
    assert [url for url in asked if url.endswith(("/own", "/logout"))] == []
