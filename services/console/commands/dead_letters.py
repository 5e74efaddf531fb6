"""`dead-letters`: messages that a service gave up, with the reason and the way back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from services.console.commands.signatures import group
from services.console.fields import BadValue
from services.console.output import Json, done, show_json, show_one, show_rows
from services.console.queues import BrokerConfiguration
from services.console.repairs import dead_letters
from services.console.repairs.dead_letters import MOST_AT_ONCE, Letter, all_queues, letters
from services.console.session import with_pool
from services.console.texts import N_, _
from shared.broker.publish import Publisher
from shared.broker.session import broker_trouble
from shared.broker.topology import MAIL_CLASSIFIED, MAIL_RAW, TICKET_EVENTS
from shared.database.pool import Pool, connection, transaction
from shared.sentences import Sentence


class Queue(StrEnum):
    """The work queues."""

    RAW = MAIL_RAW
    CLASSIFIED = MAIL_CLASSIFIED
    EVENTS = TICKET_EVENTS


OfQueue = Annotated[Queue | None, typer.Option("--queue", help="only those of this queue")]
Key = Annotated[str, typer.Argument(metavar="ID", help="the id of the mail, or of the message")]
Keys = Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="ids of mails or of messages")]
All = Annotated[bool, typer.Option("--all", help="all of them")]

_SHOWN_ALONE: Final = frozenset({"first_error", "last_error", "headers"})
"""What `show` adds to what `list` shows."""

_REPLAYED: Final = N_("%(queue)s: the message of mail %(mail_id)s is replayed.")
_DISCARDED: Final = N_("%(queue)s: the message of mail %(mail_id)s is discarded.")

Treatment = Callable[[Pool, Publisher, Letter], Awaitable[None]]


def list_letters(queue: OfQueue = None, *, as_json: Json = False) -> None:
    """List dead letters, the oldest of each queue first; looking loses nothing."""
    configuration, queues = BrokerConfiguration.load(), _queues(queue)

    async def work(pool: Pool) -> None:
        async with letters(configuration, queues) as parked, connection(pool) as acquired:
            lost = [asdict(one) for one in await dead_letters.without_message(acquired, parked, queues)]
        _say_if_more(parked)
        listed = [_without(asdict(letter.facts()), _SHOWN_ALONE) for letter in parked]
        if as_json:
            show_json({"messages": listed, "without_message": lost})
            return
        show_rows(_("dead letters"), listed, hidden=frozenset({"message_id", "size"}), as_json=False)
        if lost:
            title = _("dead letters without a message (quarantine replay sends the mail again)")
            show_rows(title, lost, as_json=False)

    with_pool(work)


def show(key: Key, *, as_json: Json = False) -> None:
    """Show the dead letters of one mail, with their headers."""
    configuration = BrokerConfiguration.load()

    async def work(_pool: Pool) -> None:
        async with letters(configuration, all_queues()) as parked:
            chosen = _chosen(parked, [key])
        if as_json:
            show_json([asdict(letter.facts()) for letter in chosen])
            return
        for letter in chosen:
            facts = letter.facts()
            headers = {f"header {name}": value for name, value in facts.headers.items()}
            show_one(_without(asdict(facts), {"headers"}) | headers, as_json=False)

    with_pool(work)


def _without(row: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def replay(keys: Keys = None, queue: OfQueue = None, *, everything: All = False) -> None:
    """Send dead letters to their service again, as for the first time, once the cause is mended."""

    async def send(pool: Pool, publisher: Publisher, letter: Letter) -> None:
        await publisher.replay(letter.delivery)
        async with transaction(pool) as acquired:
            await dead_letters.resolve(acquired, letter)

    _treat(keys, queue, send, _REPLAYED, everything=everything)


def discard(keys: Keys = None, queue: OfQueue = None, *, everything: All = False) -> None:
    """Throw dead letters away. A mail that one kept in quarantine stays there, discarded; its bytes are kept."""

    async def note(pool: Pool, _publisher: Publisher, letter: Letter) -> None:
        async with transaction(pool) as acquired:
            await dead_letters.settle(acquired, letter)

    _treat(keys, queue, note, _DISCARDED, everything=everything)


def _treat(
    keys: list[str] | None, queue: Queue | None, treatment: Treatment, sentence: str, *, everything: bool
) -> None:
    if bool(keys) == everything:
        raise BadValue(_("Name dead letters by id, or say --all; `dead-letters list` shows them."))
    configuration = BrokerConfiguration.load()

    async def work(pool: Pool) -> None:
        async with (
            letters(configuration, _queues(queue)) as parked,
            Publisher(configuration.amqp_dsn, "console") as publisher,
        ):
            for letter in parked if everything else _chosen(parked, keys or []):
                await treatment(pool, publisher, letter)
                with broker_trouble(Sentence("acknowledging a dead letter")):
                    await letter.message.ack()
                done(_(sentence) % {"queue": letter.delivery.queue, "mail_id": letter.mail_id})
            if not parked:
                done(_("There are no dead letters."))
        _say_if_more(parked)

    with_pool(work)


def _say_if_more(parked: list[Letter]) -> None:
    for queue, count in Counter(letter.delivery.queue for letter in parked).items():
        if count == MOST_AT_ONCE:
            sentence = _("%(queue)s: there may be more than these %(count)s; look again once they are gone.")
            typer.echo(sentence % {"queue": queue, "count": count}, err=True)


def _chosen(parked: list[Letter], keys: list[str]) -> list[Letter]:
    for key in keys:
        if not any(letter.answers_to(key) for letter in parked):
            sentence = _("There is no message of %(key)r among the %(count)s dead letters; nothing was changed.")
            raise BadValue(sentence % {"key": key, "count": len(parked)})
    return [letter for letter in parked if any(letter.answers_to(key) for key in keys)]


def _queues(queue: Queue | None) -> tuple[str, ...]:
    return all_queues() if queue is None else (queue.value,)


COMMANDS: Final = {
    "dead-letters": group(
        "dead-letters",
        "Messages that were parked for a person.",
        {"list": list_letters, "show": show, "replay": replay, "discard": discard},
    )
}
