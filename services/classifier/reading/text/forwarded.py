"""Who first sent a mail that somebody forwarded (a setting decides whether that one counts as its sender).

An attached message tells it for certain, and goes before what the text says: there the outermost header block counts.
Reports and digests carry messages that nobody forwarded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.classifier.reading.conclusions import Forwarded, How
from services.classifier.reading.limits import Limits
from services.classifier.reading.mime.address import is_usable, same_address
from services.classifier.reading.mime.address_header import parse_addresses
from services.classifier.reading.mime.parser import attached_header
from services.classifier.reading.mime.part import Part
from services.classifier.reading.mime.safe_text import safe_line
from services.classifier.reading.text.attribution import attribution_end
from services.classifier.reading.text.header_block import (
    MOST_LINES,
    Field,
    Separator,
    bare,
    fields_in_one_line,
    header_block_at,
    header_field,
    separator,
)
from services.classifier.reading.text.subject_prefix import Prefix, prefix_of, without_forward_prefixes
from shared.messages import MailAddress

_MESSAGES: Final = frozenset({"message/rfc822", "message/global"})
_OF_REPORTS: Final = frozenset({"multipart/report", "message/feedback-report", "message/delivery-status"})
_QUOTED: Final = re.compile(r"^[ \t\xa0]{0,3}>")
_BETWEEN_DASHES: Final = re.compile(r"^[\s>*]*-{4,}\s*[^\s-].{2,80}[^\s-]\s*-{3,}\s*$")
_RULED: Final = re.compile(r"^[\s>*]*[-_=–—]{3,}[\s*]*$")
_LINKED: Final = re.compile(r"(?<=[^\s<])<mailto:[^<>]{0,320}>|(?<=\])\(mailto:[^()]{0,320}\)|mailto:", re.IGNORECASE)
"""What clients put behind an address, or before it, for a link."""
_ADDRESS: Final = re.compile(r"[^\s<>\"'(),;:\[\]@]{1,64}@[^\s<>\"'(),;:\[\]@]{1,250}[^\s<>\"'(),;:\[\]@.]")
_QUOTED_NAME: Final = re.compile(r"[\"“„«»‘']\s*+([^\"“”„«»]{1,200})[\"”“»«’']$")
_BEFORE_NAME: Final = re.compile(
    r"^.*(?:[0-9][.,:]?(?:\s?[ap]\.?m\.?)?(?![^\s,])|(?<!\w)(?:heeft|has|hat|a|ha|user|użytkownik|пользователь|користувач|"
    r"používateľ|uživatel|felhasználó|időpontban|schreef|schrieb|skrev|kirjoitti|χρήστης|by|från|von|van|de|le|"
    r"skrev følgende))[\s,:]+",
    re.IGNORECASE,
)
_LONGEST_INTRODUCTION: Final = 60
_AROUND_NAME: Final = " \t\xa0\"'“”„«»‘’<>()[]{}*_,;:|"


def find_attached(root: Part, limits: Limits) -> Forwarded | None:
    """The sender of the first attached message; None for a mail that has none, and for a report or digest."""
    parts = list(root.walk())
    if any(part.media_type in _OF_REPORTS for part in parts):
        return None
    digests = tuple(f"{part.path}." if part.path else "" for part in parts if part.media_type == "multipart/digest")
    for part in parts:
        if not (digests and part.path.startswith(digests)) and (forwarded := _attached(part, limits)) is not None:
            return forwarded
    return None


def find_quoted(texts: Sequence[str], subject: str, limits: Limits) -> Forwarded | None:
    """The sender whom the outermost header block in a text names, if the mail forwards that block.

    It does where the separator above it says so, or the mail's subject; or where neither says anything, but nothing
    stands above the block. A block below an answer is that of a quote, and what stands below that one does not count.
    """
    texts = texts[:MOST_LINES]
    prefix = prefix_of(subject)
    said_above = False
    index = 0
    while index < len(texts):
        if not bare(texts[index]):
            index += 1
            continue
        kind = _separator(texts, index, prefix, said_above=said_above)
        below = index
        if (kind is not None and not fields_in_one_line(texts[index])) or _RULED.match(texts[index]):
            below = next((each for each in range(index + 1, len(texts)) if bare(texts[each])), len(texts))
        header = _header(texts, below, limits) if below < len(texts) else None
        if header is not None:
            forwards = kind is Separator.FORWARDED or prefix is Prefix.FORWARD
            unsaid = prefix is None and not said_above and header.is_block
            if forwards or unsaid:
                original = header.subject or safe_line(without_forward_prefixes(subject), limits.subject)
                alone = not _others(texts, header, limits)
                return Forwarded(header.sender.name, header.sender.address, original, How.QUOTED, alone)
            return None
        said_above = said_above or (kind is None and not _RULED.match(texts[index]))
        index += 1
    return None


def _separator(texts: Sequence[str], index: int, prefix: Prefix | None, *, said_above: bool) -> Separator | None:
    """What a line says of the mail below; one in a quote says it of the quoted mail, unless the mail is all quote.

    What only looks like one says so too, since a forwarded mail may be one in a language that is not known here.
    """
    if _QUOTED.match(texts[index]) and prefix is not Prefix.FORWARD and (said_above or prefix is Prefix.ANSWER):
        return None
    kind = separator(texts[index])
    if kind is None and prefix is not Prefix.ANSWER and _may_introduce(texts, index):
        return Separator.FORWARDED
    return kind


def _may_introduce(texts: Sequence[str], index: int) -> bool:
    """Whether a line looks like a separator, above a header block: words between dashes, or a few and a colon."""
    line = bare(texts[index])
    if _BETWEEN_DASHES.match(texts[index]):
        return True
    if not line.endswith((":", "：")) or len(line) > _LONGEST_INTRODUCTION or header_field(line) is not None:
        return False
    below = next((each for each in range(index + 1, min(len(texts), index + 4)) if bare(texts[each])), None)
    return below is not None and header_block_at(texts, below) is not None


@dataclass(frozen=True, slots=True)
class _Header:
    sender: MailAddress
    subject: str
    begin: int
    end: int
    is_block: bool = True


def _header(texts: Sequence[str], index: int, limits: Limits) -> _Header | None:
    """The header in line `index`, of a shape that clients write above a mail; None without a sender's address."""
    block = header_block_at(texts, index)
    if block is not None:
        sender = _mailbox(block.fields[Field.FROM], limits)
        subject = safe_line(block.fields.get(Field.SUBJECT, ""), limits.subject)
        return None if sender is None else _Header(sender, subject, index, block.end)
    glued = fields_in_one_line(texts[index])
    if Field.FROM in glued and len(glued) > 2:  # noqa: PLR2004 - a sender and two more, as in a block
        sender = _mailbox(glued[Field.FROM], limits)
        subject = safe_line(glued.get(Field.SUBJECT, ""), limits.subject)
        return None if sender is None else _Header(sender, subject, index, index + 1)
    end = attribution_end(texts, index)
    if end is None:
        return None
    sender = _named_in(" ".join(bare(line) for line in texts[index:end]), limits)
    return None if sender is None else _Header(sender, "", index, end, is_block=False)


