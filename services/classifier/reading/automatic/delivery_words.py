"""Delivery reports in words: which recipients a server names, and what it says of each.

Every server has a form of its own, but the forms are alike: an address at the beginning of a line, or behind a word
such as «recipient»; what went wrong beside or below it; then the mail that comes back. So the lines are read by their
place rather than by the server's name; that holds for servers that nobody has met.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from services.classifier.reading.automatic.delivery_fields import ADDRESS, LONGEST_DIAGNOSTIC, MOST_RECIPIENTS
from services.classifier.reading.automatic.smtp_status import has_code, meaning, status_of
from services.classifier.reading.limits import Limits
from services.classifier.reading.mime.safe_text import safe_line
from shared.messages import BouncedRecipient

MOST_TEXT: Final = 20_000
_MOST_LINES: Final = 400
_BLOCK_LINES: Final = 14

RETURNED: Final = re.compile(
    r"^\W{0,8}(?:[-=|_*]{1,80} ?)?(?:(?:this is|below (?:this line )?is|here is|the following is|included is) )?"
    r"(?:a |the )?(?:copy of (?:the |your )?(?:original )?(?:message|mail|headers?)\b.*|(?:copy of )?(?:the )?"
    r"(?:original|returned|unsent|undelivered|body of|headers? of|your) (?:message|mail|e-?mail|the|an?)\b"
    r"(?: text| headers?| body)?(?: of .*| follows?.*| header is.*| is following.*)?[\s:.|*_=-]*|message (?:text|"
    r"headers?|body|"
    r"details?)(?: follows?)?[\s:.|*_=-]*|(?:received|return-path|message-id|x-envelope-from): .*)$",
    re.IGNORECASE | re.MULTILINE,
)
"""The line from which on a report shows the mail that it returns."""

_BEGINS_LINE: Final = re.compile(r"[\W_]{0,12}(?:mailto:)?$")
_LABELLED: Final = re.compile(
    r"(?:^|\b)(?:to|for|rcpt(?: to)?|recipients?(?:\(s\))?(?: address(?:es)?| name)?|address(?:es)?|addressee|user|"
    r"mailbox|errors?|reason|account|delivered to|reach|exist|affected|size|permanent errors|宛先|получател\w+|"
    r"ontvanger\w*|empfänger\w*|destinataires?)\b[\s:<\"'(\[«=]*$|[45]\d\d(?:[ -][\d.]{5,9})?[ -]+<?$",
    re.IGNORECASE,
)
_OF_SENDER: Final = re.compile(
    r"^\W{0,8}(?:from|sender|mail from|reply-?to|cc|return-path|envelope-from|original sender|van|von|de|subject|date|"
    r"message-id|received|x-[\w-]+|by|id)\b\s*[:=<(]|(?:please |)(?:contact|write|reply|send mail|forward|call|mail)"
    r"\b[^@]{0,60}$|(?:generated|forwarded|sent) (?:from|by)\s*$|\bfrom[:\s<]*$|mail from:?\s*<?$|"
    r"\bsender[:\s]*<?$",
    re.IGNORECASE,
)
_SERVERS: Final = re.compile(
    r"^(?:mailer-daemon|post-?master|abuse|support|helpdesk|hostmaster|no-?reply)$", re.IGNORECASE
)
_DELAYED: Final = re.compile(
    r"\bdelayed\b|will (?:be |keep |continue |automatically )*(?:retr|tr(?:y|ied|ying)|attempt)|still being retried|"
    r"warning message only|do not need to resend|temporar(?:y|ily) (?:failure|problem|undeliver)|has not yet been|"
    r"not been delivered yet|vertraagd|verzögert|retard|в очереди|配信が遅れ",
    re.IGNORECASE,
)
_FINAL: Final = re.compile(
    r"permanent|giving up|given up|will not (?:be )?(?:retr|try)|no further (?:delivery )?attempts|failed|fatal",
    re.IGNORECASE,
)
_PERMANENT: Final = re.compile(r"permanent(?:ly)? (?:\S+ )?(?:error|fail)", re.IGNORECASE)
_DELIVERED: Final = re.compile(
    r"successfully (?:delivered|relayed|sent)|was delivered to|has been delivered|delivery was successful|"
    r"is (?:succesvol )?afgeleverd",
    re.IGNORECASE,
)
_RETURNED_TO: Final = re.compile(
    r"^(?:[>|]|[^\S\n])*+(?:to|x-envelope-to|delivered-to|rcpt to)\s*:\s*(.+)$", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class _Mention:
    address: str
    line: int
    weight: int
    """2: the line begins with it; 1: a word says that it is a recipient; 0: it is merely there."""


def said_part(text: str) -> str:
    """What the server itself says: the text before the mail that it returns, or all where nothing precedes that."""
    returned = RETURNED.search(text[: MOST_TEXT * 2])
    said = text[: returned.start() if returned else MOST_TEXT][:MOST_TEXT]
    return said if said.strip() else text[:MOST_TEXT]


def recipients_in_words(
    text: str, limits: Limits, *, named: Collection[str] = (), not_meant: Collection[str] = ()
) -> list[BouncedRecipient]:
    """What a report in words says of each recipient.

    `named` are recipients that a header names (X-Failed-Recipients); `not_meant` are addresses, in lower case, of the
    server itself and of the mail's addressee, who sent what came back.
    """
    said = said_part(text)
    lines = said.splitlines()[:_MOST_LINES]
    action = _action(said)
    gave_up = not has_code(said) and _PERMANENT.search(said) is not None
    whole = _final(_status(said, action), gave_up=gave_up)
    of_all = _diagnostic(lines)
    mentions = _chosen(lines, not_meant) if not named else _named(lines, named)
    if not mentions:
        return [_bounced(address, whole, action, of_all, limits) for address in _returned_to(text, not_meant)]
    recipients = []
    for position, mention in enumerate(mentions[:MOST_RECIPIENTS]):
        following = next((other.line for other in mentions[position + 1 :] if other.line > mention.line), len(lines))
        block = lines[mention.line : min(following, mention.line + _BLOCK_LINES)] if mention.line >= 0 else []
        status = _final(_status("\n".join(block), action), gave_up=gave_up) if _tells(block) else whole
        recipients.append(_bounced(mention.address, status, action, _diagnostic(block) or of_all, limits))
    return recipients


def _bounced(address: str, status: str, action: str, diagnostic: str, limits: Limits) -> BouncedRecipient:
    return BouncedRecipient(
        recipient=safe_line(address, limits.address), status=status, action=action, diagnostic=diagnostic
    )


def _action(said: str) -> str:
    if _DELIVERED.search(said) and not _FINAL.search(said) and not has_code(said):
        return "delivered"
    delayed = _DELAYED.search(said)
    final = _FINAL.search(said)
    # what is said first is what the report is about; «we will keep trying» stands in warnings only
    return "delayed" if delayed and (final is None or delayed.start() < final.start()) else "failed"


def _status(text: str, action: str) -> str:
    if action == "delivered":
        return "2.0.0"
    delayed = action == "delayed"
    return status_of(text, delayed=delayed) or ("4.0.0" if delayed else "5.0.0")


def _final(status: str, *, gave_up: bool) -> str:
    """QUIRK: RFC 3463 knows «expired» (x.4.7) as transient only; servers that gave up call it a permanent error."""
    return "5.4.7" if status == "4.4.7" and gave_up else status


def _tells(block: list[str]) -> bool:
    text = "\n".join(block)
    return has_code(text) or bool(meaning(text))


def _mentions(lines: list[str], not_meant: Collection[str]) -> Iterator[_Mention]:
    for number, line in enumerate(lines):
        for match in ADDRESS.finditer(line[:1000]):
            address = match[0].rstrip(".")
            before = line[: match.start()]
            local = address.partition("@")[0]
            if (
                address.lower() in not_meant
                or _OF_SENDER.search(before)
                or (_SERVERS.match(local) and not _BEGINS_LINE.match(before))
            ):
                continue
            weight = 2 if _BEGINS_LINE.match(before) else 1 if _LABELLED.search(before) else 0
            yield _Mention(address, number, weight)


def _chosen(lines: list[str], not_meant: Collection[str]) -> list[_Mention]:
    """The recipients: those at the beginning of lines if there are any, else those called so, else the first named."""
    mentions = list(_mentions(lines, not_meant))
    weight = max((mention.weight for mention in mentions), default=0)
    unique: dict[str, _Mention] = {}
    for mention in mentions:
        if mention.weight == weight:
            unique.setdefault(mention.address.lower(), mention)
    chosen = list(unique.values())
    return chosen if weight else chosen[:1]


def _named(lines: list[str], named: Collection[str]) -> list[_Mention]:
    lower = [line.lower() for line in lines]
    return [
        _Mention(address, next((number for number, line in enumerate(lower) if address.lower() in line), -1), 2)
        for address in named
    ]


def _returned_to(text: str, not_meant: Collection[str]) -> list[str]:
    """Whom the returned mail was sent to, for a report that names nobody."""
    for match in _RETURNED_TO.finditer(text[: MOST_TEXT * 2]):
        addresses = [address for address in ADDRESS.findall(match[1]) if address.lower() not in not_meant]
        if addresses:
            return list(dict.fromkeys(addresses))
    return []


def _diagnostic(lines: list[str]) -> str:
    """The server's own words: the first line with a code and what goes on from it, else the first that says why."""
    at = next((number for number, line in enumerate(lines) if has_code(line)), None)
    if at is None:
        telling = next((line for line in lines if meaning(line)), "")
        return safe_line(telling.strip(" -*>"), LONGEST_DIAGNOSTIC)
    pieces = [lines[at].strip()]
    for line in lines[at + 1 : at + 8]:
        if not line.strip() or (not line[:1].isspace() and not has_code(line)):
            break
        pieces.append(line.strip())
    return safe_line(" ".join(pieces), LONGEST_DIAGNOSTIC)


def recipients_of_notification(text: str, limits: Limits) -> list[BouncedRecipient]:
    """A bounce told by Amazon SES through SNS as JSON (SES Developer Guide, «Notification contents»); else nothing."""
    opening = text.find("{")
    if opening < 0 or '"bouncedRecipients"' not in text:
        return []
    try:
        notification, _ = json.JSONDecoder().raw_decode(text[opening : opening + MOST_TEXT])
        bounce: dict[str, Any] = notification["bounce"]
        bounced = list(bounce["bouncedRecipients"])[:MOST_RECIPIENTS]
        permanent = bounce.get("bounceType") == "Permanent"
        recipients = []
        for each in bounced:
            diagnostic = str(each.get("diagnosticCode", ""))
            status = status_of(f"{each.get('status', '')} {diagnostic}") or ("5.0.0" if permanent else "4.0.0")
            action = str(each.get("action", "failed"))
            said = safe_line(diagnostic.partition(";")[2].strip() or diagnostic, LONGEST_DIAGNOSTIC)
            recipients.append(_bounced(str(each["emailAddress"]), status, action, said, limits))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
    return recipients
