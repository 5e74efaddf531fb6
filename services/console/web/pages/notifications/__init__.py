"""Notifications: every mail out with its state, the reason and the server's answer; those that wait are sent now."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import structlog
from starlette.datastructures import FormData

from services.console import notifications
from services.console.database import one_transaction
from services.console.web.addresses import number_in, page_key, page_key_in, uuid_in
from services.console.web.endpoint import Answer, page, see
from services.console.web.pages.mails import A_PAGE, helpdesk_of
from services.console.web.pages.notifications import query
from services.console.web.personal import for_eyes
from services.console.web.rendering import Shown
from services.console.web.visit import Visit
from services.console.web.visitors import Need
from shared.database.pool import connection

FIELDS: Final = ("helpdesk", "state", "ticket")

_log = structlog.get_logger(__name__)


async def show(visit: Visit) -> Answer:
    """The list, the newest first."""
    asked = visit.request.query_params
    chosen = {name: asked.get(name, "").strip()[:254] for name in FIELDS}
    async with connection(visit.pool) as acquired:
        listed = await query.listed(
            acquired,
            within=visit.who.helpdesks(Need.LOOK, helpdesk_of(chosen["helpdesk"])),
            states=[chosen["state"]] if chosen["state"] in query.STATES else query.STATES,
            ticket=chosen["ticket"] or None,
            after=page_key_in(asked.get("after", ""), uuid_in),
            limit=A_PAGE + 1,
        )
    kept = {name: value for name, value in chosen.items() if value}
    older = (
        {**kept, "after": page_key(listed[A_PAGE - 1].created_at, listed[A_PAGE - 1].id)}
        if len(listed) > A_PAGE
        else None
    )
    changeable = {right.helpdesk for right in visit.who.rights if right.administrator}
    values: dict[str, Any] = {
        "notifications": [for_eyes(visit.who, one) for one in listed[:A_PAGE]],
        "chosen": chosen,
        "helpdesks": visit.who.rights,
        "states": query.STATES,
        "changeable": changeable,
        "older": older and f"/notifications?{urlencode(older)}",
        "newest": f"/notifications?{urlencode(kept)}" if "after" in asked else None,
        "is_filtered": bool(kept),
        "sent": number_in(asked.get("sent", "")),
    }
    return Shown("notifications/notifications.html", values)


async def send_now(visit: Visit, form: FormData) -> Answer:
    """Make the named one due; one that is held, sent already, or of a helpdesk of others stays as it is."""
    wanted = uuid_in(str(form.get("notification", "")))
    async with one_transaction(visit.pool) as acquired:
        due = 0
        if wanted is not None:
            due = await notifications.due_now(acquired, None, visit.who.helpdesks(Need.CHANGE), wanted)
    _log.info("notifications_due", count=due, user=visit.who.user_id)
    kept = {name: value for name in FIELDS if (value := str(form.get(name, ""))[:254])}
    return see(f"/notifications?{urlencode({**kept, 'sent': due})}")


ROUTES: Final = (page("/notifications", show, send_now),)
