"""A helpdesk set up from nothing with the command line alone, and what it refuses."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.databases import Database
from tests.servers.certificates import app_pem, certificate_pem, key_pem


class CommandLine(Protocol):
    """The fixture `importer`."""

    environment: dict[str, str]

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> str: ...

    def json(self, *arguments: str) -> Any: ...

    async def says(self, *arguments: str, stdin: str = "", code: int = 0) -> str: ...


@pytest.fixture
def helpdesk(importer: CommandLine) -> CommandLine:
    """An installation with everything that the importer's settings refer to, and no importer settings yet."""
    importer("calendars", "add", "--name", "Kantooruren", "--hours", "mon-fri 8:30-17:00")
    importer("helpdesks", "add", "--name", "Servicedesk", "--calendar", "Kantooruren")
    importer("statuses", "add", "Servicedesk", "--name", "E-mail Geïmporteerd", "--flag", "imported")
    importer("organisations", "add", "--name", "Onbekend")
    importer("contacts", "add", "--name", "Onbekende afzender", "--organisation", "Onbekend")
    importer("employees", "add", "--name", "Importer", "--address", "importer@desk.example")
    return importer


READY = (
    "--kind",
    "maildir",
    "--server",
    "/mail/servicedesk",
    "--mailbox",
    "help@desk.example",
    "--default-contact",
    "Onbekende afzender",
    "--default-employee",
    "importer@desk.example",
)


def test_a_helpdesk_is_set_up_from_nothing(helpdesk: CommandLine) -> None:
    helpdesk("importer", "set", "Servicedesk", *READY, "--marker", "===== vul boven deze regel uw reactie =====")
    helpdesk("importer", "set", "Servicedesk", "--enabled")
    settings = helpdesk.json("importer", "show", "servicedesk")
    assert settings["enabled"] is True
    assert settings["default_contact"] == "Onbekende afzender"
    assert settings["marker"] == "===== vul boven deze regel uw reactie ====="
    assert settings["last_successful_check_at"] is None


def test_S1_the_importer_is_off_until_it_is_switched_on(helpdesk: CommandLine) -> None:
    helpdesk("importer", "set", "Servicedesk", *READY)
    assert helpdesk.json("importer", "show", "Servicedesk")["enabled"] is False


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        pytest.param("--server", "--server", id="no place"),
        pytest.param("--default-contact", "Standaard contactpersoon", id="S5"),
        pytest.param("--default-employee", "Standaard werknemer", id="S6"),
    ],
)
def test_S1_on_needs_the_starred_settings(helpdesk: CommandLine, missing: str, says: str) -> None:
    helpdesk("importer", "set", "Servicedesk", *READY)
    helpdesk("importer", "set", "Servicedesk", missing, "")
    assert says in helpdesk("importer", "set", "Servicedesk", "--enabled", code=1)
    assert helpdesk.json("importer", "show", "Servicedesk")["enabled"] is False


def test_D14_on_needs_the_flagged_status(helpdesk: CommandLine) -> None:
    helpdesk("importer", "set", "Servicedesk", *READY)
    helpdesk("statuses", "set", "Servicedesk", "E-mail Geïmporteerd", "--flag", "")
    assert "geïmporteerd" in helpdesk("importer", "set", "Servicedesk", "--enabled", code=1)


def test_D14_while_on_the_flag_and_the_defaults_stay(helpdesk: CommandLine) -> None:
    helpdesk("importer", "set", "Servicedesk", *READY, "--enabled")
    assert "switch it off" in helpdesk("statuses", "set", "Servicedesk", "E-mail Geïmporteerd", "--flag", "", code=1)
    assert helpdesk("contacts", "set", "Onbekende afzender", "--no-active", code=1)
    assert helpdesk("employees", "set", "Importer", "--no-active", code=1)


def test_S3_the_password_is_encrypted_and_never_shown(helpdesk: CommandLine) -> None:
    helpdesk("importer", "set", "Servicedesk", *READY, "--username", "DESK\\importer")
    said = helpdesk("importer", "set-password", "Servicedesk", stdin="g3heim!\n")
    shown = helpdesk("importer", "show", "Servicedesk")
    assert "g3heim!" not in said + shown
    assert helpdesk.json("importer", "show", "Servicedesk")["password_is_set"] is True


