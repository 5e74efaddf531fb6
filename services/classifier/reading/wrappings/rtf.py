"""The text of RTF: html or plain text that was wrapped in it (MS-OXRTFEX), else what a reader of it sees.

Outlook sends bodies as compressed RTF (MS-OXRTFCP) in which the html that the sender wrote is kept as it was. One pass
over the tokens, with groups on a stack, in linear time; what is no RTF comes out as no text.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from services.classifier.reading.mime.charset import decode

_HEADER: Final = struct.Struct("<IIII")
"""Size of what follows, size when decompressed, kind, checksum."""
_COMPRESSED: Final = 0x75465A4C
_UNCOMPRESSED: Final = 0x414C454D
_WINDOW: Final = 4096
_PRELOADED: Final = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
"""What the window holds before the first byte (MS-OXRTFCP 2.1.3.1.5)."""

_TOKEN: Final = re.compile(
    rb"\\(?:'([0-9A-Fa-f]{2})|([A-Za-z]{1,32})(-?[0-9]{1,10})?[ ]?|([^A-Za-z]))|([{}])|[\r\n]+|([^\\{}\r\n]+)",
    re.DOTALL,
)
_HIDDEN: Final = frozenset(
    b"fonttbl colortbl stylesheet info pict object objdata themedata colorschememapping latentstyles datastore filetbl "
    b"listtable listoverridetable rsidtbl generator xmlnstbl mmathPr fldinst bkmkstart bkmkend header footer headerl "
    b"headerr footerl footerr footnote pntext pnseclvl wgrffmtfilter revtbl".split()
)
_SPOKEN: Final = {
    b"par": "\n", b"line": "\n", b"row": "\n", b"sect": "\n", b"page": "\n", b"tab": "\t", b"cell": "\t",
    b"nestcell": "\t", b"emdash": "—", b"endash": "–", b"bullet": "•", b"lquote": "\u2018", b"rquote": "’",
    b"ldblquote": "“", b"rdblquote": "”", b"emspace": " ", b"enspace": " ",
}  # fmt: skip
_SYMBOLS: Final = {b"~": "\xa0", b"_": "-", b"-": "", b"\\": "\\", b"{": "{", b"}": "}", b"\n": "\n", b"\r": "\n"}
_CHARSETS: Final = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 134: "gb18030", 136: "big5", 161: "cp1253", 162: "cp1254",
    163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250",
}  # fmt: skip
"""Character sets of fonts (RTF 1.9.1, `\\fcharset`)."""
_DEEPEST: Final = 500


@dataclass(frozen=True, slots=True)
class RtfDocument:
    """What an RTF document says: `html` where html was wrapped in it, `text` where it was not."""

    html: str = ""
    text: str = ""


def decompressed(content: bytes, *, longest: int) -> bytes:
    """The RTF of PidTagRtfCompressed, at most `longest` bytes of it; b'' for anything else (MS-OXRTFCP 3.1)."""
    if len(content) < _HEADER.size:
        return b""
    _, size, kind, _ = _HEADER.unpack_from(content)
    if kind == _UNCOMPRESSED:
        return content[_HEADER.size : _HEADER.size + min(size, longest)]
    if kind != _COMPRESSED:
        return b""
    window = bytearray(_PRELOADED) + bytearray(_WINDOW - len(_PRELOADED))
    write = len(_PRELOADED)
    output = bytearray()
    longest = min(size, longest)
    for literal, read, count in _pieces(content):
        if count and read == write:
            break  # a reference to the place that is written next ends the text
        for step in range(count or 1):
            byte = window[(read + step) % _WINDOW] if count else literal
            output.append(byte)
            window[write] = byte
            write = (write + 1) % _WINDOW
        if len(output) >= longest:
            break
    return bytes(output[:longest])


def _pieces(content: bytes) -> Iterator[tuple[int, int, int]]:
    """What stands after the header: a byte as it is, or a place in the window and how many bytes to repeat from it."""
    position = _HEADER.size
    while position < len(content):
        control = content[position]
        position += 1
        for bit in range(8):
            if position + (control >> bit & 1) >= len(content):
                return
            if control >> bit & 1:
                reference = content[position] << 8 | content[position + 1]
                yield 0, reference >> 4, (reference & 0xF) + 2
                position += 2
            else:
                yield content[position], 0, 0
                position += 1


@dataclass(slots=True)
class _Group:
    """What holds until the group's closing brace."""

    hidden: bool = False
    is_tag: bool = False
    """Within `\\*\\htmltag`: html as it was."""
    in_fonts: bool = False
    charset: str = ""
    fallback: int = 1
    """How many characters stand in for each `\\u`."""


