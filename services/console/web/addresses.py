"""Addresses that come from a request: which are ours, and where a person may be sent. Pure."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

_OWN_PATH: Final = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
_NUMBER: Final = re.compile(r"[0-9]{1,18}")
"""Which every bigint of the database can be."""
_OF_THIS_MACHINE: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def own_path(wanted: str) -> str:
    """`wanted` where it is a path of this site, else the start page: nobody is sent elsewhere by a link of ours."""
    return wanted if _OWN_PATH.fullmatch(wanted) else "/"


def number_in(typed: str) -> int | None:
    """The number that an id or a count in an address is; None: it is none of ours."""
    return int(typed) if _NUMBER.fullmatch(typed) else None


def uuid_in(typed: str) -> uuid.UUID | None:
    """The id that stands in an address; None: it is none."""
    try:
        return uuid.UUID(typed)
    except ValueError:
        return None


def page_key(at: datetime, last: uuid.UUID | int) -> str:
    """Where the page of a list begins that follows the row of this moment and id."""
    return f"{at.isoformat()} {last}"


def page_key_in(typed: str, id_in: Callable[[str], T | None]) -> tuple[datetime, T] | None:
    """The moment and id of a `page_key`; None: it is none of ours, and the list begins at its beginning."""
    moment, _, typed_id = typed.partition(" ")
    last = id_in(typed_id)
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (at, last) if last is not None and at.tzinfo is not None else None


def is_our_host(host: str, known_as: str | None) -> bool:
    """Whether the header Host names us; any other name leads here by somebody else's DNS (rebinding)."""
    if known_as is not None and host.lower() == urlsplit(known_as).netloc:
        return True
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return known_as is None and name in _OF_THIS_MACHINE


def is_our_origin(origin: str | None, fetch_site: str | None, own: str) -> bool:
    """Whether a form was sent by a page of ours, as the browser says (headers Origin and Sec-Fetch-Site).

    A browser that sends neither is older than 2020; programs send none either, and have the token to show.
    """
    if origin is not None:
        return origin.lower() == own
    return fetch_site in (None, "same-origin", "none")