def test_S3_a_password_is_never_an_argument(helpdesk: CommandLine) -> None:
    helpdesk("importer", "set", "Servicedesk", *READY)
    assert "g3heim" in helpdesk("importer", "set-password", "Servicedesk", "g3heim", code=2)  # refused as too much
    assert "No password was given" in helpdesk("importer", "set-password", "Servicedesk", code=1)


def test_S4_the_kind_follows_from_server_and_login_unless_it_is_chosen(helpdesk: CommandLine) -> None:
    helpdesk("importer", "set", "Servicedesk", *READY, "--kind", "", "--enabled")
    assert helpdesk.json("importer", "show", "Servicedesk")["mailbox_kind"] == "maildir"
    helpdesk("importer", "set", "Servicedesk", "--no-enabled", "--server", "mail.desk.example", "--username", "help")
    assert helpdesk.json("importer", "show", "Servicedesk")["mailbox_kind"] == "ews"
    helpdesk("importer", "set", "Servicedesk", "--kind", "imap")
    shown = helpdesk.json("importer", "show", "Servicedesk")
    assert (shown["kind"], shown["mailbox_kind"]) == ("imap", "imap")


def test_S1_on_with_nothing_that_tells_a_kind_says_what_is_missing(helpdesk: CommandLine) -> None:
    helpdesk("importer", "set", "Servicedesk", *READY, "--kind", "", "--server", "")
    assert "kind of mailbox" in helpdesk("importer", "set", "Servicedesk", "--enabled", code=1)


APP = ("--server", "", "--kind", "", "--username", "6babcaad-604b-40ac-a9d7-9fd97c0b779f")


def test_D9_microsoft_365_needs_an_app_registration(helpdesk: CommandLine) -> None:
    helpdesk("importer", "set", "Servicedesk", *READY, *APP, "--mailbox", "")
    helpdesk("importer", "set-password", "Servicedesk", stdin="g3heim\n")
    helpdesk("importer", "set", "Servicedesk", "--server", "outlook.office365.com")
    assert "takes no passwords" in helpdesk("importer", "set", "Servicedesk", "--enabled", code=1)
    assert "tenant is an id" in helpdesk("importer", "set", "Servicedesk", "--tenant", "desk/example", code=1)
    helpdesk("importer", "set", "Servicedesk", "--tenant", "desk.example", "--with-password", stdin="g3heim\n")
    assert "--mailbox" in helpdesk("importer", "set", "Servicedesk", "--enabled", code=1)
    helpdesk("importer", "set", "Servicedesk", "--mailbox", "help@desk.example", "--enabled")
    assert helpdesk.json("importer", "show", "Servicedesk")["mailbox_kind"] == "graph"


def test_D9_a_client_secret_has_an_end_that_another_one_replaces(helpdesk: CommandLine) -> None:
    helpdesk("importer", "set", "Servicedesk", *READY, *APP, "--tenant", "desk.example")
    helpdesk("importer", "set-password", "Servicedesk", "--expires-on", "2027-03-01", stdin="g3heim\n")
    assert helpdesk.json("importer", "show", "Servicedesk")["secret_expires"] == "2027-03-01"
    said = helpdesk("importer", "set-password", "Servicedesk", "--expires-on", "maart", stdin="x\n", code=1)
    assert "--expires-on: 'maart' is no date" in said
    helpdesk("importer", "set-password", "Servicedesk", stdin="nieuw\n")
    assert helpdesk.json("importer", "show", "Servicedesk")["secret_expires"] is None


