"""Delivery reports: which recipients, what became of them, and which mail of ours they speak of (SPEC D6).

RFC 3464 reports are read field by field. Servers that write reports of their own are known by who sends them, what
they call them and what they say; nothing is a report by one sign alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from services.classifier.rules.charset import decode
from services.classifier.rules.header import Headers
from services.classifier.rules.limits import Limits
from services.classifier.rules.mime import Part, attached_header
from services.classifier.rules.safe_text import safe_line
from shared.messages import BouncedRecipient

_MOST_RECIPIENTS: Final = 100
_LONGEST_DIAGNOSTIC: Final = 500
_MOST_TEXT: Final = 20_000

_DAEMON: Final = re.compile(
    r"^(?:mailer[-_.]?daemon|mail[-_.]?daemon|post-?master|mdaemon|mailerdaemon|bounces?|bounce[-+].*|"
    r"mail[-_.]?delivery(?:[-_.]?(?:system|subsystem))?|delivery-?(?:reports?|status)|"
    r"microsoftexchange[0-9a-f]{32}|ndr|no-?reply-?bounce|smtp-?gateway|mail-?returned)$",
    re.IGNORECASE,
)
_DAEMON_NAME: Final = re.compile(
    r"mail delivery (?:sub)?system|mailer[- ]daemon|postmaster|mail administrator|microsoft outlook|"
    r"mail delivery service|internet mail delivery",
    re.IGNORECASE,
)
_SUBJECT: Final = re.compile(
    r"undeliver(?:able|ed)|delivery (?:status )?(?:notification|failure|failed|report|error|problem)|"
    r"delivery (?:delayed|has failed)|returned (?:mail|e-?mail|message)|mail (?:delivery|could not be|not|system)|"
    r"failure (?:notice|delivery)|"
    r"(?:message|mail) (?:delivery|status|you sent|delayed|undeliver)|non-?deliver|not delivered|"
    r"could not be delivered|unable to deliver|failed (?:mail|delivery)|mail failure|nondeliverable|"
    r"error sending|user unknown|"
    r"warning: (?:message|could not send|e-?mail)|bounced? (?:mail|message)|rejected|delivery\b.*\bfail|"
    r"onbestelbaar|niet bezorgd|bezorging (?:mislukt|is mislukt)|kan niet worden bezorgd|niet afgeleverd|"
    r"unzustellbar|nicht zustellbar|zustellung fehlgeschlagen|nachricht nicht|fehler bei der zustellung|"
    r"non remis|échec de (?:la )?remise|courrier non|message non distribu|no se puede entregar|no entregado|"
    r"mancata consegna|não (?:foi )?entreg|не доставлен|недоставлен|配信|送信|退信|系统退信",
    re.IGNORECASE,
)
_SAYS_FAILED: Final = re.compile(
    r"could(?: not|n't) be (?:delivered|sent|reached)|(?:unable|failed|not able) to (?:deliver|send|relay)|"
    r"permanent(?:ly)? (?:fatal )?(?:error|fail)|undeliver(?:able|ed)|(?:user|mailbox|account|recipient|address|host)"
    r".{0,40}(?:unknown|not found|does(?: not|n't) exist|no such|unavailable|disabled|full|over quota|rejected|invalid|"
    r"suspended|inactive|not listed)|no such (?:user|person|mailbox|address|recipient)|(?:unknown|invalid) "
    r"(?:user|recipient|address|local)|delivery (?:to the following|has failed|failed|status|attempts?)|"
    r"(?:message|mail) (?:was |has been |is )?(?:rejected|refused|delayed|returned|not delivered|blocked)|"
    r"returned message|does not like recipient|returning (?:message|mail)|transcript of session|"
    r"giving up on|did not reach|"
    r"(?<![0-9.])[45][0-9]{2}[ -#]{1,2}[45]\.[0-9]{1,3}\.[0-9]{1,3}|not be delivered|quota exceeded|"
    r"niet (?:worden )?(?:bezorgd|afgeleverd)|onbestelbaar|nicht zugestellt|unzustellbar|"
    r"配信|送信できません|不存在|退信",
    re.IGNORECASE,
)
_STATUS: Final = re.compile(r"(?<![0-9.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])")
_REPLY_CODE: Final = re.compile(r"(?<![0-9.:-])([45][0-5][0-9])(?=[ -]\D|[ -][45]\.)")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,250}[A-Za-z0-9]")
_RETURNED: Final = re.compile(
    r"^\W{0,8}(?:-{1,40} ?(?:(?:this is|below this line is|here is|the following is) )?(?:a copy of )?(?:the )?"
    r"(?:original|your|returned|unsent|undelivered|body of|headers?).*|(?:received|return-path|message-id): .*)$",
    re.IGNORECASE | re.MULTILINE,
)
_MESSAGE_ID: Final = re.compile(
    r"^[>|\s]*(?:original-)?message-id\s*:\s*<([^<>\s]{3,250})>", re.IGNORECASE | re.MULTILINE
)
_RETURNED_TYPES: Final = frozenset(
    {"message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers"}
)
_DATA_TYPES: Final = frozenset({"message/delivery-status", "message/global-delivery-status"})


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a report says: each recipient, and the Message-IDs of the mails that it returns or names."""

    recipients: tuple[BouncedRecipient, ...]
    returned_message_ids: tuple[str, ...]
    sign: str
    """What told that it is one, for the explanation."""


