"""A helpdesk's settings in the web console: saved as by the command line, refused beside the field, taken back."""

from __future__ import annotations

import re
from collections.abc import Mapping

import httpx
import pytest
from pydantic import SecretStr

from services.console.resources import HELPDESKS, IMPORTER
from services.console.web.pages.settings.screens import CALENDAR_ROWS, LISTS, SCREENS
from shared.sealing import Keyring
from tests.services.console.web.conftest import World, form_of

SEE_OTHER = httpx.codes.SEE_OTHER
UNPROCESSABLE = httpx.codes.UNPROCESSABLE_ENTITY
ANSWERED_WITHOUT_A_NUMBER = """
    INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size, full_size,
        received_at) VALUES ('00000000-0000-0000-0000-0000000000d8', 1, 1, 'INBOX', 'thread', sha256('1'), 1, 1, now());
    INSERT INTO tickets (id, helpdesk_id, organisation_id, contact_id, created_by_employee_id, changed_by_employee_id,
        reported_at, title, status_id, sender_address, mail_id)
    VALUES (8, 1, 2, 2, 1, 1, now(), 'Vraag', 1, 'wie@elders.example', '00000000-0000-0000-0000-0000000000d8');
    UPDATE imported_mails SET outcome = 'ticket', outcome_at = now(), ticket_id = 8,
        reasons = '[{"id": "thread-not-followed"}]' WHERE item_key = 'thread'"""
KEYS = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture(autouse=True, scope="module")
async def key(world: World) -> None:
    """The public key that secrets are sealed for."""
    public = Keyring.from_secret(SecretStr(KEYS)).public
    await world.owner.execute(
        "INSERT INTO sealing_keys (key_id, public_key, published_at) VALUES ($1, $2, now() + interval '1 day')",
        public.id,
        public.raw,
    )


async def save(world: World, user: str, path: str, data: Mapping[str, str]) -> httpx.Response:
    """What the form answers to this user."""
    async with await world.logged_in(user) as client:
        return await client.post(path, data={**await form_of(client, "/"), **data})


async def setting(world: World, column: str, helpdesk: int = 1) -> object:
    """A column of the «e-Mail importer» settings."""
    return await world.owner.fetchval(f"SELECT {column} FROM importer_settings WHERE helpdesk_id = $1", helpdesk)  # noqa: S608


def problem_beside(page: str, name: str) -> str:
    """The sentence beside an input."""
    found = re.search(rf'id="{name}-problem" class="trouble">([^<]*)<', page)
    return found[1] if found else ""


def test_every_setting_has_a_place_on_a_screen() -> None:
    shown = {(screen.resource.name, one.name) for screen in SCREENS for one in screen.asked}
    settings = {(resource.name, one.name) for resource in (IMPORTER, HELPDESKS) for one in resource.fields}
    assert settings - shown == {("helpdesk", "name"), ("helpdesk", "active")}
    for rows in (*LISTS, CALENDAR_ROWS):
        assert [one.name for one in rows.resource.fields if one.name not in {asked.name for asked in rows.asked}] == []


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.key)
def test_every_word_of_a_choice_has_a_name(screen: object) -> None:
    for one in screen.asked:  # type: ignore[attr-defined]
        assert set(getattr(one.field.kind, "words", ())) <= {*one.words}, one.name


async def test_S7_a_setting_is_saved_and_shown(world: World) -> None:
    answer = await save(world, "anna", "/helpdesks/1/importer", {"marker": "== antwoord hierboven =="})
    assert (answer.status_code, answer.headers["location"]) == (SEE_OTHER, "/helpdesks/1/importer?saved")
    async with await world.logged_in("anna") as client:
        page = (await client.get(answer.headers["location"])).text
    assert 'value="== antwoord hierboven =="' in page
    assert "Bewaard." in page
    assert await setting(world, "marker") == "== antwoord hierboven =="