def test_S3_D9_a_certificate_takes_the_place_of_a_password_and_is_never_shown(
    helpdesk: CommandLine, tmp_path: Path
) -> None:
    helpdesk("importer", "set", "Servicedesk", *READY, *APP, "--tenant", "desk.example")
    helpdesk("importer", "set-password", "Servicedesk", "--expires-on", "2027-03-01", stdin="g3heim\n")
    key = rsa.generate_private_key(65537, 2048)
    (tmp_path / "app.key").write_text(key_pem(key), encoding="ascii")
    (tmp_path / "app.crt").write_text(certificate_pem(key), encoding="ascii")
    said = helpdesk("importer", "set-certificate", "Servicedesk", str(tmp_path / "app.key"), str(tmp_path / "app.crt"))
    assert "holds until" in said
    shown = helpdesk.json("importer", "show", "Servicedesk")
    assert (shown["certificate_is_set"], shown["password_is_set"], shown["secret_expires"]) == (True, False, None)
    assert shown["certificate_expires_at"] > datetime.now(UTC).isoformat()
    assert "PRIVATE KEY" not in said + json.dumps(shown)
    helpdesk("importer", "set", "Servicedesk", "--enabled")
    helpdesk("importer", "set-password", "Servicedesk", stdin="g3heim\n")
    shown = helpdesk.json("importer", "show", "Servicedesk")
    assert (shown["certificate_is_set"], shown["certificate_expires_at"], shown["password_is_set"]) == (
        False,
        None,
        True,
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [(("weg.pem",), "weg.pem cannot be read"), ((), "0 private keys and 0 certificates")],
    ids=["no such file", "no certificate"],
)
def test_a_certificate_that_is_none_changes_nothing(helpdesk: CommandLine, given: tuple[str, ...], says: str) -> None:
    helpdesk("importer", "set", "Servicedesk", *READY, *APP, "--tenant", "desk.example")
    assert says in helpdesk("importer", "set-certificate", "Servicedesk", *given, stdin="geen PEM", code=1)
    assert helpdesk.json("importer", "show", "Servicedesk")["certificate_is_set"] is False


def test_D9_an_account_sends_by_smtp_or_as_an_app(helpdesk: CommandLine) -> None:
    assert "--host" in helpdesk("accounts", "add", "--name", "Post", code=1)
    assert "--tenant" in helpdesk("accounts", "add", "--name", "Graph", "--kind", "graph", code=1)
    app = ("--tenant", "desk.example", "--username", "6babcaad-604b-40ac-a9d7-9fd97c0b779f")
    assert "--mailbox" in helpdesk("accounts", "add", "--name", "Graph", "--kind", "graph", *app, code=1)
    helpdesk("accounts", "add", "--name", "Graph", "--kind", "graph", *app, "--mailbox", "help@desk.example")
    assert "certificate for Graph is changed" in helpdesk("accounts", "set-certificate", "Graph", stdin=app_pem())
    shown = helpdesk.json("accounts", "show", "Graph")
    assert (shown["kind"], shown["certificate_is_set"], shown["host"], shown["login_refused_since"]) == (
        "graph", True, None, None,
    )  # fmt: skip
    helpdesk("accounts", "set-password", "Graph", "--expires-on", "2027-03-01", stdin="g3heim\n")
    assert helpdesk.json("accounts", "show", "Graph")["secret_expires"] == "2027-03-01"
    helpdesk("accounts", "add", "--name", "Post", "--host", "mail.desk.example", "--port", "25")
    assert "its tenant" in helpdesk("accounts", "set-certificate", "Post", stdin=app_pem(), code=1)


def test_S3_whoever_sets_a_password_needs_no_private_key(helpdesk: CommandLine) -> None:
    helpdesk("importer", "set", "Servicedesk", *READY)
    Path(helpdesk.environment["IMPORTER_SECRETS_DIR"], "encryption_keys").unlink()
    helpdesk("importer", "set-password", "Servicedesk", stdin="g3heim\n")
    assert helpdesk.json("importer", "show", "Servicedesk")["password_is_set"] is True


async def test_S3_without_a_published_key_no_password_is_taken(importer: CommandLine, database: Database) -> None:
    await importer.says("accounts", "add", "--name", "Post", "--host", "mail.desk.example", "--port", "25")
    async with database.connect("owner") as owner:
        await owner.execute("DELETE FROM sealing_keys")
    said = await importer.says("accounts", "set-password", "Post", stdin="g3heim\n", code=78)
    assert "run helpdesk-importer migrate" in said


MAILBOX = ("importer", "set", "Servicedesk")
ACCOUNT = ("accounts", "set", "Post")


