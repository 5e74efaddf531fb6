"""Which quarantined mails wait for a person: one rule for `status`, metrics, alarms, Vandaag and the work lists.

They await no outcome, nobody decided about them, by himself or by a rule of his, and they are not listed already as
what a service could not handle (a dead letter).
"""

from __future__ import annotations

from typing import Final

from shared.messages import ReasonId

DECIDED: Final = (
    ReasonId.DISCARDED_BY_PERSON,
    ReasonId.MARKED_READ_BY_PERSON,
    ReasonId.SENDER_BLOCKED,
    ReasonId.LIST_BLOCKED,
)
"""Reasons of a quarantine that a person, or his rule, has decided."""
LISTED_ELSEWHERE: Final = frozenset({*DECIDED, ReasonId.DEAD_LETTER})
"""Reasons of quarantined mails that wait for nobody, or in the list of dead letters: who asks for one gets them."""

_NOBODY_DECIDED: Final = " AND ".join(f"""NOT mail.reasons @> '[{{"id": "{reason}"}}]'""" for reason in DECIDED)
UNDECIDED: Final = f"mail.outcome = 'quarantine' AND {_NOBODY_DECIDED}"
"""In the words of the index imported_mails_undecided, constants included: the planner finds it by them alone."""
WAITS_FOR_A_PERSON: Final = f"""{UNDECIDED} AND NOT mail.awaits_outcome
    AND NOT EXISTS (SELECT FROM dead_letters AS letter WHERE letter.mail_id = mail.mail_id AND resolved_at IS NULL)"""
"""The rule, of a row of imported_mails that is called `mail`."""
