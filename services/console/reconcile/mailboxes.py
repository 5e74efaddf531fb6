"""The mailboxes beside the ledger: a process of the fetcher looks into them, which alone can (as `check-mailbox`)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from services.console.reconcile.differences import Difference
from services.console.reconcile.kinds import Kind
from services.console.service_process import Unusable, ask
from services.console.texts import N_
from shared.database.pool import Pool, connection
from shared.errors import Misconfigured
from shared.sentences import Sentence, said_by

_NOT_ASKED: Final = N_("The mailboxes: %(problem)s")
_NOT_COMPARED: Final = N_("The mailbox of %(helpdesk)s: %(problem)s")
_PROBLEM: Final = N_("The mailbox: %(problem)s")

AT_ONCE: Final = 50
"""Mailboxes that one process of the fetcher looks into, one after the other."""
LONGEST_SECONDS: Final = 3600
"""For each mailbox: one that stands still is given up by the fetcher's process long before."""

_MAILBOXES: Final = """
-- $1 a helpdesk or null: those that are read by themselves (SPEC S1) and that no person holds up
SELECT helpdesk_id, helpdesk.name, state.problem
FROM importer_settings JOIN helpdesks AS helpdesk ON helpdesk.id = helpdesk_id
JOIN mailbox_states AS state USING (helpdesk_id)
WHERE enabled AND paused_since IS NULL AND mailbox_kind IS NOT NULL AND ($1::bigint IS NULL OR helpdesk_id = $1)
ORDER BY helpdesk_id
"""


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """What came of it: mails that were looked at, differences, and why which mailbox could not be compared."""

    compared: int
    mails: int
    differences: Sequence[Difference]
    not_compared: Sequence[str]


async def compare(pool: Pool, grace: timedelta, since: datetime | None, helpdesk_id: int | None) -> Mailboxes:
    """Compare all mailboxes that are read; what cannot be compared is a sentence and no error."""
    async with connection(pool) as acquired:
        rows = await acquired.fetch(_MAILBOXES, helpdesk_id)
    names = {row["helpdesk_id"]: row["name"] for row in rows}
    problems = {row["helpdesk_id"]: row["problem"] for row in rows}
    compared = mails = 0
    differences: list[Difference] = []
    troubles: list[str] = []
    for start in range(0, len(names), AT_ONCE):
        ids = list(names)[start : start + AT_ONCE]
        try:
            answer = await ask(
                "fetcher", "compare", str(round(grace.total_seconds())), since.isoformat() if since else "-",
                *map(str, ids), within=LONGEST_SECONDS * len(ids),
            )  # fmt: skip
        except (Unusable, Misconfigured) as trouble:
            troubles.append(Sentence(_NOT_ASKED, problem=said_by(trouble)))
            break
        for told in answer["mailboxes"]:
            helpdesk = told["helpdesk_id"]
            if not told["ok"]:
                troubles.append(Sentence(_NOT_COMPARED, helpdesk=names[helpdesk], problem=told["problem"]))
                continue
            compared, mails = compared + 1, mails + told["looked_at"]
            differences += _of_mailbox(helpdesk, told, problems[helpdesk])
    return Mailboxes(compared, mails, differences, troubles)


def _of_mailbox(helpdesk_id: int, told: Mapping[str, Any], problem: str | None) -> list[Difference]:
    detail = Sentence(_PROBLEM, problem=problem) if problem else ""
    found = _mails(Kind.NOT_TAKEN_IN, helpdesk_id, told["not_taken_in"], detail)
    found += _mails(Kind.READ_UNKNOWN, helpdesk_id, told["read_unknown"])
    if told["set_back_to_unread"]:
        found.append(Difference(Kind.SET_BACK, helpdesk_id, count=told["set_back_to_unread"]))
    return found


def _mails(kind: Kind, helpdesk_id: int, told: Mapping[str, Any], detail: str = "") -> list[Difference]:
    """The mails that are named, and the rest of them as one."""
    named = [
        Difference(
            kind, helpdesk_id, uuid.UUID(mail["mail_id"]), since=datetime.fromisoformat(mail["received_at"]),
            detail=detail,
        )
        for mail in told["mails"]
    ]  # fmt: skip
    rest = told["count"] - len(named)
    return named + ([Difference(kind, helpdesk_id, detail=detail, count=rest)] if rest else [])
