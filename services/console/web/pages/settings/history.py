"""What was changed in a helpdesk's settings, by whom and when, from the audit log; and one click back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import structlog
from starlette.datastructures import FormData

from services.console import audit, changes
from services.console.changes import StillNeeded
from services.console.database import Refused, one_transaction
from services.console.fields import Reference
from services.console.resources import IMPORTER, RESOURCES, Resource
from services.console.web import refusals
from services.console.web.endpoint import Answer, see
from services.console.web.forms import N_, Asked
from services.console.web.pages.settings import query
from services.console.web.pages.settings.columns import name_of, names, value_of
from services.console.web.pages.settings.place import helpdesk, surroundings
from services.console.web.pages.settings.screens import LISTS, SCREENS
from services.console.web.rendering import Shown
from services.console.web.visit import Refusal, Visit
from shared.database.pool import Connection, connection

MOST: Final = 100
HIDDEN: Final = "changed"
"""What the log has in the place of a secret."""

_OF_TABLE: Final[Mapping[str, tuple[Resource, Sequence[Asked]]]] = {
    **{rows.resource.table: (rows.resource, rows.asked) for rows in LISTS},
    **{
        resource.table: (resource, [one for screen in SCREENS if screen.resource is resource for one in screen.asked])
        for resource in {screen.resource.table: screen.resource for screen in SCREENS}.values()
    },
}
THINGS: Final = {
    "importer_settings": N_("e-Mail importer"),
    "helpdesks": N_("Helpdesk"),
    "statuses": N_("Status"),
    "priorities": N_("Prioriteit"),
    "ticket_types": N_("Soort"),
    "environments": N_("Omgeving"),
    "templates": N_("Mailtemplate"),
    "sender_rules": N_("Regel voor een afzender"),
    "outgoing_holds": N_("Mail tegenhouden"),
    "web_rights": N_("Rechten van een gebruiker"),
    "categories": N_("Categorie"),
    "web_users": N_("Gebruiker"),
    "logins": N_("Aanmelding bij een mailserver"),
    "outgoing_accounts": N_("Uitgaand account"),
    "calendars": N_("Kalender"),
    "calendar_hours": N_("Openingstijden"),
    "calendar_exceptions": N_("Uitzondering op de kalender"),
    "maintenance_windows": N_("Onderhoud"),
    "helpdesk_administrators": N_("Beheerder van een helpdesk"),
    "imported_mails": N_("Mail"),
    "tickets": N_("Ticket"),
    "supplements": N_("Aanvulling"),
    "review_requests": N_("Vraag om te beoordelen"),
    "notifications": N_("Melding"),
    "held_mails": N_("Mail die op zijn beurt wacht"),
    "mailbox_states": N_("Postvak"),
    "dead_letters": N_("Vastgelopen bericht"),
    "dead letter": N_("Vastgelopen bericht"),
    "ticket_numbers": N_("Oude ticketnummers"),
    "raw mails": N_("Ruwe mails"),
    "content keys": N_("Kenmerken van oude mails"),
    "personal data": N_("Persoonsgegevens"),
    "installation": N_("Installatie"),
    "web_group_rights": N_("Rechten van een groep"),
    "web_memberships": N_("Groep van een gebruiker"),
    "web_invitations": N_("Koppeling voor een wachtwoord"),
    "sealing_keys": N_("Sleutel voor bewaarde wachtwoorden"),
    "retention": N_("Bewaartermijnen"),
    "ticket_number_pattern": N_("Vorm van ticketnummers"),
    "organisations": N_("Organisatie"),
    "persons": N_("Contactpersoon"),
    "person_addresses": N_("Adres van een contactpersoon"),
    "employees": N_("Werknemer"),
    "employee_addresses": N_("Adres van een werknemer"),
    "helpdesk_groups": N_("Groep van helpdesks"),
    "entry_channels": N_("Invoerkanaal"),
    "supplement_types": N_("Soort aanvulling"),
}
"""What an entry can be about, by its table or what else it is."""
DEEDS: Final = {
    "added": N_("toegevoegd"),
    "changed": N_("veranderd"),
    "removed": N_("verwijderd"),
    "looked-at": N_("ruwe mail bekeken"),
    "replayed": N_("opnieuw ingelezen"),
    "discarded": N_("weggelegd"),
    "dropped": N_("weggegooid"),
    "released": N_("losgelaten"),
    "forced": N_("nog eens ingelezen"),
    "accepted": N_("goedgekeurd"),
    "asked-to-accept": N_("goedkeuring gevraagd"),
    "chosen-for-old-mail": N_("keuze voor oude mail"),
    "closed-dead-letter": N_("afgesloten"),
    "sent-now": N_("nu verstuurd"),
    "checked-now": N_("nu nagekeken"),
    "published-again": N_("opnieuw aangeboden"),
    "erased": N_("gewist"),
    "bound": N_("gebonden aan deze database"),
    "held": N_("stilgezet"),
    "confirmed": N_("bevestigd"),
    "brought back": N_("teruggezet naar een eerder moment"),
}
"""What was done, as the log names it."""
_USERS: Final = "web_users"
_USER_NAMES: Final = "SELECT id, name FROM web_users WHERE id = ANY($1::bigint[])"
_NOT_BACK: Final = N_("Deze verandering kan niet worden teruggezet.")
_STILL_NEEDED: Final = N_("De importer is aan en heeft dit nodig: zet hem eerst uit, of kies daar iets anders.")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """A column that changed, in words."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of the log as a page shows it; `can_go_back` where one click undoes it."""

    id: int
    at: datetime
    actor: str | None
    thing: str
    deed: str
    parts: tuple[Part, ...]
    can_go_back: bool


