"""Senders and mailing lists that people block or let through: the rows of `sender_rules` (SPEC D17)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from services.console.fields import LONGEST_ADDRESS, Address, BadValue
from services.console.texts import N_
from shared.database.pool import Connection
from shared.errors import ImporterError
from shared.sentences import Sentence

Verdict = Literal["allow", "allow-automatic", "block"]

_PUT: Final = """
    INSERT INTO sender_rules (helpdesk_id, kind, pattern, verdict) VALUES ($1, $2, $3, $4)
    ON CONFLICT ON CONSTRAINT sender_rule_is_unique DO UPDATE SET verdict = excluded.verdict"""

_REMOVE: Final = """
    DELETE FROM sender_rules
    WHERE helpdesk_id IS NOT DISTINCT FROM $1 AND kind = $2 AND pattern = $3 RETURNING true"""

_LIST: Final = """
    SELECT rule.kind, rule.pattern, rule.verdict, helpdesk.name AS helpdesk, rule.created_at
    FROM sender_rules AS rule LEFT JOIN helpdesks AS helpdesk ON helpdesk.id = rule.helpdesk_id
    WHERE $1::bigint IS NULL OR rule.helpdesk_id = $1 OR rule.helpdesk_id IS NULL
    ORDER BY rule.kind, rule.pattern, helpdesk.name NULLS FIRST"""

_DOMAIN: Final = re.compile(r"[^\s@.<>*]+(\.[^\s@.<>*]+)+")
_LIST_ID: Final = re.compile(r"[^\s<>]+")


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a rule knows senders by; `text` in lower case."""

    kind: Literal["address", "domain", "list"]
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule about senders; one without a helpdesk counts for all."""

    kind: str
    pattern: str
    verdict: Verdict
    helpdesk: str | None
    created_at: datetime


class NotASender(ImporterError):
    """What was typed names no sender; `kind` is what it was taken for, None when it looks like nothing."""

    def __init__(self, sentence: str, kind: Literal["address", "list"] | None) -> None:
        super().__init__(sentence)
        self.kind = kind


_NO_LIST: Final = N_("%(typed)r is no List-Id; write what stands between < and > in the header List-Id.")
_NOTHING: Final = N_("%(typed)r is neither an address nor a domain; write name@example.org or example.org.")


def pattern_of(typed: str, *, is_list: bool) -> Pattern:
    """An address, a domain (with or without the @ before it) or a List-Id (with or without its angle brackets).

    Raises NotASender.
    """
    text = typed.strip().lower()
    if is_list or (text.startswith("<") and text.endswith(">")):
        text = text.removeprefix("<").removesuffix(">")
        if not _LIST_ID.fullmatch(text) or len(text) > LONGEST_ADDRESS:
            raise NotASender(Sentence(_NO_LIST, typed=typed), "list")
        return Pattern("list", text)
    domain = text.removeprefix("@")
    if "@" in domain:
        try:
            return Pattern("address", Address().parse(text))
        except BadValue as error:
            raise NotASender(f"{error}.", "address") from None
    if not _DOMAIN.fullmatch(domain) or len(domain) > LONGEST_ADDRESS:
        raise NotASender(Sentence(_NOTHING, typed=typed), None)
    return Pattern("domain", domain)


async def put(connection: Connection, helpdesk_id: int | None, pattern: Pattern, verdict: Verdict) -> None:
    """Block or let through; a rule with the other verdict is replaced."""
    await connection.execute(_PUT, helpdesk_id, pattern.kind, pattern.text, verdict)


async def remove(connection: Connection, helpdesk_id: int | None, pattern: Pattern) -> bool:
    """Take a rule away; False when there is none."""
    return bool(await connection.fetchval(_REMOVE, helpdesk_id, pattern.kind, pattern.text))


async def rules(connection: Connection, helpdesk_id: int | None) -> list[Rule]:
    """All rules, or those that count for one helpdesk; helpdesk None is a rule for all."""
    return [Rule(**row) for row in await connection.fetch(_LIST, helpdesk_id)]