@dataclass(slots=True)
class _Reader:
    longest: int
    is_html: bool = False
    is_text: bool = False
    repeats: bool = False
    """Within `\\htmlrtf`: what an RTF reader sees beside the html."""
    charset: str = "cp1252"
    group: _Group = field(default_factory=_Group)
    above: list[_Group] = field(default_factory=list)
    fonts: dict[int, str] = field(default_factory=dict)
    font: int = 0
    pieces: list[str] = field(default_factory=list)
    length: int = 0
    waiting: bytearray = field(default_factory=bytearray)
    skip: int = 0

    def token(self, token: re.Match[bytes], *, optional: bool) -> None:
        hexadecimal, name, number, symbol, brace, plain = token.groups()
        if hexadecimal:
            self.say_bytes(bytes.fromhex(hexadecimal.decode("ascii")))
        elif name:
            self.word(name, int(number) if number else None, optional=optional)
        elif symbol:
            self.say(_SYMBOLS.get(symbol, ""))
        elif brace == b"{":
            self.open()
        elif brace:
            self.close()
        elif plain:
            self.say_bytes(plain)

    def say(self, text: str) -> None:
        self.flush()
        if not self.group.hidden and not (self.repeats and not self.group.is_tag):
            self.pieces.append(text)
            self.length += len(text)

    def say_bytes(self, content: bytes) -> None:
        """Bytes of one charset wait for each other: a character may be two of them."""
        if self.skip:
            passed = min(self.skip, len(content))
            self.skip -= passed
            content = content[passed:]
        if not self.group.hidden and not (self.repeats and not self.group.is_tag):
            self.waiting += content
            self.length += len(content)

    def flush(self) -> None:
        if self.waiting:
            self.pieces.append(decode(bytes(self.waiting), self.group.charset or self.charset))
            self.waiting.clear()

    def open(self) -> None:
        self.flush()
        self.above.append(self.group)
        group = self.group
        self.group = _Group(group.hidden, group.is_tag, group.in_fonts, group.charset, group.fallback)

    def close(self) -> None:
        self.flush()
        if self.above:
            self.group = self.above.pop()

    def word(self, name: bytes, number: int | None, *, optional: bool) -> None:
        if name == b"u":
            self.say(chr(number % 65536) if number is not None else "")
            self.skip = self.group.fallback
            return
        self.skip = 0
        if name in _SPOKEN:
            self.say("\r\n" if name == b"par" and self.group.is_tag else _SPOKEN[name])
        elif name == b"htmltag":
            self.flush()
            self.group.is_tag, self.group.hidden = True, False
        elif name == b"htmlrtf":
            self.flush()
            self.repeats = number != 0
        elif name in _HIDDEN or optional:
            self.flush()
            self.group.hidden = True
            self.group.in_fonts = name == b"fonttbl"
        elif number is not None:
            self.setting(name, number)

    def setting(self, name: bytes, number: int) -> None:
        if name == b"fromhtml":
            self.is_html = True
        elif name == b"ansicpg" and number:
            self.charset = "utf-8" if number == 65001 else f"cp{number}"  # noqa: PLR2004 - Microsoft's number of UTF-8
        elif name == b"uc":
            self.group.fallback = max(0, min(number, 10))
        elif name == b"f":
            self.flush()
            self.font = number
            if not self.group.in_fonts:
                self.group.charset = self.fonts.get(number, "")
        elif name == b"fcharset" and self.group.in_fonts and number != 0:
            self.fonts[self.font] = _CHARSETS.get(number, "")


def from_rtf(source: bytes, *, longest: int) -> RtfDocument:
    """What `source` says, until about `longest` characters of it."""
    if not source.lstrip().startswith(b"{\\rtf"):
        return RtfDocument()
    reader = _Reader(longest)
    optional = False
    for token in _TOKEN.finditer(source):
        reader.token(token, optional=optional)
        optional = token[4] == b"*"
        if reader.length > longest or len(reader.above) > _DEEPEST:
            break
    reader.flush()
    # \\u writes what lies beyond 16 bits as two halves
    halves = "".join(reader.pieces).encode("utf-16-le", "surrogatepass")
    said = halves.decode("utf-16-le", "replace")
    return RtfDocument(html=said) if reader.is_html else RtfDocument(text=said.strip("\n"))