async def test_S8_the_last_good_check_and_the_present_problem_stand_with_the_settings(world: World) -> None:
    await world.owner.execute(
        "UPDATE mailbox_states SET last_successful_check_at = '2026-11-23 08:00+00', problem = 'De map is weg.',"
        " problem_kind = 'mailbox-missing', problem_since = '2026-11-23 09:00+00' WHERE helpdesk_id = 1"
    )
    async with await world.logged_in("anna") as client:
        page = (await client.get("/helpdesks/1/importer")).text
    assert "09:00:00" in page
    assert "De map is weg." in page
    await world.owner.execute(
        "UPDATE mailbox_states SET problem = NULL, problem_kind = NULL, problem_since = NULL WHERE helpdesk_id = 1"
    )


async def test_D8_the_tickets_that_threads_would_have_saved_stand_with_the_setting(world: World) -> None:
    await world.owner.execute(ANSWERED_WITHOUT_A_NUMBER)
    async with await world.logged_in("anna") as client:
        assert "dertig dagen 1 ticket gescheeld" in (await client.get("/helpdesks/1/reading")).text


async def test_every_screen_saves_what_it_shows_without_changing_anything(world: World) -> None:
    before = await world.owner.fetch("SELECT * FROM importer_settings UNION ALL SELECT * FROM importer_settings")
    helpdesks = await world.owner.fetch("SELECT * FROM helpdesks")
    async with await world.logged_in("baas", accept="application/json") as client:
        form = await form_of(client, "/")
        for screen in SCREENS:
            shown = (await client.get(f"/helpdesks/1/{screen.key}")).json()
            data = {one["name"]: one["value"] for group in shown["groups"] for one in group["inputs"]}
            answer = await client.post(f"/helpdesks/1/{screen.key}", data={**form, **data, "version": shown["version"]})
            assert answer.status_code == SEE_OTHER, answer.text
    assert (
        await world.owner.fetch("SELECT * FROM importer_settings UNION ALL SELECT * FROM importer_settings") == before
    )
    assert await world.owner.fetch("SELECT * FROM helpdesks") == helpdesks


@pytest.mark.parametrize(
    ("path", "name", "typed", "sentence"),
    [
        pytest.param("2/importer", "enabled", "yes", "", id="D14 on without anything"),
        pytest.param("1/importer", "default_contact", "", "standaard contactpersoon", id="D14 on without S5"),
        pytest.param("1/importer", "default_contact", "Bestaat Niet", "Zo heet niemand", id="nobody"),
        pytest.param("1/reading", "check_interval", "0", "van 1 tot en met 86400", id="a number out of bounds"),
        pytest.param("1/reading", "after_import", "move", "", id="moved nowhere"),
        pytest.param("1/reading", "import_from", "gisteren", "datum en tijd", id="no moment"),
        pytest.param("1/mail", "sender_address", "geen adres", "mailadres", id="no address"),
        pytest.param("1/defaults", "priority", "2", "Kies iets uit de lijst", id="another helpdesk's priority"),
    ],
)
async def test_a_refusal_stands_beside_its_field_and_what_was_typed_is_kept(
    world: World, path: str, name: str, typed: str, sentence: str
) -> None:
    before = await world.owner.fetch("SELECT * FROM importer_settings ORDER BY 1")
    answer = await save(world, "baas", f"/helpdesks/{path}", {name: typed, "folder": "Helpdesk"})
    assert answer.status_code == UNPROCESSABLE
    beside = {"after_import": "after_import_folder", "enabled": "default_contact"}.get(name, name)
    assert sentence in problem_beside(answer.text, beside) != ""
    assert "checked" in answer.text if typed == "yes" else typed in answer.text
    assert await world.owner.fetch("SELECT * FROM importer_settings ORDER BY 1") == before


async def test_S3_a_password_is_sealed_and_shown_nowhere(world: World) -> None:
    answer = await save(
        world, "verkoop", "/helpdesks/2/importer",
        {"server": "imap.voorbeeld.nl", "username": "verkoop@voorbeeld.nl", "password": "zeer geheim 1"},
    )  # fmt: skip
    assert answer.status_code == SEE_OTHER, answer.text
    sealed = await setting(world, "password_encrypted", 2)
    assert isinstance(sealed, bytes)
    assert Keyring.from_secret(SecretStr(KEYS)).open(sealed).get_secret_value() == "zeer geheim 1"
    for accept in ("text/html", "application/json"):
        async with await world.logged_in("verkoop", accept=accept) as client:
            for path in ("/helpdesks/2/importer", "/helpdesks/2/changes"):
                assert "zeer geheim" not in (await client.get(path)).text


