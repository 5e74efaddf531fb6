"""Mailboxes in an address header, by the grammar of RFC 5322 §3.4 and §4.4 with RFC 6532.

An address is what the grammar gives and nothing else: a quoted local part is one mailbox, an encoded word counts in a
name alone (RFC 2047 §5), and text that only resembles an address is none. Real mailers break the grammar around the
address: commas, dots, `@` and raw bytes in a name without quotes, quotes and brackets that never close. That is put up
with as long as it can only lead to the address in the brackets at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import Final, NamedTuple

from services.classifier.reading.limits import Limits
from services.classifier.reading.mime.address import is_usable
from services.classifier.reading.mime.charset import decode
from services.classifier.reading.mime.header import decode_words
from services.classifier.reading.mime.safe_text import safe_line
from shared.messages import MailAddress

_LEXEME: Final = re.compile(
    r"""
    "(?P<quoted>(?:[^"\\]|\\.)*)"
    |(?P<encoded>=\?[^?\s<>]{1,80}\?[BbQq]\?[^?<>]*\?=)
    |(?P<square>\[(?:(?:mailto|IPv6):)?[^\s\[\]<>"(),;:\\]*(?::[^\s\[\]<>"(),;\\@]*)?\])
    |(?P<mark>[<>@,;:(])
    |(?P<space>\s+)
    |(?P<atom>[^\s"\\<>@,;:()\[\]=]+|=)
    |\\(?P<pair>.)
    |(?P<stray>.)
    """,
    re.DOTALL | re.VERBOSE | re.IGNORECASE,
)
_IN_COMMENT: Final = re.compile(r"\\.|[()]|[^()\\]+|\\", re.DOTALL)
_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
_DOT_ATOM: Final = re.compile(r"[^\s@<>\"(),;:\\\[\]]+")
_LOCAL_USER: Final = re.compile(r"[A-Za-z0-9._+-]{2,64}")
_REFERENCES: Final = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&"}
_IN_BRACKETS_OR_HTML: Final = re.compile(r"<[^<>]*>|&lt;[^<>&]{0,320}&gt;|&(?:amp|quot|#39);")
_FINAL_DOT: Final = re.compile(r"(?<=[\w-])\.(?=\s?(?:>|$))")
_QUOTED_IN_BRACKETS: Final = re.compile(r'<\s?"([^"<>\\]*)"\s?>')
_NAME_AND_ADDRESS: Final = re.compile(r'"([^"<>@\\]*)"\s?([^\s"<>@]+@[^\s"<>@]+)')
_ALL_IN_QUOTES: Final = re.compile(r'"([^"\\]*)"')
_MOST_ANGLES: Final = 8
"""Pairs of brackets of one mailbox, which has one: some mailers repeat it, only an attacker does so for ever."""


class _Kind(IntEnum):
    ATOM = auto()
    QUOTED = auto()
    ENCODED = auto()
    SQUARE = auto()
    """A domain in brackets, or an address in the wrong ones."""
    MARK = auto()
    COMMENT = auto()
    SPACE = auto()
    STRAY = auto()
    """What the grammar has no place for, such as a quote that never closes."""


_KINDS: Final = {kind.name.lower(): kind for kind in _Kind}
"""By the name of their group in `_LEXEME`."""
_LAYOUT: Final = frozenset({_Kind.SPACE, _Kind.COMMENT})
"""What may stand between any two words."""


class _Token(NamedTuple):
    kind: _Kind
    text: str
    """Quotes and comments without their marks, escaped characters as they are meant."""

    def is_mark(self, mark: str) -> bool:
        return self.kind is _Kind.MARK and self.text == mark


_OPEN_QUOTE: Final = _Token(_Kind.STRAY, '"')


@dataclass(slots=True)
class _Item:
    """What stands between two commas: words, addresses in brackets, words behind them."""

    before: list[_Token] = field(default_factory=list)
    angles: list[list[_Token]] = field(default_factory=list)
    after: list[_Token] = field(default_factory=list)
    ended_by: str = ""


def parse_addresses(values: Iterable[bytes], limits: Limits) -> tuple[MailAddress, ...]:
    """All mailboxes of the header's `values`, groups opened, at most `limits.addresses`.

    An address is in one spelling: quoted only where it must be. A user without a domain (`MAILER-DAEMON`) counts where
    he is all that a header says. A header stands once in a mail (RFC 5322 §3.6): several count as far as they are no
    longer together than one may be, `limits.header_value` bytes.
    """
    mailboxes: list[MailAddress] = []
    left = limits.header_value
    for place, value in enumerate(values):
        left -= len(value)
        if place and left < 0:  # whole values only: a part of one could spell somebody else's address
            break
        for mailbox in _mailboxes(decode(value), limits):
            mailboxes.append(mailbox)
            if len(mailboxes) >= limits.addresses:
                return tuple(mailboxes)
    return tuple(mailboxes)


def mended_address(values: Sequence[bytes], limits: Limits) -> MailAddress | None:
    """The one mailbox that can be meant by a header in which the grammar finds none; None where there are more.

    Some mailers encode name and address as one word, put the address in quotes, or end it in the dot of an absolute
    domain; invisible characters come along when it is copied. A server that checks DMARC may read such a header
    otherwise, so it is for the reader to say whether anything else speaks against it.
    """
    if len(values) != 1:
        return None
    text = safe_line(_without_html(decode_words(values[0])), limits.header_value).strip()
    text = _FINAL_DOT.sub("", _QUOTED_IN_BRACKETS.sub(r"<\1>", text))
    if (named := _NAME_AND_ADDRESS.fullmatch(text)) is not None:
        text = f'"{named[1]}" <{named[2]}>'
    elif (quoted := _ALL_IN_QUOTES.fullmatch(text)) is not None:
        text = quoted[1]
    found = [mailbox for mailbox in _mailboxes(text, limits) if is_usable(mailbox.address)]
    return found[0] if len(found) == 1 else None


def _mailboxes(text: str, limits: Limits) -> Iterator[MailAddress]:
    items = list(_items(_tokens(_without_html(text))))
    words: list[str] = []
    for item in items:
        address = _address_of(item)
        if address is None and len(items) == 1:
            address = _local_user(item)
        if address is not None and len(address) <= limits.address and _is_printable(address):
            # QUIRK: `Smit, Kees <kees@b.example>`: a comma that nobody quoted stands within the name
            name = ", ".join([*words, _name(item, limits)] if item.angles else [_name(item, limits)])
            yield MailAddress(name=safe_line(name.strip(", "), limits.name), address=address)
        is_words = item.ended_by == "," and address is None and not item.angles and not _has_at(item.before)
        words = [*words, _name(item, limits)] if is_words and len(words) < limits.name else []


def _without_html(text: str) -> str:
    """QUIRK: web forms that write a header as html, `Jan &lt;jan@b.example&gt;`, or the name in it."""
    if "&" not in text:
        return text
    if "<" in text:
        return _IN_BRACKETS_OR_HTML.sub(_named_in_html, text)
    if "&lt;" not in text:
        return text
    for reference, mark in _REFERENCES.items():
        text = text.replace(reference, mark)
    return text


def _named_in_html(place: re.Match[str]) -> str:
    """What stands in brackets as it is; of a name `&amp;` as `&`, and without the address that it repeats."""
    if place[0].startswith("<"):
        return place[0]
    return {"&amp;": "&", "&#39;": "'"}.get(place[0], "")


def _is_printable(address: str) -> bool:
    """Whether every character can be shown; spaces of a quoted local part are part of it, however many."""
    visible = address.replace(" ", "")
    return safe_line(visible, len(visible)) == visible


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while (lexeme := _LEXEME.match(text, position)) is not None:
        position = lexeme.end()
        kind, content = lexeme.lastgroup or "", lexeme[lexeme.lastgroup or 0]
        if content == "(" and kind == "mark":
            comment, position = _comment(text, position)
            yield _Token(_Kind.COMMENT, comment)
        elif kind == "quoted":
            yield _Token(_Kind.QUOTED, _PAIR.sub(r"\1", content))
        elif kind == "pair":
            yield _Token(_Kind.STRAY, content)
        else:
            yield _Token(_KINDS[kind], content)


def _comment(text: str, start: int) -> tuple[str, int]:
    """A comment from behind its first parenthesis, and where it ends; comments nest. One that never ends is all."""
    depth = 1
    pieces: list[str] = []
    for piece in _IN_COMMENT.finditer(text, start):
        depth += (piece[0] == "(") - (piece[0] == ")")
        if not depth:
            return "".join(pieces), piece.end()
        pieces.append(piece[0].removeprefix("\\"))
    return "".join(pieces), len(text)


def _items(tokens: Iterable[_Token]) -> Iterator[_Item]:
    item = _Item()
    angle: list[_Token] | None = None
    for token in tokens:
        mark = token.text if token.kind is _Kind.MARK else ""
        if mark in {",", ";"} and not _is_route(angle):
            item.ended_by = mark
            yield item
            item, angle = _Item(), None
        elif mark == "<":
            if angle is None or any(each.kind is not _Kind.SPACE for each in angle):
                angle = []
                item.angles.append(angle)
                item.after.clear()
        elif mark == ">" and item.angles:
            angle = None
        elif mark == ">":
            item.before.append(_Token(_Kind.STRAY, mark))
        elif angle is not None:
            angle.append(token)
        elif item.angles:
            item.after.append(token)
        elif mark == ":" and not _has_at(item.before):
            item.before.clear()  # the name of a group
        else:
            item.before.append(token)
    yield item


def _is_route(angle: Sequence[_Token] | None) -> bool:
    """Whether a comma belongs to the hosts of a source route, `<@a,@b:jan@c>` (RFC 5322 §4.4)."""
    return bool(angle) and angle is not None and angle[0].is_mark("@") and not any(each.is_mark(":") for each in angle)


def _has_at(tokens: Iterable[_Token]) -> bool:
    return any(token.is_mark("@") for token in tokens)


def _address_of(item: _Item) -> str | None:
    if item.angles:
        if len(item.angles) > _MOST_ANGLES:
            return None
        last = _address(item.angles[-1])
        others = {_address(angle) for angle in item.angles[:-1]} - {None, last}
        return None if others or _has_at(item.after) else last  # by another reading it is somebody else's
    said = _without_comments(item.before)
    if said and said[-1].kind is _Kind.SQUARE and "@" in said[-1].text and not _has_at(said):
        # QUIRK: Outlook's `Jan Smit [mailto:jan@b.example]` in the head of a mail that it quotes
        return _address(list(_tokens(said[-1].text[1:-1])))
    return _address(item.before)


def _local_user(item: _Item) -> str | None:
    said = _without_comments(item.angles[-1] if item.angles and item.angles[-1] else item.before)
    is_one = len(said) == 1 and said[0].kind is _Kind.ATOM and _LOCAL_USER.fullmatch(said[0].text)
    return said[0].text if is_one else None


def _address(tokens: Sequence[_Token]) -> str | None:
    """The address that these tokens spell by the grammar, its obsolete forms too; None for anything else."""
    said = _joined_atoms(tokens)
    colon = next((place for place, token in enumerate(said) if token.is_mark(":")), None)
    if colon is not None:
        scheme = colon == 1 and said[0].kind is _Kind.ATOM and said[0].text.lower() == "mailto"
        if not scheme and not _is_hosts(said[:colon]):
            return None
        said = said[colon + 1 :]
    at = next((place for place, token in enumerate(said) if token.is_mark("@")), None)
    if at is None:
        return None
    local, domain = _dotted(said[:at], may_quote=True), _domain(said[at + 1 :])
    if not local or not domain:
        return None
    if not _DOT_ATOM.fullmatch(local):
        local = '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'
    return f"{local}@{domain}"


def _joined_atoms(tokens: Iterable[_Token]) -> list[_Token]:
    """The tokens without white space and comments; atoms that touch are one."""
    joined: list[_Token] = []
    touching: list[str] = []
    for token in tokens:
        if token.kind is _Kind.ATOM:
            touching.append(token.text)
            continue
        if touching:
            joined.append(_Token(_Kind.ATOM, "".join(touching)))
            touching = []
        if token.kind not in _LAYOUT:
            joined.append(token)
    if touching:
        joined.append(_Token(_Kind.ATOM, "".join(touching)))
    return joined


def _is_hosts(tokens: Sequence[_Token]) -> bool:
    """The hosts of a source route: `@a,@b`."""
    allowed = all(token.kind in {_Kind.ATOM, _Kind.SQUARE} or token.text in {"@", ","} for token in tokens)
    return bool(tokens) and tokens[0].is_mark("@") and allowed


def _dotted(tokens: Sequence[_Token], *, may_quote: bool) -> str | None:
    """Words with dots between them (obs-local-part, obs-domain); None where two stand side by side without one."""
    pieces: list[str] = []
    needs_dot = False
    for token in tokens:
        is_atom = token.kind is _Kind.ATOM
        if not is_atom and not (may_quote and token.kind is _Kind.QUOTED):
            return None
        if needs_dot and not (is_atom and token.text.startswith(".")):
            return None
        pieces.append(token.text)
        needs_dot = not (is_atom and token.text.endswith("."))
    return "".join(pieces)


def _domain(tokens: Sequence[_Token]) -> str | None:
    if len(tokens) == 1 and tokens[0].kind is _Kind.SQUARE:
        return None if "@" in tokens[0].text else tokens[0].text
    domain = _dotted(tokens, may_quote=False)
    return domain if domain and all(domain.split(".")) else None


def _without_comments(tokens: Iterable[_Token]) -> list[_Token]:
    return [token for token in tokens if token.kind not in _LAYOUT]


def _name(item: _Item, limits: Limits) -> str:
    """The words in front of an address in brackets, else those behind it, else a comment; encoded words decoded."""
    is_bare = not item.angles and _has_at(item.before)
    words = "" if is_bare else _text(item.before) or _text(item.after)
    if not item.angles and words and item.before and _without_comments(item.before)[-1].kind is _Kind.SQUARE:
        words = words.rpartition("[")[0].strip()
    if not words or (not item.angles and _local_user(item)):
        comments = [token.text for token in (*item.before, *item.after) if token.kind is _Kind.COMMENT]
        words = comments[0] if comments else ("" if _local_user(item) and not item.ended_by else words)
    return _unquoted(safe_line(decode_words(words.encode()), limits.name))


def _text(tokens: Iterable[_Token]) -> str:
    return "".join(token.text for token in tokens if token.kind is not _Kind.COMMENT and token != _OPEN_QUOTE).strip()


def _unquoted(name: str) -> str:
    """A name without the quotes around it that some clients encode along with it."""
    name = name.strip()
    while len(name) > 1 and name[0] == name[-1] and name[0] in "'\"":
        name = name[1:-1].strip()
    return name
