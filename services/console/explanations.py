"""Reasons («waarom») as the command line says them: a sentence each, with what a person can do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.console.repairs.mails import ExplainedReason


def sentences(reasons: Iterable[ExplainedReason | Mapping[str, Any]]) -> list[str]:
    """Each reason with its remedy."""
    pairs = [
        (reason["sentence"], reason["remedy"]) if isinstance(reason, Mapping) else (reason.sentence, reason.remedy)
        for reason in reasons
    ]
    return [" → ".join(filter(None, pair)) for pair in pairs]


def with_sentences(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its reasons as sentences."""
    return {**row, "reasons": sentences(row["reasons"])} if "reasons" in row else dict(row)
