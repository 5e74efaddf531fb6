"""Folders of a mailbox in Exchange Online: by well-known name, or by the path of their names.

`INBOX` in any case is the inbox, whatever its language; `archive`, `junkemail` and the like are Graph's own names
(«mailFolder resource type»), written as there; all else is a path from the root, `INBOX/…` from the inbox. The ids of
folders stay the same when they are renamed or moved.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from services.fetcher.mailboxes.graph.refusals import is_gone
from services.fetcher.mailboxes.protocol import INBOX
from shared.microsoft.errors import GraphRefused
from shared.microsoft.graph import GraphClient, identity

WELL_KNOWN: Final = frozenset(["archive", "deleteditems", "drafts", "inbox", "junkemail", "outbox", "sentitems"])


class GraphFolders:
    """The folders of the mailbox at `user` (its path). Raises what `GraphClient` raises."""

    def __init__(self, graph: GraphClient, user: str) -> None:
        self._graph = graph
        self._user = user
        self._known: dict[str, str] = {}

    def path(self, folder: str) -> str:
        """The path of a folder by its id or well-known name."""
        return f"{self._user}/mailFolders/{quote(folder, safe='')}"

    async def find(self, name: str) -> str | None:
        """The id of a folder; None when there is none."""
        first, *others = _parts(name)
        folder = await self._well_known(first) if first in WELL_KNOWN else await self._child(None, first)
        for part in others:
            if folder is None:
                return None
            folder = await self._child(folder, part)
        return folder

    async def known_or_made(self, name: str) -> str:
        """The id of a folder, which is made if missing; as it was the last time, if there was one."""
        return self._known.get(name) or await self.found_or_made(name)

    async def found_or_made(self, name: str) -> str:
        """The id of a folder, looked up now, which is made if missing."""
        first, *others = _parts(name)
        folder = await self._well_known(first) if first in WELL_KNOWN else None
        for part in [first, *others] if folder is None else others:
            folder = await self._child(folder, part) or await self._make(folder, part)
        self._known[name] = folder or ""
        return self._known[name]

    async def _well_known(self, name: str) -> str | None:
        try:
            return identity(await self._graph.get(self.path(name), select="id"))
        except GraphRefused as refused:
            if is_gone(refused):
                return None
            raise

    async def _child(self, parent: str | None, name: str) -> str | None:
        literal = name.replace("'", "''")
        page = await self._graph.get(self._children(parent), filter=f"displayName eq '{literal}'", select="id")
        folders = page.get("value")
        return identity(folders[0]) if isinstance(folders, list) and folders else None

    async def _make(self, parent: str | None, name: str) -> str:
        try:
            return identity(await self._graph.post(self._children(parent), {"displayName": name}))
        except GraphRefused as refused:
            if refused.status == HTTPStatus.CONFLICT and (existing := await self._child(parent, name)):
                return existing  # somebody else made it meanwhile
            raise

    def _children(self, parent: str | None) -> str:
        return f"{self._user}/mailFolders" if parent is None else f"{self.path(parent)}/childFolders"


def _parts(name: str) -> list[str]:
    parts = [part.strip() for part in name.split("/") if part.strip()] or [INBOX]
    return ["inbox", *parts[1:]] if parts[0].upper() == INBOX else parts