@pytest.mark.parametrize(
    "change",
    [
        (*MAILBOX, "--server", "mail.elders.example"),
        (*MAILBOX, "--kind", "imap"),
        (*MAILBOX, "--ca-file", "/etc/ssl/desk.pem"),
        (*MAILBOX, "--allow-unencrypted"),
        (*MAILBOX, "--server", ""),
        (*ACCOUNT, "--host", "mail.elders.example"),
        (*ACCOUNT, "--port", "25"),
        (*ACCOUNT, "--security", "tls"),
        (*ACCOUNT, "--security", "none", "--allow-unencrypted"),
        (*ACCOUNT, "--ca-file", "/etc/ssl/desk.pem"),
    ],
    ids=lambda change: " ".join(change[1:]),
)
def test_a_password_is_sent_nowhere_else_unless_it_is_given_again(
    helpdesk: CommandLine, change: tuple[str, ...]
) -> None:
    helpdesk(*MAILBOX, *READY, "--kind", "ews", "--server", "mail.desk.example", "--username", "help")
    helpdesk("importer", "set-password", "Servicedesk", stdin="g3heim\n")
    helpdesk("accounts", "add", "--name", "Post", "--host", "mail.desk.example", "--port", "587", "--username", "help")
    helpdesk("accounts", "set-password", "Post", stdin="g3heim\n")
    show = (change[0], "show", change[2])
    before = helpdesk.json(*show)
    assert "is not sent elsewhere: give the password again (--with-password)" in helpdesk(*change, code=1)
    assert helpdesk.json(*show) == before
    helpdesk(*change, "--with-password", stdin="nieuw\n")
    assert helpdesk.json(*show)["password_is_set"] is True
    assert helpdesk.json(*show) != before


def test_a_password_may_be_forgotten_with_its_place(helpdesk: CommandLine) -> None:
    helpdesk("accounts", "add", "--name", "Post", "--host", "a.example", "--port", "587", "--username", "help")
    helpdesk("accounts", "set-password", "Post", stdin="g3heim\n")
    helpdesk(*ACCOUNT, "--host", "b.example", "--forget-secret")
    assert helpdesk.json("accounts", "show", "Post")["password_is_set"] is False
    assert "Either" in helpdesk(*ACCOUNT, "--with-password", "--forget-secret", code=1)


def test_sending_without_tls_is_chosen(helpdesk: CommandLine) -> None:
    account = ("accounts", "add", "--name", "Post", "--host", "relay.example", "--port", "25", "--security", "none")
    assert "--allow-unencrypted" in helpdesk(*account, code=1)
    helpdesk(*account, "--allow-unencrypted")
    assert helpdesk.json("accounts", "show", "Post")["allow_unencrypted"] is True


def test_a_contact_has_several_addresses_and_is_named_by_any(helpdesk: CommandLine) -> None:
    addresses = ["jan@voorbeeld.nl", "J.Smit@voorbeeld.nl"]
    helpdesk(
        "contacts", "add", "--name", "Jan Smit", "--organisation", "Onbekend",
        "--address", addresses[0], "--address", addresses[1],
    )  # fmt: skip
    assert helpdesk.json("contacts", "show", "j.smit@VOORBEELD.nl")["address"] == addresses
    helpdesk("contacts", "set", "jan@voorbeeld.nl", "--address", "jan.smit@elders.nl")
    assert helpdesk.json("contacts", "show", "Jan Smit")["address"] == ["jan.smit@elders.nl"]


def test_two_of_one_name_are_told_apart_by_id(helpdesk: CommandLine) -> None:
    for _ in range(2):
        helpdesk("contacts", "add", "--name", "Jan Smit", "--organisation", "Onbekend")
    assert "name one by its id" in helpdesk("contacts", "show", "Jan Smit", code=1)


def test_lists_of_a_helpdesk_are_its_own(helpdesk: CommandLine) -> None:
    helpdesk("helpdesks", "add", "--name", "Facilitair", "--calendar", "Kantooruren")
    helpdesk("priorities", "add", "Facilitair", "--name", "Hoog", "--resolution", "4")
    said = helpdesk("helpdesks", "set", "Servicedesk", "--priority", "Hoog", code=1)
    assert "there are no priorities yet" in said
    helpdesk("helpdesks", "set", "Facilitair", "--priority", "hoog")
    assert helpdesk.json("helpdesks", "show", "Facilitair")["priority"] == "Hoog"
    assert [row["name"] for row in helpdesk.json("priorities", "list", "--helpdesk", "Servicedesk")] == []


