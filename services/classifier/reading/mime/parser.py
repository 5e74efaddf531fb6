"""The tree of a mail's parts (RFC 2045, 2046), split top-down by boundaries.

Splitting a multipart by its own boundary first keeps a broken inner part within its place: a missing closing boundary,
an inner boundary that begins like the outer one, or a part that is cut off never swallows its siblings. Depth and
number of parts are bounded while splitting; what lies beyond stays one part. Nothing here fails on any bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.classifier.reading.limits import Limits
from services.classifier.reading.mime.header import Headers, parse_headers
from services.classifier.reading.mime.part import Part
from services.classifier.reading.mime.safe_text import safe_line
from services.classifier.reading.mime.transfer import transfer_decoded

_FIELD_LINE: Final = re.compile(rb"[!-9;-~]{1,200}[ \t]*:|[ \t]")
_HTML_DOCUMENT: Final = re.compile(rb"\s{0,200}<(?:!doctype html|html|head|body)[\s>]", re.IGNORECASE)
_LEADING_BLANK: Final = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:[ \t]*\r?\n)*")
_MAIL_FIELDS: Final = (
    rb"(?:from|to|cc|subject|date|message-id|mime-version|content-type|received|reply-to|in-reply-to|references|"
    rb"return-path|x-[a-z-]{1,40}):"
)
_MAIL_FIELD: Final = re.compile(_MAIL_FIELDS, re.IGNORECASE)
_GOES_ON: Final = re.compile(rb"(?:[ \t]+\S[^\n]*\n)+" + _MAIL_FIELDS, re.IGNORECASE)
_FIELD_OF_MAIL: Final = re.compile(
    rb"^(?:from|to|cc|bcc|subject|date|message-id|sender|reply-to|in-reply-to|references|received|return-path|"
    rb"delivered-to|mime-version|precedence|auto-submitted|dkim-signature|authentication-results|"
    rb"(?:content|resent|list|arc|x)-[!-9;-~]{1,80})[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_FIRST_DELIMITER: Final = re.compile(rb"^--([^\r\n]{1,200}?)(?<![ \t])[ \t]*+\r?$", re.MULTILINE)
_DELIMITER_REST: Final = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_PART_FIELD: Final = re.compile(rb"content-[a-z-]{0,30}\Z")
_BLANK_LINE: Final = re.compile(rb"\n\r?\n")
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")


def parse_mail(raw: bytes, limits: Limits, path: str = "") -> Part:
    """The tree of a whole mail; `path` is the place of a mail that another one carries.

    QUIRK: a mail without any LF has CR line ends (old Macs); a leading byte order mark or mbox `From ` line is no
    header. Text that is no mail at all has no header either: a `Note: …` in its first lines stays in it. What begins
    like an html document is one, where no Content-Type says what it is.
    """
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    blank = _LEADING_BLANK.match(raw)
    start = blank.end() if blank else 0
    if raw.startswith((b"From ", b">From "), start):
        start = raw.find(b"\n", start) + 1 or len(raw)
    head_end, body_start = _head_end(raw, start, len(raw))
    if not path and not _FIELD_OF_MAIL.search(raw[start:head_end]):
        raw, start, body_start = b"\n" + raw[start:], 0, 1
    default_type = "text/html" if _HTML_DOCUMENT.match(raw, body_start) else "text/plain"
    root = _Parser(raw, limits).part(start, len(raw), path, 0, default_type)
    return replace(root, headers=root.headers.in_utf8(_charset_of(root)))


def _charset_of(root: Part) -> str:
    """The charset that the mail's text names: for headers with bytes of no charset that they name themselves."""
    return next((part.parameters["charset"] for part in root.walk() if part.parameters.get("charset")), "")


def head_of(raw: bytes) -> bytes:
    """The header block with which a mail or a part begins.

    A line that is no header field ends the block only if nothing after it looks like one.

    QUIRK: a blank line inside a folded field does not end the block when the rest of the field and another follow; nor
    does a line of spaces (RFC 5322 §4.2 has such folds) before a field that mails have.
    """
    return raw[: _head_end(raw, 0, len(raw))[0]]


