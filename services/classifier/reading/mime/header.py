"""Header fields of a mail or a part: found, unfolded and decoded (RFC 5322, 2047, 2231, 6532), with their abuses."""

from __future__ import annotations

import codecs
import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from services.classifier.reading.limits import Limits
from services.classifier.reading.mime.charset import codec_of, decode
from services.classifier.reading.mime.transfer import decode_base64

_FIELD: Final = re.compile(rb"([!-9;-~]{1,200})[ \t]*:[ \t]*(.*)", re.DOTALL)
_ENCODED_WORD: Final = re.compile(r"=\?([^?\s]{1,80})\?([BbQq])\?([^?]*(?:\?(?!=)[^?]*){0,20}?)(?:\?=|$)")
_BETWEEN_WORDS: Final = re.compile(r"(\?=)[ \t\r\n]+(?==\?[^?\s]{1,80}\?[BbQq]\?)")
_WORD_IN_TEXT: Final = re.compile(
    r"=\?[\w.-]{2,40}\?(?:[Bb]\?[A-Za-z0-9+/]{4,}={0,2}|[Qq]\?[!-<>-~]*=[0-9A-F]{2}[!->@-~]*)\?="
)
_RAW_WORD: Final = re.compile(rb"=\?[^?\s]{1,80}\?[BbQq]\?[^?]*(?:\?(?!=)[^?]*){0,20}?(?:\?=|$)")
_CUT_ESCAPE: Final = re.compile(r"=[0-9A-Fa-f]?$")
_CUT_WORD: Final = re.compile(r"(?<!\s)\s*+=\?[^?\s]{0,80}(?:\?[BbQq]?)?$")
_COMMON_LEADS: Final = frozenset({b"\xc2", b"\xc3", b"\xe2", b"\xd0", b"\xd1", b"\xf0"})
"""First bytes of most characters that UTF-8 writes in several; hardly any text in Latin-1 ends with them."""
_HIGH: Final = re.compile(rb"[\x80-\xff]")
_COMMENT_PIECE: Final = re.compile(r"\\.|[()]|[^()\\]+|\\", re.DOTALL)
_Q_HEX: Final = re.compile(rb"=([0-9A-Fa-f]{2})")
_PARAMETER: Final = re.compile(
    r""";\s*([^\s=;"]{1,100})\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)""",
    re.DOTALL,
)
_EXTENDED_WITHOUT_MARK: Final = re.compile(r"(?:utf-?8|iso-8859-\d{1,2}|windows-125\d)'[a-z-]{0,10}'", re.IGNORECASE)
"""QUIRK: `filename=utf-8''caf%C3%A9.pdf`, without the asterisk that RFC 2231 asks for."""
_SECTION: Final = re.compile(r"^([^*]+)(?:\*([0-9]{1,3}))?(\*)?$")


@dataclass(frozen=True, slots=True)
class Headers:
    """The fields of one header block in order: names in lower case, values raw and unfolded."""

    fields: tuple[tuple[str, bytes], ...] = ()
    _by_name: Mapping[str, Sequence[bytes]] = field(init=False, repr=False, compare=False)
    """The same by name: a mail has dozens of fields, and is asked for as many that it has not."""

    def __post_init__(self) -> None:
        by_name: dict[str, list[bytes]] = {}
        for name, value in self.fields:
            by_name.setdefault(name, []).append(value)
        object.__setattr__(self, "_by_name", by_name)

    def all(self, name: str) -> Sequence[bytes]:
        """Raw values of every field called `name` (lower case)."""
        return self._by_name.get(name, ())

    def first(self, name: str) -> bytes | None:
        """Raw value of the first field called `name`."""
        values = self._by_name.get(name)
        return values[0] if values else None

    def has(self, name: str) -> bool:
        return self.first(name) is not None

    def text(self, name: str) -> str:
        """Decoded value of the first field called `name`; '' where there is none."""
        value = self.first(name)
        return decode_words(value) if value else ""

    def token(self, name: str) -> str:
        """The first field as a bare lower-case word or phrase without comments, for values like `auto-replied`."""
        value = self.first(name)
        return without_comments(decode(value)).strip().lower() if value else ""

    def in_utf8(self, charset: str) -> Headers:
        """The same with raw 8-bit values in UTF-8 (RFC 6532): those that are not are in the mail's own `charset`."""
        if all(value.isascii() for _, value in self.fields):
            return self
        return Headers(tuple((name, _in_utf8(value, charset)) for name, value in self.fields))

    def structured(self, name: str) -> tuple[str, dict[str, str]]:
        """Value and parameters of the first field called `name`, such as Content-Type; both '' and {} without one."""
        value = self.first(name)
        return parameters(value) if value else ("", {})


def _in_utf8(value: bytes, charset: str) -> bytes:
    value = _escaped_words(value)
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return decode(value, charset).encode()
    return value


def parse_headers(block: bytes, limits: Limits) -> Headers:
    """The fields of a header block; lines that are none are skipped (mbox `From `, garbage)."""
    fields: list[tuple[str, list[bytes]]] = []
    for line in block[: limits.header_block].splitlines()[: limits.header_lines]:
        if line[:1] in b" \t" and line.strip():
            if fields:
                fields[-1][1].append(line.strip(b"\r\n"))
            continue
        if field := _FIELD.match(line):
            fields.append((field[1].decode("ascii").lower(), [field[2]]))
    return Headers(tuple((name, b"".join(value).strip()[: limits.header_value]) for name, value in fields))


