"""Folders of an Exchange mailbox by the paths that people write: `Facturen/2026`, beneath the root or the inbox.

Names count in any case of letters, as in Exchange; `INBOX` as the first one is the inbox, whatever its language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from xml.etree.ElementTree import Element

from services.fetcher.mailboxes.ews.answers import EwsError, folders, page
from services.fetcher.mailboxes.ews.response_codes import NO_FOLDER
from services.fetcher.mailboxes.ews.soap_requests import INBOX_ID, ROOT_ID, FolderRef, Requests
from services.fetcher.mailboxes.protocol import INBOX

PAGE: Final = 1000
"""Items or folders asked for at once: what Exchange's throttling policies allow (EWSFindCountLimit)."""
MOST_PAGES: Final = 10_000


class FolderPaths:
    """Finds and makes folders. `ask` gives an answer's message and raises EwsError; so do the methods."""

    def __init__(self, ask: Callable[[bytes], Element], requests: Callable[[], Requests]) -> None:
        self._ask = ask
        self._requests = requests

    def find(self, path: str) -> FolderRef | None:
        """The folder of this path beneath the mailbox's root, else beneath its inbox."""
        names, starts = _names(path), [ROOT_ID, INBOX_ID]
        if _begins_at_inbox(names):
            names, starts = names[1:], [INBOX_ID]
        hidden: EwsError | None = None
        for start in starts:
            place: FolderRef | None = FolderRef(start, distinguished=True)
            try:
                for name in names:
                    place = place and self._child(place, name)
            except EwsError as error:
                if error.code not in NO_FOLDER | {"ErrorAccessDenied"}:
                    raise
                hidden, place = error, None  # whoever may see the inbox need not see the root
            if place is not None:
                return place
        if hidden is not None:
            raise hidden
        return None

    def make(self, path: str) -> FolderRef:
        """The folder of this path beneath the root, and whatever is missing on the way."""
        names, place = _names(path), FolderRef(ROOT_ID, distinguished=True)
        if _begins_at_inbox(names):
            names, place = names[1:], FolderRef(INBOX_ID, distinguished=True)
        for name in names:
            place = self._child(place, name) or self._make_child(place, name)
        return place

    def _make_child(self, parent: FolderRef, name: str) -> FolderRef:
        refusal: EwsError | None = None
        try:
            made = next(folders(self._ask(self._requests().create_folder(parent, name))), None)
        except EwsError as error:
            if error.code != "ErrorFolderExists":  # somebody else made it meanwhile
                raise
            made, refusal = None, error
        if made is not None:
            return FolderRef(made.folder_id)
        folder = self._child(parent, name)
        if folder is None:
            raise refusal or EwsError("ErrorFolderNotFound")
        return folder

    def _child(self, parent: FolderRef, name: str) -> FolderRef | None:
        """The folder right beneath another."""
        offset, seen = 0, set[str]()
        for _ in range(MOST_PAGES):
            message = self._ask(self._requests().find_folders(parent, offset, PAGE))
            children = {child.folder_id: child for child in folders(message)}
            for child in children.values():
                if child.name.casefold() == name.casefold():
                    return FolderRef(child.folder_id)
            if page(message).is_last is not False or not children.keys() - seen:
                return None
            seen |= children.keys()
            offset += len(children)
        return None


def _begins_at_inbox(names: list[str]) -> bool:
    return bool(names) and names[0].casefold() == INBOX.casefold()


def _names(path: str) -> list[str]:
    return [name for part in path.split("/") if (name := part.strip())]
