"""«Ticket»: a ticket as it was imported and stands now: fields, supplements, pictures and what was left out, history.

Why a customer got no mail stands here too: each mail out about the ticket, with its reason.
"""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import Any, Final

from services.console.web.endpoint import Answer, page
from services.console.web.forms import N_
from services.console.web.pages.notifications import query as mails_out
from services.console.web.pages.ticket import query
from services.console.web.personal import for_eyes
from services.console.web.rendering import Shown
from services.console.web.visit import Refusal, Visit
from services.console.web.visitors import Need
from shared.database.pool import connection

_NOT_THERE: Final = N_("Dit ticket is er niet, of hoort bij een helpdesk waarvoor u geen rechten hebt.")
_NOBODY: Final[dict[str, Any]] = dict.fromkeys(
    ("title", "contact", "organisation", "created_by", "changed_by", "sender_name", "sender_address", "text")
)
_NOBODY_OF_SUPPLEMENT: Final[dict[str, Any]] = dict.fromkeys(
    ("informant", "sender_name", "sender_address", "verdict", "text")
)
"""Of whom a viewer without personal data learns nothing."""


async def show(visit: Visit) -> Answer:
    """The ticket of this number, an earlier number of it too."""
    async with connection(visit.pool) as acquired:
        ticket = await query.ticket(acquired, visit.request.path_params["number"], visit.who.helpdesks(Need.LOOK))
        if ticket is None:
            raise Refusal(HTTPStatus.NOT_FOUND, visit.texts.gettext(_NOT_THERE))
        supplements = await query.supplements(acquired, ticket.id)
        attachments = await query.attachments(acquired, ticket.id, [one.id for one in supplements])
        history = await query.history(acquired, ticket.id)
        notifications = await mails_out.listed(
            acquired,
            within=[ticket.helpdesk_id],
            states=mails_out.STATES,
            ticket=ticket.number,
            after=None,
            limit=query.MOST,
        )
    sees_all = ticket.helpdesk not in visit.who.without_personal_data()
    if not sees_all:
        ticket = dataclasses.replace(ticket, **_NOBODY)
        supplements = [dataclasses.replace(one, **_NOBODY_OF_SUPPLEMENT) for one in supplements]
        attachments = [dataclasses.replace(one, name="") for one in attachments]
        history = []  # its sentences name people
    values = {
        "ticket": ticket,
        "supplements": supplements,
        "attachments": attachments,
        "history": history,
        "notifications": [for_eyes(visit.who, one) for one in notifications],
        "sees_all": sees_all,
        "may_change": visit.who.may(Need.CHANGE, ticket.helpdesk),
        "most": query.MOST,
        "most_text": query.MOST_TEXT,
    }
    return Shown("ticket/ticket.html", values)


ROUTES: Final = (page("/tickets/{number:path}", show),)