def decode_words(value: bytes) -> str:
    """Header text with its encoded words decoded (RFC 2047), 8-bit bytes too (RFC 6532).

    QUIRK: adjacent words of one charset are joined before decoding, since mailers split them within a character; words
    inside quotes, with spaces in them, with wrong base64 padding and cut off at the end are decoded as well.
    """
    if b"=?" not in value:
        return decode(value)
    text = _decoded_words(value)
    # QUIRK: a gateway that encodes a header anew encodes the words in it along
    return _decoded_words(text.encode()) if _WORD_IN_TEXT.search(text) else text


def _decoded_words(value: bytes) -> str:
    text = decode(_escaped_words(value))
    text = _BETWEEN_WORDS.sub(r"\1", text)
    pieces: list[str] = []
    waiting = b""
    charset = ""
    position = 0
    for word in _ENCODED_WORD.finditer(text):
        label = word[1].split("*", 1)[0].lower()
        if codec_of(label) is None and label not in {"", "x-unknown"}:
            label = ""
        if waiting and (word.start() > position or label != charset):
            pieces.append(_word_text(waiting, charset))
            waiting = b""
        pieces.append(text[position : word.start()])
        waiting += _word_bytes(word[2], word[3] if word[0].endswith("?=") else _CUT_ESCAPE.sub("", word[3]))
        charset = label
        position = word.end()
    if waiting:
        pieces.append(_word_text(waiting, charset))
    pieces.append(_CUT_WORD.sub("", text[position:]) if position else text[position:])
    return "".join(pieces)


def without_comments(text: str) -> str:
    """Structured text with a space for each comment (RFC 5322 §3.2.2); they nest, and one that never ends is all."""
    pieces: list[str] = []
    depth = 0
    for piece in _COMMENT_PIECE.findall(text):
        if piece == "(":
            depth += 1
        elif piece == ")" and depth:
            depth -= 1
            if not depth:
                pieces.append(" ")
        elif not depth:
            pieces.append(piece)
    return "".join(pieces)


def _escaped_words(value: bytes) -> bytes:
    """The value with raw bytes above 127 within encoded words written as Q encoding has them (RFC 2047 §4.2)."""
    return _RAW_WORD.sub(lambda word: _escaped_word(word[0]), value) if b"=?" in value else value


def _escaped_word(word: bytes) -> bytes:
    return word if word.isascii() else _HIGH.sub(lambda byte: b"=%02X" % byte[0][0], word)


def _word_text(content: bytes, charset: str) -> str:
    """The text of words that follow each other; a character of several bytes that is cut off at the end is left out."""
    codec = codec_of(charset) or "utf-8"
    try:
        content.decode(codec)
    except ValueError:
        reader = codecs.getincrementaldecoder(codec)()
        with contextlib.suppress(ValueError):
            whole = reader.decode(content)
            tail = reader.getstate()[0]
            # QUIRK: an accented letter at the end of a word that claims UTF-8 is more often Latin-1 than cut
            if not whole.isascii() or len(tail) > 1 or tail in _COMMON_LEADS:
                return whole
    return decode(content, charset)


def _word_bytes(encoding: str, encoded: str) -> bytes:
    content = encoded.encode("utf-8", "replace")
    if encoding in "Bb":
        return decode_base64(content)
    return _Q_HEX.sub(lambda code: bytes([int(code[1], 16)]), content.replace(b"_", b" "))


def parameters(value: bytes) -> tuple[str, dict[str, str]]:
    """Value (lower case) and parameters of a structured field, continued and extended ones joined (RFC 2231)."""
    text = decode(value)
    head, separator, rest = text.partition(";")
    collected: dict[str, list[tuple[int, bool, str]]] = {}
    for parameter in _PARAMETER.finditer(separator + rest):
        section = _SECTION.match(parameter[1].lower())
        if section is None:
            continue
        collected.setdefault(section[1], []).append((int(section[2] or 0), bool(section[3]), _unquoted(parameter[2])))
    return head.strip().lower(), {name: _joined(sections) for name, sections in collected.items()}


def _unquoted(value: str) -> str:
    value = value.strip()
    if value.startswith('"'):
        # QUIRK: a backslash before any other character is a folder's, from clients that send whole paths
        return re.sub(r"\\([\"\\])", r"\1", value[1:].removesuffix('"'))
    return value


def _joined(sections: list[tuple[int, bool, str]]) -> str:
    # QUIRK: a mailer that writes both `name=` and `name*=` means the second; numbered sections may come in any order.
    if any(extended for _, extended, _ in sections) and sum(1 for number, _, _ in sections if number == 0) > 1:
        sections = [section for section in sections if section[1] or section[0] > 0]
    sections.sort(key=lambda section: section[0])
    if not any(extended for _, extended, _ in sections):
        plain = "".join(part for _, _, part in sections)
        if not _EXTENDED_WITHOUT_MARK.match(plain):
            return decode_words(plain.encode())
        sections = [(0, True, plain)]
    charset = ""
    content = b""
    for position, (_, extended, part) in enumerate(sections):
        encoded = part
        if position == 0 and extended and part.count("'") > 1:
            charset, _, encoded = part.split("'", 2)
            encoded = encoded.removeprefix('"').removesuffix('"')
        content += unquote_to_bytes(encoded) if extended else encoded.encode()
    return decode(content, charset)
