"""Notifications: every mail out with its state, the reason and the server's answer. One is sent now, or again."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import structlog
from starlette.datastructures import FormData

from services.console import notifications
from services.console.database import one_transaction
from services.console.explanations import explained_mail_out
from services.console.repairs import resend
from services.console.repairs.resend import Bar, Candidate
from services.console.web.addresses import number_in, page_key, page_key_in, uuid_in
from services.console.web.endpoint import Answer, page, see
from services.console.web.forms import N_
from services.console.web.pages.mails import A_PAGE, helpdesk_of
from services.console.web.pages.notifications import query
from services.console.web.personal import for_eyes
from services.console.web.rendering import Shown
from services.console.web.visit import Refusal, Visit
from services.console.web.visitors import Need
from shared.database.pool import Connection, connection

FIELDS: Final = ("helpdesk", "state", "ticket")
_NOT_THERE: Final = N_("Deze melding is er niet, of hoort bij een helpdesk die u niet beheert.")
_CHANGED: Final = N_("De melding is intussen veranderd. Kijk aan wie ze nu gaat, en verstuur dan opnieuw.")
_BARRED: Final = {
    Bar.ALREADY: N_("Deze melding is al opnieuw verstuurd. Wat daarvan werd, staat bij de meldingen van het ticket."),
    Bar.NOT_ENDED: N_("Deze melding wordt nog verstuurd, of er is besloten dat ze niet uitgaat."),
    Bar.NO_ADDRESS: N_("De ontvanger heeft nu geen e-mailadres. Leg er een vast bij de contactpersoon of werknemer."),
}

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
        "resent": "resent" in asked,
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


async def ask(visit: Visit) -> Answer:
    """To whom it would go once more, and what became of it before: asks for a yes."""
    async with connection(visit.pool) as acquired:
        return _asked(visit, await _candidate(visit, acquired))


async def send_again(visit: Visit, form: FormData) -> Answer:
    """Plan it once more, to the recipient that the page named; what is asked twice is planned once."""
    recipient = str(form.get("recipient", ""))
    async with one_transaction(visit.pool) as acquired:
        found = await _candidate(visit, acquired)
        planned = await resend.resend(acquired, found.id, recipient, visit.who.helpdesks(Need.CHANGE))
        if not planned:  # its reason may be of this moment
            found = await _candidate(visit, acquired)
    if not planned:
        return _asked(visit, found, HTTPStatus.CONFLICT)
    _log.info("notification_resent", notification_id=str(found.id), user=visit.who.user_id)
    return see(f"/notifications?{urlencode({'ticket': found.ticket, 'resent': 1})}")


async def _candidate(visit: Visit, acquired: Connection) -> Candidate:
    wanted = uuid_in(visit.request.path_params["notification"])
    found = None
    if wanted is not None:
        found = await resend.candidate(acquired, wanted, visit.who.helpdesks(Need.CHANGE))
    if found is None:
        raise Refusal(HTTPStatus.NOT_FOUND, visit.texts.gettext(_NOT_THERE))
    return found


def _asked(visit: Visit, found: Candidate, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    trouble: tuple[str, ...] = ()
    if isinstance(found.barred, Bar):
        trouble = (visit.texts.gettext(_BARRED[found.barred]),)
    elif found.barred is not None:
        why = explained_mail_out(found.barred, visit.language)
        trouble = (why.sentence, why.remedy)
    elif status is HTTPStatus.CONFLICT:
        trouble = (visit.texts.gettext(_CHANGED),)
    return Shown("notifications/resend.html", {"one": found, "trouble": " ".join(filter(None, trouble))}, status)


ROUTES: Final = (
    page("/notifications", show, send_now),
    page("/notifications/{notification}/resend", ask, send_again),
)
