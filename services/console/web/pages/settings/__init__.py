"""A helpdesk's settings: S1–S8, M1–M5, and what the decisions leave to a helpdesk.

They stand on the resources, rules and repairs of the command line; a refusal stands beside its field, what was typed is
kept, and each change is in the audit log.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from services.console.web.endpoint import Answer, page, see
from services.console.web.pages.settings import brakes, history, rows, screen, senders
from services.console.web.pages.settings.screens import CALENDAR_ROWS, LISTS, SCREENS
from services.console.web.rendering import Shown
from services.console.web.visit import Visit
from services.console.web.visitors import Need


async def show_helpdesks(visit: Visit) -> Answer:
    """The helpdesks that the visitor administers; the only one at once."""
    listed = [right for right in visit.who.rights if right.is_enough_for(Need.CHANGE)]
    if len(listed) == 1:
        return see(f"/helpdesks/{listed[0].helpdesk_id}/importer")
    return Shown("settings/helpdesks.html", {"helpdesks": listed})


async def show_first(visit: Visit) -> Answer:
    """The first screen of a helpdesk."""
    return see(f"/helpdesks/{visit.request.path_params['helpdesk_id']}/importer")


_HELPDESK: Final = "/helpdesks/{helpdesk_id}"

ROUTES: Final = (
    page("/helpdesks", show_helpdesks),
    page("/holds", post=brakes.release_all),
    page(f"{_HELPDESK}/brake", post=brakes.brake),
    page(f"{_HELPDESK}/questions", brakes.answer, brakes.ask),
    page(f"{_HELPDESK}/people/{{resource}}", brakes.people),
    page(f"{_HELPDESK}/senders", senders.show, senders.change),
    page(f"{_HELPDESK}/changes", history.show, history.go_back),
    *(page(f"{_HELPDESK}/{one.key}", partial(screen.show, one), partial(screen.save, one)) for one in SCREENS),
    *(page(f"{_HELPDESK}/{one.resource.plural}", partial(rows.show_list, one)) for one in LISTS),
    *(
        page(f"{_HELPDESK}/{one.resource.plural}/{{row}}", partial(rows.show_one, one), partial(rows.save, one))
        for one in LISTS
    ),
    page("/calendars", partial(rows.show_list, CALENDAR_ROWS)),
    page("/calendars/{row}", partial(rows.show_one, CALENDAR_ROWS), partial(rows.save, CALENDAR_ROWS)),
    page(_HELPDESK, show_first),
)
