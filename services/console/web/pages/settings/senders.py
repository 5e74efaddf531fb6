"""Senders and lists that a helpdesk blocks or lets through (D17): the rules of `repairs.senders`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, get_args

import structlog
from starlette.datastructures import FormData

from services.console.database import one_transaction
from services.console.repairs import senders
from services.console.repairs.senders import NotASender, Pattern, Verdict
from services.console.web.endpoint import Answer, see
from services.console.web.forms import N_
from services.console.web.pages.settings.place import helpdesk, surroundings
from services.console.web.rendering import Shown
from services.console.web.visit import Refusal, Visit
from shared.database.pool import connection

VERDICTS: Final = {
    "block": N_("in quarantaine"),
    "allow": N_("doorlaten"),
    "allow-automatic": N_("doorlaten, en als mail van een mens behandelen"),
}
KINDS: Final = {"address": N_("adres"), "domain": N_("domein"), "list": N_("mailinglijst")}
_NO_SENDER: Final = {
    "address": N_("Dit is geen mailadres; schrijf naam@voorbeeld.nl."),
    "list": N_("Dit is geen List-Id; schrijf wat tussen < en > staat in de regel List-Id van de mail."),
    None: N_("Dit is geen adres en geen domein; schrijf naam@voorbeeld.nl of voorbeeld.nl."),
}
_NO_VERDICT: Final = N_("Kies wat er met deze mail gebeurt.")

_log = structlog.get_logger(__name__)


async def show(visit: Visit) -> Answer:
    """The rules that count for the helpdesk."""
    return await _shown(visit, "", "")


async def _shown(visit: Visit, typed: str, problem: str) -> Answer:
    right, gettext = helpdesk(visit), visit.texts.gettext
    async with connection(visit.pool) as acquired:
        rules = await senders.rules(acquired, right.helpdesk_id)
    listed: list[dict[str, Any]] = [
        {
            "pattern": rule.pattern,
            "kind": rule.kind,
            "kind_name": gettext(KINDS[rule.kind]),
            "verdict": gettext(VERDICTS[rule.verdict]),
            "of_all": rule.helpdesk is None,
            "created_at": rule.created_at,
        }
        for rule in rules
    ]
    values = {
        **surroundings(visit, right),
        "screen": {"key": "senders", "title": gettext(N_("Afzenders"))},
        "rules": listed,
        "verdicts": {verdict: gettext(name) for verdict, name in VERDICTS.items()},
        "typed": typed,
        "problem": problem,
    }
    return Shown("settings/senders.html", values, HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK)


async def change(visit: Visit, form: FormData) -> Answer:
    """Put a rule, or take one away."""
    right, gettext = helpdesk(visit), visit.texts.gettext
    typed, verdict = str(form.get("sender", ""))[:300], str(form.get("verdict", ""))
    if form.get("what") == "remove":
        pattern = _known(str(form.get("kind", "")), typed, visit)
        async with one_transaction(visit.pool) as acquired:
            await senders.remove(acquired, right.helpdesk_id, pattern)
    else:
        try:
            pattern = senders.pattern_of(typed, is_list="is_list" in form)
        except NotASender as error:
            return await _shown(visit, typed, gettext(_NO_SENDER[error.kind]))
        if verdict not in get_args(Verdict):
            return await _shown(visit, typed, gettext(_NO_VERDICT))
        async with one_transaction(visit.pool) as acquired:
            await senders.put(acquired, right.helpdesk_id, pattern, verdict)  # type: ignore[arg-type]
    _log.info("sender_rule", helpdesk_id=right.helpdesk_id, what=form.get("what"), user=visit.who.user_id)
    return see(f"/helpdesks/{right.helpdesk_id}/senders?saved")


def _known(kind: str, text: str, visit: Visit) -> Pattern:
    if kind == "list":
        return Pattern("list", text)
    if kind == "domain":
        return Pattern("domain", text)
    if kind == "address":
        return Pattern("address", text)
    raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, visit.texts.gettext(_NO_VERDICT))