async def show(visit: Visit) -> Answer:
    """The newest changes."""
    right = helpdesk(visit)
    async with connection(visit.pool) as acquired:
        entries = await audit.entries(
            acquired, audit.Filter(kind=audit.Kind.SETTINGS, helpdesk_id=right.helpdesk_id, limit=MOST)
        )
        names = await names_of(acquired, entries)
    listed = [in_words(visit, one, names) for one in entries]
    title = visit.texts.gettext(N_("Wijzigingen"))
    values = {**surroundings(visit, right), "screen": {"key": "changes", "title": title}, "changes": listed}
    return Shown("settings/changes.html", values)


async def go_back(visit: Visit, form: FormData) -> Answer:
    """Set what an entry changed as it was before; that is a change of its own."""
    right, gettext = helpdesk(visit), visit.texts.gettext
    typed = str(form.get("entry", ""))
    try:
        async with one_transaction(visit.pool) as acquired:
            entries = await audit.entries(
                acquired, audit.Filter(kind=audit.Kind.SETTINGS, helpdesk_id=right.helpdesk_id, limit=MOST)
            )
            entry = next((one for one in entries if str(one.id) == typed and _can_go_back(visit, one)), None)
            if entry is None:
                raise Refusal(HTTPStatus.CONFLICT, gettext(_NOT_BACK))
            await _undo(acquired, right.helpdesk_id, entry)
    except Refused as refused:
        raise Refusal(HTTPStatus.CONFLICT, refusals.beside(refused, visit.texts)[1]) from None
    except StillNeeded:
        raise Refusal(HTTPStatus.CONFLICT, gettext(_STILL_NEEDED)) from None
    _log.info("change_undone", entry=entry.id, helpdesk_id=right.helpdesk_id, user=visit.who.user_id)
    return see(f"/helpdesks/{right.helpdesk_id}/changes?saved")


async def _undo(acquired: Connection, helpdesk_id: int, entry: audit.Entry) -> None:
    resource, _ = _OF_TABLE[entry.thing]
    columns = await query.typed_before(acquired, resource, _columns(entry), entry.before or {})
    if resource is IMPORTER:
        await changes.change_importer(acquired, helpdesk_id, columns, {})
        return
    place = {"id": int(entry.thing_id or 0)} | ({"helpdesk_id": helpdesk_id} if resource.per_helpdesk else {})
    await changes.change(acquired, resource, place, columns, {}, secret={}, key=entry.thing_id or "")


