"""The bounds within which a mail is read (SPEC D17, DESIGN 10), in one place and with their units.

A bound that is reached never loses the mail: the text says that it was cut, a part is left out by name, or the mail
goes on from its head alone.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes count bytes in raw mail and characters once decoded."""

    header_block: int = 256 * 1024
    """Bytes of a header block that are read; what follows is skipped up to the body."""
    header_lines: int = 2_000
    header_value: int = 16 * 1024
    """Bytes of one header that are decoded; address lists of thousands end there."""
    depth: int = 30
    """Multiparts within multiparts; deeper ones stay one part that is left out."""
    parts: int = 1_000
    unwrapped_bytes: int = 128 * 1024 * 1024
    """Bytes of all that is unwrapped from one mail: S/MIME, winmail.dat, attached messages, encoded files."""
    unwrapped_depth: int = 8
    """Wrappings within wrappings; a deeper one stays closed and is left out by name."""
    subject: int = 500
    """Characters of a subject, and of a file name 200 (`name`): longer ones are cut with an ellipsis."""
    name: int = 200
    address: int = 320
    """RFC 3696: 64 octets, `@`, 255 octets. A longer address is no address."""
    addresses: int = 200
    """Mailboxes kept of To and of Cc."""
    references: int = 100
    text: int = 500_000
    text_lines: int = 10_000
    """Lines of a text; with those of `html_pieces` they bound what a mail of nothing but line ends costs."""
    html: int = 2_000_000
    html_pieces: int = 30_000
    """Elements and line ends of an html source: a megabyte of short paragraphs as Outlook writes them has 26,000."""
    html_depth: int = 1_500
    """Elements within elements: HTML parsers need quadratic time in it (200,000 take minutes)."""
    images: int = 100
    image_bytes: int = 30 * 1024 * 1024
    image_pixels: int = 64_000_000
    image_frames: int = 1_000
    image_total_pixels: int = 400_000_000
    """Pixels of all images of one mail and all their frames together."""
    left_out: int = 200
    head_bytes: int = 256 * 1024
    """Bytes that the second reading looks at, after the whole mail could not be read."""


DEFAULT_LIMITS = Limits()