def _others(texts: Sequence[str], header: _Header, limits: Limits) -> bool:
    """Whether a block of another sender stands below, quoted no deeper."""
    depth = _depth(texts[header.begin])
    for index in range(header.end, len(texts)):
        if header_field(texts[index]) is None or _depth(texts[index]) != depth:
            continue
        block = header_block_at(texts, index)
        sender = None if block is None else _mailbox(block.fields[Field.FROM], limits)
        if sender is not None and not same_address(sender.address, header.sender.address):
            return True
    return False


def _depth(text: str) -> int:
    return text[:_LONGEST_INTRODUCTION].count(">") if _QUOTED.match(text) else 0


def _mailbox(value: str, limits: Limits) -> MailAddress | None:
    """The mailbox in a header line of a text: `Jan <jan@…>`, `Jan [mailto:jan@…]`, `jan@… (Jan)`, `Jan jan@…`."""
    value = _LINKED.sub("", value.replace("&lt;", "<").replace("&gt;", ">"))
    address_match = _ADDRESS.search(value)
    if address_match is None:
        return None
    name = value[: address_match.start()].strip(_AROUND_NAME) or value[address_match.end() :]
    name = safe_line(name.strip(_AROUND_NAME), limits.name).strip(_AROUND_NAME)
    address = address_match[0].strip(".")
    return MailAddress(name="" if name.casefold() == address.casefold() else name, address=address)


def _named_in(attribution: str, limits: Limits) -> MailAddress | None:
    """The mailbox in an attribution: the name stands before the address, behind a date or a word such as `heeft`."""
    text = _LINKED.sub("", attribution.replace("&lt;", "<").replace("&gt;", ">"))
    address_match = _ADDRESS.search(text)
    if address_match is None:
        return None
    before = text[: address_match.start()].rstrip(" <([:")
    quoted = _QUOTED_NAME.search(before)
    name = quoted[1] if quoted else _BEFORE_NAME.sub("", before)
    return MailAddress(name=safe_line(name.strip(_AROUND_NAME), limits.name), address=address_match[0].strip("."))


def _attached(part: Part, limits: Limits) -> Forwarded | None:
    if part.media_type not in _MESSAGES:
        return None
    headers = attached_header(part.content, limits)
    sender = next(
        (mailbox for mailbox in parse_addresses(headers.all("from"), limits) if is_usable(mailbox.address)), None
    )
    if sender is None:
        return None
    return Forwarded(sender.name, sender.address, safe_line(headers.text("subject"), limits.subject), How.ATTACHED)
