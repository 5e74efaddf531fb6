"""The work lists: what waits for a person, treated one by one or by the filter, never by the page alone."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import structlog
from starlette.datastructures import FormData

from services.console import notifications
from services.console.database import Refused, one_transaction
from services.console.repairs import backlog, mails, review
from services.console.repairs.mails import MailFilter, NotRepaired
from services.console.web import bulk
from services.console.web.addresses import number_in
from services.console.web.bulk import What
from services.console.web.endpoint import Answer, page, see
from services.console.web.pages.mails import A_PAGE, FIELDS, NOBODYS, helpdesk_of, key_of, mail_filter
from services.console.web.pages.work import query
from services.console.web.personal import for_eyes
from services.console.web.rendering import Shown
from services.console.web.visit import Refusal, Visit
from services.console.web.visitors import Need
from shared.broker.topology import MAIL_QUEUES
from shared.database.pool import Connection, connection
from shared.messages import ImportChoice, MailId

AT_ONCE: Final = 1000
"""Mails that are ticked, at most, and of which a page says how many there are."""
LONGEST_WHY: Final = 200

_log = structlog.get_logger(__name__)


async def show_quarantine(visit: Visit) -> Answer:
    """Mails that could not become a ticket, and wait for a person: as many as `status` counts."""
    chosen = _chosen(visit.request.query_params)
    async with connection(visit.pool) as acquired:
        listed = await mails.mails(acquired, _quarantined(visit, chosen, Need.LOOK, limit=A_PAGE + 1))
        total = await mails.count(acquired, _quarantined(visit, chosen, Need.CHANGE, limit=AT_ONCE + 1, paged=False))
    older = {**_kept(chosen), "after": key_of(listed[A_PAGE - 1])} if len(listed) > A_PAGE else None
    values = {
        "mails": [for_eyes(visit.who, one) for one in listed[:A_PAGE]],
        "chosen": chosen,
        "kept": _kept(chosen),
        "helpdesks": visit.who.rights,
        "may_change": bool(visit.who.helpdesks(Need.CHANGE)),
        "total": total,
        "at_once": AT_ONCE,
        "older": older and f"/work/quarantine?{urlencode(older)}",
        **_result(visit),
    }
    return Shown("work/quarantine.html", values)


async def treat_quarantine(visit: Visit, form: FormData) -> Answer:
    """Replay or discard: those that are ticked, or all to which the filter of the form applies."""
    chosen = _chosen(form)
    what, why = str(form.get("what", "")), str(form.get("why", "")).strip()[:LONGEST_WHY]
    _ = visit.texts.gettext
    if what == "discard" and not why:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, _("Schrijf erbij waarom er niets mee hoeft te gebeuren."))
    within = visit.who.helpdesks(Need.CHANGE)

    async def repair(acquired: Connection, mail_id: MailId) -> None:
        if what == "discard":
            await mails.discard(acquired, mail_id, within, because=why)
        else:
            await mails.replay(acquired, mail_id, within)

    back = f"/work/quarantine?{urlencode(_kept(chosen))}"
    if form.get("of") == "all":
        wanted = _quarantined(visit, chosen, Need.CHANGE, limit=bulk.MOST, paged=False)
        of_mails = What.DISCARD if what == "discard" else What.REPLAY
        return await _job(visit, of_mails, lambda acquired: mails.ids(acquired, wanted), back, why=why)
    return await _each(visit, _ids(form.getlist("mail")), repair, back, what)


def _quarantined(visit: Visit, chosen: dict[str, str], need: Need, *, limit: int, paged: bool = True) -> MailFilter:
    return mail_filter(visit, chosen, need=need, limit=limit, paged=paged, undecided=True)


async def show_dead_letters(visit: Visit) -> Answer:
    """Messages that a service gave up."""
    async with connection(visit.pool) as acquired:
        letters = await query.open_letters(acquired, visit.who.helpdesks(Need.LOOK), A_PAGE)
    values = {
        "letters": [for_eyes(visit.who, one) for one in letters],
        "replayable": MAIL_QUEUES,
        "may_change": bool(visit.who.helpdesks(Need.CHANGE)),
        **_result(visit),
    }
    return Shown("work/dead_letters.html", values)


async def treat_dead_letters(visit: Visit, form: FormData) -> Answer:
    """Read the ticked mails again, or all: what is parked of them is closed with that."""
    within = visit.who.helpdesks(Need.CHANGE)
    if form.get("of") == "all":
        return await _job(
            visit,
            What.REPLAY,
            lambda acquired: query.mails_of_letters(acquired, within, bulk.MOST),
            "/work/dead-letters",
        )

    async def repair(acquired: Connection, mail_id: MailId) -> None:
        await mails.replay(acquired, mail_id, within)

    return await _each(visit, _ids(form.getlist("mail")), repair, "/work/dead-letters", "replay")


async def show_review(visit: Visit) -> Answer:
    """Tickets and supplements that a person should look at."""
    async with connection(visit.pool) as acquired:
        waiting = await review.waiting(acquired, None, A_PAGE, visit.who.helpdesks(Need.LOOK))
    values = {
        "waiting": [for_eyes(visit.who, one) for one in waiting],
        "may_change": bool(visit.who.helpdesks(Need.CHANGE)),
        **_result(visit),
    }
    return Shown("work/review.html", values)


async def treat_review(visit: Visit, form: FormData) -> Answer:
    """Accept the ticked ones, or all, in the name of each helpdesk's «Standaard werknemer» (S6)."""
    within = visit.who.helpdesks(Need.CHANGE)
    if form.get("of") == "all":
        return await _job(
            visit, What.ACCEPT, lambda acquired: review.waiting_ids(acquired, within, bulk.MOST), "/work/review"
        )

    async def repair(acquired: Connection, mail_id: MailId) -> None:
        await review.ask_to_accept(acquired, mail_id, within)

    return await _each(visit, _ids(form.getlist("mail")), repair, "/work/review", "accept")


