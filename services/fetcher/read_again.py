"""Once, in a database that was brought back: mail that was imported and moved since lies in the folder it was moved to.

The ledger knows a mail by its folder, so what was moved before the moment of the restore is taken in too; its content
is known, so that it becomes a duplicate of itself and no second ticket (SPEC D13).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

from services.fetcher.flow import Findings, NewCheck
from services.fetcher.mailboxes.protocol import MailboxError, MailboxMissing
from services.fetcher.mailboxes.registry import open_mailbox
from services.fetcher.repository.mailboxes import ClaimedMailbox
from services.fetcher.rules.following import Following, Reached


async def read_filed_mail_again(
    claimed: ClaimedMailbox, findings: Findings, new_check: NewCheck, stop: asyncio.Event
) -> None:
    """Look through the folder that imported mail is moved to, and add to `findings` what is there. Raises as `run`."""
    if claimed.read_again is None or claimed.after_import != "move" or not claimed.after_import_folder:
        return
    access = replace(claimed.access, folder=claimed.after_import_folder)
    try:
        mailbox = await open_mailbox(access)
    except MailboxMissing:
        return  # nothing was ever moved
    reached: Reached | None = None
    try:
        while True:
            following = Following.again(reached, claimed.read_again.since)
            there = replace(claimed, access=access, after_import="mark-read", following=following)
            check = new_check(there, mailbox, stop=stop, arrivals_alone=True)
            await check.run()
            _add(check.findings, findings)
            if not check.findings.goes_on:
                return
            reached = check.findings.reached
    except MailboxMissing:
        return
    finally:
        with suppress(MailboxError):
            await mailbox.close()


def _add(there: Findings, findings: Findings) -> None:
    findings.taken_in += there.taken_in
    findings.unreadable += there.unreadable
    findings.unreadable_because = findings.unreadable_because or there.unreadable_because
    findings.more |= there.more
    findings.held_back |= there.held_back
    if there.reached is None:
        findings.reached = None  # old mail waits for a person: it is read again when he has chosen
