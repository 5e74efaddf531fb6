"""Work list, ticket screen and settings screen, built as `helpdesk_ui` from docs/schema.md and nothing else.

Every name of a view, a column, a table or a function that a screen uses here is looked up in the page first, so that
what the page does not tell cannot be used; and what stands on a screen has words beside its ids.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import asyncpg
import pytest
from pydantic import SecretStr

from shared.database.pool import Connection
from shared.sealing import SealingKey

PAGE: Final = Path(__file__).parents[3] / "docs" / "schema.md"
_COLUMN: Final = re.compile(r"^\| `(\w+)` \| [^|]*\| (.*) \|$", re.MULTILINE)
_RIGHTS: Final = re.compile(r"^- `helpdesk_ui`: (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Documented:
    """A view or table as the page tells it."""

    name: str
    columns: Mapping[str, str]
    """Each column with what it means."""
    writes: Mapping[str, Sequence[str]]
    """What the UI may do beside reading (`insert`, `update`, `delete`), with which columns; none named: with all."""

    @classmethod
    def of(cls, section: str) -> Self:
        name, _, text = section.partition("\n")
        may = _RIGHTS.search(text)
        rights = (part.strip().partition(" (") for part in may[1].split(";")) if may else ()
        writes = {verb: [each for each in columns.rstrip(")").split(", ") if each] for verb, _, columns in rights}
        return cls(name.strip(), dict(_COLUMN.findall(text)), writes)

    def select(self, *columns: str) -> str:
        assert set(columns) <= set(self.columns), f"{self.name} documents no such column"
        return f"SELECT {', '.join(columns)} FROM {self.name}"  # noqa: S608 - names of the page

    def insert(self, *columns: str) -> str:
        self._assert_may("insert", columns)
        places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        return f"INSERT INTO {self.name} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - as above

    def update(self, *columns: str, key: str) -> str:
        """The key is $1, the row's version $2, then the columns."""
        self._assert_may("update", columns)
        changes = ", ".join(f"{column} = ${number}" for number, column in enumerate(columns, 3))
        return f"UPDATE {self.name} SET {changes} WHERE {key} = $1 AND row_version = $2 RETURNING row_version"  # noqa: S608

    def _assert_may(self, verb: str, columns: Sequence[str]) -> None:
        assert verb in self.writes, f"the page grants no {verb} on {self.name}"
        assert set(columns) <= set(self.columns)
        assert not self.writes[verb] or set(columns) <= set(self.writes[verb]), (verb, columns)


def _documented() -> dict[str, Documented]:
    sections = re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {each.name: each for each in map(Documented.of, sections)}


DOCUMENTED: Final = _documented()
FUNCTIONS: Final = frozenset(re.findall(r"^- `(ui_v1\.\w+)\(", PAGE.read_text(encoding="utf-8"), re.MULTILINE))


def view(name: str) -> Documented:
    return DOCUMENTED[f"ui_v1.{name}"]


def table(name: str) -> Documented:
    return DOCUMENTED[f"helpdesk.{name}"]


def call(function: str, arguments: int) -> str:
    assert f"ui_v1.{function}" in FUNCTIONS, "the page tells no such function"
    return f"SELECT ui_v1.{function}({', '.join(f'${number}' for number in range(1, arguments + 1))})"


# ── what the specification puts on the screens, by the page ──────────────────────────────────────────────────────────

