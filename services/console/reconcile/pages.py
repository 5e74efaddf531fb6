"""Going through a large table by its key, a piece at a time, so that no statement is long and no memory is filled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, TypeVar

from shared.database.pool import Pool, connection

K = TypeVar("K")
PAGE: Final = 2000


async def pages(pool: Pool, table: str, key: str, before_all: K, size: int = PAGE) -> AsyncIterator[tuple[K, K, int]]:
    """The first and the last key of each piece of `table`, and how many rows it had; `before_all` is below all keys.

    Raises Outage and TryAgain, as what is done with a piece may.
    """
    piece = f"SELECT {key} FROM {table} WHERE {key} > $1 ORDER BY {key} LIMIT $2"  # noqa: S608 - names of our own
    after = before_all
    while True:
        async with connection(pool) as acquired:
            keys = [row[0] for row in await acquired.fetch(piece, after, size)]
        if not keys:
            return
        yield keys[0], keys[-1], len(keys)
        after = keys[-1]