async def show_backlog(visit: Visit) -> Answer:
    """Old mail that waits for a choice."""
    async with connection(visit.pool) as acquired:
        waiting = await backlog.waiting(acquired, visit.who.helpdesks(Need.LOOK))
    changeable = {right.helpdesk: right.helpdesk_id for right in visit.who.rights if right.administrator}
    return Shown("work/backlog.html", {"backlogs": waiting, "changeable": changeable, **_result(visit)})


async def treat_backlog(visit: Visit, form: FormData) -> Answer:
    """Choose for the mails that wait now."""
    _ = visit.texts.gettext
    typed, choice = str(form.get("helpdesk", "")), str(form.get("choice", ""))
    chosen_helpdesks = visit.who.helpdesks(Need.CHANGE, helpdesk_of(typed) or NOBODYS)
    if not chosen_helpdesks or choice not in set(ImportChoice):
        raise Refusal(HTTPStatus.NOT_FOUND, _("Voor deze helpdesk kunt u niet kiezen."))
    (helpdesk_id,) = chosen_helpdesks
    async with one_transaction(visit.pool) as acquired:
        chosen = await backlog.choose(acquired, helpdesk_id, ImportChoice(choice))
    _log.info("backlog_chosen", helpdesk_id=helpdesk_id, choice=choice, mails=chosen, user=visit.who.user_id)
    return see(f"/work/backlog?{urlencode({'done': chosen or 0, 'what': 'choose'})}")


async def show_undelivered(visit: Visit) -> Answer:
    """Mails out that failed, or wait for another try."""
    within = visit.who.helpdesks(Need.LOOK)
    async with connection(visit.pool) as acquired:
        listed = {
            state: await notifications.rows(acquired, state=state, helpdesk_id=None, at_most=A_PAGE, within=within)
            for state in ("waiting", "failed")
        }
    values: dict[str, Any] = {state: [for_eyes(visit.who, one) for one in rows] for state, rows in listed.items()}
    values |= {"may_change": bool(visit.who.helpdesks(Need.CHANGE)), **_result(visit)}
    return Shown("work/undelivered.html", values)


async def treat_undelivered(visit: Visit, _: FormData) -> Answer:
    """Make all due that wait for another try."""
    async with one_transaction(visit.pool) as acquired:
        due = await notifications.due_now(acquired, None, visit.who.helpdesks(Need.CHANGE))
    _log.info("notifications_due", count=due, user=visit.who.user_id)
    return see(f"/work/undelivered?{urlencode({'done': due, 'what': 'send'})}")


async def _job(
    visit: Visit,
    what: What,
    choose: Callable[[Connection], Awaitable[list[MailId]]],
    back: str,
    *,
    why: str = "",
) -> Answer:
    """Have it done to all of these mails by a job, which goes on by itself; nothing where there are none."""
    async with one_transaction(visit.pool) as acquired:
        wanted = await choose(acquired)
        job_id = await bulk.start(acquired, what, wanted, visit.who.user_id, why=why) if wanted else None
    if job_id is None:
        return see(f"{back}{'&' if '?' in back else '?'}{urlencode({'what': what, 'done': 0, 'left': 0})}")
    _log.info("job_started", job=job_id, what=what, mails=len(wanted), user=visit.who.user_id)
    return see(f"/work/jobs/{job_id}")


async def _each(
    visit: Visit,
    wanted: Sequence[MailId],
    repair: Callable[[Connection, MailId], Awaitable[None]],
    back: str,
    what: str,
) -> Answer:
    """Repair each mail for itself: one that cannot be holds up no other. What came of it stands in the address."""
    done = 0
    for mail_id in wanted:
        try:
            async with one_transaction(visit.pool) as acquired:
                await repair(acquired, mail_id)
            done += 1
        except (NotRepaired, Refused):
            continue
    _log.info("mails_treated", what=what, asked=len(wanted), done=done, user=visit.who.user_id)
    result = urlencode({"what": what, "done": done, "left": len(wanted) - done})
    return see(f"{back}{'&' if '?' in back else '?'}{result}")


def _ids(typed: Sequence[Any]) -> list[MailId]:
    found = []
    for text in dict.fromkeys(map(str, typed)):
        try:
            found.append(MailId(uuid.UUID(text)))
        except ValueError:
            continue
    return found[:AT_ONCE]


def _chosen(given: Any) -> dict[str, str]:
    return {name: str(given.get(name, "")).strip()[:254] for name in FIELDS if name != "outcome"}


def _kept(chosen: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in chosen.items() if value}


def _result(visit: Visit) -> dict[str, Any]:
    """What the last form came to, from the address: None where none was sent."""
    asked = visit.request.query_params
    numbers = {name: number_in(asked.get(name, "")) or 0 for name in ("done", "left")}
    return {"result": {"what": asked["what"], **numbers} if "what" in asked else None}


ROUTES: Final = (
    page("/work/quarantine", show_quarantine, treat_quarantine),
    page("/work/dead-letters", show_dead_letters, treat_dead_letters),
    page("/work/review", show_review, treat_review),
    page("/work/backlog", show_backlog, treat_backlog),
    page("/work/undelivered", show_undelivered, treat_undelivered),
)