async def test_a_password_goes_to_no_other_server_unless_it_is_given_again(world: World) -> None:
    await save(
        world, "verkoop", "/helpdesks/2/importer",
        {"server": "imap.voorbeeld.nl", "username": "verkoop@voorbeeld.nl", "password": "zeer geheim 1"},
    )  # fmt: skip
    refused = await save(world, "verkoop", "/helpdesks/2/importer", {"server": "imap.elders.example"})
    assert refused.status_code == UNPROCESSABLE
    assert "niet elders heen gestuurd" in refused.text
    assert await setting(world, "server", 2) == "imap.voorbeeld.nl"
    given = await save(
        world, "verkoop", "/helpdesks/2/importer", {"server": "imap.elders.example", "password": "zeer geheim 2"}
    )
    assert given.status_code == SEE_OTHER
    assert await setting(world, "server", 2) == "imap.elders.example"


async def test_a_refused_form_does_not_give_the_password_back(world: World) -> None:
    answer = await save(world, "verkoop", "/helpdesks/2/importer", {"enabled": "yes", "password": "zeer geheim 3"})
    assert answer.status_code == UNPROCESSABLE
    assert "zeer geheim" not in answer.text
    assert "Typ ook het wachtwoord opnieuw" in answer.text


async def test_what_somebody_else_changed_meanwhile_is_not_overwritten_unseen(world: World) -> None:
    async with await world.logged_in("anna", accept="application/json") as client:
        version = (await client.get("/helpdesks/1/reading")).json()["version"]
    await world.owner.execute("UPDATE importer_settings SET backlog_limit = 300 WHERE helpdesk_id = 1")
    answer = await save(world, "anna", "/helpdesks/1/reading", {"version": str(version), "old_mail_days": "9"})
    assert answer.status_code == UNPROCESSABLE
    assert "Iemand anders veranderde" in answer.text
    assert await setting(world, "old_mail_days") == 7


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/helpdesks/1/importer", {"allow_unencrypted": "yes"}),
        ("/helpdesks/1/importer", {"ca_file": "/etc/passwd"}),
        ("/helpdesks/1/importer", {"login": "1"}),
        ("/helpdesks/1/importer", {"server": "/mail/verkoop"}),
        ("/helpdesks/1/importer", {"folder": "../verkoop"}),
        ("/helpdesks/1/mail", {"account": ""}),
        ("/helpdesks/1/defaults", {"calendar": "9"}),
    ],
)
async def test_what_reaches_beyond_the_helpdesk_is_an_operators(world: World, path: str, data: dict[str, str]) -> None:
    before = await world.owner.fetch("SELECT * FROM importer_settings ORDER BY 1")
    answer = await save(world, "anna", path, data)
    assert answer.status_code == UNPROCESSABLE
    assert "wie alles beheert" in answer.text
    assert await world.owner.fetch("SELECT * FROM importer_settings ORDER BY 1") == before


async def test_an_app_opens_no_other_mailbox_unless_its_secret_is_given_again(world: World) -> None:
    app = {"tenant": "voorbeeld.nl", "username": "6babcaad-604b-40ac-a9d7-9fd97c0b779f", "server": "",
           "mailbox": "verkoop@voorbeeld.nl", "password": "geheim"}  # fmt: skip
    assert (await save(world, "verkoop", "/helpdesks/2/importer", app)).status_code == SEE_OTHER
    refused = await save(world, "verkoop", "/helpdesks/2/importer", {"mailbox": "directeur@voorbeeld.nl"})
    assert refused.status_code == UNPROCESSABLE
    assert "meer postvakken" in problem_beside(refused.text, "mailbox")
    assert await setting(world, "mailbox_address", 2) == "verkoop@voorbeeld.nl"


@pytest.mark.parametrize("typed", ["Anna@Korenaar.example", "1", "anna de vries"])
async def test_S5_a_contact_is_chosen_by_address_number_or_name(world: World, typed: str) -> None:
    await world.owner.execute("UPDATE importer_settings SET default_contact_id = 2 WHERE helpdesk_id = 1")
    assert (await save(world, "anna", "/helpdesks/1/importer", {"default_contact": typed})).status_code == SEE_OTHER
    assert await setting(world, "default_contact_id") == 1
    await world.owner.execute("UPDATE importer_settings SET default_contact_id = 2 WHERE helpdesk_id = 1")


