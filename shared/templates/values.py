"""What stands in for each placeholder of `shared.templates.placeholders`, from the facts of a mail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from selectolax.lexbor import LexborHTMLParser

from shared.one_line import one_line
from shared.portal.left_out import MAIL_TOO_LARGE
from shared.templates.facts import Body, LeftOutAttachment, MailFacts
from shared.templates.kinds import TemplateKind
from shared.templates.placeholders import NUMBER
from shared.templates.plain_text import html_of, text_of
from shared.templates.render import Value
from shared.templates.safe_html import safe_for_mail

BODY_LIMIT: Final = 64 * 1024
"""Characters of a body's html that go into a mail; of a longer one the text's beginning does."""
TEXT_LIMIT: Final = 16 * 1024
"""Characters of a body's text that go into a mail."""
NAMES_LIMIT: Final = 50
"""Attachments that are named."""
UNNAMED: Final = "(zonder naam)"

_CUT_OFF: Final = "(…) Het hele bericht staat in het ticket."
_FALLBACK_TIME_ZONE: Final = "Europe/Amsterdam"


def values_of(mail: MailFacts) -> dict[str, Value]:
    """A value for every placeholder; an empty text where the ticket has none."""
    ticket = mail.ticket
    zone = zone_of(ticket.time_zone)
    texts = {
        "ticketnummer": ticket.number,
        "tickettitel": ticket.title,
        "ticketlink": link_to(ticket.url, ticket.number),
        "helpdesk": mail.helpdesk,
        "ontvanger": mail.recipient,
        "organisatie": ticket.organisation,
        "contactpersoon": ticket.contact,
        "aanmelder": ticket.contact,
        "afzender": ticket.mail_from_name or ticket.mail_from_address,
        "afzenderadres": ticket.mail_from_address,
        "onderwerp": ticket.mail_subject,
        "bijlagen": _names(ticket.images),
        "niet opgeslagen bijlagen": _names(
            f"{each.name or UNNAMED} ({each.reason})" for each in ticket.left_out if _may_tell(mail, each)
        ),
        "status": ticket.status,
        "prioriteit": ticket.priority,
        "soort": ticket.ticket_type,
        "omgeving": ticket.environment,
        "ticketmanager": ticket.manager,
        "uitvoerder": ticket.executor,
        "deadline": written_moment(ticket.deadline_at, zone),
        "datum gemeld": written_moment(ticket.reported_at, zone),
        "datum aanvulling": written_moment(ticket.supplemented_at, zone),
    }
    bodies = {"omschrijving": _body(ticket.request), "aanvulling": _body(ticket.supplement)}
    return {name: Value(text) for name, text in texts.items()} | bodies


def _may_tell(mail: MailFacts, left_out: LeftOutAttachment) -> bool:
    to_customer = mail.kind is TemplateKind.TICKET_ADDED_CUSTOMER
    return not (to_customer and left_out.reason == MAIL_TOO_LARGE)


def name_to_write(name: str, address: str, known_as: str) -> str:
    """What somebody is called: as his mail says; where it has no name, or his address for one, as he is known here."""
    said = one_line(name)
    return known_as if not said or said.casefold() == address.strip().casefold() else name


@lru_cache(maxsize=32)
def _body(body: Body) -> Value:
    """A body in both readings, made once for the mails to manager, executor and customer that tell of it.

    An image is named where it stood: a mail of ours shows none, the ticket does.
    """
    if len(body.html) > BODY_LIMIT:
        beginning = f"{body.text[:TEXT_LIMIT]}\n\n{_CUT_OFF}"
        return Value(beginning, html_of(beginning))
    shown = safe_for_mail(_with_images_named(body.html))
    text = body.text if body.shows_all or not body.html else text_of(shown)
    return Value(text if len(text) <= TEXT_LIMIT else f"{text[:TEXT_LIMIT]}\n\n{_CUT_OFF}", shown)


def _with_images_named(html: str) -> str:
    if "<img" not in html.lower():
        return html
    tree = LexborHTMLParser(html)
    for image in tree.css("img"):
        name = one_line(image.attributes.get("alt") or "")
        image.replace_with(f"[afbeelding: {name}]" if name else "[afbeelding]")
    return (tree.body.inner_html if tree.body else None) or ""


def _names(names: Iterable[str]) -> str:
    clean = [one_line(name) or UNNAMED for name in names]
    more = len(clean) - NAMES_LIMIT
    return ", ".join(clean[:NAMES_LIMIT]) + (f" en nog {more}" if more > 0 else "")


def link_to(url: str, number: str) -> str:
    """The page of a ticket by the helpdesk's `ticket_url`; '' when none is set or the setting is no web address."""
    link = url.replace(f"[{NUMBER.name}]", quote(number, safe="")).strip()
    try:
        return link if urlsplit(link).scheme in {"http", "https"} else ""
    except ValueError:
        return ""


def written_moment(moment: datetime | None, zone: ZoneInfo) -> str:
    """A date and time as Dutch readers write it; '' for none."""
    return "" if moment is None else moment.astimezone(zone).strftime("%d-%m-%Y %H:%M")


def zone_of(name: str) -> ZoneInfo:
    """The time zone of a calendar; the default one for a name that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(_FALLBACK_TIME_ZONE)