def test_calendars_show_what_was_typed(helpdesk: CommandLine) -> None:
    helpdesk(
        "calendars", "add", "--name", "Winkel", "--hours", "mon-tue 9:00-18:00", "--hours", "sat 10:00-16:00",
        "--special-day", "2026-12-24 9:00-12:00", "--special-day", "2026-12-27 closed",
    )  # fmt: skip
    shown = helpdesk.json("calendars", "show", "Winkel")
    assert shown["hours"] == ["mon 09:00-18:00", "tue 09:00-18:00", "sat 10:00-16:00"]
    assert shown["special_day"] == ["2026-12-24 09:00-12:00", "2026-12-27 closed"]


def test_D3_a_day_may_be_open_around_the_clock(helpdesk: CommandLine) -> None:
    helpdesk(
        "calendars",
        "add",
        "--name",
        "Altijd",
        "--hours",
        "mon-sun 0:00-24:00",
        "--special-day",
        "2026-12-25 0:00-24:00",
    )
    shown = helpdesk.json("calendars", "show", "Altijd")
    assert shown["hours"][0] == "mon 00:00-24:00"
    assert shown["special_day"] == ["2026-12-25 00:00-24:00"]


def test_D3_calendars_list_their_days_and_open_or_close_each(helpdesk: CommandLine) -> None:
    def day(name: str) -> set[str]:
        shown = helpdesk.json("calendars", "show", "Kantooruren")["days"]
        return {each.rpartition(": ")[2] for each in shown if name in each}

    assert "Goede vrijdag" in helpdesk("calendars", "set", "--help")
    assert (day("Goede vrijdag"), day("Koningsdag")) == ({"as its weekday"}, {"closed"})
    helpdesk("calendars", "set", "Kantooruren", "--closed-holiday", "Goede Vrijdag", "--open-holiday", "Koningsdag")
    assert (day("Goede vrijdag"), day("Koningsdag")) == ({"closed"}, {"as its weekday"})
    said = helpdesk("calendars", "set", "Kantooruren", "--open-holiday", "Sinterklaas", code=1)
    assert "there is no day 'Sinterklaas'; there are: Nieuwjaarsdag" in said
    said = helpdesk("calendars", "set", "Kantooruren", "--open-holiday", "Goede Vrijdag", code=1)
    assert "open or closed" in said
    helpdesk("calendars", "set", "Kantooruren", "--open-holiday", "", "--closed-holiday", "")
    assert day("Goede vrijdag") == {"as its weekday"}


def test_D1_helpdesks_are_put_in_a_group(helpdesk: CommandLine) -> None:
    helpdesk("groups", "add", "--name", "Samen")
    helpdesk("helpdesks", "set", "Servicedesk", "--group", "samen")
    assert helpdesk.json("helpdesks", "show", "Servicedesk")["group"] == "Samen"
    helpdesk("importer", "set", "Servicedesk", *READY, "--numbers-of", "group")
    helpdesk("helpdesks", "set", "Servicedesk", "--group", "")
    assert helpdesk.json("helpdesks", "show", "Servicedesk")["group"] is None


def test_S4_an_exchange_server_is_discovered_before_the_importer_is_on(helpdesk: CommandLine) -> None:
    ready = (*READY[4:], "--kind", "ews", "--username", "DESK\\help")
    helpdesk("importer", "set", "Servicedesk", *ready)
    helpdesk("importer", "set-password", "Servicedesk", stdin="geheim\n")
    said = helpdesk("importer", "set", "Servicedesk", "--enabled", code=1)
    assert "importer discover" in said
    helpdesk("importer", "set", "Servicedesk", "--server", "https://mail.desk.example/EWS/Exchange.asmx", "--enabled")
    assert helpdesk.json("importer", "show", "Servicedesk")["enabled"] is True


