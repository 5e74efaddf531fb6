"""A helpdesk set up from nothing with the command line alone, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest
from cryptography.fernet import Fernet


class CommandLine(Protocol):
    """The fixture `importer`."""

    environment: dict[str, str]

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> str: ...

    def json(self, *arguments: str) -> Any: ...


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
        pytest.param("--kind", "--kind", id="no kind of mailbox"),
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


def test_a_password_needs_a_usable_key(helpdesk: CommandLine) -> None:
    helpdesk("importer", "set", "Servicedesk", *READY)
    Path(helpdesk.environment["IMPORTER_SECRETS_DIR"], "encryption_keys").write_text("kort", encoding="utf-8")
    assert "32 bytes" in helpdesk("importer", "set-password", "Servicedesk", stdin="g3heim\n", code=78)
    Path(helpdesk.environment["IMPORTER_SECRETS_DIR"], "encryption_keys").write_bytes(Fernet.generate_key())
    helpdesk("importer", "set-password", "Servicedesk", stdin="g3heim\n")


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


def test_templates_are_per_helpdesk_and_kind(helpdesk: CommandLine, tmp_path: Path) -> None:
    body = tmp_path / "bevestiging.html"
    body.write_text("<p>Geachte [contactpersoon]</p>", encoding="utf-8")
    kind = "ticket-added-customer"
    helpdesk("templates", "add", "Servicedesk", "--kind", kind, "--html", str(body))
    helpdesk("templates", "set", "Servicedesk", kind, "--subject", "Ontvangen: [ticketnummer]")
    shown = helpdesk.json("templates", "show", "Servicedesk", kind)
    assert (shown["subject"], shown["html"]) == ("Ontvangen: [ticketnummer]", "<p>Geachte [contactpersoon]</p>")


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


def test_a_database_that_is_away_is_said(importer: CommandLine) -> None:
    importer.environment["IMPORTER_DATABASE_URL"] = "postgresql://nobody:x@127.0.0.1:1/helpdesk"
    assert "database" in importer("organisations", "list", code=1).lower()


def test_a_missing_setting_is_said(importer: CommandLine) -> None:
    del importer.environment["IMPORTER_DATABASE_URL"]
    assert "IMPORTER_DATABASE_URL" in importer("organisations", "list", code=78)
