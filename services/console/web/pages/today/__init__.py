"""Vandaag: what needs a person, how the mailboxes are, what the day brought; live as long as somebody looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final

from starlette.responses import StreamingResponse

from services.console.web.endpoint import Answer, page
from services.console.web.pages.today.chart import bars
from services.console.web.pages.today.query import MOST_COUNTED, today
from services.console.web.rendering import Shown, render
from services.console.web.tokens import hash_of
from services.console.web.visit import Visit
from services.console.web.visitors import Need, Visitor, visitor_of
from shared.broker.administration import ManagementRefused, vhost_of
from shared.database.pool import transaction
from shared.errors import Misconfigured, Outage
from shared.sentences import ended, said_by
from shared.standing.broker import BrokerStanding, broker_standing
from shared.standing.database import in_the_way
from shared.standing.needs import Standing, of_broker, of_database_server

LOOKS_EVERY: Final = 10.0
"""Seconds between two looks of a stream."""
LOOKS: Final = 360
"""Looks of one stream: an hour; then the browser opens another."""


async def show(visit: Visit) -> Answer:
    """The page."""
    return Shown("today/today.html", await _values(visit, visit.who))


async def stream(visit: Visit) -> Answer:
    """The same as server-sent events, as long as the browser's page can be seen and the session lasts."""
    return StreamingResponse(_events(visit), media_type="text/event-stream")


async def _events(visit: Visit) -> AsyncIterator[str]:
    shown = ""
    for _ in range(LOOKS):
        async with transaction(visit.pool) as connection:
            visitor = await visitor_of(connection, hash_of(visit.cookie))
        if visitor is None:
            return
        values = {**visit.surroundings(), **await _values(visit, visitor)}
        html = render("today/standing.html", visitor.language, values)
        if html != shown:
            shown = html
            yield "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"
        with suppress(TimeoutError):
            await asyncio.wait_for(visit.house.stop.wait(), LOOKS_EVERY)
            return


async def _values(visit: Visit, visitor: Visitor) -> dict[str, Any]:
    names = frozenset(right.helpdesk for right in visitor.rights)
    async with transaction(visit.pool) as connection:
        trouble_of_database = await in_the_way(connection) if visitor.operator else ""
        found = await today(connection, visitor.helpdesks(Need.LOOK), names, visitor.without_personal_data())
    broker, trouble = await _broker(visit) if visitor.operator else (None, "")
    standing = Standing(found.now, None, broker, trouble_of_database, trouble)
    return {
        "today": found,
        "bars": bars(found.hours, found.now),
        "broker": broker,
        "broker_trouble": trouble,
        "needs": [*of_database_server(standing), *of_broker(standing), *found.needs],
        "most_counted": MOST_COUNTED,
        "changeable": visitor.helpdesks(Need.CHANGE),
    }


async def _broker(visit: Visit) -> tuple[BrokerStanding | None, str]:
    """RabbitMQ's queues and alarms; or None and why not."""
    monitoring = visit.house.monitoring
    try:
        return await broker_standing(monitoring.amqp_dsn, monitoring.management_dsn, vhost_of(monitoring.amqp_url)), ""
    except (Outage, ManagementRefused, Misconfigured) as error:
        return None, ended(said_by(error))


ROUTES: Final = (page("/", show), page("/today/stream", stream))