async def test_people_are_found_by_a_piece_of_name_or_address(world: World) -> None:
    async with await world.logged_in("anna", accept="application/json") as client:
        found = {
            typed: [one["name"] for one in (await client.get(path)).json()["people"]]
            for typed, path in (
                ("vri", "/helpdesks/1/people/contact?default_contact=vri"),
                ("korenaar", "/helpdesks/1/people/contact?q=korenaar"),
                ("piet", "/helpdesks/1/people/employee?q=piet@"),
                ("%", "/helpdesks/1/people/contact?q=%25%25"),
                ("a", "/helpdesks/1/people/contact?q=a"),
            )
        }
    assert found == {"vri": ["Anna de Vries"], "korenaar": ["Anna de Vries"], "piet": ["Piet Bakker"], "%": [], "a": []}


async def test_M5_a_status_gets_the_flag_and_only_one_has_it(world: World) -> None:
    second = await save(world, "anna", "/helpdesks/1/statuses/2", {"name": "Open", "flag": "imported"})
    assert second.status_code == UNPROCESSABLE
    assert "al een status met de vlag" in problem_beside(second.text, "flag")
    away = await save(world, "anna", "/helpdesks/1/statuses/1", {"flag": ""})
    assert "importer van deze helpdesk is aan" in problem_beside(away.text, "flag")
    inactive = await save(world, "anna", "/helpdesks/1/statuses/1", {"active": "no"})
    assert "importer is aan" in problem_beside(inactive.text, "active")
    same = await save(world, "anna", "/helpdesks/1/statuses/new", {"name": "Open"})
    assert "al een met deze naam" in problem_beside(same.text, "name")
    made = await save(world, "anna", "/helpdesks/1/statuses/new", {"name": "Wacht op klant", "visible": "no"})
    assert made.headers["location"] == "/helpdesks/1/statuses?saved"
    (row,) = await world.owner.fetch("SELECT * FROM statuses WHERE name = 'Wacht op klant'")
    assert (row["helpdesk_id"], row["visible_to_customer"], row["category"]) == (1, False, "open")


async def test_D3_a_priority_has_a_resolution_in_hours(world: World) -> None:
    assert (await save(world, "anna", "/helpdesks/1/priorities/1", {"resolution": "1,5"})).status_code == SEE_OTHER
    assert await world.owner.fetchval("SELECT resolution_minutes FROM priorities WHERE id = 1") == 90
    refused = await save(world, "anna", "/helpdesks/1/priorities/1", {"resolution": "snel"})
    assert "aantal uren" in problem_beside(refused.text, "resolution")


async def test_D3_a_calendar_is_an_operators_and_knows_its_days(world: World) -> None:
    data = {"name": "Kantooruren", "hours": "mon-fri 8:30-17:00\nsat 0:00-24:00", "open_holiday": "Tweede paasdag"}
    assert (await save(world, "anna", "/calendars/1", data)).status_code == httpx.codes.NOT_FOUND
    answer = await save(world, "baas", "/calendars/1", data)
    assert answer.status_code == SEE_OTHER, answer.text
    assert await world.owner.fetchval("SELECT count(*) FROM calendar_hours WHERE calendar_id = 1") == 6
    unknown = await save(world, "baas", "/calendars/1", {"open_holiday": "Sint Maarten"})
    assert unknown.status_code == UNPROCESSABLE
    wrong = await save(world, "baas", "/calendars/1", {"hours": "altijd"})
    assert "mon-fri" in problem_beside(wrong.text, "hours")


