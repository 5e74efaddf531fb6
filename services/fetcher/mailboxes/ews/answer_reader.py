"""What an EWS server answers: SOAP, read while it comes in.

A mail stands in its answer as base64. It is decoded on the way and written where the caller wants it, so that no mail
is held in memory, one that grows beyond a limit ends there, and its beginning can be had without the rest. An answer
counts only when it was read to its last tag: one that breaks off is no answer, whatever its HTTP status was.
Elements go by their local names; prefixes and namespaces are the server's own affair.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Sequence
from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

LONGEST: Final = 32 * 1024 * 1024
"""Characters of an answer outside of the mail, with ELEMENT for each element; a page of 1,000 mails has 4 million."""
ELEMENT: Final = 512
"""What an element counts for, however short it is written: it takes that much memory, and more."""
TEXT_BYTES: Final = 256 * 1024
"""How much of a mail's base64 is decoded at a time."""

_BINARY: Final = frozenset(["MimeContent", "Content"])
"""Elements whose text is a mail or an attachment, as base64."""
MESSAGE: Final = "ResponseMessage"
"""How the names of the elements end that answer for one thing that was asked."""
_SPACE: Final = b" \t\r\n"
_REFERENCE: Final = re.compile(rb"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));|\xef\xbf[\xbe\xbf]")
_LEGAL: Final = (range(0x9, 0xB), range(0xD, 0xE), range(0x20, 0xD800), range(0xE000, 0xFFFE), range(0x10000, 0x110000))
_CUT_REFERENCE: Final = re.compile(rb"(?:&[#0-9a-zA-Z]{0,12}|\xef\xbf?)\Z")


class AnswerBroken(Exception):
    """The answer ended too early, or is not what it says it is; the text says how, in English."""


class NotEws(Exception):
    """The answer is no SOAP at all: a page for people, say."""


class MimeDecoder:
    """Base64 text in, in pieces; decoded bytes out to `write`."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._rest = b""
        self._padded = False
        self.size = 0

    def feed(self, text: str) -> None:
        """Decode what is whole of it. Raises AnswerBroken, and what `write` raises."""
        data = self._rest + text.encode("ascii", "replace").translate(None, _SPACE)
        whole = len(data) - len(data) % 4
        self._rest = data[whole:]
        if not whole:
            return
        if self._padded:
            raise AnswerBroken("the mail's base64 goes on after its end")
        self._padded = data[whole - 1 : whole] == b"="
        try:
            decoded = binascii.a2b_base64(data[:whole], strict_mode=True)
        except binascii.Error as error:
            raise AnswerBroken(f"the mail's base64 is damaged: {error}") from error
        self.size += len(decoded)
        self._write(decoded)

    def close(self) -> None:
        """Raise AnswerBroken when the text ended within a group."""
        if self._rest:
            raise AnswerBroken("the mail's base64 is cut off")


class AnswerReader:
    """Takes an answer in pieces. `close` gives its root; the mail in its nth response message goes to the nth decoder.

    Without decoders it is asked for no mail.
    """

    def __init__(self, decoders: Sequence[MimeDecoder] = ()) -> None:
        self._decoders = decoders
        self._messages = 0
        self._mime: MimeDecoder | None = None
        self._tree = TreeBuilder()
        self._length = 0
        self._depth = 0
        self._fed = False
        self._cut = b""
        self.has_mime = False
        # expat refuses entities that grow (2.4.1 and later); EWS has no document type at all.
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.buffer_size = TEXT_BYTES
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, data: bytes) -> None:
        """Read on. Raises AnswerBroken, NotEws, and what the mail's `write` raises."""
        if not self._fed:
            data = data.lstrip()
        if data:
            self._fed = True
            self._parse(self._legal(data), last=False)

    def close(self) -> Element:
        """The whole answer. Raises AnswerBroken when it is not whole."""
        if not self._fed:
            raise AnswerBroken("the answer is empty")
        self._parse(self._cut, last=True)
        return self._tree.close()

    def _legal(self, data: bytes) -> bytes:
        """The data with spaces for what XML cannot hold; the beginning of such a thing, at its end, is kept back.

        QUIRK: Exchange writes every character of a property, those too that XML 1.0 §2.2 forbids (`&#x0;`, U+FFFE). A
        sender who puts one in his header would make an answer of it that cannot be read.
        """
        data = self._cut + data
        cut = _CUT_REFERENCE.search(data, max(0, len(data) - 16))
        self._cut = b"" if cut is None else cut[0]
        data = data[: len(data) - len(self._cut)]
        return _REFERENCE.sub(_legal_reference, data) if b"&#" in data or b"\xef\xbf" in data else data

    def _parse(self, data: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(data, last)
        except expat.ExpatError as error:
            if self._depth == 0 and not last:
                raise NotEws from error
            raise AnswerBroken(f"the answer is not whole: {expat.ErrorString(error.code)}") from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = _local(name)
        if self._depth == 0 and tag != "Envelope":
            raise NotEws
        self._depth += 1
        self._messages += tag.endswith(MESSAGE)
        self._mime = self._decoder() if tag in _BINARY else None
        self.has_mime = self.has_mime or self._mime is not None
        self._count(ELEMENT + len(tag) + sum(ELEMENT + len(value) for value in attributes.values()))
        self._tree.start(tag, {_local(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        if self._mime is not None:
            self._mime.close()
        self._mime = None
        self._tree.end(_local(name))

    def _text(self, text: str) -> None:
        if self._mime is not None:
            self._mime.feed(text)
            return
        self._count(len(text))
        self._tree.data(text)

    def _decoder(self) -> MimeDecoder | None:
        """Of the response message that is being read; an answer with more of them than were asked for has none."""
        place = max(self._messages, 1) - 1
        return self._decoders[place] if place < len(self._decoders) else None

    def _doctype(self, *_: object) -> None:
        raise NotEws

    def _count(self, characters: int) -> None:
        self._length += characters
        if self._length > LONGEST:
            raise AnswerBroken(f"the answer is longer than {LONGEST} characters")


def _legal_reference(reference: re.Match[bytes]) -> bytes:
    hexadecimal, decimal = reference.groups()
    code = int(hexadecimal, 16) if hexadecimal else int(decimal or "0")
    return reference[0] if any(code in characters for characters in _LEGAL) else b" "


def _local(name: str) -> str:
    return name.rpartition("}")[2]
