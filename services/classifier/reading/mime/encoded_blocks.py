"""Files that stand in a text itself: uuencode (POSIX `uuencode`) and yEnc, as mailers sent them before MIME.

A block counts only when it is whole and decodes; anything else is text that looks like one, and stays. The marks of
begin and end are paired in one pass, so that a text of nothing but beginnings takes linear time.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from typing import Final

_MARK: Final = re.compile(
    rb"^(?:begin(?P<base64>-base64)?[ \t]+[0-7]{3,4}[ \t]+(?P<uu>[^\r\n]{1,250})"
    rb"|=ybegin [^\r\n]{0,200}?name=(?P<y>[^\r\n]{1,250})"
    rb"|(?P<uu_end>end|={4})[ \t]*|(?P<y_end>=yend) [^\r\n]{0,200})\r?$\n?",
    re.MULTILINE,
)
_Y_PART: Final = re.compile(rb"\A=ypart [^\n]*\n")
_Y_ESCAPED: Final = re.compile(rb"=(.)", re.DOTALL)
_Y_TABLE: Final = bytes((byte - 42) % 256 for byte in range(256))


@dataclass(frozen=True, slots=True)
class EncodedFile:
    """A file that was found in a text: its name as written, and its bytes."""

    name: bytes
    content: bytes


def split_blocks(text: bytes, *, most: int) -> tuple[bytes, tuple[EncodedFile, ...]]:
    """`text` without its encoded files, and those files, at most `most` of them."""
    if b"begin" not in text:
        return text, ()
    files: list[EncodedFile] = []
    rest: list[bytes] = []
    position = 0
    begin: re.Match[bytes] | None = None
    for mark in _MARK.finditer(text):
        if mark["uu"] or mark["y"]:
            begin = mark
            continue
        if begin is not None and bool(begin["y"]) is bool(mark["y_end"]) and len(files) < most:
            block = text[begin.end() : mark.start()]
            content = _ydecoded(block) if begin["y"] else _uudecoded(block, is_base64=begin["base64"] is not None)
            if content is not None:
                rest.append(text[position : begin.start()])
                position = mark.end()
                files.append(EncodedFile((begin["uu"] or begin["y"]).strip(), content))
        begin = None
    return b"".join((*rest, text[position:])), tuple(files)


def uudecoded(content: bytes) -> bytes | None:
    """The first uuencoded file in `content`, for a part whose transfer encoding is uuencode; None without one."""
    _, files = split_blocks(content, most=1)
    return files[0].content if files else None


def _uudecoded(block: bytes, *, is_base64: bool) -> bytes | None:
    decoded = []
    for ended in block.split(b"\n"):
        line = ended.rstrip(b"\r")
        if not line.strip() or line == b"`":
            continue
        try:
            decoded.append(binascii.a2b_base64(line) if is_base64 else _uudecoded_line(line))
        except binascii.Error:
            return None
    return b"".join(decoded) if decoded else None


def _uudecoded_line(line: bytes) -> bytes:
    """QUIRK: some encoders end a line with a checksum or with rubbish: what the line's own length names counts."""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        size = (((line[0] - 32) & 63) * 4 + 5) // 3
        return binascii.a2b_uu(line[:size])


def _ydecoded(block: bytes) -> bytes:
    lines = _Y_PART.sub(b"", block).replace(b"\r", b"").replace(b"\n", b"")
    return _Y_ESCAPED.sub(lambda found: bytes(((found[1][0] - 64) % 256,)), lines).translate(_Y_TABLE)
