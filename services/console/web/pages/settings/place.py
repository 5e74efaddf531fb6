"""Which helpdesk a settings page is of, and whether the visitor administers it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from services.console.web.forms import N_
from services.console.web.pages.mails import NOBODYS, helpdesk_of
from services.console.web.visit import Refusal, Visit
from services.console.web.visitors import Need, Right

_NOT_YOURS: Final = N_("Deze helpdesk is er niet, of u beheert hem niet.")
_ADMINISTRATORS: Final = N_("Deze bladzijde is voor wie een helpdesk beheert.")
_OPERATORS: Final = N_("Deze bladzijde is voor wie alles beheert.")


def helpdesk(visit: Visit, need: Need = Need.CHANGE) -> Right:
    """The helpdesk of the address; refused as one that is not there to who may not do that."""
    typed = helpdesk_of(visit.request.path_params["helpdesk_id"]) or NOBODYS
    for right in visit.who.rights:
        if right.helpdesk_id == typed and right.is_enough_for(need):
            return right
    raise Refusal(HTTPStatus.NOT_FOUND, visit.texts.gettext(_NOT_YOURS))


def for_operators(visit: Visit) -> None:
    """Refuse whoever does not administer everything."""
    if not visit.who.operator:
        raise Refusal(HTTPStatus.NOT_FOUND, visit.texts.gettext(_OPERATORS))


def for_administrators(visit: Visit) -> None:
    """Refuse whoever administers no helpdesk."""
    if not visit.who.helpdesks(Need.CHANGE):
        raise Refusal(HTTPStatus.NOT_FOUND, visit.texts.gettext(_ADMINISTRATORS))


def surroundings(visit: Visit, right: Right) -> Mapping[str, Any]:
    """What every page of a helpdesk's settings shows."""
    return {
        "helpdesk": {"id": right.helpdesk_id, "name": right.helpdesk},
        "base": f"/helpdesks/{right.helpdesk_id}",
        "saved": "saved" in visit.request.query_params,
    }
