"""The names that may stand between brackets in a template: one row each, from which check, values and docs follow.

A new placeholder is a row here and its value in `shared.templates.values`; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One row: `meaning`, `example` and `when_empty` are Dutch, since template writers and readers see them."""

    name: str
    meaning: str
    example: str
    when_empty: str = "–"
    """What a mail says when the ticket has no such value."""
    in_subject: bool = True
    """False for what is too long for a subject."""


PLACEHOLDERS: Final = (
    Placeholder("ticketnummer", "het nummer van het ticket", "1000123"),
    Placeholder("tickettitel", "de titel van het ticket", "Printer op de begane grond doet het niet"),
    Placeholder(
        "ticketlink",
        "het adres waarop een medewerker het ticket opent",
        "https://helpdesk.example.nl/tickets/1000123",
        in_subject=False,
    ),
    Placeholder("helpdesk", "de naam van de helpdesk", "Servicedesk ICT"),
    Placeholder("ontvanger", "de naam (anders het adres) van wie deze mail krijgt", "Sanne de Wit"),
    Placeholder("organisatie", "de organisatie van het ticket", "Bakkerij Jansen"),
    Placeholder("contactpersoon", "de contactpersoon van het ticket", "Piet Jansen"),
    Placeholder("aanmelder", "wie het ticket aanmeldde: dezelfde als [contactpersoon]", "Piet Jansen"),
    Placeholder("afzender", "de naam (anders het adres) van wie de mail schreef", "Piet Jansen"),
    Placeholder("afzenderadres", "het mailadres van wie de mail schreef", "piet@bakkerij-jansen.example"),
    Placeholder("onderwerp", "het onderwerp van de mail", "Printer op de begane grond doet het niet"),
    Placeholder(
        "omschrijving",
        "het verzoek van het ticket",
        "De printer geeft foutcode 79 en drukt niets meer af.",
        "(geen tekst)",
        in_subject=False,
    ),
    Placeholder(
        "aanvulling",
        "de tekst van de aanvulling; alleen in de mail over een aanvulling",
        "Na opnieuw opstarten blijft de foutcode staan.",
        "(geen tekst)",
        in_subject=False,
    ),
    Placeholder("bijlagen", "de afbeeldingen uit de mail die zijn opgeslagen", "foto.jpg", "geen", in_subject=False),
    Placeholder(
        "niet opgeslagen bijlagen",
        "de bijlagen uit de mail die niet zijn opgeslagen, met de reden",
        "handleiding.pdf (geen afbeelding)",
        "geen",
        in_subject=False,
    ),
    Placeholder("status", "de status van het ticket", "E-mail Geïmporteerd"),
    Placeholder("prioriteit", "de prioriteit van het ticket", "Normaal", "geen"),
    Placeholder("soort", "de soort van het ticket", "Storing", "geen"),
    Placeholder("omgeving", "de omgeving van het ticket", "Productie", "geen"),
    Placeholder("ticketmanager", "de ticketmanager", "Sanne de Wit", "nog niemand"),
    Placeholder("uitvoerder", "de uitvoerder", "Karim Bouzid", "nog niemand"),
    Placeholder("deadline", "datum en tijd van de deadline", "27-11-2026 17:00", "geen"),
    Placeholder("datum gemeld", "datum en tijd waarop het ticket gemeld is", "23-11-2026 09:14"),
    Placeholder("datum aanvulling", "datum en tijd waarop de aanvulling gemeld is", "24-11-2026 10:02"),
)

NUMBER: Final = PLACEHOLDERS[0]
"""Every subject of a mail about a ticket carries it, since it brings the answer back to the ticket (SPEC W3)."""

OF_SUMMARIES: Final = (
    Placeholder("helpdesk", "de naam van de helpdesk", "Servicedesk ICT"),
    Placeholder("ontvanger", "de naam (anders het adres) van wie deze mail krijgt", "Sanne de Wit"),
    Placeholder("aantal", "hoeveel tickets en aanvullingen samen", "37"),
    Placeholder("aantal tickets", "hoeveel nieuwe tickets", "35", "geen"),
    Placeholder("aantal aanvullingen", "hoeveel nieuwe aanvullingen", "2", "geen"),
    Placeholder("eerste", "datum en tijd waarop de eerste mail gemeld is", "23-11-2026 09:14"),
    Placeholder("laatste", "datum en tijd waarop de laatste mail gemeld is", "23-11-2026 09:23"),
    Placeholder(
        "overzicht",
        "de tickets en aanvullingen, elk met nummer, titel, afzender en status",
        "1000123 Printer op de begane grond doet het niet",
        in_subject=False,
    ),
)
"""What may stand in the template of a summary, which is about many tickets."""


def normalised(name: str) -> str:
    """`name` as the table spells it: editors add capitals, line breaks and non-breaking spaces."""
    return " ".join(name.replace("&nbsp;", " ").split()).casefold()


def find(name: str, among: Sequence[Placeholder]) -> Placeholder | None:
    """The placeholder that is called `name` (in any case, with any white space), or None."""
    wanted = normalised(name)
    return next((placeholder for placeholder in among if placeholder.name == wanted), None)
