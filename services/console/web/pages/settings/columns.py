"""What each column is called on the screen, for who reads what was changed («Logboek», «Wijzigingen»).

Columns that are a field of a screen or list are called as there; a test finds one that has no name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.console.web.forms import N_
from services.console.web.pages.settings.screens import CALENDAR_ROWS, LISTS, SCREENS
from services.console.web.translations import LANGUAGES

_OF_A_TABLE: Final = {
    ("helpdesks", "name"): N_("Naam"),
    ("imported_mails", "reasons"): N_("Waarom"),
    ("imported_mails", "choice"): N_("Keuze"),
    ("importer_settings", "imported_status_flag"): N_("Vlag «geïmporteerd»"),
    ("logins", "kind"): N_("Soort"),
    ("notifications", "state"): N_("Toestand"),
    ("outgoing_accounts", "kind"): N_("Soort"),
    ("retention", "identity_days"): N_("Dagen dat een mail wordt herkend"),
    ("retention", "raw_mail_days"): N_("Dagen dat ruwe mail blijft"),
    ("sender_rules", "kind"): N_("Soort"),
    ("sender_rules", "pattern"): N_("Afzender"),
    ("sender_rules", "verdict"): N_("Wat ermee gebeurt"),
    ("templates", "kind"): N_("Soort"),
    ("ticket_number_pattern", "pattern"): N_("Vorm van ticketnummers"),
    ("web_users", "active"): N_("Mag inloggen"),
}
"""Columns that are no field of a screen or list here, as the pages call them that have them."""
_OF_ANY_TABLE: Final = {
    "active": N_("In gebruik"),
    "address": N_("Mailadres"),
    "aliases": N_("Aantal"),
    "allow_unencrypted": N_("Zonder TLS aanmelden"),
    "backlog_choice": N_("Keuze"),
    "backlog_chosen_until": N_("Tot en met"),
    "backlog_waiting": N_("Mails die wachten"),
    "body_html": N_("Opgemaakte tekst (html)"),
    "body_text": N_("Tekst zonder opmaak"),
    "ca_file": N_("Eigen certificaatautoriteit"),
    "calendar_id": N_("Kalender"),
    "called": N_("Hoe u haar noemt"),
    "certificate_encrypted": N_("Certificaat"),
    "certificate_expires_at": N_("Certificaat geldig tot"),
    "changed_by_employee_id": N_("Werknemer"),
    "closes": N_("Dicht om"),
    "cloud": N_("Microsoft-cloud"),
    "created_at": N_("Sinds"),
    "day": N_("Dag"),
    "description": N_("Omschrijving"),
    "employee_id": N_("Werknemer"),
    "ends_at": N_("Tot"),
    "expires_at": N_("Geldig tot"),
    "first": N_("Eerste"),
    "force_number": N_("Hoeveelste keer"),
    "forced_from": N_("Van mail"),
    "group_name": N_("Groep"),
    "held_for_review": N_("Wacht op een blik"),
    "held_since": N_("Sinds"),
    "host": N_("Server"),
    "issuer": N_("Aanmelddienst"),
    "key_id": N_("Sleutel"),
    "language": N_("Taal"),
    "last": N_("Laatste"),
    "login_id": N_("Aanmelding"),
    "made_at": N_("Gemaakt"),
    "mailbox_address": N_("Mailadres"),
    "name": N_("Naam"),
    "needs_review": N_("Te beoordelen"),
    "next_try_at": N_("Volgende poging"),
    "openid_issuer": N_("Aanmelddienst"),
    "openid_subject": N_("Persoon bij de aanmelddienst"),
    "opens": N_("Open om"),
    "operator": N_("Beheert alles"),
    "organisation_id": N_("Organisatie"),
    "parent_id": N_("Onderdeel van"),
    "password_encrypted": N_("Wachtwoord"),
    "password_hash": N_("Wachtwoord"),
    "has_password": N_("Heeft een wachtwoord"),
    "paused_reason": N_("Waarom gepauzeerd"),
    "paused_since": N_("Gepauzeerd sinds"),
    "person_id": N_("Contactpersoon"),
    "personal_data": N_("Persoonsgegevens"),
    "port": N_("Poort"),
    "position": N_("Plaats in lijsten"),
    "public_key": N_("Sleutel"),
    "published_at": N_("Sinds"),
    "queue": N_("Wachtrij"),
    "reason": N_("Waarom"),
    "recorded_at": N_("Sinds"),
    "replay_number": N_("Hoeveelste keer"),
    "resolved_at": N_("Afgesloten"),
    "role": N_("Rechten"),
    "secret_expires_on": N_("Geheim geldig tot"),
    "security": N_("Beveiliging"),
    "starts_at": N_("Vanaf"),
    "subject": N_("Onderwerp"),
    "system_key": N_("Kenmerk"),
    "tenant": N_("Tenant"),
    "time_zone": N_("Tijdzone"),
    "token_hash": N_("Koppeling"),
    "user_id": N_("Gebruiker"),
    "username": N_("Gebruikersnaam"),
    "weekday": N_("Dag"),
}
"""What a column is called in whichever table, where its own does not call it otherwise."""
_VALUES: Final[Mapping[str, Mapping[str, str]]] = {
    "role": {"operator": N_("alles beheren"), "administrator": N_("beheren"), "viewer": N_("kijken")},
    "language": LANGUAGES,
}
"""What values are called, by column, where no field of a screen says it."""


def names() -> Mapping[tuple[str, str], str]:
    """What the columns of screens, lists and other pages are called, by table and column."""
    asked = [(screen.resource, one) for screen in SCREENS for one in screen.asked]
    asked += [(rows.resource, one) for rows in (*LISTS, CALENDAR_ROWS) for one in rows.asked]
    return _OF_A_TABLE | {(resource.table, one.field.target): one.label for resource, one in asked}


def name_of(named: Mapping[tuple[str, str], str], table: str, column: str) -> str:
    """What a column is called, of the `names()`; itself where it has no name."""
    return named.get((table, column)) or _OF_ANY_TABLE.get(column, column)


def value_of(column: str, value: object) -> str | None:
    """What a value of it is called, None where it is what it says."""
    return _VALUES.get(column, {}).get(str(value))