def _head_end(raw: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the header block ends that begins at `start`, and where the body begins."""
    position = start
    while position < end:
        newline = raw.find(b"\n", position, end)
        line_end = end if newline < 0 else newline
        line = raw[position:line_end].rstrip(b"\r")
        following = min(line_end + 1, end)
        if not line.strip() and not (
            _GOES_ON.match(raw, following, end) or (line and _MAIL_FIELD.match(raw, following, end))
        ):
            return position, following
        if line and not _FIELD_LINE.match(line) and not _FIELD_LINE.match(raw, following, end):
            return position, position
        position = following
    return end, end


@dataclass(slots=True)
class _Parser:
    """Splits `raw` by places in it, so that no multipart is copied: only a leaf's own bytes are."""

    raw: bytes
    limits: Limits
    parts: int = 0

    def part(self, start: int, end: int, path: str, depth: int, default_type: str) -> Part:
        self.parts += 1
        head_end, body_start = _head_end(self.raw, start, end)
        headers = parse_headers(self.raw[start:head_end], self.limits)
        media_type, options = headers.structured("content-type")
        if not _MEDIA_TYPE.fullmatch(media_type):
            media_type = {"text": "text/plain", "html": "text/html"}.get(media_type, default_type)
        disposition, disposition_options = headers.structured("content-disposition")
        children: tuple[Part, ...] = ()
        is_cut_off = False
        if media_type.startswith("multipart/") and depth < self.limits.depth:
            boundary = options.get("boundary", "").encode("utf-8", "replace")
            sections = list(self._sections(body_start, end, boundary))
            if len(sections) > 1 and sections[-1][1] == end:  # no delimiter closes it
                is_cut_off = self._is_cut_header(*sections[-1])
                if is_cut_off or not self.raw[slice(*sections[-1])].strip():
                    sections.pop()
            children = self._children(sections, media_type, path, depth)
            if not children:
                media_type = "text/plain"  # QUIRK: a multipart without a single delimiter is read as text
        encoding = headers.token("content-transfer-encoding")
        return Part(
            path=path or ("" if children else "1"),
            headers=headers,
            media_type=media_type,
            parameters=options,
            disposition=disposition,
            name=_file_name(_fuller(disposition_options.get("filename", ""), options.get("name", "")), self.limits),
            content=b"" if children else transfer_decoded(self.raw, body_start, end, encoding),
            children=children,
            is_cut_off=is_cut_off,
            is_open_ended=not children and end == len(self.raw),
        )

    def _is_cut_header(self, start: int, end: int) -> bool:
        """Whether a last part ends before its header does: its first field is one of MIME's, as far as it goes."""
        section = self.raw[start:end]
        first = section.partition(b":")[0].strip().lower()
        begins_field = bool(first) and (_PART_FIELD.match(first) is not None or b"content-".startswith(first))
        return begins_field and _BLANK_LINE.search(section) is None

    def _children(
        self, sections: Sequence[tuple[int, int]], media_type: str, path: str, depth: int
    ) -> tuple[Part, ...]:
        default_type = "message/rfc822" if media_type == "multipart/digest" else "text/plain"
        children: list[Part] = []
        for start, end in sections:
            if self.parts >= self.limits.parts:
                break
            place = f"{path}.{len(children) + 1}" if path else str(len(children) + 1)
            children.append(self.part(start, end, place, depth + 1, default_type))
        return tuple(children)

    def _sections(self, start: int, end: int, boundary: bytes) -> Iterator[tuple[int, int]]:
        """Where each part of a multipart begins and ends whose body stands from `start` to `end`."""
        delimiters = self._delimiters(start, end, boundary) if boundary else []
        if not delimiters:
            # QUIRK: the boundary is missing or wrong: what first looks like a delimiter is taken for one.
            first = _FIRST_DELIMITER.search(self.raw, start, end)
            delimiters = self._delimiters(start, end, first[1]) if first else []
        for number, (_, part_start, closing) in enumerate(delimiters):
            if closing:
                return
            yield part_start, delimiters[number + 1][0] if number + 1 < len(delimiters) else end

    def _delimiters(self, start: int, end: int, boundary: bytes) -> list[tuple[int, int, bool]]:
        """Where each delimiter line begins (its line end before it too, RFC 2046 5.1.1) and ends; whether it closes."""
        raw = self.raw
        delimiters = []
        mark = b"--" + boundary.strip()
        at = raw.find(mark, start, end)
        while at >= 0:
            begins_line = at == start or raw[at - 1 : at] == b"\n"
            rest = _DELIMITER_REST.match(raw, at + len(mark), end) if begins_line else None
            if rest is not None:
                # the line end after a delimiter stays when it also begins the next one: two may follow directly
                line_end = 0 if at == start else 2 if raw[at - 2 : at - 1] == b"\r" else 1
                delimiters.append((at - line_end, rest.end(), rest[1] is not None))
            at = raw.find(mark, rest.end() if rest is not None and rest.end() > at else at + 1, end)
        return delimiters


def _fuller(filename: str, name: str) -> str:
    """QUIRK: some clients write the file name in a charset that lacks its letters (`???`), but not `name`."""
    return name if not filename or ("??" in filename and "?" not in name and name) else filename


def _file_name(name: str, limits: Limits) -> str:
    """A file name without the folders that some clients send along, safe to show."""
    bare = re.split(r"[\\/]", name.strip())[-1] if name else ""
    return safe_line(bare, limits.name)


def attached_header(content: bytes, limits: Limits) -> Headers:
    """The headers of an attached message or of a `text/rfc822-headers` part."""
    return parse_headers(head_of(content.lstrip(b"\r\n")), limits)
