"""A mail: what became of it and why, its way through the services, its words, and what a person may do about it."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

import structlog
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, Response, StreamingResponse

from services.console.repairs import mails
from services.console.repairs.mails import MailInFull, NotRepaired
from services.console.repairs.mails import Refusal as NotDone
from services.console.web.endpoint import Answer, page, see
from services.console.web.headers import FRAME_POLICY
from services.console.web.pages.mail import query
from services.console.web.personal import for_eyes
from services.console.web.rendering import Shown
from services.console.web.visit import Refusal, Visit
from services.console.web.visitors import Need
from shared import acting
from shared.database.pool import connection, transaction
from shared.messages import MailId

MOST_SHOWN: Final = 64 * 1024
"""Bytes of a raw mail that a page shows; all of it is downloaded."""

_NOTHING_RUNS: Final = {"Content-Security-Policy": "default-src 'none'; sandbox"}

_log = structlog.get_logger(__name__)


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for a text that is translated later
    """Mark a text for translation."""
    return text


REFUSALS: Final = {
    NotDone.UNKNOWN: N_("Deze mail is er niet, of hoort bij een helpdesk die u niet beheert."),
    NotDone.ON_ITS_WAY: N_("Deze mail is nog onderweg. Wacht tot hij een uitkomst heeft."),
    NotDone.QUARANTINED: N_("Deze mail staat in quarantaine: lees hem opnieuw in."),
    NotDone.NOT_QUARANTINED: N_("Deze mail staat niet (meer) in quarantaine."),
    NotDone.REMOVED: N_("De oorspronkelijke mail is na de bewaartermijn verwijderd."),
    NotDone.BEING_REPLAYED: N_("Deze mail wordt al opnieuw ingelezen. Wacht op de uitkomst."),
}


def refused(visit: Visit, error: NotRepaired) -> Refusal:
    """What a repair refuses, as a sentence."""
    status = HTTPStatus.NOT_FOUND if error.refusal is NotDone.UNKNOWN else HTTPStatus.CONFLICT
    return Refusal(status, visit.texts.gettext(REFUSALS[error.refusal]))


async def show(visit: Visit) -> Answer:
    """All that is known of it."""
    mail_id = _mail_id(visit)
    found = await _mail(visit, mail_id, Need.LOOK)
    personal = visit.who.may(Need.PERSONAL_DATA, found.helpdesk)
    async with connection(visit.pool) as acquired:
        body = await query.body(acquired, mail_id) if personal else query.Body(None, None)
        attachments = await query.attachments(acquired, mail_id)
    if not personal:
        attachments = [dataclasses.replace(one, name="–") for one in attachments]
    values = {
        "mail": for_eyes(visit.who, found),
        "text": body.text,
        "has_html": body.html is not None,
        "attachments": attachments,
        "personal": personal,
        "may_change": visit.who.may(Need.CHANGE, found.helpdesk),
        "quarantined": found.outcome == "quarantine" and (not found.waiting or _is_dead(found)),
    }
    return Shown("mail/mail.html", values)


def _is_dead(mail: MailInFull) -> bool:
    return any(letter.resolved_at is None for letter in mail.dead_letters)


async def show_html(visit: Visit) -> Answer:
    """Its html alone, for the frame: an origin of its own, where nothing runs and nothing is loaded."""
    mail_id = _mail_id(visit)
    await _mail(visit, mail_id, Need.PERSONAL_DATA)
    async with connection(visit.pool) as acquired:
        body = await query.body(acquired, mail_id)
    return HTMLResponse(
        f'<!doctype html><meta charset="utf-8"><title>mail</title>{body.html or ""}',
        headers={"Content-Security-Policy": FRAME_POLICY},
    )


async def show_picture(visit: Visit) -> Answer:
    """A stored picture of it."""
    try:
        attachment_id = uuid.UUID(visit.request.path_params["attachment_id"])
    except ValueError:
        raise refused(visit, NotRepaired(_mail_id(visit), NotDone.UNKNOWN)) from None
    within = visit.who.helpdesks(Need.PERSONAL_DATA)
    async with connection(visit.pool) as acquired:
        media_type = await query.picture_type(acquired, _mail_id(visit), attachment_id, within)
    if media_type is None:
        raise refused(visit, NotRepaired(_mail_id(visit), NotDone.UNKNOWN))

    async def chunks() -> AsyncIterator[bytes]:
        async with transaction(visit.pool) as acquired:
            async for chunk in query.picture_chunks(acquired, attachment_id):
                yield chunk

    return StreamingResponse(chunks(), media_type=media_type, headers=_NOTHING_RUNS)


async def show_raw(visit: Visit) -> Answer:
    """The beginning of the raw mail, as text."""
    mail_id = _mail_id(visit)
    raw = await _raw(visit, mail_id)
    found = await _mail(visit, mail_id, Need.PERSONAL_DATA)
    beginning = await _beginning(visit, raw)
    values = {
        "mail_id": mail_id,
        "subject": found.subject,
        "raw": beginning.decode("utf-8", "replace"),
        "size": raw.full_size,
        "is_whole": raw.blob.size <= MOST_SHOWN,
    }
    return Shown("mail/raw.html", values)


async def _beginning(visit: Visit, raw: mails.RawMail) -> bytes:
    taken = bytearray()
    async with transaction(visit.pool) as acquired:
        async for chunk in mails.chunks(acquired, raw):
            taken += chunk
            if len(taken) >= MOST_SHOWN:
                break
    return bytes(taken[:MOST_SHOWN])


async def download(visit: Visit) -> Answer:
    """The raw mail as a file; never as a page."""
    mail_id = _mail_id(visit)
    raw = await _raw(visit, mail_id)

    async def chunks() -> AsyncIterator[bytes]:
        with acting.as_person(visit.who.name):  # the answer is sent after the page was left
            async with transaction(visit.pool) as acquired:
                async for chunk in mails.chunks(acquired, raw):
                    yield chunk

    return StreamingResponse(
        chunks(),
        media_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{mail_id}.eml"', **_NOTHING_RUNS},
    )


async def replay(visit: Visit, _: FormData) -> Answer:
    """Send it through the pipeline again."""
    return await _repaired(visit, "replay")


async def discard(visit: Visit, _: FormData) -> Answer:
    """Decide that nothing needs to be done about it."""
    return await _repaired(visit, "discard")


async def _repaired(visit: Visit, what: str) -> Response:
    mail_id = _mail_id(visit)
    repair = {"replay": mails.replay, "discard": mails.discard}[what]
    try:
        async with transaction(visit.pool) as acquired:
            await repair(acquired, mail_id, visit.who.helpdesks(Need.CHANGE))
    except NotRepaired as error:
        raise refused(visit, error) from None
    _log.info("mail_repaired", mail_id=str(mail_id), repair=what, user=visit.who.user_id)
    return see(f"/mails/{mail_id}")


async def _mail(visit: Visit, mail_id: MailId, need: Need) -> MailInFull:
    try:
        async with connection(visit.pool) as acquired:
            return await mails.mail(acquired, mail_id, visit.who.helpdesks(need))
    except NotRepaired as error:
        raise refused(visit, error) from None


async def _raw(visit: Visit, mail_id: MailId) -> mails.RawMail:
    try:
        async with connection(visit.pool) as acquired:
            return await mails.raw(acquired, mail_id, visit.who.helpdesks(Need.PERSONAL_DATA))
    except NotRepaired as error:
        raise refused(visit, error) from None


def _mail_id(visit: Visit) -> MailId:
    try:
        return MailId(uuid.UUID(visit.request.path_params["mail_id"]))
    except ValueError:
        raise Refusal(HTTPStatus.NOT_FOUND, visit.texts.gettext(REFUSALS[NotDone.UNKNOWN])) from None


ROUTES: Final = (
    page("/mails/{mail_id}", show),
    page("/mails/{mail_id}/html", show_html),
    page("/mails/{mail_id}/raw", show_raw),
    page("/mails/{mail_id}/download", download),
    page("/mails/{mail_id}/pictures/{attachment_id}", show_picture),
    page("/mails/{mail_id}/replay", post=replay),
    page("/mails/{mail_id}/discard", post=discard),
)