async def test_D17_a_sender_is_blocked_and_let_go(world: World) -> None:
    bad = await save(world, "anna", "/helpdesks/1/senders", {"sender": "niets", "verdict": "block", "what": "put"})
    assert bad.status_code == UNPROCESSABLE
    assert 'value="niets"' in bad.text
    put = {"sender": "@Spam.example", "verdict": "block", "what": "put"}
    assert (await save(world, "anna", "/helpdesks/1/senders", put)).status_code == SEE_OTHER
    rule = "SELECT verdict FROM sender_rules WHERE helpdesk_id = 1 AND kind = 'domain' AND pattern = 'spam.example'"
    assert await world.owner.fetchval(rule) == "block"
    away = {"sender": "spam.example", "kind": "domain", "what": "remove"}
    assert (await save(world, "anna", "/helpdesks/1/senders", away)).status_code == SEE_OTHER
    assert await world.owner.fetchval(rule) is None
    of_all = {"sender": "reclame.example", "kind": "domain", "what": "remove"}
    await save(world, "anna", "/helpdesks/1/senders", of_all)
    assert await world.owner.fetchval("SELECT count(*) FROM sender_rules WHERE pattern = 'reclame.example'") == 1


async def test_each_change_says_who_and_one_click_takes_it_back(world: World) -> None:
    await save(world, "anna", "/helpdesks/1/reading", {"check_interval": "77", "import_from": "2026-11-01T09:30"})
    async with await world.logged_in("anna", accept="application/json") as client:
        newest = (await client.get("/helpdesks/1/changes")).json()["changes"][0]
    parts = {part["label"]: (part["before"], part["after"]) for part in newest["parts"]}
    assert (newest["actor"], newest["can_go_back"]) == ("anna", True)
    assert parts["Seconden tussen twee controles"] == ("30", "77")
    answer = await save(world, "anna", "/helpdesks/1/changes", {"entry": str(newest["id"])})
    assert answer.status_code == SEE_OTHER, answer.text
    assert (await setting(world, "check_interval_seconds"), await setting(world, "import_from")) == (30, None)


async def test_a_password_and_what_is_an_operators_are_not_taken_back_by_a_click(world: World) -> None:
    await save(world, "verkoop", "/helpdesks/2/importer", {"password": "zeer geheim 4"})
    await save(world, "baas", "/helpdesks/2/importer", {"ca_file": "/etc/ssl/eigen.pem"})
    async with await world.logged_in("verkoop", accept="application/json") as client:
        newest = (await client.get("/helpdesks/2/changes")).json()["changes"][:2]
    assert [one["can_go_back"] for one in newest] == [False, False]
    for one in newest:
        refused = await save(world, "verkoop", "/helpdesks/2/changes", {"entry": str(one["id"])})
        assert refused.status_code == httpx.codes.CONFLICT
    of_another = await save(world, "anna", "/helpdesks/1/changes", {"entry": str(newest[0]["id"])})
    assert of_another.status_code == httpx.codes.CONFLICT


async def test_a_mailbox_is_paused_and_mail_held_and_vandaag_lets_both_go(world: World) -> None:
    await save(world, "anna", "/helpdesks/1/brake", {"what": "pause", "reason": "Verhuizing van het postvak"})
    held = await save(world, "anna", "/helpdesks/1/brake", {"what": "hold", "reason": "x", "back": "//evil.example"})
    assert held.headers["location"] == "/"
    async with await world.logged_in("anna") as client:
        page = (await client.get("/")).text
    assert "Verhuizing van het postvak" in page
    assert "Postvak van Support hervatten" in page
    async with await world.logged_in("kijker") as client:
        assert "hervatten" not in (await client.get("/")).text
    await save(world, "anna", "/helpdesks/1/brake", {"what": "resume"})
    await save(world, "anna", "/helpdesks/1/brake", {"what": "release"})
    assert await setting(world, "paused_since") is None
    assert await world.owner.fetchval("SELECT count(*) FROM outgoing_holds WHERE helpdesk_id = 1") == 0


async def test_all_mail_is_held_and_let_go_by_operators_alone(world: World) -> None:
    await save(world, "baas", "/holds", {"what": "hold", "reason": "Proef"})
    async with await world.logged_in("anna") as client:
        page = (await client.get("/")).text
    assert "Alle helpdesks" in page
    assert "Vrijgeven" not in page
    assert (await save(world, "anna", "/holds", {"what": "release"})).status_code == httpx.codes.NOT_FOUND
    await save(world, "baas", "/holds", {"what": "release"})
    assert await world.owner.fetchval("SELECT count(*) FROM outgoing_holds WHERE helpdesk_id IS NULL") == 0