def test_templates_are_per_helpdesk_and_kind(helpdesk: CommandLine, tmp_path: Path) -> None:
    body = tmp_path / "bevestiging.html"
    body.write_text("<p>Geachte [contactpersoon]</p>", encoding="utf-8")
    kind = "ticket-added-customer"
    helpdesk("templates", "add", "Servicedesk", "--kind", kind, "--html", str(body))
    helpdesk("templates", "set", "Servicedesk", kind, "--subject", "Ontvangen: [ticketnummer]")
    shown = helpdesk.json("templates", "show", "Servicedesk", kind)
    assert (shown["subject"], shown["html"]) == ("Ontvangen: [ticketnummer]", "<p>Geachte [contactpersoon]</p>")


def test_M2_the_template_of_a_summary_has_placeholders_of_its_own(helpdesk: CommandLine) -> None:
    helpdesk("templates", "add", "Servicedesk", "--kind", "summary", "--subject", "[aantal] tickets bij [helpdesk]")
    said = helpdesk("templates", "set", "Servicedesk", "summary", "--subject", "[aantal] [ticketnummer]", code=1)
    assert "[ticketnummer] is unknown" in said
    said = helpdesk(
        "templates", "add", "Servicedesk", "--kind", "ticket-added-manager", "--subject", "[aantal]", code=1
    )
    assert "[aantal] is unknown" in said
    assert helpdesk.json("templates", "show", "Servicedesk", "summary")["subject"] == "[aantal] tickets bij [helpdesk]"


@pytest.mark.parametrize(
    ("option", "typed"), [("--subject", "Ticket [ticketnumer]"), ("--subject", "Ticket [")], ids=["unknown", "open"]
)
def test_templates_refuse_unknown_placeholders(helpdesk: CommandLine, option: str, typed: str) -> None:
    said = helpdesk("templates", "add", "Servicedesk", "--kind", "ticket-added-manager", option, typed, code=1)
    assert option in said
    assert helpdesk.json("templates", "list") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(("contacts", "add", "--name", "X", "--organisation", "Weg"), "Onbekend (id ", id="no such thing"),
        pytest.param(("organisations", "add", "--name", " "), "cannot be empty", id="an empty name"),
        pytest.param(("helpdesks", "set", "Servicedesk"), "Nothing to change", id="nothing given"),
        pytest.param(("helpdesks", "add", "--name", "Servicedesk", "--calendar", "Kantooruren"), "already", id="twice"),
        pytest.param(("calendars", "show", "Weekend"), "there is no calendar", id="no such row"),
        pytest.param(
            ("contacts", "add", "--name", "X", "--organisation", "Onbekend", "--address", "jan"),
            "--address: 'jan' is no mail address",
            id="no address",
        ),
    ],
)
def test_bad_input_is_a_sentence_and_changes_nothing(
    helpdesk: CommandLine, arguments: tuple[str, ...], says: str
) -> None:
    before = [helpdesk.json(things, "list") for things in ("organisations", "contacts", "helpdesks", "calendars")]
    assert says in helpdesk(*arguments, code=1)
    assert [
        helpdesk.json(things, "list") for things in ("organisations", "contacts", "helpdesks", "calendars")
    ] == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(
            ("contacts", "add", "--name", "X", "--organisation", "Weg"),
            "er is geen organisatie 'Weg'; er zijn: Onbekend (id ",
            id="no such thing",
        ),
        pytest.param(("organisations", "add", "--name", " "), "--name: dit mag niet leeg zijn.", id="an empty name"),
        pytest.param(("importer", "set", "Servicedesk", "--enabled"), "De importer kan pas aan met", id="refused"),
        pytest.param(
            ("statuses", "add", "Servicedesk", "--name", "Nog een", "--flag", "imported"),
            "Deze helpdesk heeft al een status met de vlag «geïmporteerd»",
            id="refused by the database",
        ),
        pytest.param(("helpdesks", "set", "Servicedesk"), "Er is niets gegeven om te veranderen", id="nothing given"),
        pytest.param(
            ("calendars", "set", "Kantooruren", "--holidays", "NL", "--open-holiday", "Carnaval"),
            "er is geen dag 'Carnaval'; er zijn: Nieuwjaarsdag, ",
            id="no such day",
        ),
        pytest.param(
            ("templates", "add", "Servicedesk", "--kind", "ticket-added-customer", "--subject", "[ticketnumer]"),
            "--subject: [ticketnumer] is geen invulveld. Bedoelt u [ticketnummer]?",
            id="no such placeholder",
        ),
    ],
)
def test_bad_input_is_a_dutch_sentence_where_dutch_is_spoken(
    helpdesk: CommandLine, arguments: tuple[str, ...], says: str
) -> None:
    helpdesk.environment["IMPORTER_LANGUAGE"] = "nl"
    assert says in helpdesk(*arguments, code=1)


