"""The edge of the command line: one event loop and one visit to the database for a command.

What a command asks for is done by functions that take an open pool or connection, and know no command line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from services.console.database import (
    PATIENCE,
    ConsoleConfiguration,
    Refused,
    one_transaction,
    open_database,
    refusals,
)
from services.console.fields import BadValue
from services.console.refusals import sentence
from services.console.texts import _
from shared.database.pool import Connection, Pool
from shared.errors import Outage

T = TypeVar("T")


def with_database(work: Callable[[Connection], Awaitable[T]]) -> T:
    """The answer of `work`, which runs in one transaction: all or nothing.

    Raises Misconfigured, Outage, or BadValue with the sentence for what the database refused.
    """

    async def in_one_transaction(pool: Pool) -> T:
        async with one_transaction(pool) as connection:
            return await work(connection)

    return with_pool(in_one_transaction)


def with_pool(work: Callable[[Pool], Awaitable[T]]) -> T:
    """The answer of `work`, which says itself what is one transaction, on a pool of one connection. Raises the same."""

    async def visit() -> T:
        async with open_database(ConsoleConfiguration.load(), waiting=_say_once) as pool:
            with refusals():
                return await work(pool)

    try:
        return asyncio.run(visit())
    except Refused as refused:
        raise BadValue(sentence(refused)) from None


def _say_once(attempt: int, _delay: float, _outage: Outage) -> None:
    """Why nothing happens for some seconds; what is wrong is told when they are over."""
    if attempt == 1:
        seconds = PATIENCE.total_seconds()
        typer.echo(
            _("PostgreSQL does not answer; it is asked for %(seconds)g seconds…") % {"seconds": seconds}, err=True
        )
