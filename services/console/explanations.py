"""Reasons («waarom») as people read them: a sentence each, with what a person can do about it, in their language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from services.console.repairs.mails import ExplainedReason
from services.console.texts import texts
from shared.messages import Reason
from shared.portal import delivery, english, reasons
from shared.portal.delivery import DeliveryReason
from shared.portal.english import explanation_in_english
from shared.portal.reasons import Explanation, NotSentReason


def sentences(of_mail: Iterable[ExplainedReason | Mapping[str, Any]]) -> list[str]:
    """Each reason with its remedy, as the command line says it."""
    return [_joined(explained(reason, texts().language)) for reason in of_mail]


def with_sentences(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its reasons as sentences."""
    return {**row, "reasons": sentences(row["reasons"])} if "reasons" in row else dict(row)


def of_mail_out(reason: str | None) -> str:
    """Why a mail out was not sent, or not yet, as the command line says it."""
    return _joined(explained_mail_out(reason, texts().language))


def explained(reason: ExplainedReason | Mapping[str, Any], language: str) -> Explanation:
    """Sentence and remedy of a reason of a mail, whose own are Dutch."""
    given = reason if isinstance(reason, Mapping) else asdict(reason)
    if language == "nl":
        return Explanation(given["sentence"], given["remedy"])
    # a ticket_writer of before this version answers a question without the detail
    return explanation_in_english(Reason.model_validate({"id": given["id"], "detail": given.get("detail", "")}))


def explained_mail_out(reason: str | None, language: str) -> Explanation:
    """Why a mail out was not sent, or not yet; what only a newer version knows, as its id."""
    in_dutch = language == "nl"
    if reason in set(DeliveryReason):
        of_deliveries = delivery.DELIVERY if in_dutch else english.DELIVERY
        return of_deliveries[DeliveryReason(reason)]
    if reason in set(NotSentReason):
        of_not_sent = reasons.NOT_SENT if in_dutch else english.NOT_SENT
        return of_not_sent[NotSentReason(reason)]
    return Explanation(reason or "")


def _joined(explanation: Explanation) -> str:
    return " → ".join(filter(None, (explanation.sentence, explanation.remedy)))
