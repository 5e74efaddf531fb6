"""The tree of a mail's parts (RFC 2045, 2046), split top-down by boundaries.

Splitting a multipart by its own boundary first keeps a broken inner part within its place: a missing closing boundary,
an inner boundary that begins like the outer one, or a part that is cut off never swallows its siblings. Depth and
number of parts are bounded while splitting; what lies beyond stays one part. Nothing here fails on any bytes.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from services.classifier.reading.limits import Limits
from services.classifier.reading.mime.charset import decode, html_label
from services.classifier.reading.mime.encoded_blocks import uudecoded
from services.classifier.reading.mime.header import Headers, decode_base64, parse_headers
from services.classifier.reading.mime.safe_text import safe_line

_FIELD_LINE: Final = re.compile(rb"[!-9;-~]{1,200}[ \t]*:|[ \t]")
_HTML_DOCUMENT: Final = re.compile(rb"\s{0,200}<(?:!doctype html|html|head|body)[\s>]", re.IGNORECASE)
_LEADING_BLANK: Final = re.compile(rb"\A(?:[ \t]*\r?\n)+")
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
_FIRST_DELIMITER: Final = re.compile(rb"^--([^\r\n]{1,200}?)[ \t]*\r?$", re.MULTILINE)
_DELIMITER_REST: Final = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")
_FLOWED_QUOTE: Final = re.compile(r"^(>*)( ?)(.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """One part: a leaf with its bytes, or a multipart with its children.

    `path` is the place in the tree (`1`, `1.2`, as IMAP numbers sections): with the mail's id it names an attachment.
    """

    path: str
    headers: Headers
    media_type: str
    parameters: dict[str, str]
    disposition: str
    name: str
    body: bytes
    children: tuple[Part, ...] = field(default=())
    attached: Part | None = None
    """The message that this part carries, read: a mail of its own (`unwrap`)."""

    @property
    def is_multipart(self) -> bool:
        return bool(self.children)

    @property
    def is_text(self) -> bool:
        return self.media_type.startswith("text/")

    @property
    def content_id(self) -> str | None:
        """Content-ID without its brackets; None where there is none."""
        value = self.headers.text("content-id").strip().strip("<>").strip()
        return value[:250] or None

    def content(self) -> bytes:
        """The part's bytes, transfer encoding undone (RFC 2045 6); an unknown one counts as none."""
        encoding = self.headers.token("content-transfer-encoding").partition(";")[0].strip("\"' ")
        if encoding == "base64":
            return decode_base64(self.body)
        if encoding in {"quoted-printable", "quotedprintable"}:
            return binascii.a2b_qp(self.body)
        if encoding in {"x-uuencode", "uuencode", "x-uue", "uue"}:
            decoded = uudecoded(self.body)
            return self.body if decoded is None else decoded
        return self.body

    def text(self) -> str:
        """A text part's text: charset undone, format=flowed joined (RFC 3676), line ends LF."""
        content = self.content()
        label = self.parameters.get("charset") or (html_label(content) if self.media_type == "text/html" else None)
        text = decode(content, label).replace("\r\n", "\n").replace("\r", "\n")
        if self.media_type in {"text/enriched", "text/richtext"}:
            return unenriched(text)
        if self.media_type == "text/plain" and self.parameters.get("format", "").lower() == "flowed":
            return unflowed(text, delete_space=self.parameters.get("delsp", "").lower() == "yes")
        return text

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in the order of the mail."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))


def parse_mail(raw: bytes, limits: Limits, path: str = "") -> Part:
    """The tree of a whole mail; `path` is the place of a mail that another one carries.

    QUIRK: a mail without any LF has CR line ends (old Macs); a leading mbox `From ` line is no header. Text that is no
    mail at all has no header either: a `Note: …` in its first lines stays in it. What begins like an html document is
    one, where no Content-Type says what it is.
    """
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    raw = _LEADING_BLANK.sub(b"", raw, count=1)
    if raw.startswith((b"From ", b">From ")):
        raw = raw.partition(b"\n")[2]
    head, body = split_head(raw)
    if not path and not _FIELD_OF_MAIL.search(head):
        raw, body = b"\n" + raw, raw
    default_type = "text/html" if _HTML_DOCUMENT.match(body) else "text/plain"
    root = _Parser(limits).part(raw, path, 0, default_type)
    return replace(root, headers=root.headers.in_utf8(_charset_of(root)))


def _charset_of(root: Part) -> str:
    """The charset that the mail's text names: for headers with bytes of no charset that they name themselves."""
    return next((part.parameters["charset"] for part in root.walk() if part.parameters.get("charset")), "")


def split_head(raw: bytes) -> tuple[bytes, bytes]:
    """Header block and body. A line that is no header field ends the block only if nothing after it looks like one.

    QUIRK: a blank line inside a folded field does not end the block when the rest of the field and another follow; nor
    does a line of spaces (RFC 5322 §4.2 has such folds) before a field that mails have.
    """
    position = 0
    while position < len(raw):
        end = raw.find(b"\n", position)
        line_end = len(raw) if end < 0 else end
        line = raw[position:line_end].rstrip(b"\r")
        following = line_end + 1
        if not line.strip() and not (_GOES_ON.match(raw, following) or (line and _MAIL_FIELD.match(raw, following))):
            return raw[:position], raw[following:]
        if line and not _FIELD_LINE.match(line) and not _FIELD_LINE.match(raw, following):
            return raw[:position], raw[position:]
        position = following
    return raw, b""


