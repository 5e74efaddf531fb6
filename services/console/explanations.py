"""Reasons («waarom») as the command line says them: a sentence each, with what a person can do about it."""

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
    """Each reason with its remedy."""
    return [_sentence(reason if isinstance(reason, Mapping) else asdict(reason)) for reason in of_mail]


def with_sentences(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its reasons as sentences."""
    return {**row, "reasons": sentences(row["reasons"])} if "reasons" in row else dict(row)


def of_mail_out(reason: str | None) -> str:
    """Why a mail out was not sent, or not yet; what only a newer version knows, as its id."""
    in_dutch = texts().language == "nl"
    if reason in set(DeliveryReason):
        return _joined((delivery if in_dutch else english).DELIVERY[DeliveryReason(reason)])
    if reason in set(NotSentReason):
        return _joined((reasons if in_dutch else english).NOT_SENT[NotSentReason(reason)])
    return reason or ""


def _sentence(reason: Mapping[str, Any]) -> str:
    if texts().language == "nl":
        return _joined(Explanation(reason["sentence"], reason["remedy"]))
    return _joined(explanation_in_english(Reason.model_validate({"id": reason["id"], "detail": reason["detail"]})))


def _joined(explanation: Explanation) -> str:
    return " → ".join(filter(None, (explanation.sentence, explanation.remedy)))
