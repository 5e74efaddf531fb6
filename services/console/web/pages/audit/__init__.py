"""«Logboek»: who changed which setting, repaired what, looked at which raw mail; by actor and by what it is about."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from services.console import audit
from services.console.web.addresses import number_in, page_key, page_key_in, uuid_in
from services.console.web.endpoint import Answer, page
from services.console.web.forms import N_
from services.console.web.pages.mails import A_PAGE, helpdesk_of, since_day
from services.console.web.pages.settings.history import THINGS, in_words, names_of
from services.console.web.pages.settings.place import for_administrators
from services.console.web.rendering import Shown
from services.console.web.visit import Visit
from services.console.web.visitors import Need
from shared.database.pool import connection

FIELDS: Final = ("helpdesk", "kind", "actor", "thing", "mail", "since")
_KINDS: Final = {
    audit.Kind.SETTINGS: N_("instelling"),
    audit.Kind.REPAIR: N_("herstel"),
    audit.Kind.RAW_MAIL: N_("blik in een ruwe mail"),
    audit.Kind.REMOVAL: N_("verwijdering"),
    audit.Kind.INSTALLATION: N_("installatie"),
}
_NO_MAIL: Final = uuid.UUID(int=0)
"""An id that no mail has."""


async def show(visit: Visit) -> Answer:
    """The newest entries: all for an operator, to others those of the helpdesks that they administer."""
    for_administrators(visit)
    asked, gettext = visit.request.query_params, visit.texts.gettext
    chosen = {name: asked.get(name, "").strip()[:254] for name in FIELDS}
    wanted = _filter(visit, chosen, page_key_in(asked.get("after", ""), number_in))
    async with connection(visit.pool) as acquired:
        entries = await audit.entries(acquired, wanted)
        names = await names_of(acquired, entries)
    listed = [
        {
            "entry": in_words(visit, one, names),
            "kind": gettext(_KINDS[audit.Kind(one.kind)]),
            "helpdesk": one.helpdesk,
            "mail_id": one.mail_id,
            "thing_id": one.thing_id if one.mail_id is None else None,
            "role": one.role,
        }
        for one in entries[:A_PAGE]
    ]
    kept = {name: value for name, value in chosen.items() if value}
    older = (
        {**kept, "after": page_key(entries[A_PAGE - 1].at, entries[A_PAGE - 1].id)} if len(entries) > A_PAGE else None
    )
    values: dict[str, Any] = {
        "entries": listed,
        "chosen": chosen,
        "helpdesks": [right for right in visit.who.rights if right.administrator],
        "kinds": {kind.value: gettext(name) for kind, name in _KINDS.items()},
        "things": dict(sorted(((thing, gettext(name)) for thing, name in THINGS.items()), key=lambda one: one[1])),
        "older": older and f"/audit?{urlencode(older)}",
        "newest": f"/audit?{urlencode(kept)}" if "after" in asked else None,
        "is_filtered": bool(kept),
    }
    return Shown("audit/audit.html", values)


def _filter(visit: Visit, chosen: dict[str, str], after: tuple[datetime, int] | None) -> audit.Filter:
    helpdesk = helpdesk_of(chosen["helpdesk"])
    everything = visit.who.operator and helpdesk is None
    return audit.Filter(
        kind=audit.Kind(chosen["kind"]) if chosen["kind"] in set(audit.Kind) else None,
        since=since_day(chosen["since"], visit.who.time_zone),
        actor=chosen["actor"] or None,
        thing=chosen["thing"] or None,
        mail_id=(uuid_in(chosen["mail"]) or _NO_MAIL) if chosen["mail"] else None,
        within=None if everything else visit.who.helpdesks(Need.CHANGE, helpdesk),
        after=after,
        limit=A_PAGE + 1,
    )


ROUTES: Final = (page("/audit", show),)