@dataclass(slots=True)
class _Parser:
    limits: Limits
    parts: int = 0

    def part(self, raw: bytes, path: str, depth: int, default_type: str) -> Part:
        self.parts += 1
        head, body = split_head(raw)
        headers = parse_headers(head, self.limits)
        media_type, options = headers.structured("content-type")
        if not _MEDIA_TYPE.fullmatch(media_type):
            media_type = {"text": "text/plain", "html": "text/html"}.get(media_type, default_type)
        disposition, disposition_options = headers.structured("content-disposition")
        children: tuple[Part, ...] = ()
        if media_type.startswith("multipart/") and depth < self.limits.depth:
            children = self._children(body, options.get("boundary", ""), media_type, path, depth)
            if not children:
                media_type = "text/plain"  # QUIRK: a multipart without a single delimiter is read as text
        return Part(
            path=path or ("" if children else "1"),
            headers=headers,
            media_type=media_type,
            parameters=options,
            disposition=disposition,
            name=_file_name(_fuller(disposition_options.get("filename", ""), options.get("name", "")), self.limits),
            body=b"" if children else body,
            children=children,
        )

    def _children(self, body: bytes, boundary: str, media_type: str, path: str, depth: int) -> tuple[Part, ...]:
        default_type = "message/rfc822" if media_type == "multipart/digest" else "text/plain"
        children: list[Part] = []
        for section in _sections(body, boundary.encode("utf-8", "replace")):
            if self.parts >= self.limits.parts:
                break
            place = f"{path}.{len(children) + 1}" if path else str(len(children) + 1)
            children.append(self.part(section, place, depth + 1, default_type))
        return tuple(children)


def _sections(body: bytes, boundary: bytes) -> Iterator[bytes]:
    delimiters = _delimiters(body, boundary) if boundary else []
    if not delimiters:
        # QUIRK: the boundary is missing or wrong: what first looks like a delimiter is taken for one.
        first = _FIRST_DELIMITER.search(body)
        delimiters = _delimiters(body, first[1]) if first else []
    for number, (_, start, closing) in enumerate(delimiters):
        if closing:
            return
        end = delimiters[number + 1][0] if number + 1 < len(delimiters) else len(body)
        yield body[start:end]


def _delimiters(body: bytes, boundary: bytes) -> list[tuple[int, int, bool]]:
    """Where each delimiter line begins (with the line end before it, RFC 2046 5.1.1) and ends; whether it closes."""
    found = []
    mark = b"--" + boundary.strip()
    at = body.find(mark)
    while at >= 0:
        rest = _DELIMITER_REST.match(body, at + len(mark)) if at == 0 or body[at - 1 : at] == b"\n" else None
        if rest is not None:
            # the line end after a delimiter stays when it also begins the next one: two delimiters may follow directly
            line_end = 0 if at == 0 else 2 if body[at - 2 : at - 1] == b"\r" else 1
            found.append((at - line_end, rest.end(), rest[1] is not None))
        at = body.find(mark, rest.end() if rest is not None and rest.end() > at else at + 1)
    return found


def _fuller(filename: str, name: str) -> str:
    """QUIRK: some clients write the file name in a charset that lacks its letters (`???`), but not `name`."""
    return name if not filename or ("??" in filename and "?" not in name and name) else filename


def _file_name(name: str, limits: Limits) -> str:
    """A file name without the folders that some clients send along, safe to show."""
    bare = re.split(r"[\\/]", name.strip())[-1] if name else ""
    return safe_line(bare, limits.name)


def unflowed(text: str, *, delete_space: bool) -> str:
    """Paragraphs of format=flowed joined again (RFC 3676 4): a trailing space goes on in the next line.

    Lines of one quote depth are joined; the signature mark `-- ` is a line of its own.
    """
    joined: list[list[str]] = []
    open_depth = -1
    for line in text.split("\n"):
        found = _FLOWED_QUOTE.match(line)
        marks, rest = (found[1], found[3]) if found else ("", line)
        depth = len(marks)
        flows = rest.endswith(" ") and rest != "-- "
        piece = rest[:-1] if flows and delete_space else rest
        if open_depth == depth and rest != "-- ":
            joined[-1].append(piece)
        else:
            joined.append([f"{marks} {piece}" if marks else piece])
        open_depth = depth if flows else -1
    return "\n".join("".join(pieces) for pieces in joined)


def unenriched(text: str) -> str:
    """The text of text/enriched (RFC 1896): commands go, single line ends are spaces, others lose one."""
    text = re.sub(r"\n+", lambda ends: "\n" * (len(ends[0]) - 1) or " ", text)
    text = re.sub(r"<param>[^<]{0,1000}</param>", "", text, flags=re.IGNORECASE)
    return re.sub(r"<(?:(<)|/?[A-Za-z][A-Za-z0-9-]{0,59}>)", lambda command: command[1] or "", text)


def attached_header(content: bytes, limits: Limits) -> Headers:
    """The headers of an attached message or of a `text/rfc822-headers` part."""
    return parse_headers(split_head(content.lstrip(b"\r\n"))[0], limits)