def test_a_database_that_is_away_is_said(importer: CommandLine) -> None:
    importer.environment["IMPORTER_DATABASE_URL"] = "postgresql://nobody:x@127.0.0.1:1/helpdesk"
    assert "The database does not answer: " in importer("organisations", "list", code=1)
    importer.environment["IMPORTER_LANGUAGE"] = "nl"
    assert "De database antwoordt niet: " in importer("organisations", "list", code=1)


def test_a_missing_setting_is_said(importer: CommandLine) -> None:
    del importer.environment["IMPORTER_DATABASE_URL"]
    assert "IMPORTER_DATABASE_URL is not set" in importer("organisations", "list", code=78)
    importer.environment["IMPORTER_LANGUAGE"] = "nl"
    assert "IMPORTER_DATABASE_URL is niet ingesteld" in importer("organisations", "list", code=78)


def test_mailboxes_and_accounts_share_a_login(helpdesk: CommandLine) -> None:
    helpdesk("logins", "add", "--name", "Dienst", "--username", "DESK\\importer")
    helpdesk("logins", "set-password", "Dienst", stdin="g3heim\n")
    server = ("--kind", "ews", "--server", "https://mail.desk.example/EWS/Exchange.asmx")
    mailbox = ("--mailbox", "help@desk.example", "--login", "Dienst")
    assert "is not sent elsewhere" in helpdesk("importer", "set", "Servicedesk", *server, *mailbox, code=1)
    helpdesk("importer", "set", "Servicedesk", *server, *mailbox, "--with-password", stdin="g3heim\n")
    helpdesk("helpdesks", "add", "--name", "Verkoop", "--calendar", "Kantooruren")
    helpdesk("importer", "set", "Verkoop", *server, "--mailbox", "verkoop@desk.example", "--login", "Dienst")
    shown = helpdesk.json("logins", "show", "Dienst")
    assert shown["used_by"] == ["importer Servicedesk", "importer Verkoop"]
    assert shown["password_is_set"] is True
    for change in (("set", "Verkoop", "--username", "anders"), ("set-password", "Verkoop")):
        assert "used by several mailboxes or accounts" in helpdesk("importer", *change, stdin="x\n", code=1)
    both = ("--login", "Dienst", "--username", "anders")
    assert "has its own username" in helpdesk("importer", "set", "Verkoop", *both, code=1)
    assert "in use" in helpdesk("logins", "remove", "Dienst", code=1)
    helpdesk("importer", "set", "Verkoop", "--login", "", "--username", "verkoop", "--with-password", stdin="x\n")
    settings = helpdesk.json("importer", "show", "Verkoop")
    assert (settings["username"], settings["login"]) == ("verkoop", "Verkoop (mailbox)")
    helpdesk("importer", "set", "Verkoop", "--login", "")
    helpdesk("logins", "remove", "Verkoop (mailbox)")
    assert [login["name"] for login in helpdesk.json("logins", "list")] == ["Dienst"]


async def test_S8_what_was_said_in_the_last_failed_check_is_listed(helpdesk: CommandLine, database: Database) -> None:
    asked_for = ("importer", "log", "Servicedesk", "--dialogue")
    await helpdesk.says("importer", "set", "Servicedesk", *READY)
    assert json.loads(await helpdesk.says(*asked_for, "--json")) == []
    step = {"at": 1500, "took": None, "asked": "UID SEARCH UNSEEN", "came": ""}
    async with database.connect("owner") as owner:
        await owner.execute("UPDATE mailbox_states SET failed_dialogue_at = now(), failed_dialogue = $1", [step])
    listed = [{"after_seconds": 1.5, "asked": "UID SEARCH UNSEEN", "came": "", "seconds": None}]
    assert json.loads(await helpdesk.says(*asked_for, "--json")) == listed
    assert "UID SEARCH UNSEEN" in await helpdesk.says(*asked_for)
