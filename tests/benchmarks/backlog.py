"""A mailbox full of mail that the services find when they start."""

from __future__ import annotations

import asyncio
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from tests.benchmarks.importer import an_importer
from tests.benchmarks.measured import Backlog
from tests.benchmarks.mix import mail_of_mix
from tests.benchmarks.stand import Stand

BYTES_A_MAIL: Final = 400_000
"""Of the disk: in the mailbox, in queues, in the database and in both logs."""
SPARE_BYTES: Final = 5_000_000_000
_CHUNK: Final = 200


async def backlog(stand: Stand, mails: int) -> Backlog | str:
    """Take so many; or why that was left out."""
    needed, free = mails * BYTES_A_MAIL + SPARE_BYTES, shutil.disk_usage(stand.folder).free
    if needed > free:
        return f"A backlog of {mails:,}: it takes {needed / 1e9:.0f} GB of disk, of which {free / 1e9:.0f} are free."
    async with an_importer(stand) as importer:
        with ProcessPoolExecutor() as makers:
            loop = asyncio.get_running_loop()
            for start in range(0, mails, _CHUNK):
                for mail in await loop.run_in_executor(makers, _made, start, min(start + _CHUNK, mails)):
                    importer.deliver(mail)
        began = time.time()
        async with importer.running():
            ended = await importer.done(began)
        outcomes, last = ended[:-1], ended[-1]
        quarter = max(1, mails // 4)
        return Backlog(
            mails=mails,
            seconds=last - began,
            first_quarter=quarter / (outcomes[quarter - 1] - outcomes[0] or 1),
            last_quarter=quarter / (outcomes[-1] - outcomes[-quarter - 1] or 1),
            mails_out=len(importer.received) / mails,
        )


def _made(first: int, end: int) -> list[bytes]:
    return [mail_of_mix(number) for number in range(first, end)]
