"""What takes turns on the same mails, and what a turn is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.benchmarks.measured import Round
from tests.benchmarks.processes import processor_seconds
from tests.benchmarks.stand import Stand


class NotDone(Exception):
    """A contender did not do with a mail what it should: no figure is made of that."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How mails were taken: seconds from the first delivery to the last mail out, and how many mails went out."""

    seconds: float
    mails_out: int


class Contender(Protocol):
    """Takes mails as fast as it can."""

    @property
    def name(self) -> str:
        """As tables call it."""

    @property
    def database(self) -> str:
        """Its own, on the server of all."""

    @property
    def processes(self) -> Mapping[str, Sequence[int]]:
        """Its own, by what they are called in tables; not those of the servers."""

    @property
    def observers(self) -> Collection[str]:
        """Roles whose statements are the bench's own."""

    @property
    def looks(self) -> int:
        """Statements, each a transaction, by which the bench itself looked into that database so far."""

    async def take(self, mails: Sequence[bytes]) -> Taken:
        """Deliver these at once, and return when all is done with them; raises when it is not."""


async def turn(stand: Stand, contender: Contender, mails: Sequence[bytes]) -> Round:
    """One turn, with what it cost."""
    count = len(mails)
    processes = {**contender.processes, **stand.processes}
    written, looks = await stand.written(contender.database), contender.looks
    before = processor_seconds(processes)
    taken = await contender.take(mails)
    after = processor_seconds(processes)
    now = await stand.written(contender.database)
    return Round(
        contender=contender.name,
        mails=count,
        seconds=taken.seconds,
        bytes=sum(map(len, mails)) / count,
        mails_out=taken.mails_out / count,
        processor_ms={name: (after[name] - before[name]) * 1000 / count for name in processes},
        commits=(now.commits - written.commits - (contender.looks - looks)) / count,
        log_bytes=(now.log_bytes - written.log_bytes) / count,
        statements={
            role: (calls - written.statements.get(role, 0)) / count
            for role, calls in now.statements.items()
            if role not in contender.observers and calls > written.statements.get(role, 0)
        },
    )
