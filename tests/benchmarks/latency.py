"""How long a mail takes that comes at a pace which is below what could be taken."""

from __future__ import annotations

import asyncio
import bisect
import time
from collections.abc import Sequence
from email import message_from_bytes
from email.utils import parseaddr

from tests.benchmarks.importer import Importer, percentiles
from tests.benchmarks.measured import Latency


async def latency(importer: Importer, mails: Sequence[bytes], pace: float) -> Latency:
    """Deliver so many mails a second, each at its time.

    A commit is when a listener first hears of one after the outcome was decided: `outcome_at` is before the commit.
    A confirmation is the first mail after the delivery to the sender's address; automatic mails get none.
    """
    clock = asyncio.get_running_loop().time
    delivered, senders = {}, {}
    heard = len(importer.received)
    began, first = clock(), time.time()
    for number, mail in enumerate(mails):
        await asyncio.sleep(max(0.0, began + number / pace - clock()))
        file = importer.deliver(mail)
        delivered[file.unique_name] = file.at
        senders[file.unique_name] = parseaddr(str(message_from_bytes(mail)["From"]))[1]
    await importer.done(first)
    outcomes = await importer.outcomes(first)
    commits = [_next(importer.changes, outcomes[name]) - at for name, at in delivered.items()]
    received = importer.received[heard:]
    confirmations = [
        min(later) - at
        for name, at in delivered.items()
        if (later := [when for when, whom in received if whom == senders[name] and when >= at])
    ]
    return Latency(pace, len(mails), *percentiles(commits), *percentiles(confirmations))


def _next(heard: Sequence[float], after: float) -> float:
    """When the first was heard after that."""
    return heard[min(bisect.bisect_left(heard, after), len(heard) - 1)]
