"""Which parts of a mail are what was said, and which are files (RFC 2046 5.1, 2183, 2387).

What was said is a row of segments, in the order of the mail: each in plain text, in html, or in both (an alternative).
Pictures that a client puts between texts keep their place. Everything that is no segment is a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.classifier.reading.automatic.delivery_fields import looks_like_fields
from services.classifier.reading.automatic.kind import JOURNAL
from services.classifier.reading.mime.part import Part
from services.classifier.reading.wrappings.calendar import summary
from services.classifier.reading.wrappings.unwrap import TNEF_BODY, text_part
from shared.html.plain import says_something

_FILES: Final = frozenset(
    {"text/calendar", "text/rfc822-headers", "text/vcard", "text/x-vcard", "text/directory", "text/csv", "text/xml",
     "text/css", "text/javascript", "text/x-amp-html", "text/watch-html", "text/rtf"}
)  # fmt: skip
_RENDERINGS: Final = frozenset({"text/x-amp-html", "text/watch-html"})
_CALENDARS: Final = frozenset({"text/calendar", "application/ics"})
_STAND_IN: Final = _CALENDARS | {TNEF_BODY}
_FIRST_ONLY: Final = frozenset(
    {"multipart/signed", "multipart/report", "multipart/encrypted", "multipart/voice-message"}
)
_IMAGE: Final = re.compile(r"<img\b[^<>]{0,2000}", re.IGNORECASE)
_REMOTE: Final = re.compile(r"""\bsrc\s*+=\s*+["']?\s*+(?:https?:)?//""", re.IGNORECASE)
_UNSEEN: Final = re.compile("[\u00ad\u034f\u200b-\u200f\u2060\ufeff]")
"""Characters that mailers fill an empty text with."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of what was said: `plain` and `rich` say the same; `rich` are html parts and pictures between them."""

    plain: tuple[Part, ...] = ()
    rich: tuple[Part, ...] = ()

    @property
    def has_html(self) -> bool:
        return any(part.media_type == "text/html" for part in self.rich)


@dataclass(frozen=True, slots=True)
class Contents:
    """A mail's segments and its files, both in the order of the mail."""

    segments: tuple[Segment, ...]
    files: tuple[Part, ...]
    stands_in: Part | None = None
    """The part whose text stands in, where the mail says nothing itself: an attached message, an invitation."""


def find_contents(root: Part) -> Contents:
    """Segments and files of the whole mail; where it says nothing, what it carries speaks for it.

    QUIRK: an Exchange journal report says whom a mail went to, and carries the mail.

    In this order: the body in a winmail.dat, the text of the first attached message, the facts of an invitation.
    """
    contents = _own_contents(root)
    waiting = [part for part in root.walk() if part.media_type in _STAND_IN or part.attached is not None]
    if not waiting or (_speaks(contents) and not root.headers.has(JOURNAL)):
        return contents
    for part in sorted(waiting, key=_precedence):
        segments = _standing_in(part)
        if any(_says_something(said) for each in segments for said in each.plain + each.rich):
            return Contents(segments, contents.files, None if part.media_type == TNEF_BODY else part)
    return contents


def _precedence(part: Part) -> int:
    return 0 if part.media_type == TNEF_BODY else 1 if part.attached is not None else 2


def _standing_in(part: Part) -> tuple[Segment, ...]:
    if part.media_type == TNEF_BODY:
        plain = tuple(body for body in part.children if body.media_type == "text/plain")
        rich = tuple(body for body in part.children if body.media_type == "text/html")
        return (Segment(plain, rich),)
    if part.attached is not None:
        return find_contents(part.attached).segments
    said = summary(part.text)
    return (Segment(plain=(text_part(f"{part.path}.ics", "text/plain", said),)),) if said else ()


def _says_something(part: Part) -> bool:
    """Whether a reader sees anything: text beyond blanks, or a picture that comes along with the mail."""
    if part.media_type == "text/html":
        text = part.text
        return any(not _REMOTE.search(image[0]) for image in _IMAGE.finditer(text)) or says_something(text, _is_seen)
    return not part.is_text or _is_seen(part.text)


def _is_seen(text: str) -> bool:
    return bool((text if text.isascii() else _UNSEEN.sub("", text)).strip())


