"""Templates: the mails M2–M4 of a helpdesk, edited, checked while typing, and seen on a real ticket before it is saved.

They are checked and written by the same functions as those of the command line and the notifier (`shared.templates`).
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse

from services.console import changes, repository
from services.console.database import Refused, one_transaction
from services.console.resources import TEMPLATES
from services.console.web import refusals
from services.console.web.endpoint import Answer, page, see
from services.console.web.forms import N_
from services.console.web.headers import FRAME_POLICY
from services.console.web.pages.settings.place import helpdesk
from services.console.web.pages.settings.screen import Tried
from services.console.web.pages.templates import example, query, typed
from services.console.web.rendering import Shown, render, wants_json
from services.console.web.visit import Refusal, Visit
from services.console.web.visitors import Need, Right
from shared.database.pool import Connection, connection
from shared.templates.facts import OwnTemplate
from shared.templates.kinds import TemplateKind
from shared.templates.placeholders import OF_SUMMARIES, PLACEHOLDERS
from shared.templates.written import write_with

_UNKNOWN: Final = N_("Zo'n sjabloon is er niet.")
_MEANWHILE: Final = N_(
    "Iemand anders veranderde dit intussen. Hieronder staat wat u typte; bewaart u nog eens, dan geldt dat."
)
_NOT_BACK: Final = N_("Dit sjabloon is intussen veranderd. Kijk eerst wat er nu staat.")
_NO_TICKET: Final = N_("De helpdesk heeft geen ticket met dit nummer waarover deze mail zou gaan.")
_TEST_TROUBLES: Final = {
    "no-address": N_("Uw gebruikersnaam is geen mailadres waarheen een testmail kan."),
    "no-ticket": _NO_TICKET,
    "held": N_("De mail van deze helpdesk wordt tegengehouden: laat haar eerst vrij."),
    "a-copy": N_("Deze database is nog niet bevestigd: zolang gaat er geen mail uit."),
    "too-many": N_("Er gingen dit uur al veel testmails uit: probeer het over een uur weer."),
    "our-error": N_("Er ging bij ons iets mis. Het staat in het log van de importer."),
}
"""What the notifier has against a test mail, beside what stands against every mail."""
_DEFAULT: Final = OwnTemplate()

_log = structlog.get_logger(__name__)


async def show_list(visit: Visit) -> Answer:
    """Every kind of mail of every helpdesk that the visitor sees, and whether it has a template of its own."""
    async with connection(visit.pool) as acquired:
        own = await query.own_kinds(acquired, visit.who.helpdesks(Need.LOOK))
    listed = [
        {
            "helpdesk_id": right.helpdesk_id,
            "helpdesk": right.helpdesk,
            "templates": [{"kind": str(kind), "own": (right.helpdesk_id, kind) in own} for kind in TemplateKind],
        }
        for right in visit.who.rights
    ]
    return Shown("templates/templates.html", {"helpdesks": listed})


async def show(visit: Visit) -> Answer:
    """One template, with the placeholders that may stand in it."""
    right, kind = _place(visit, Need.LOOK)
    async with connection(visit.pool) as acquired:
        stored = await query.stored(acquired, right.helpdesk_id, kind)
        return await _shown(acquired, visit, (right, kind), stored, Tried(typed.as_typed(kind, stored.own), {}))


async def save(visit: Visit, form: FormData) -> Answer:
    """Save what was typed, or go back; else the page again with what was typed, and a sentence beside it."""
    right, kind = _place(visit, Need.CHANGE)
    fields = typed.fields_of(form)
    try:
        async with one_transaction(visit.pool) as acquired:
            problems = await _save(acquired, visit, (right, kind), form, fields)
    except Refused as refused:
        problems = {refusals.WHOLE_FORM: refusals.beside(refused, visit.texts)[1]}
    if not problems:
        _log.info("template_saved", kind=kind, helpdesk_id=right.helpdesk_id, user=visit.who.user_id)
        return see(f"{_address(right, kind)}?saved")
    async with connection(visit.pool) as acquired:
        stored = await query.stored(acquired, right.helpdesk_id, kind)
        return await _shown(acquired, visit, (right, kind), stored, Tried(fields, problems))


async def go_back(visit: Visit, form: FormData) -> Answer:
    """Back to the default, or to what it was before the last change: a change of its own."""
    right, kind = _place(visit, Need.CHANGE)
    try:
        async with one_transaction(visit.pool) as acquired:
            await repository.version(acquired, TEMPLATES, _key(right, kind), lock=True)
            stored = await query.stored(acquired, right.helpdesk_id, kind)
            earlier = await query.earlier(acquired, right.helpdesk_id, kind, stored.own)
            wanted = _DEFAULT if form.get("to") == "default" else earlier.own if earlier else None
            if wanted is None or str(form.get("version", "")) != str(stored.version):
                raise Refusal(HTTPStatus.CONFLICT, visit.texts.gettext(_NOT_BACK))
            await _write(acquired, right, kind, stored.own, wanted)
    except Refused as refused:
        raise Refusal(HTTPStatus.CONFLICT, refusals.beside(refused, visit.texts)[1]) from None
    _log.info("template_taken_back", kind=kind, helpdesk_id=right.helpdesk_id, user=visit.who.user_id)
    return see(f"{_address(right, kind)}?saved")


async def check(visit: Visit, form: FormData) -> Answer:
    """What is wrong with one field as it is being typed."""
    _, kind = _place(visit, Need.CHANGE)
    fields = typed.fields_of(form)
    problems = typed.problems(kind, typed.own_of(kind, fields), visit.texts)
    return Shown("templates/check.html", {"problem": problems.get(visit.request.path_params["field"], "")})


async def preview(visit: Visit) -> Answer:
    """The saved template as a mail, for the frame."""
    right, kind = _place(visit, Need.LOOK)
    async with connection(visit.pool) as acquired:
        stored = await query.stored(acquired, right.helpdesk_id, kind)
        number = visit.request.query_params.get("ticket", "")
        return await _previewed(acquired, visit, (right, kind), stored.own, number)


async def preview_typed(visit: Visit, form: FormData) -> Answer:
    """What was typed as a mail, for the frame; nothing is saved."""
    right, kind = _place(visit, Need.CHANGE)
    own = typed.own_of(kind, typed.fields_of(form))
    async with connection(visit.pool) as acquired:
        return await _previewed(acquired, visit, (right, kind), own, str(form.get("ticket", "")))


async def send_test(visit: Visit, form: FormData) -> Answer:
    """Ask for what was typed as a mail to the visitor; the page again, with what became of it once that is known."""
    right, kind = _place(visit, Need.CHANGE)
    fields = typed.fields_of(form)
    own = typed.own_of(kind, fields)
    problems = typed.problems(kind, own, visit.texts)
    async with one_transaction(visit.pool) as acquired:
        if not problems:
            ticket = str(form.get("ticket", "")).strip()
            await query.ask_for_test(acquired, right.helpdesk_id, visit.who.name, query.Asked(kind, own, ticket))
        stored = await query.stored(acquired, right.helpdesk_id, kind)
        return await _shown(acquired, visit, (right, kind), stored, Tried(fields, problems))


async def show_test(visit: Visit) -> Answer:
    """The piece of the page that says what became of the test mail."""
    right, kind = _place(visit, Need.CHANGE)
    async with connection(visit.pool) as acquired:
        test = await query.last_test(acquired, right.helpdesk_id, visit.who.name)
    return Shown("templates/test.html", {"test": test, "address": _address(right, kind), "troubles": _troubles(visit)})


async def _save(
    acquired: Connection, visit: Visit, place: tuple[Right, TemplateKind], form: FormData, fields: Mapping[str, str]
) -> dict[str, str]:
    """What is wrong, by the name of the field; saved where nothing is."""
    right, kind = place
    own = typed.own_of(kind, fields)
    problems = typed.problems(kind, own, visit.texts)
    await repository.version(acquired, TEMPLATES, _key(right, kind), lock=True)
    stored = await query.stored(acquired, right.helpdesk_id, kind)
    if str(form.get("version", "")) not in ("", str(stored.version)):
        problems[refusals.WHOLE_FORM] = visit.texts.gettext(_MEANWHILE)
    if not problems:
        await _write(acquired, right, kind, stored.own, own)
    return problems


async def _write(acquired: Connection, right: Right, kind: TemplateKind, was: OwnTemplate, own: OwnTemplate) -> None:
    if own == was:
        return
    columns = {"subject": own.subject, "body_html": own.body_html, "body_text": own.body_text}
    if not await changes.change(acquired, TEMPLATES, _key(right, kind), columns, {}, secret={}, key=kind):
        await changes.add(acquired, TEMPLATES, {"kind": str(kind), **columns}, {}, right.helpdesk_id)


async def _shown(
    acquired: Connection,
    visit: Visit,
    place: tuple[Right, TemplateKind],
    stored: query.Stored,
    tried: Tried,
) -> Answer:
    (right, kind), gettext = place, visit.texts.gettext
    may_preview = right.personal_data and kind.of_ticket
    tickets = await query.newest_tickets(acquired, right.helpdesk_id, kind) if may_preview else []
    earlier = await query.earlier(acquired, right.helpdesk_id, kind, stored.own)
    test = await query.last_test(acquired, right.helpdesk_id, visit.who.name) if right.administrator else None
    values: dict[str, Any] = {
        "helpdesk": {"id": right.helpdesk_id, "name": right.helpdesk},
        "kind": str(kind),
        "address": _address(right, kind),
        "fields": [
            {
                "name": name,
                "label": gettext(typed.LABELS[name]),
                "sentence": gettext(typed.SENTENCES[name]),
                "value": tried.typed[name],
                "problem": tried.problems.get(name, ""),
            }
            for name in typed.FIELDS
        ],
        "problems": dict(tried.problems),
        "is_own": stored.own != _DEFAULT,
        "version": stored.version,
        "earlier": earlier if right.administrator else None,
        "placeholders": PLACEHOLDERS if kind.of_ticket else OF_SUMMARIES,
        "tickets": tickets,
        "personal": right.personal_data,
        "test": test,
        "troubles": _troubles(visit),
        "may_test": right.administrator and "@" in visit.who.name,
        "may_change": right.administrator,
        "saved": "saved" in visit.request.query_params,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if tried.problems else HTTPStatus.OK
    return Shown("templates/template.html", values, status)


async def _previewed(
    acquired: Connection, visit: Visit, place: tuple[Right, TemplateKind], own: OwnTemplate, number: str
) -> Answer:
    right, kind = place
    sentences = [*typed.problems(kind, own, visit.texts).values()]
    facts = await query.facts(acquired, right.helpdesk_id, kind, number.strip()) if right.personal_data else None
    if number.strip() and facts is None and right.personal_data:
        sentences.append(visit.texts.gettext(_NO_TICKET))
    values: dict[str, Any] = {"problems": sentences, "subject": "", "text": "", "html": ""}
    if not sentences:
        marker = await query.marker(acquired, right.helpdesk_id)
        mail = write_with(own, kind, example.values(kind, facts), marker)
        values = {"problems": [], "subject": mail.subject, "text": mail.text, "html": mail.content}
    if wants_json(visit.request):
        return Shown("templates/preview.html", values)
    shown = render("templates/preview.html", visit.language, values)
    return HTMLResponse(shown, headers={"Content-Security-Policy": FRAME_POLICY})


def _place(visit: Visit, need: Need) -> tuple[Right, TemplateKind]:
    right = helpdesk(visit, need)
    try:
        return right, TemplateKind(visit.request.path_params["kind"])
    except ValueError:
        raise Refusal(HTTPStatus.NOT_FOUND, visit.texts.gettext(_UNKNOWN)) from None


def _troubles(visit: Visit) -> Mapping[str, str]:
    return {trouble: visit.texts.gettext(sentence) for trouble, sentence in _TEST_TROUBLES.items()}


def _address(right: Right, kind: TemplateKind) -> str:
    return f"/templates/{right.helpdesk_id}/{kind}"


def _key(right: Right, kind: TemplateKind) -> dict[str, Any]:
    return {"helpdesk_id": right.helpdesk_id, "kind": str(kind)}


_TEMPLATE: Final = "/templates/{helpdesk_id}/{kind}"

ROUTES: Final = (
    page("/templates", show_list),
    page(_TEMPLATE, show, save),
    page(f"{_TEMPLATE}/back", post=go_back),
    page(f"{_TEMPLATE}/check/{{field}}", post=check),
    page(f"{_TEMPLATE}/preview", preview, preview_typed),
    page(f"{_TEMPLATE}/test", show_test, send_test),
)
