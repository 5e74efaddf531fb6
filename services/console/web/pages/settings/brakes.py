"""Brakes and questions of a helpdesk: pause its mailbox, hold its mail out, and what only the fetcher can answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import structlog
from starlette.datastructures import FormData

from services.console import repository
from services.console.database import one_transaction
from services.console.repairs import brakes
from services.console.web.addresses import own_path
from services.console.web.endpoint import Answer, see
from services.console.web.forms import N_
from services.console.web.pages.settings import query
from services.console.web.pages.settings.place import for_operators, helpdesk, surroundings
from services.console.web.rendering import Shown
from services.console.web.visit import Refusal, Visit
from shared.database.pool import connection

LONGEST_REASON: Final = 200
QUESTIONS: Final = frozenset({"check", "check-again", "discover"})
_NO_MAILBOX: Final = N_("Er is nog geen postvak: vul eerst de server of de gebruikersnaam in, en bewaar.")
_NO_SETTINGS: Final = N_("Deze helpdesk heeft nog geen instellingen van de importer.")
_UNKNOWN: Final = N_("Dat kan hier niet worden gevraagd.")

_log = structlog.get_logger(__name__)


async def brake(visit: Visit, form: FormData) -> Answer:
    """Pause, resume, hold or release, and go back to where the button was."""
    right, what = helpdesk(visit), str(form.get("what", ""))
    reason = " ".join(str(form.get("reason", "")).split())[:LONGEST_REASON]
    async with one_transaction(visit.pool) as acquired:
        match what:
            case "pause":
                if not await brakes.pause(acquired, right.helpdesk_id, reason):
                    raise Refusal(HTTPStatus.CONFLICT, visit.texts.gettext(_NO_SETTINGS))
            case "resume":
                await brakes.resume(acquired, right.helpdesk_id)
            case "hold":
                await brakes.hold(acquired, right.helpdesk_id, reason)
            case "release":
                await brakes.release(acquired, right.helpdesk_id)
            case _:
                raise Refusal(HTTPStatus.NOT_FOUND, visit.texts.gettext(_UNKNOWN))
    _log.info("brake", what=what, helpdesk_id=right.helpdesk_id, user=visit.who.user_id)
    return see(own_path(str(form.get("back", "/"))))


async def release_all(visit: Visit, form: FormData) -> Answer:
    """Hold the mail out of all helpdesks, or let it go."""
    for_operators(visit)
    reason = " ".join(str(form.get("reason", "")).split())[:LONGEST_REASON]
    async with one_transaction(visit.pool) as acquired:
        if form.get("what") == "hold":
            await brakes.hold(acquired, None, reason)
        else:
            await brakes.release(acquired, None)
    _log.info("brake_all", what=form.get("what"), user=visit.who.user_id)
    return see("/")


async def ask(visit: Visit, form: FormData) -> Answer:
    """«Test de mailbox», «Zoek server»: ask the fetcher, which alone can open the secret."""
    right, question = helpdesk(visit), str(form.get("question", ""))
    if question not in QUESTIONS:
        raise Refusal(HTTPStatus.NOT_FOUND, visit.texts.gettext(_UNKNOWN))
    async with one_transaction(visit.pool) as acquired:
        row = await repository.importer_settings(acquired, right.helpdesk_id)
        if row["mailbox_kind"] is None:
            raise Refusal(HTTPStatus.CONFLICT, visit.texts.gettext(_NO_MAILBOX))
        await query.ask_fetcher(acquired, question, right.helpdesk_id, visit.who.name)
    _log.info("fetcher_asked", question=question, helpdesk_id=right.helpdesk_id, user=visit.who.user_id)
    return see(f"/helpdesks/{right.helpdesk_id}/importer#answer")


async def answer(visit: Visit) -> Answer:
    """The piece of the page with the last answer; the page asks for it until it is there."""
    right = helpdesk(visit)
    async with connection(visit.pool) as acquired:
        asked = await query.last_asked(acquired, right.helpdesk_id)
    return Shown("settings/answer.html", {**surroundings(visit, right), "asked": asked})


async def people(visit: Visit) -> Answer:
    """Contacts or employees of whom a piece of the name or address was typed, for who administers a helpdesk."""
    helpdesk(visit)
    resource = visit.request.path_params["resource"]
    if resource not in query.PEOPLE:
        raise Refusal(HTTPStatus.NOT_FOUND, visit.texts.gettext(_UNKNOWN))
    typed = next((text for text in visit.request.query_params.values() if text), "").strip()[:200]
    async with connection(visit.pool) as acquired:
        listed = await query.people(acquired, resource, typed) if len(typed) >= query.FEWEST_TYPED else []
    return Shown("settings/people.html", {"people": listed})