def _speaks(contents: Contents) -> bool:
    return any(_says_something(part) for segment in contents.segments for part in segment.plain + segment.rich)


def _own_contents(root: Part) -> Contents:
    """What the mail says itself, and its files.

    QUIRK: a mail whose only text is called an attachment (by gateways that rewrite mail) still says that text; so does
    a report whose words are called fields.
    """
    contents = _contents(root)
    if contents.segments:
        return contents
    for part in contents.files:
        if part.media_type in {"text/plain", "text/html"} and (not part.name or part.path == root.path):
            segment = Segment(rich=(part,)) if part.media_type == "text/html" else Segment(plain=(part,))
            return Contents((segment,), tuple(other for other in contents.files if other is not part))
        if part.media_type == "message/delivery-status" and not looks_like_fields(part.text):
            return Contents((Segment(plain=(part,)),), contents.files)
    return contents


def _contents(part: Part) -> Contents:
    if not part.is_multipart:
        return _leaf(part)
    if part.media_type == TNEF_BODY:
        return Contents((), ())
    if part.media_type == "multipart/alternative":
        return _alternative(part)
    if part.media_type == "multipart/related":
        return _related(part)
    children = [_contents(child) for child in part.children]
    segments = [
        segment
        for number, child in enumerate(children)
        for segment in child.segments
        if number == 0 or part.media_type not in _FIRST_ONLY
    ]
    files = [file for child in children for file in child.files]
    if part.media_type in _FIRST_ONLY:
        files += [said for child in children[1:] for segment in child.segments for said in segment.plain + segment.rich]
    return Contents(tuple(segments), tuple(files))


def _leaf(part: Part) -> Contents:
    if _is_said(part):
        segment = Segment(rich=(part,)) if part.media_type == "text/html" else Segment(plain=(part,))
        return Contents((segment,), ())
    if part.media_type.startswith("image/") and part.disposition == "inline":
        return Contents((Segment(rich=(part,)),), (part,))
    return Contents((), (part,))


def _is_said(part: Part) -> bool:
    if not part.is_text or part.media_type in _FILES or part.disposition == "attachment":
        return False
    return not part.name or (part.path in {"", "1"} and part.disposition in {"", "inline"})


def _alternative(part: Part) -> Contents:
    """The last alternative with html, and the last with text alone: both say the same (RFC 2046 5.1.4).

    One that says nothing gives way to any that does: clients and gateways leave html empty beside a text.
    Plain text goes before other kinds of text; renderings for watches and for AMP say nothing new, and are no files.
    """
    every = [_contents(child) for child in part.children]
    children = [child for child in every if _speaks(child)] or every
    rich = plain = Contents((), ())
    for child in children:
        if any(segment.has_html for segment in child.segments):
            rich = child
        elif _says_plainly(child) or (not plain.segments and any(segment.plain for segment in child.segments)):
            plain = child
    segment = Segment(
        plain=tuple(said for segment in (plain.segments or rich.segments) for said in segment.plain),
        rich=tuple(shown for segment in rich.segments for shown in segment.rich or segment.plain),
    )
    files = tuple(file for child in every for file in child.files if file.media_type not in _RENDERINGS)
    return Contents((segment,) if segment.plain or segment.rich else (), files)


def _says_plainly(contents: Contents) -> bool:
    return any(part.media_type == "text/plain" for segment in contents.segments for part in segment.plain)


def _leaves(part: Part) -> Iterator[Part]:
    if part.media_type != TNEF_BODY and part.is_multipart:
        for child in part.children:
            yield from _leaves(child)
    elif not part.is_multipart:
        yield part


def _related(part: Part) -> Contents:
    """The root (by `start`, else the first that says something) and what it refers to (RFC 2387)."""
    start = part.parameters.get("start", "").strip().strip("<>")
    children = list(part.children)
    root = next((child for child in children if start and child.content_id == start), None)
    if root is None:
        root = next((child for child in children if _speaks(_contents(child))), None)
    if root is None:
        root = next((child for child in children if _contents(child).segments), children[0])
    said = _contents(root)
    others = [child for child in children if child is not root]
    files = [file for child in others for file in _leaves(child)]
    return Contents(said.segments, said.files + tuple(files))
