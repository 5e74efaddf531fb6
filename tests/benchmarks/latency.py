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
    A confirmation is the mail to the sender that answers his; not each mail gets one.
    """
    clock = asyncio.get_running_loop().time
    delivered, confirmed = {}, {}
    heard = len(importer.received)
    began, first = clock(), time.time()
    for number, mail in enumerate(mails):
        await asyncio.sleep(max(0.0, began + number / pace - clock()))
        file = importer.deliver(mail)
        delivered[file.unique_name] = file.at
        headers = message_from_bytes(mail)
        confirmed[parseaddr(headers["From"])[1], headers["Message-ID"]] = file.at
    await importer.done(first)
    outcomes = await importer.outcomes(first)
    commits = [_next(importer.changes, outcomes[name]) - at for name, at in delivered.items()]
    confirmations = [
        mail.at - confirmed[mail.recipient, mail.answers]
        for mail in importer.received[heard:]
        if (mail.recipient, mail.answers) in confirmed
    ]
    return Latency(pace, len(mails), *percentiles(commits), *percentiles(confirmations))


def _next(heard: Sequence[float], after: float) -> float:
    """When the first was heard after that."""
    return heard[min(bisect.bisect_left(heard, after), len(heard) - 1)]