async def test_the_mailbox_is_tried_by_the_fetcher_and_its_answer_is_shown(world: World) -> None:
    answer = await save(world, "anna", "/helpdesks/1/questions", {"question": "check"})
    assert answer.headers["location"] == "/helpdesks/1/importer#answer"
    await save(world, "anna", "/helpdesks/1/questions", {"question": "check"})
    asked = await world.owner.fetch("SELECT question, asked_by FROM service_questions WHERE helpdesk_id = 1")
    assert [tuple(one) for one in asked] == [("check", "anna")]
    async with await world.logged_in("anna") as client:
        assert 'hx-trigger="every 1s"' in (await client.get("/helpdesks/1/importer")).text
        await world.owner.execute(
            "UPDATE service_questions SET answered_at = now(), answer = $1 WHERE helpdesk_id = 1",
            {"ok": True, "unread": 3, "found": "IMAP"},
        )
        piece = (await client.get("/helpdesks/1/questions")).text
        assert "Er zijn 3 ongelezen mails" in piece
        assert "every 1s" not in piece


async def test_a_server_that_was_found_is_confirmed_by_a_person(world: World) -> None:
    await world.owner.execute(
        "INSERT INTO service_questions (service, question, helpdesk_id, asked_by, answered_at, answer)"
        " VALUES ('fetcher', 'discover', 2, 'verkoop', now(), $1)",
        {"ok": True, "address": "a@b.example", "found": "https://mail.b.example/EWS/Exchange.asmx"},
    )
    async with await world.logged_in("verkoop") as client:
        page = (await client.get("/helpdesks/2/importer")).text
    assert 'name="server" value="https://mail.b.example/EWS/Exchange.asmx"' in page


async def test_without_a_mailbox_nothing_is_asked(world: World) -> None:
    await world.owner.execute("UPDATE importer_settings SET kind = NULL, server = NULL, username = NULL, tenant = NULL,"
                              " password_encrypted = NULL, mailbox_address = NULL WHERE helpdesk_id = 2")  # fmt: skip
    answer = await save(world, "verkoop", "/helpdesks/2/questions", {"question": "check"})
    assert (answer.status_code, "nog geen postvak" in answer.text) == (httpx.codes.CONFLICT, True)


PATHS = [
    "importer", "reading", "mail", "defaults", "statuses", "statuses/new", "statuses/1", "priorities", "types",
    "environments", "senders", "changes", "questions", "people/contact?q=anna", "",
]  # fmt: skip


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("user", "helpdesk"), [("anna", 2), ("verkoop", 1), ("viewer", 1), ("kijker", 1), ("anna", 99)]
)
async def test_settings_are_for_who_administers_the_helpdesk(
    world: World, user: str, helpdesk: int, path: str, accept: str
) -> None:
    async with await world.logged_in(user, accept=accept) as client:
        answer = await client.get(f"/helpdesks/{helpdesk}/{path}".rstrip("/"), follow_redirects=True)
        assert answer.status_code == httpx.codes.NOT_FOUND


FORMS = ["importer", "reading", "mail", "defaults", "statuses/1", "statuses/new", "priorities/1", "senders", "changes",
         "questions", "brake"]  # fmt: skip


@pytest.mark.parametrize("path", FORMS)
async def test_another_helpdesks_settings_are_not_changed(world: World, path: str) -> None:
    tables = ("importer_settings", "helpdesks", "statuses", "priorities", "sender_rules", "outgoing_holds")
    before = [await world.owner.fetch(f"SELECT * FROM {table} ORDER BY 1") for table in tables]  # noqa: S608
    data = {
        "name": "X",
        "marker": "X",
        "sender": "x@y.example",
        "verdict": "block",
        "what": "hold",
        "question": "check",
    }
    answer = await save(world, "verkoop", f"/helpdesks/1/{path}", data)
    assert answer.status_code == httpx.codes.NOT_FOUND
    own = await save(world, "verkoop", f"/helpdesks/2/{path}", {}) if path.endswith("/1") else None
    assert own is None or own.status_code == httpx.codes.NOT_FOUND  # row 1 is helpdesk 1's
    assert [await world.owner.fetch(f"SELECT * FROM {table} ORDER BY 1") for table in tables] == before  # noqa: S608
