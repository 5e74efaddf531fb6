"""«Probeer een mail»: what would become of a mail on a helpdesk's settings, and nothing of it is kept or written.

This process hands the bytes on as they come; the classifier reads them in its confined child processes, and
ticket_writer decides (`shared.answering`).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import structlog
from starlette.datastructures import FormData, UploadFile

from services.console import repository
from services.console.database import one_transaction
from services.console.web.endpoint import MOST_BYTES, Answer, page, see
from services.console.web.forms import N_
from services.console.web.pages.settings.place import helpdesk, surroundings
from services.console.web.pages.trial import query
from services.console.web.rendering import Shown
from services.console.web.visit import Visit
from services.console.web.visitors import Right
from shared.database.pool import connection
from shared.explaining import NO_SETTINGS

LARGEST_MAIL: Final = 10 * 1024 * 1024
"""Bytes; the database refuses more."""
_ROOM: Final = LARGEST_MAIL + 2 * MOST_BYTES
"""For a form with a file, a mail as text, and what stands around them."""
_TITLE: Final = N_("Probeer een mail")
_NOTHING: Final = N_("Kies een bestand, of plak de mail als tekst.")
_TOO_LARGE: Final = N_("Deze mail is te groot: hier past hoogstens 10 MB.")
_TOO_LARGE_FOR_HELPDESK: Final = N_(
    "Van zo'n grote mail leest deze helpdesk alleen het begin: zie Inlezen. Probeer een kleinere."
)
_NO_SETTINGS: Final = N_("Deze helpdesk kan nog geen tickets maken: vul eerst de instellingen van de importer in.")

_log = structlog.get_logger(__name__)


async def show(visit: Visit) -> Answer:
    """The form, and what became of the last mail that the visitor tried."""
    return await _shown(visit, helpdesk(visit), "")


async def show_answer(visit: Visit) -> Answer:
    """The piece of the page with the answer; the page asks for it until it is there."""
    return Shown("trial/answer.html", await _values(visit, helpdesk(visit)))


async def try_mail(visit: Visit, form: FormData) -> Answer:
    """Ask about a mail, or forget the last one and its answer."""
    right = helpdesk(visit)
    if form.get("what") == "forget":
        async with one_transaction(visit.pool) as acquired:
            await query.forget(acquired, right.helpdesk_id, visit.who.name)
        return see(f"/helpdesks/{right.helpdesk_id}/try")
    mail = await _mail_of(form)
    async with one_transaction(visit.pool) as acquired:
        settings = await repository.importer_settings(acquired, right.helpdesk_id)
        problem = _problem(mail, settings["max_mail_bytes"])
        if not problem:
            await query.ask(acquired, right.helpdesk_id, visit.who.name, mail)
    if problem:
        return await _shown(visit, right, visit.texts.gettext(problem))
    _log.info("mail_tried", helpdesk_id=right.helpdesk_id, size=len(mail), user=visit.who.user_id)
    return see(f"/helpdesks/{right.helpdesk_id}/try#answer")


async def _mail_of(form: FormData) -> bytes:
    """The file's bytes, else what was pasted; one more than may be, at most."""
    file = form.get("file")
    if isinstance(file, UploadFile):
        given = await file.read(LARGEST_MAIL + 1)
        if given:
            return given
    return str(form.get("text", "")).lstrip().encode("utf-8", "replace")


def _problem(mail: bytes, largest_of_helpdesk: int | None) -> str:
    """Why this mail cannot be tried, '' where it can."""
    if largest_of_helpdesk is None:
        return _NO_SETTINGS
    if not mail:
        return _NOTHING
    if len(mail) > LARGEST_MAIL:
        return _TOO_LARGE
    return _TOO_LARGE_FOR_HELPDESK if len(mail) > largest_of_helpdesk else ""


async def _shown(visit: Visit, right: Right, problem: str) -> Answer:
    values = {
        **await _values(visit, right),
        "screen": {"key": "try", "title": visit.texts.gettext(_TITLE)},
        "problem": problem,
        "longest_text": MOST_BYTES // 4,
    }
    return Shown("trial/trial.html", values, HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK)


async def _values(visit: Visit, right: Right) -> dict[str, Any]:
    async with connection(visit.pool) as acquired:
        tried = await query.last(acquired, right.helpdesk_id, visit.who.name)
    trouble = ""
    if tried is not None and tried.answer is not None and tried.answer.get("trouble") == NO_SETTINGS:
        trouble = visit.texts.gettext(_NO_SETTINGS)
    return {**surroundings(visit, right), "tried": tried, "trouble": trouble}


ROUTES: Final = (
    page("/helpdesks/{helpdesk_id}/try", show, try_mail, most_bytes=_ROOM),
    page("/helpdesks/{helpdesk_id}/try/answer", show_answer),
)
