"""A part of a mail, as a value: what the rules look at. `parser` makes parts of bytes, `wrappings` of what it opens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from services.classifier.reading.mime.header import Headers
from services.classifier.reading.mime.part_text import text_of


@dataclass(frozen=True)  # without slots: `text` is kept beside the fields
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
    content: bytes
    """The bytes, transfer encoding undone; none of a multipart."""
    children: tuple[Part, ...] = ()
    is_cut_off: bool = False
    """A multipart that ends within the header of its next part."""
    is_open_ended: bool = False
    """A leaf that no delimiter ends, only the end of the bytes: the last one of a mail that breaks off."""
    attached: Part | None = None
    """The message that this part carries, read: a mail of its own (`unwrap`)."""

    @cached_property
    def text(self) -> str:
        """The content as text by its Content-Type, decoded when it is first asked for: line ends LF."""
        return text_of(self.content, self.media_type, self.parameters)

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

    def walk(self) -> Iterator[Part]:
        """This part and all below it, in the order of the mail."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))
