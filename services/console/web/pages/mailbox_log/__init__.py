"""A mailbox's log: what its checks were, and, for who administers the helpdesk, who changed its settings meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from services.console import audit, mailbox_log
from services.console.mailbox_log import Check
from services.console.web.addresses import number_in, page_key, page_key_in
from services.console.web.endpoint import Answer, page
from services.console.web.pages.mails import A_PAGE
from services.console.web.pages.settings.history import in_words, names_of
from services.console.web.pages.settings.place import helpdesk, surroundings
from services.console.web.rendering import Shown
from services.console.web.visit import Visit
from services.console.web.visitors import Need
from shared.database.pool import connection
from shared.standing.importing import imports

Row = tuple[datetime, int, Check | audit.Entry]
"""A row of the page, by its moment and its place among those of that moment: checks are even, deeds odd."""


async def show(visit: Visit) -> Answer:
    """The newest first."""
    right = helpdesk(visit, Need.LOOK)
    asked = visit.request.query_params
    after = page_key_in(asked.get("after", ""), number_in)
    async with connection(visit.pool) as acquired:
        dialogue = await mailbox_log.failed_dialogue(acquired, right.helpdesk_id)
        stands = await mailbox_log.stands(acquired, right.helpdesk_id)
        checks = await mailbox_log.checks(acquired, right.helpdesk_id, A_PAGE + 1, _of_checks(after))
        going_on = next((one for one in await imports(acquired) if one.helpdesk == right.helpdesk), None)
        deeds = await audit.entries(acquired, _deeds(right.helpdesk_id, after)) if right.administrator else []
        names = await names_of(acquired, deeds)
    rows = _merged(checks, deeds)
    older = {"after": page_key(*rows[A_PAGE - 1][:2])} if len(rows) > A_PAGE else None
    base = f"/helpdesks/{right.helpdesk_id}/log"
    values: dict[str, Any] = {
        **surroundings(visit, right),
        "may_change": right.administrator,
        "stands": stands,
        "going_on": going_on,
        "dialogue": dialogue,
        "rows": [
            {"check": row, "deed": None}
            if isinstance(row, Check)
            else {"check": None, "deed": in_words(visit, row, names)}
            for _, _, row in rows[:A_PAGE]
        ],
        "older": older and f"{base}?{urlencode(older)}",
        "newest": base if after else None,
    }
    return Shown("mailbox_log/mailbox_log.html", values)


def _deeds(helpdesk_id: int, after: tuple[datetime, int] | None) -> audit.Filter:
    return audit.Filter(
        kind=audit.Kind.SETTINGS,
        thing="importer_settings",
        within=[helpdesk_id],
        after=after and (after[0], after[1] // 2),
        limit=A_PAGE + 1,
    )


def _of_checks(after: tuple[datetime, int] | None) -> tuple[datetime, int] | None:
    return after and (after[0], (after[1] + 1) // 2)


def _merged(checks: Sequence[Check], deeds: Sequence[audit.Entry]) -> list[Row]:
    rows: list[Row] = [
        *((check.at, 2 * check.id, check) for check in checks),
        *((deed.at, 2 * deed.id + 1, deed) for deed in deeds),
    ]
    return sorted(rows, key=lambda row: row[:2], reverse=True)


ROUTES: Final = (page("/helpdesks/{helpdesk_id}/log", show),)
