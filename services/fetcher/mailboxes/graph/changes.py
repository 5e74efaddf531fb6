"""What came into a folder, read or unread, by a delta query (Microsoft, «message: delta»): its link is the state.

A state does not last for ever: 410 says that it is gone. A folder is followed anew then, from a moment on, by the one
filter that a delta query takes; it gives up to 5,000 messages.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from services.fetcher.mailboxes.graph.listed import references
from services.fetcher.mailboxes.protocol import LONGEST_STATE, Arrivals, Listed
from shared.microsoft.errors import GraphRefused, Interrupted, NotSecure
from shared.microsoft.graph import GraphClient

_STATE_LOST: Final = frozenset(["syncstatenotfound", "syncstateinvalid", "resyncrequired", "errorinvalidsyncstatedata"])


async def arrivals(graph: GraphClient, path: str, state: str | None, since: datetime) -> Arrivals:
    """What came in since `state`; without one, or with one that is lost, what was received at `since` or later.

    Raises what `GraphClient` raises.
    """
    if state is not None:
        try:
            return await _go_through(graph, await graph.page(state), state)
        except NotSecure:  # the link of another cloud, or of another service than this one is now
            pass
        except GraphRefused as refused:
            if refused.status != HTTPStatus.GONE and refused.code.lower() not in _STATE_LOST:
                raise
    moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    first = await graph.get(path, select="id,receivedDateTime,isDraft", filter=f"receivedDateTime ge {moment}")
    return await _go_through(graph, first, None)


async def _go_through(graph: GraphClient, first: dict[str, Any], state: str | None) -> Arrivals:
    mails = Listed()
    link, more = None, False
    async for page in graph.pages(first, at_most=LONGEST_STATE):
        mails.add(references(page))
        following = page.get("@odata.nextLink")
        more = following is not None and mails.is_full  # that link is a state too (its $skiptoken)
        link = following if more else page.get("@odata.deltaLink")
        if more:
            break
    if not isinstance(link, str) or len(link) > LONGEST_STATE or (more and link == state):
        raise Interrupted("Microsoft Graph vertelt niet tot waar het postvak is gevolgd; het wordt opnieuw geprobeerd.")
    return Arrivals(tuple(mails.all()), link, more)
