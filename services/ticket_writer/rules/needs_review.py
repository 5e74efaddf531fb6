"""What a person should look at after the import («beoordelen»; SPEC D13, D20), each with its reason."""

from __future__ import annotations

from services.ticket_writer.rules.facts import Facts
from services.ticket_writer.rules.verdict import Relation, Verdict
from shared.messages import ClassifiedMail, DmarcResult, Reason, ReasonId


def reasons_for_review(mail: ClassifiedMail, facts: Facts, verdict: Verdict | None) -> tuple[Reason, ...]:
    """Why a person should look at this ticket or supplement; empty when nobody has to. A new ticket has no verdict.

    A stranger on a supplement (D20), a sender that a trusted check calls forged, and a Message-ID that came before
    with another sender, date, subject or text (D13).
    """
    reasons = []
    if verdict is not None and verdict.relation is Relation.STRANGER:
        reasons.append(Reason(id=ReasonId.STRANGER))
    if mail.dmarc is DmarcResult.FAIL:
        reasons.append(Reason(id=ReasonId.FORGED_SENDER))
    if facts.same_message_id_differs:
        reasons.append(Reason(id=ReasonId.SAME_MESSAGE_ID_DIFFERS))
    return tuple(reasons)
