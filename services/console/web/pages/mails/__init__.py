"""Mails, the processing log: filters that combine and stay in the address, the newest first, page after page by key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from services.console.repairs import mails
from services.console.repairs.mails import MailFilter, MailInList
from services.console.web.addresses import number_in, page_key, page_key_in, uuid_in
from services.console.web.endpoint import Answer, page
from services.console.web.personal import for_eyes
from services.console.web.rendering import Shown
from services.console.web.visit import Visit
from services.console.web.visitors import Need
from shared.database.pool import connection
from shared.messages import Outcome

A_PAGE: Final = 50
FIELDS: Final = ("helpdesk", "outcome", "since", "sender", "subject")
WAITING: Final = "on-its-way"
NOBODYS: Final = -1
"""An id that no helpdesk has."""


async def show(visit: Visit) -> Answer:
    """The list."""
    chosen = {name: visit.request.query_params.get(name, "").strip()[:254] for name in FIELDS}
    async with connection(visit.pool) as acquired:
        listed = await mails.mails(
            acquired,
            mail_filter(
                visit,
                chosen,
                limit=A_PAGE + 1,
                outcome=chosen["outcome"] if chosen["outcome"] in set(Outcome) else None,
                waiting=True if chosen["outcome"] == WAITING else None,
            ),
        )
    more = len(listed) > A_PAGE
    rows = [for_eyes(visit.who, one) for one in listed[:A_PAGE]]
    values = {
        "mails": rows,
        "chosen": chosen,
        "helpdesks": visit.who.rights,
        "outcomes": [*map(str, Outcome), WAITING],
        "older": f"/mails?{urlencode({**_kept(chosen), 'after': key_of(listed[A_PAGE - 1])})}" if more else None,
        "newest": f"/mails?{urlencode(_kept(chosen))}" if "after" in visit.request.query_params else None,
        "is_filtered": bool(_kept(chosen)),
    }
    return Shown("mails/mails.html", values)


def mail_filter(
    visit: Visit, chosen: Mapping[str, str], *, limit: int, need: Need = Need.LOOK, paged: bool = True, **fixed: Any
) -> MailFilter:
    """What was chosen, and what is `fixed`, of the helpdesks for which the visitor has the right that it needs.

    Who filters by persons must be allowed to see them.
    """
    if need is Need.LOOK and (chosen["sender"] or chosen["subject"]):
        need = Need.PERSONAL_DATA
    return MailFilter(
        since=since_day(chosen["since"], visit.who.time_zone),
        sender=chosen["sender"] or None,
        subject=chosen["subject"] or None,
        within=visit.who.helpdesks(need, helpdesk_of(chosen["helpdesk"])),
        after=page_key_in(visit.request.query_params.get("after", ""), uuid_in) if paged else None,
        limit=limit,
        **fixed,
    )


def helpdesk_of(typed: str) -> int | None:
    """The helpdesk that is chosen, None for all; one that cannot be an id is nobody's."""
    if not typed:
        return None
    number = number_in(typed)
    return NOBODYS if number is None else number


def _kept(chosen: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in chosen.items() if value}


def since_day(day: str, zone: str) -> datetime | None:
    """The first moment of a day in the visitor's zone; None where it is no day."""
    try:
        return datetime.combine(date.fromisoformat(day), time.min, ZoneInfo(zone))
    except ValueError:
        return None


def key_of(mail: MailInList) -> str:
    """Where the page after this mail begins."""
    return page_key(mail.received_at, mail.mail_id)


ROUTES: Final = (page("/mails", show),)