def read_delivery_report(
    root: Part, *, sender: str, sender_name: str, subject: str, text: str, limits: Limits
) -> DeliveryReport | None:
    """The report that this mail is, or None. `text` is what its body says; attached messages are not looked into."""
    leaves = [part for part in root.walk() if not part.is_multipart]
    statuses = [part for part in leaves if part.media_type in _DATA_TYPES]
    if statuses:
        recipients = tuple(entry for part in statuses for entry in _recipients(decode(part.content()), limits))
        return DeliveryReport(
            recipients[:_MOST_RECIPIENTS], _returned(root, leaves, text, limits), "message/delivery-status"
        )
    sign = _unstructured_sign(root, sender, sender_name, subject, text)
    if sign is None:
        return None
    return DeliveryReport(_recipients_in_text(root.headers, text), _returned(root, leaves, text, limits), sign)


def _unstructured_sign(root: Part, sender: str, sender_name: str, subject: str, text: str) -> str | None:
    headers = root.headers
    called_so = bool(_SUBJECT.search(subject))
    if _is_something_else(root, called_so=called_so):
        return None
    from_daemon = bool(_DAEMON.match(sender.partition("@")[0]) or _DAEMON_NAME.search(sender_name))
    empty_path = headers.text("return-path").strip() == "<>"
    says_so = bool(_SAYS_FAILED.search(text[:_MOST_TEXT]))
    returns = any(part.media_type in _RETURNED_TYPES for part in root.walk()) or bool(
        _RETURNED.search(text[: _MOST_TEXT * 2])
    )
    signs = {
        "X-Failed-Recipients": headers.has("x-failed-recipients"),
        "multipart/report": root.media_type == "multipart/report" and (from_daemon or called_so),
        "mailer-daemon": from_daemon and says_so and (called_so or returns or empty_path),
        "report in words": called_so and says_so and (empty_path or returns) and not headers.has("in-reply-to"),
    }
    return next((sign for sign, found in signs.items() if found), None)


def _is_something_else(root: Part, *, called_so: bool) -> bool:
    """A read receipt or feedback report (RFC 8098, 5965), an automatic answer, a list's mail."""
    headers = root.headers
    report_type = root.parameters.get("report-type", "").lower()
    return (
        (root.media_type == "multipart/report" and report_type not in {"", "delivery-status"})
        or (headers.token("auto-submitted").startswith("auto-replied") and not called_so)
        or ((headers.has("list-id") or headers.has("list-unsubscribe")) and not headers.has("x-failed-recipients"))
    )