def _columns(entry: audit.Entry) -> list[str]:
    return sorted({*(entry.before or {}), *(entry.after or {})} - _FOLLOWING)


_FOLLOWING: Final = frozenset(
    {
        "generation",
        "mailbox_kind",
        "imported_status_id",
        "login_expires_at",
        "password_is_set",
        "certificate_is_set",
    }
)
"""Columns that follow from others by themselves."""
_OF_EACH_ROW: Final = frozenset({"id", "helpdesk_id", "one_row"})
"""Columns that say which row it is, as the entry does itself."""


def _can_go_back(visit: Visit, entry: audit.Entry) -> bool:
    """Whether each column that changed is one that this visitor may set here, and none is a secret."""
    if entry.deed != "changed" or entry.thing not in _OF_TABLE:
        return False
    settable = {one.field.target for one in _OF_TABLE[entry.thing][1] if visit.who.operator or not one.operator}
    return bool(_columns(entry)) and set(_columns(entry)) <= settable


def in_words(visit: Visit, entry: audit.Entry, named: Mapping[tuple[str, Any], str]) -> Change:
    """The entry as a page shows it; `named` are those of `names_of`."""
    gettext, columns = visit.texts.gettext, names()
    before, after = entry.before or {}, entry.after or {}

    def text(column: str, value: Any) -> str:
        match value:
            case None | [] | "":
                return "–"
            case bool():
                return gettext("ja") if value else gettext("nee")
        if value == HIDDEN:
            return gettext("gewijzigd, niet te zien")
        one = _asked(entry.thing, column)
        word = value_of(column, value) if one is None else one.words.get(str(value))
        if word is not None:
            return gettext(word)
        if isinstance(value, list):
            return ", ".join(map(str, value))
        resource = _USERS if column == "user_id" else _resource_of(one)
        return str(value) if isinstance(value, dict) else named.get((resource, value)) or str(value)

    shown = sorted({*before, *after} - _FOLLOWING - _OF_EACH_ROW)
    return Change(
        id=entry.id,
        at=entry.at,
        actor=entry.actor,
        thing=gettext(THINGS[entry.thing]) if entry.thing in THINGS else entry.thing,
        deed=gettext(DEEDS[entry.deed]) if entry.deed in DEEDS else entry.deed,
        parts=tuple(
            Part(
                gettext(name_of(columns, entry.thing, column)),
                text(column, before.get(column)),
                text(column, after.get(column)),
            )
            for column in shown
            if entry.deed == "changed" or (after or before).get(column) not in (None, "", [], False)
        ),
        can_go_back=_can_go_back(visit, entry),
    )


def _asked(table: str, column: str) -> Asked | None:
    return next((one for one in _OF_TABLE.get(table, (None, ()))[1] if one.field.target == column), None)


def _resource_of(one: Asked | None) -> str:
    return one.field.kind.resource if one is not None and isinstance(one.field.kind, Reference) else ""


async def names_of(acquired: Connection, entries: Sequence[audit.Entry]) -> dict[tuple[str, Any], str]:
    """What the ids in the entries are called, by resource and id."""
    ids: dict[str, set[int]] = defaultdict(set)
    users: set[int] = set()
    for entry in entries:
        for values in (entry.before or {}, entry.after or {}):
            if isinstance(user_id := values.get("user_id"), int):
                users.add(user_id)
            for column, value in values.items():
                if (resource := _resource_of(_asked(entry.thing, column))) and isinstance(value, int):
                    ids[resource].add(value)
    found = {(_USERS, row["id"]): row["name"] for row in await acquired.fetch(_USER_NAMES, sorted(users))}
    for resource, wanted in ids.items():
        for key, name in (await query.names_of(acquired, RESOURCES[resource], sorted(wanted))).items():
            found[resource, key] = name
    return found