SETTINGS: Final = {
    "S1": ("mailbox_settings", "enabled", "«Maak gebruik van de E-mail importer»"),
    "S2": ("mailbox_settings", "username", "«Gebruikersnaam email box»"),
    "S3": ("importer_settings", "has_password", "S3"),
    "S4": ("mailbox_settings", "server", "«Server»"),
    "S5": ("mailbox_settings", "default_contact_id", "«Standaard contactpersoon»"),
    "S6": ("mailbox_settings", "default_employee_id", "«Standaard werknemer»"),
    "S7": ("mailbox_settings", "marker", "«Mail header»"),
    "S8": ("importer_settings", "last_successful_check_at", "S8"),
    "M1": ("helpdesk_settings", "send_import_mails", "«Mail versturen bij toevoegen uit e-mail importer»"),
    "M2": ("templates", "kind", "ticket-added-manager"),
    "M3": ("templates", "kind", "supplement-added-executor"),
    "M4": ("templates", "kind", "ticket-added-customer"),
    "M5": ("statuses", "flag", "M5"),
    "N10": ("helpdesk_settings", "default_priority_id", "N10"),
    "N12": ("helpdesk_settings", "default_executor_id", "N12"),
    "N17": ("helpdesk_settings", "recalculate_deadline", "«herberekening deadline»"),
    "A8": ("helpdesk_settings", "portal_supplement_status_id", "A8"),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_each_setting_is_told_under_its_own_name(setting: str) -> None:
    name, column, term = SETTINGS[setting]
    assert term in view(name).columns[column], f"{setting}: the page does not say where it is"


NAMES_BESIDE: Final = {
    "tickets": {
        "helpdesk_id": "helpdesk_name",
        "status_id": "status_name",
        "organisation_id": "organisation_name",
        "contact_id": "contact_name",
        "created_by_employee_id": "created_by_name",
        "created_by_person_id": "created_by_name",
        "entry_channel_id": "entry_channel_name",
        "ticket_type_id": "ticket_type_name",
        "priority_id": "priority_name",
        "environment_id": "environment_name",
        "category_id": "category_name",
        "subcategory_id": "subcategory_name",
        "ticket_manager_id": "ticket_manager_name",
        "executor_id": "executor_name",
        "parent_ticket_id": "parent_ticket_number",
        "merged_into_id": "merged_into_number",
        "changed_by_employee_id": "changed_by_name",
        "changed_by_person_id": "changed_by_name",
        "sender_person_id": "sender_name",
        "sender_employee_id": "sender_name",
    },
    "imported_tickets": {
        "helpdesk_id": "helpdesk_name",
        "status_id": "status_name",
        "organisation_id": "organisation_name",
        "contact_id": "contact_name",
        "priority_id": "priority_name",
        "executor_id": "executor_name",
    },
    "supplements": {
        "ticket_id": "ticket_number",
        "supplement_type_id": "supplement_type_name",
        "informant_person_id": "informant_name",
        "informant_employee_id": "informant_name",
        "status_id": "status_name",
        "priority_id": "priority_name",
        "executor_id": "executor_name",
        "created_by_person_id": "created_by_name",
        "created_by_employee_id": "created_by_name",
        "changed_by_person_id": "changed_by_name",
        "changed_by_employee_id": "changed_by_name",
        "sender_person_id": "sender_name",
        "sender_employee_id": "sender_name",
    },
    "ticket_history": {"employee_id": "author_name", "person_id": "author_name"},
    "attachments": {"added_by_employee_id": "added_by_name"},
    "importer_settings": {
        "default_contact_id": "default_contact_name",
        "default_employee_id": "default_employee_name",
        "login_id": "login_name",
    },
}
ITS_OWN: Final = {
    "tickets": {"mail_id", "external_id"},
    "imported_tickets": set(),
    "supplements": {"mail_id", "helpdesk_id"},
    "ticket_history": {"ticket_id", "supplement_id", "mail_id"},
    "attachments": {"ticket_id", "supplement_id", "mail_id", "content_id"},
    "importer_settings": {"helpdesk_id"},
}
"""Ids of the screen itself, and those of mails, which have no name."""


@pytest.mark.parametrize("name", NAMES_BESIDE)
def test_a_screen_has_a_name_beside_each_id(name: str) -> None:
    columns = view(name).columns
    assert {*NAMES_BESIDE[name], *NAMES_BESIDE[name].values()} <= set(columns)
    ids = {column for column in columns if column.endswith("_id")}
    assert ids == {*NAMES_BESIDE[name], *ITS_OWN[name]}


# ── the screens ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_M5_the_work_list(owner: Connection, database: Any) -> None:
    assert owner is not None
    shown = ("id", "number", "title", "reported_at", "sender_name", "sender_address", "automatic", "needs_review")
    names = tuple(NAMES_BESIDE["imported_tickets"].values())
    page = view("imported_tickets").select(*shown, *names) + " WHERE helpdesk_id = $1"
    order = " ORDER BY reported_at DESC, id DESC LIMIT 50"
    async with database.connect("ui") as ui:
        rows = await ui.fetch(page + order, 1)
        assert [(row["title"], row["helpdesk_name"], row["status_name"], row["contact_name"]) for row in rows] == [
            ("Kassa hapert", "Support", "E-mail Geïmporteerd", "Anna de Vries")
        ]
        following = page + " AND (reported_at, id) < ($2, $3)" + order
        assert await ui.fetch(following, 1, rows[-1]["reported_at"], rows[-1]["id"]) == []


async def test_N1_A7_the_ticket_screen(owner: Connection, database: Any) -> None:
    assert owner is not None
    async with database.connect("ui") as ui:
        found = f"id = ({view('ticket_numbers').select('ticket_id')} WHERE number = $1)"
        columns = [column for column in view("tickets").columns if column != "search_document"]
        ticket = await ui.fetchrow(f"{view('tickets').select(*columns)} WHERE {found}", "TCK-12")
        assert (ticket["title"], ticket["entry_channel_name"], ticket["subcategory_name"]) == (
            *("Kassa hapert", "mail", "Printer"),
        )
        supplements = await ui.fetch(
            view("supplements").select(
                *(
                    "id",
                    "supplement_type_name",
                    "informant_name",
                    "body_html",
                    "visible_to_customer",
                    "expanded",
                    "mail_id",
                )
            )
            + " WHERE ticket_id = $1 ORDER BY reported_at DESC, id DESC",
            ticket["id"],
        )
        assert [row["supplement_type_name"] for row in supplements] == ["geïmporteerd vanuit mail"]
        history = await ui.fetch(
            view("ticket_history").select("at", "description", "author_name") + " WHERE ticket_id = $1 ORDER BY at, id",
            ticket["id"],
        )
        assert history[0]["description"] == "Aangemaakt via mail import"
        attachments = await ui.fetch(
            view("attachments").select("id", "name", "byte_size", "stored", "left_out_reason", "inline", "hidden")
            + " WHERE ticket_id = $1 ORDER BY supplement_id NULLS FIRST, position",
            ticket["id"],
        )
        assert {(row["name"], row["left_out_reason"]) for row in attachments} == {
            *(("scherm.png", None), ("factuur.pdf", "geen afbeelding")),
        }
        bytes_of = view("attachment_chunks").select("content") + " WHERE attachment_id = $1 ORDER BY position"
        stored = next(row["id"] for row in attachments if row["stored"])
        assert [row["content"] for row in await ui.fetch(bytes_of, stored)] == [b"1"]
        copies = view("attachment_copies").select("kind", "media_type") + " WHERE attachment_id = $1"
        assert [row["kind"] for row in await ui.fetch(copies, stored)] == ["rendition"]
        original = view("original_mail_chunks").select("content") + " WHERE mail_id = $1 ORDER BY position"
        assert [row["content"] for row in await ui.fetch(original, ticket["mail_id"])] == [b"1"]
        mails = view("notifications").select("kind", "state", "reason", "recipient_address") + " WHERE ticket_id = $1"
        assert await ui.fetch(mails, ticket["id"])


async def test_N6_A4_what_people_do_on_the_ticket_screen(owner: Connection, database: Any) -> None:
    assert owner is not None
    async with database.connect("ui") as ui:
        await ui.execute(table("entry_channels").insert("name"), "telefoon")
        channel = await ui.fetchval(table("entry_channels").select("id") + " WHERE name = 'telefoon'")
        ticket = await ui.fetchrow(
            table("tickets").insert(
                *("helpdesk_id", "organisation_id", "contact_id", "created_by_employee_id", "changed_by_employee_id"),
                *("reported_at", "entry_channel_id", "title", "body_html", "body_full_html", "body_full_text"),
                "status_id",
            )
            + " RETURNING id, row_version",
            *(1, 1, 1, 1, 1),
            *(datetime.now(UTC), channel, "Gebeld", "<p>Hoi</p>", "<p>Hoi</p>", "Hoi"),
            1,
        )
        version = await ui.fetchval(
            table("tickets").update("title", "status_id", "changed_by_employee_id", key="id"),
            *(ticket["id"], ticket["row_version"], "Gebeld over de kassa", 2, 1),
        )
        assert version == ticket["row_version"] + 1
        await ui.execute(
            table("ticket_history").insert("ticket_id", "kind", "description", "employee_id"),
            *(ticket["id"], "status-changed", "Status gewijzigd", 1),
        )
        added = await ui.fetchval(call("add_attachment", 6), ticket["id"], None, "a.pdf", "application/pdf", b"%PDF", 1)
        assert isinstance(added, uuid.UUID)
        await ui.execute(call("remove_attachment", 1), added)
        await ui.execute(table("ticket_numbers").insert("number", "ticket_id"), "TCK-77", ticket["id"])


async def test_S1_M5_the_settings_screen(owner: Connection, database: Any) -> None:
    await owner.execute("UPDATE importer_settings SET enabled = false")
    async with database.connect("ui") as ui:
        screens = {name for name, _, _ in SETTINGS.values()}
        for name in screens:
            await ui.fetch(view(name).select(*view(name).columns))
        helpdesks = await ui.fetch(view("helpdesk_settings").select("id", "name", "row_version"))
        assert len(helpdesks) == await owner.fetchval("SELECT count(*) FROM helpdesks"), "with settings or without"
        desk = helpdesks[0]
        assert await ui.fetchval(
            view("helpdesk_settings").update("send_import_mails", "recalculate_deadline", key="id"),
            *(desk["id"], desk["row_version"], False, True),
        )
        settings = view("mailbox_settings")
        chosen = {
            "kind": "imap",
            "username": "support",
            "server": "imap.helpdesk.example",
            "enabled": True,
            "default_contact_id": 1,
            "default_employee_id": 1,
            "marker": "=== antwoord ===",
        }
        assert set(chosen) - {"kind"} == {column for name, column, _ in SETTINGS.values() if name == "mailbox_settings"}
        async with ui.transaction():  # another server: the password comes before it
            key = await ui.fetchval(view("sealing_key").select("public_key"))
            await ui.execute(call("set_mailbox_password", 2), 1, SealingKey(key).seal(SecretStr("geheim")))
            version = await ui.fetchval(settings.select("row_version") + " WHERE helpdesk_id = $1", 1)
            version = await ui.fetchval(settings.update(*chosen, key="helpdesk_id"), 1, version, *chosen.values())
        assert version is not None
        stale = await ui.fetchval(settings.update("marker", key="helpdesk_id"), 1, version - 1, "te laat")
        assert stale is None, "somebody was faster"
        await ui.execute(
            view("templates").insert("helpdesk_id", "kind", "subject"), 1, "ticket-added-manager", "[ticketnummer]"
        )
        told = view("importer_settings").select("has_password", "last_successful_check_at") + " WHERE helpdesk_id = $1"
        assert (await ui.fetchrow(told, 1))["has_password"]
        status = view("statuses").select("id", "flag", "row_version") + " WHERE helpdesk_id = $1 AND flag = 'imported'"
        assert await ui.fetchrow(status, 1)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ui.fetch("SELECT password_encrypted FROM helpdesk.importer_settings")
