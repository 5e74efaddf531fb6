"""«Groepen»: what the members of the provider's groups may do here. For operators alone.

What a group gives or loses counts at once for who is in it since his last login; who came into a group, or left it, is
known at his next. Nobody takes from himself by it that he administers everything.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

import structlog
from starlette.datastructures import FormData

from services.console import groups
from services.console.database import one_transaction
from services.console.groups import Given, Role
from services.console.users import NoOperatorByHand
from services.console.web.addresses import number_in
from services.console.web.endpoint import Answer, page, see
from services.console.web.forms import N_
from services.console.web.openid.settings import OpenIdSettings
from services.console.web.pages.settings.place import for_operators
from services.console.web.pages.users import CALLED
from services.console.web.pages.users.query import CHOICES, NOTHING, choice_of
from services.console.web.rendering import Shown
from services.console.web.visit import Refusal, Visit
from services.console.web.visitors import visitor_named
from shared.database.pool import Connection, connection

OPERATOR: Final[Role] = "operator"
_CHOICES: Final = {choice: words for choice, words in CALLED.items() if choice != NOTHING}
_FIELDS: Final = ("group", "called", "helpdesk", "gives")
_NOT_HERE: Final = N_("Inloggen met een aanmelddienst is hier niet ingesteld.")
_NO_NAME: Final = N_(
    "Vul de groep in precies zoals de aanmelddienst haar schrijft, in hoogstens %(longest)s zichtbare tekens."
)
_NO_SUCH: Final = N_("Kies uit de lijst wat de groep geeft, en voor welke helpdesk.")
_NOT_YOURSELF: Final = N_("U sluit uzelf niet buiten: laat een ander dat doen die alles beheert.")
_NO_OPERATOR: Final = N_(
    "Laat eerst iemand zelf alles beheren: wat een groep geeft kan de aanmelddienst nemen, en dan kan niemand meer "
    "binnen."
)

_log = structlog.get_logger(__name__)


async def show(visit: Visit) -> Answer:
    """What each group gives, and the form for more."""
    _settings(visit)
    return await _page(visit, dict.fromkeys(_FIELDS, ""), "", HTTPStatus.OK)


async def add(visit: Visit, form: FormData) -> Answer:
    """Give a group something, in place of what it had for that helpdesk."""
    settings = _settings(visit)
    gettext = visit.texts.gettext
    typed = {name: str(form.get(name, "")).strip() for name in _FIELDS}
    if not groups.is_a_name(typed["group"]) or (typed["called"] and not groups.is_a_name(typed["called"])):
        sentence = gettext(_NO_NAME) % {"longest": groups.LONGEST}
        return await _page(visit, typed, sentence, HTTPStatus.UNPROCESSABLE_ENTITY)
    given = _given(visit, settings.issuer, typed)
    if given is None:
        return await _page(visit, typed, gettext(_NO_SUCH), HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        async with one_transaction(visit.pool) as acquired:
            await groups.give(acquired, given)
            await _require_oneself(visit, acquired)
    except NoOperatorByHand:
        raise Refusal(HTTPStatus.CONFLICT, gettext(_NO_OPERATOR)) from None
    _log.info("group_right_given", user=visit.who.user_id)
    return see("/groups?saved")


async def remove(visit: Visit, form: FormData) -> Answer:
    """Take a right away from a group; one that is gone already is no matter."""
    _settings(visit)
    number = number_in(str(form.get("right", "")))
    async with one_transaction(visit.pool) as acquired:
        if number is not None and await groups.take(acquired, number):
            await _require_oneself(visit, acquired)
            _log.info("group_right_taken", right=number, user=visit.who.user_id)
    return see("/groups?saved")


def _settings(visit: Visit) -> OpenIdSettings:
    for_operators(visit)
    if visit.house.openid is None:
        raise Refusal(HTTPStatus.NOT_FOUND, visit.texts.gettext(_NOT_HERE))
    return visit.house.openid.settings


def _given(visit: Visit, issuer: str, typed: dict[str, str]) -> Given | None:
    """What was chosen; None where it is none of what the form offers."""
    whole = Given(issuer, typed["group"], typed["called"], None, OPERATOR, personal_data=False)
    if typed["gives"] == OPERATOR:
        return whole
    chosen = CHOICES.get(typed["gives"])
    helpdesk = number_in(typed["helpdesk"]) if typed["helpdesk"] else None
    known = {right.helpdesk_id for right in visit.who.rights}
    if chosen is None or (typed["helpdesk"] and helpdesk not in known):
        return None
    role, personal_data = chosen
    return replace(whole, helpdesk_id=helpdesk, role=role, personal_data=personal_data)


async def _require_oneself(visit: Visit, acquired: Connection) -> None:
    visitor = await visitor_named(acquired, visit.who.user_id)
    if visitor is None or not visitor.operator:
        raise Refusal(HTTPStatus.CONFLICT, visit.texts.gettext(_NOT_YOURSELF))


async def _page(visit: Visit, typed: dict[str, str], sentence: str, status: HTTPStatus) -> Answer:
    settings, gettext = _settings(visit), visit.texts.gettext
    async with connection(visit.pool) as acquired:
        listed = await groups.rights(acquired)
    choices = {choice: gettext(words) for choice, words in _CHOICES.items()}
    choices[OPERATOR] = gettext(N_("alles beheren: alle helpdesks, gebruikers en servers"))
    values: dict[str, Any] = {
        "rights": [
            {
                "right": right,
                "gives": choices[choice_of(right.role, personal_data=right.personal_data)],
                "counts": right.issuer == settings.issuer,
            }
            for right in listed
        ],
        "choices": choices,
        "helpdesks": visit.who.rights,
        "typed": typed,
        "sentence": sentence,
        "claim": settings.groups_claim,
        "issuer": settings.issuer,
        "makes_users": settings.makes_users,
        "saved": "saved" in visit.request.query_params,
    }
    return Shown("groups/groups.html", values, status)


ROUTES: Final = (page("/groups", show, add), page("/groups/remove", post=remove))
