"""Lists of settings: statuses, priorities, types and environments of a helpdesk, and the calendars of all."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from starlette.datastructures import FormData

from services.console import changes, repository
from services.console.changes import StillNeeded
from services.console.database import Refused, one_transaction
from services.console.fields import BadValue, Hours
from services.console.resources import CALENDARS
from services.console.web import refusals
from services.console.web.addresses import number_in
from services.console.web.endpoint import Answer, see
from services.console.web.forms import N_, Form, options_of, text_of, typed_in
from services.console.web.pages.settings.place import for_operators, helpdesk, surroundings
from services.console.web.pages.settings.screen import NOTHING_TRIED, Tried
from services.console.web.pages.settings.screens import Rows
from services.console.web.rendering import Shown
from services.console.web.visit import Refusal, Visit
from services.console.web.visitors import Right
from shared.database.pool import Connection, connection

NEW: Final = "new"
_NOT_THERE: Final = N_("Dit is er niet (meer).")
_STILL_NEEDED: Final = N_("De importer is aan en heeft dit nodig: zet hem eerst uit, of kies daar iets anders.")
_NO_SUCH_DAY: Final = N_("Een van deze dagen kent het land niet, of het land heeft geen lijst van feestdagen.")

_log = structlog.get_logger(__name__)


async def show_list(rows: Rows, visit: Visit) -> Answer:
    """All rows."""
    right = _right(rows, visit)
    async with connection(visit.pool) as acquired:
        listed = await repository.rows(acquired, rows.resource, right.helpdesk_id if right else None)
    values = {**_around(rows, visit, right), "listed": [_as_listed(rows, visit, one) for one in listed]}
    return Shown("settings/rows.html", values)


async def show_one(rows: Rows, visit: Visit) -> Answer:
    """The form of one row, or of a new one."""
    right = _right(rows, visit)
    async with connection(visit.pool) as acquired:
        form = await _form(acquired, rows, visit, right)
    return _shown(rows, visit, form, NOTHING_TRIED)


async def save(rows: Rows, visit: Visit, form: FormData) -> Answer:
    """Add or change the row; else the form again, with what was typed and a sentence beside it."""
    right, gettext = _right(rows, visit), visit.texts.gettext
    helpdesk_id = right.helpdesk_id if right else None
    typed = typed_in(form, rows.asked)
    async with connection(visit.pool) as acquired:
        asked = await _form(acquired, rows, visit, right)
    try:
        async with one_transaction(visit.pool) as acquired:
            read = await asked.read(acquired, typed, helpdesk_id)
            problems = read.problems
            if not problems and not asked.row:
                await changes.add(acquired, rows.resource, read.columns, read.children, helpdesk_id)
            elif not problems:
                place = _place(visit, right)
                await changes.change(
                    acquired, rows.resource, place, read.columns, read.children, secret={}, key=asked.row["name"]
                )
    except Refused as refused:
        problems = dict([refusals.beside(refused, visit.texts)])
    except StillNeeded:
        problems = {"active": gettext(_STILL_NEEDED)}
    except BadValue:
        problems = {"holidays": gettext(_NO_SUCH_DAY)}
    if problems:
        return _shown(rows, visit, asked, Tried(typed, problems))
    _log.info("row_saved", table=rows.resource.table, helpdesk_id=helpdesk_id, user=visit.who.user_id)
    return see(f"{_address(rows, right)}?saved")


def _right(rows: Rows, visit: Visit) -> Right | None:
    """The helpdesk whose rows they are; None for what is everybody's, which is for operators."""
    if rows.resource.per_helpdesk:
        return helpdesk(visit)
    for_operators(visit)
    return None


def _address(rows: Rows, right: Right | None) -> str:
    return f"/helpdesks/{right.helpdesk_id}/{rows.resource.plural}" if right else f"/{rows.resource.plural}"


def _around(rows: Rows, visit: Visit, right: Right | None) -> dict[str, Any]:
    gettext = visit.texts.gettext
    of_all = {"helpdesk": None, "base": "", "saved": "saved" in visit.request.query_params}
    return {
        **(surroundings(visit, right) if right else of_all),
        "screen": {"key": rows.resource.plural, "title": gettext(rows.title)},
        "sentence": gettext(rows.sentence),
        "new": gettext(rows.one),
        "address": _address(rows, right),
    }


def _as_listed(rows: Rows, visit: Visit, row: Mapping[str, Any]) -> dict[str, Any]:
    gettext = visit.texts.gettext
    cells = []
    for one in rows.asked[1:]:
        value = row[one.name]
        if isinstance(value, bool):
            text = gettext("ja") if value else gettext("nee")
        else:
            text = text_of(one.field.kind, value, visit.who.time_zone)
            text = gettext(one.words[text]) if text in one.words else text
        cells.append({"label": gettext(one.label), "text": text, "hours": isinstance(one.field.kind, Hours)})
    return {"id": row["id"], "name": row["name"], "cells": cells}


def _place(visit: Visit, right: Right | None) -> dict[str, Any]:
    """The row of the address, in this helpdesk alone."""
    row = number_in(visit.request.path_params["row"])
    if row is None:
        raise Refusal(HTTPStatus.NOT_FOUND, visit.texts.gettext(_NOT_THERE))
    return {"id": row} | ({"helpdesk_id": right.helpdesk_id} if right else {})


async def _form(acquired: Connection, rows: Rows, visit: Visit, right: Right | None) -> Form:
    row: Mapping[str, Any] = {}
    if visit.request.path_params["row"] != NEW:
        try:
            row = await repository.row(acquired, rows.resource, _place(visit, right))
        except BadValue:
            raise Refusal(HTTPStatus.NOT_FOUND, visit.texts.gettext(_NOT_THERE)) from None
    return Form(
        asked=rows.asked,
        row=row,
        options=await options_of(acquired, rows.asked, right.helpdesk_id if right else None),
        defaults=await repository.defaults(acquired, rows.resource),
        texts=visit.texts,
        zone=visit.who.time_zone,
        operator=visit.who.operator,
    )


def _shown(rows: Rows, visit: Visit, form: Form, tried: Tried) -> Answer:
    inputs = form.inputs(tried.typed, tried.problems)
    values = {
        **_around(rows, visit, _right(rows, visit)),
        "inputs": [inputs[one.name] for one in rows.asked],
        "problems": dict(tried.problems),
        "is_new": not form.row,
        "name": form.row.get("name", ""),
        "shared": rows.resource is CALENDARS,
    }
    return Shown("settings/row.html", values, HTTPStatus.UNPROCESSABLE_ENTITY if tried.problems else HTTPStatus.OK)