def _recipients(status: str, limits: Limits) -> list[BouncedRecipient]:
    """The per-recipient groups of a message/delivery-status part (RFC 3464 2.3); the first group is of the message."""
    groups = re.split(r"\r?\n[ \t]*\r?\n", status.replace("\r\n", "\n").strip())
    found = []
    for group in groups[: _MOST_RECIPIENTS * 2]:
        fields = _fields(group, limits)
        recipient = fields.get("final-recipient") or fields.get("original-recipient") or ""
        if not recipient and "action" not in fields and "status" not in fields:
            continue
        diagnostic = fields.get("diagnostic-code", "")
        in_status = _STATUS.search(fields.get("status", ""))
        in_diagnostic = _STATUS.search(diagnostic)
        if in_status and in_diagnostic and in_status[1].endswith(".0.0"):
            in_status = in_diagnostic  # QUIRK: 5.0.0 says nothing where the server's own words say more
        status_code = in_status or in_diagnostic
        address = _ADDRESS.search(recipient)
        found.append(
            BouncedRecipient(
                recipient=safe_line(address[0] if address else recipient.rpartition(";")[2], limits.address),
                status=status_code[1] if status_code else "",
                action=fields.get("action", "").partition(" ")[0].strip().lower(),
                diagnostic=safe_line(diagnostic.partition(";")[2] or diagnostic, _LONGEST_DIAGNOSTIC),
            )
        )
    return found


def _fields(group: str, limits: Limits) -> dict[str, str]:
    headers = attached_header(group.encode("utf-8", "replace"), limits)
    fields: dict[str, str] = {}
    for name, value in headers.fields:
        fields.setdefault(name, decode(value))
    return fields


def _recipients_in_text(headers: Headers, text: str) -> tuple[BouncedRecipient, ...]:
    """What a report in words says: the addresses before the returned mail begins, and the first status code."""
    returned = _RETURNED.search(text, 1)
    said = text[: returned.start() if returned else _MOST_TEXT][:_MOST_TEXT]
    if not said.strip():
        said = text[:_MOST_TEXT]
    status = _STATUS.search(said)
    reply_code = _REPLY_CODE.search(said)
    failed = _SAYS_FAILED.search(said)
    code = status[1] if status else (f"{reply_code[1][0]}.0.0" if reply_code else "")
    action = "delayed" if re.search(r"delayed|will (?:retry|continue)|vertraagd", said, re.IGNORECASE) else "failed"
    if not code and action == "failed" and failed:
        code = "5.0.0"
    line = next((line for line in said.splitlines() if _STATUS.search(line) or _REPLY_CODE.search(line)), "")
    own = {address.lower() for address in _ADDRESS.findall(headers.text("from"))}
    addresses = _ADDRESS.findall(headers.text("x-failed-recipients")) or _ADDRESS.findall(said)
    unique = list(dict.fromkeys(address for address in addresses if address.lower() not in own))
    chosen = unique[:_MOST_RECIPIENTS] if headers.has("x-failed-recipients") else unique[:1]
    return tuple(
        BouncedRecipient(recipient=address, status=code, action=action, diagnostic=safe_line(line, _LONGEST_DIAGNOSTIC))
        for address in chosen
    )


def _returned(root: Part, leaves: list[Part], text: str, limits: Limits) -> tuple[str, ...]:
    """Message-IDs of the returned mail: of the attached message or headers, named in the report, or in its words."""
    found: list[str] = []
    for part in leaves:
        if part.media_type in _RETURNED_TYPES:
            inner = attached_header(part.content(), limits)
            found += message_ids(inner.text("message-id"))
        elif part.media_type in _DATA_TYPES:
            found += _MESSAGE_ID.findall(decode(part.content()))
    found += _MESSAGE_ID.findall(text[: _MOST_TEXT * 4])
    for name in ("in-reply-to", "references"):
        found += message_ids(root.headers.text(name))
    return tuple(dict.fromkeys(found))[: limits.references]


def message_ids(value: str) -> list[str]:
    """The Message-IDs in a header value, without brackets; a value without brackets is one if it has no spaces."""
    found = re.findall(r"<\s*([^<>\s]{1,250})\s*>", value)
    bare = value.strip().strip("<>")
    if not found and bare and " " not in bare and len(bare) <= 250:  # noqa: PLR2004 - as in the pattern above
        return [bare]
    return found
