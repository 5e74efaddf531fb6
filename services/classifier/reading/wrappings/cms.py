"""S/MIME envelopes (RFC 8551; CMS, RFC 5652): what a signed one holds, and which ones cannot be read.

A signature is not checked here: the mail says that it was signed, and what was signed is read as the mail. DER and BER
(indefinite lengths, as Outlook and Java write them; X.690 8.1.3) are read, and base64 or PEM in a part that claims
neither. One pass that goes straight to the contents: a hostile envelope costs linear time.
"""

from __future__ import annotations

import binascii
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Final, NamedTuple

_PEM: Final = re.compile(rb"-----(?:BEGIN|END) [A-Z0-9 ]{1,40}-----|\s")
_OCTETS, _OBJECT_ID, _SEQUENCE, _FIRST = 0x04, 0x06, 0x30, 0xA0
_CONSTRUCTED: Final = 0x20
_LONG_TAG: Final = 0x1F
_INDEFINITE: Final = 0x80
_LONGEST_LENGTH: Final = 8
_DEEPEST: Final = 200
"""Values of open length within each other: what signers write has ten or so."""
_MOST_PASSED: Final = 10_000
"""Values that are passed by on the way to the contents: a signer writes a few, each algorithm one."""
_SHORTEST_PIECE: Final = 16
"""Bytes of a piece of the contents, on the whole: signers write hundreds or thousands at a time."""


class EnvelopeKind(Enum):
    """What an envelope does to its contents."""

    SIGNED = "signed"
    ENCRYPTED = "encrypted"
    COMPRESSED = "compressed"


_KINDS: Final = {
    bytes.fromhex("2a864886f70d010702"): EnvelopeKind.SIGNED,
    bytes.fromhex("2a864886f70d010703"): EnvelopeKind.ENCRYPTED,
    bytes.fromhex("2a864886f70d0109100117"): EnvelopeKind.ENCRYPTED,  # authenticated enveloped data (RFC 5083)
    bytes.fromhex("2a864886f70d0109100109"): EnvelopeKind.COMPRESSED,  # RFC 3274
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """An S/MIME envelope; `content` is what it holds, None where that cannot be read or is not inside it."""

    kind: EnvelopeKind
    content: bytes | None = None


class _Damaged(Exception):
    """The bytes are no BER."""


class _Value(NamedTuple):
    """A value in the encoded bytes, from `start` to `end`; `end` is that of the bytes where its length is open."""

    tag: int
    start: int
    end: int
    is_open: bool


def open_envelope(content: bytes, *, longest: int) -> Envelope | None:
    """The envelope that these bytes are; None for anything else. At most `longest` bytes are decompressed."""
    try:
        encoded = _binary(content)
        info = _at(encoded, 0, len(encoded))
        members = _members(encoded, info)
        named = next(members)
        kind = _KINDS.get(encoded[named.start : named.end])
        if info.tag != _SEQUENCE or named.tag != _OBJECT_ID or kind is None:
            return None
        if kind is EnvelopeKind.ENCRYPTED:
            return Envelope(kind)
        return Envelope(kind, _held(encoded, next(members), kind, longest))
    except (_Damaged, StopIteration, binascii.Error):
        return None


def _binary(content: bytes) -> bytes:
    encoded = content.lstrip()
    if encoded.startswith((b"MI", b"-----BEGIN ")):
        return binascii.a2b_base64(_PEM.sub(b"", encoded))
    return encoded


def _held(encoded: bytes, wrapped: _Value, kind: EnvelopeKind, longest: int) -> bytes | None:
    """What SignedData or CompressedData holds in EncapsulatedContentInfo: the first SEQUENCE with an OID and [0]."""
    try:
        data = next(_members(encoded, wrapped))
        members = islice(_members(encoded, data), _MOST_PASSED)
        info = next(member for member in members if member.tag == _SEQUENCE and _begins_with_name(encoded, member))
        if kind is EnvelopeKind.COMPRESSED:
            info = next(member for member in members if member.tag == _SEQUENCE)
        held = next(member for member in _members(encoded, info) if member.tag == _FIRST)
        octets = b"".join(_octets(encoded, held))
        if kind is EnvelopeKind.COMPRESSED:
            octets = zlib.decompressobj().decompress(octets, max(longest, 1))
    except (_Damaged, StopIteration, zlib.error):
        return None
    return octets[:longest] or None


def _begins_with_name(encoded: bytes, value: _Value) -> bool:
    return encoded[value.start : value.start + 1] == bytes((_OBJECT_ID,))


def _at(encoded: bytes, position: int, end: int) -> _Value:
    """The value whose tag stands at `position`."""
    if position + 2 > end:
        raise _Damaged
    tag = encoded[position]
    if tag & _LONG_TAG == _LONG_TAG:
        raise _Damaged  # no tag above 30 stands before the contents
    length = encoded[position + 1]
    start = position + 2
    if length == _INDEFINITE:
        return _Value(tag, start, end, is_open=True)
    if length > _INDEFINITE:
        size = length - _INDEFINITE
        if size > _LONGEST_LENGTH:
            raise _Damaged
        length = int.from_bytes(encoded[start : start + size], "big")
        start += size
    # QUIRK: an envelope that was cut off holds what is there
    return _Value(tag, start, min(start + length, end), is_open=False)


def _members(encoded: bytes, value: _Value) -> Iterator[_Value]:
    """The values directly within a value."""
    position = value.start
    while position < value.end and encoded[position : position + 2] != b"\x00\x00":
        member = _at(encoded, position, value.end)
        yield member
        position = _after(encoded, member)


def _after(encoded: bytes, value: _Value) -> int:
    """Where the next value begins; of an open one that is after as many ends as there are beginnings."""
    if not value.is_open:
        return value.end
    position, depth = value.start, 1
    for _ in range(_MOST_PASSED):
        if not depth:
            return position
        if encoded[position : position + 2] == b"\x00\x00":
            depth -= 1
            position += 2
            continue
        member = _at(encoded, position, value.end)
        position = member.start if member.is_open else member.end
        depth += member.is_open
        if depth > _DEEPEST:
            break
    raise _Damaged


def _octets(encoded: bytes, value: _Value) -> Iterator[bytes]:
    """The pieces of an OCTET STRING, in one or in many (X.690 8.7)."""
    waiting = [_members(encoded, value)]
    left = _MOST_PASSED + len(encoded) // _SHORTEST_PIECE
    while waiting:
        left -= 1
        if left < 0:
            raise _Damaged
        member = next(waiting[-1], None)
        if member is None:
            waiting.pop()
        elif member.tag & _CONSTRUCTED:
            if len(waiting) >= _LONGEST_LENGTH:
                raise _Damaged
            waiting.append(_members(encoded, member))
        elif member.tag == _OCTETS:
            yield encoded[member.start : member.end]
