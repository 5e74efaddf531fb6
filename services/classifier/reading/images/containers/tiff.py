"""TIFF (revision 6.0, Adobe 1992): directories of entries, all found by their place in the file.

What is kept stays at its place, and everything else becomes zeros: what stands before, between and behind the strips,
what entries of nobody's knowledge point to, and metadata where a helpdesk wants that. The last kept byte is the end.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from services.classifier.reading.images.containers.errors import NotWhole
from services.classifier.reading.images.containers.keeping import Keeping
from services.classifier.reading.images.containers.metadata import may_stay

_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_NUMBERS: Final = {1: "B", 3: "H", 4: "I", 13: "I"}
_IN_ENTRY: Final = 4
"""Bytes of a value that stand in the entry itself; a longer value stands elsewhere."""
_METADATA: Final = frozenset(
    {0x010D, 0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x02BC, 0x8298, 0x83BB, 0x8649, 0x8769, 0x8825,
     0x9286, 0xA005, 0xC4A5, *range(0x9C9B, 0x9CA0)}
)  # fmt: skip
"""Names, texts, times, devices, XMP, IPTC, Photoshop, Exif and positions."""
_DIRECTORIES: Final = frozenset({0x8769, 0x8825, 0xA005})
_LONG: Final = frozenset({273, 279, 291, 301, 320, 321, 324, 325, 347, 34675})
"""Tags of the image whose values may be long: strips, tiles, curves, palettes, tables, the profile of colours."""
_SHORT: Final = frozenset(
    {254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 274, 277, 278, 280, 281, 282, 283, 284, 286, 287, 290, 292,
     293, 296, 297, 317, 318, 319, 322, 323, 326, 327, 328, 332, 334, 336, 338, 339, 340, 341, 342, 512, 513, 514, 515,
     517, 518, 519, 520, 521, 529, 530, 531, 532, 37439}
)  # fmt: skip
"""The other tags that say how pixels are read (sections 8 to 22 and the supplements)."""
_MOST_SHORT: Final = 256
"""Values of a tag in _SHORT: one for each sample of a pixel, or two."""
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _SAMPLES, _ROWS, _PLANES = 256, 257, 258, 259, 277, 278, 284
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_PLACES: Final = ((273, 279), (324, 325), (513, 514))
"""Where the image's own bytes stand, and how many they are: strips, tiles, a whole JPEG (old style)."""
_OLD_JPEG_TABLES: Final = (519, 520, 521)
_LARGEST_TABLE: Final = 16 + 256
_UNCOMPRESSED: Final = 1
_DEFLATED: Final = frozenset({8, 32946})
_PIECE: Final = 1024 * 1024
_DEFLATED_TIMES: Final = 512
"""Bytes that come out of a stream for each that counts as looked at; it gives a thousand times its size at most."""
_SEPARATE_PLANES: Final = 2
_MOST_DIRECTORIES: Final = 1_000
_MOST_ENTRIES: Final = 50_000
_ENTRY_SIZE: Final = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """A field of a directory: its tag, the kind and number of its values, and where they stand."""

    tag: int
    kind: int
    count: int
    position: int
    """Of the entry."""
    place: int
    """Of the values."""

    @property
    def size(self) -> int:
        """Bytes of the values; none of a kind that nobody knows."""
        return _SIZES.get(self.kind, 0) * self.count


@dataclass(frozen=True, slots=True)
class _Directory:
    position: int
    entries: tuple[Entry, ...]
    following: int


def order_of(tiff: bytes) -> str:
    """The byte order as `struct` writes it. Raises NotWhole."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        raise NotWhole
    return order


def first_entries(tiff: bytes) -> tuple[Entry, ...]:
    """The entries of the first directory. Raises NotWhole, struct.error."""
    order = order_of(tiff)
    return _directory(tiff, struct.unpack_from(f"{order}4xI", tiff)[0], order).entries


def numbers_of(tiff: bytes, entry: Entry) -> Sequence[int]:
    """The values of an entry of whole numbers; none of another kind. Raises NotWhole, struct.error."""
    if entry.kind not in _NUMBERS or entry.size > len(tiff):
        return ()
    return struct.unpack_from(f"{order_of(tiff)}{entry.count}{_NUMBERS[entry.kind]}", tiff, entry.place)


def pieces(content: bytes, *, strip: bool) -> Iterator[bytes]:
    keeping = Keeping.of(content)
    keeping.keep(0, 8)
    made: list[tuple[int, bytes]] = []
    for directory in _directories(content):
        kept: dict[int, Entry] = {}
        for entry in directory.entries:
            if entry.tag not in kept and _is_kept(keeping, entry, strip=strip):
                kept[entry.tag] = entry
                for place, size in _extents(content, entry):
                    keeping.keep(place, size)
        sizes = _keep_pixels(keeping, kept)
        made += _made(content, directory, kept.values(), sizes)
    for position, piece in made:  # last: nothing that claims their place brings back what was taken out
        keeping.put(position, piece)
    yield keeping.whole()


def _directories(content: bytes) -> Iterator[_Directory]:
    """Every picture's directory, in order. Raises NotWhole for more of them than any file has."""
    order = order_of(content)
    (position,) = struct.unpack_from(f"{order}4xI", content)
    seen: set[int] = set()
    entries = 0
    while position and position not in seen:
        seen.add(position)
        directory = _directory(content, position, order)
        entries += len(directory.entries)
        if len(seen) > _MOST_DIRECTORIES or entries > _MOST_ENTRIES:
            raise NotWhole
        yield directory
        position = directory.following


def _directory(content: bytes, position: int, order: str) -> _Directory:
    (count,) = struct.unpack_from(f"{order}H", content, position)
    entries = []
    for number in range(count):
        at = position + 2 + number * _ENTRY_SIZE
        tag, kind, amount, elsewhere = struct.unpack_from(f"{order}HHII", content, at)
        is_within = _SIZES.get(kind, 0) * amount <= _IN_ENTRY
        entries.append(Entry(tag, kind, amount, at, at + 8 if is_within else elsewhere))
    end = position + 2 + count * _ENTRY_SIZE
    # QUIRK: some writers end the file with the last entry, without the place of a next directory
    following = struct.unpack_from(f"{order}I", content, end)[0] if end + 4 <= len(content) else 0
    return _Directory(position, tuple(entries), following)


def _is_kept(keeping: Keeping, entry: Entry, *, strip: bool) -> bool:
    if not entry.size:
        return False
    if entry.tag in _METADATA:
        if strip:
            return False
        for place, size in _extents(keeping.source, entry):
            keeping.spend(size)
            if not may_stay(keeping.source[place : place + size]):
                return False
        return True
    return entry.tag in _LONG or (entry.tag in _SHORT and entry.count <= _MOST_SHORT)


def _extents(content: bytes, entry: Entry) -> Iterator[tuple[int, int]]:
    """Where the values of an entry stand: of one that points to a directory, that and all of its own."""
    yield entry.place, entry.size
    if entry.tag not in _DIRECTORIES:
        return
    waiting = list(numbers_of(content, entry))[:1]
    for position in waiting:
        inner = _inner_directory(content, position)
        if inner is None:
            continue
        yield position, 2 + len(inner.entries) * _ENTRY_SIZE + 4
        for each in inner.entries:
            yield each.place, each.size
            if each.tag in _DIRECTORIES and len(waiting) < len(_DIRECTORIES):
                waiting += list(numbers_of(content, each))[:1]


def _inner_directory(content: bytes, position: int) -> _Directory | None:
    """A directory within metadata, None where it is damaged: the picture does not need it."""
    try:
        return _directory(content, position, order_of(content))
    except struct.error:
        return None


def _made(
    content: bytes, directory: _Directory, kept: Iterable[Entry], sizes: dict[int, Sequence[int]]
) -> Iterator[tuple[int, bytes]]:
    """The directory of the entries that are kept, with the numbers of bytes that strips really have, and its place."""
    order = order_of(content)
    entries = b""
    count = 0
    for entry in kept:
        written = content[entry.position : entry.position + _ENTRY_SIZE]
        if entry.tag in sizes:
            values = struct.pack(f"{order}{entry.count}{_NUMBERS[entry.kind]}", *sizes[entry.tag])
            if entry.size <= _IN_ENTRY:
                written = written[:8] + values.ljust(_IN_ENTRY, b"\x00")
            else:
                yield entry.place, values
        entries += written
        count += 1
    yield directory.position, struct.pack(f"{order}H", count) + entries + struct.pack(f"{order}I", directory.following)


def _keep_pixels(keeping: Keeping, entries: dict[int, Entry]) -> dict[int, Sequence[int]]:
    """Keeps strips and tiles; answers how many bytes each really has, by the tag that says so."""
    content = keeping.source
    real: dict[int, Sequence[int]] = {}
    for places_tag, sizes_tag in _PLACES:
        places = numbers_of(content, entries[places_tag]) if places_tag in entries else ()
        sizes = numbers_of(content, entries[sizes_tag]) if sizes_tag in entries else ()
        bounds = _Bounds.of(content, entries, len(places))
        known = []
        for number, place in enumerate(places):
            known.append(bounds.size(keeping, place, sizes[number] if number < len(sizes) else 0, number))
            keeping.keep(place, known[-1])
        if sizes:
            real[sizes_tag] = [*known[: len(sizes)], *[0] * (len(sizes) - len(known))]
    for tag in _OLD_JPEG_TABLES:
        for place in numbers_of(content, entries[tag]) if tag in entries else ():
            # of quantisation 64 bytes, of Huffman 16 numbers and as many values as these add up to
            size = 64 if tag == _OLD_JPEG_TABLES[0] else 16 + sum(content[place : place + 16])
            keeping.keep(place, min(size, _LARGEST_TABLE))
    return real


@dataclass(frozen=True, slots=True)
class _Bounds:
    """How many bytes a strip or a tile really has, where that can be known: its number of bytes is only said."""

    compression: int
    bytes_a_row: int
    rows: int
    """Of each strip or tile."""
    height: int
    strips_a_plane: int
    """0 for tiles, which all have the same rows."""

    @classmethod
    def of(cls, content: bytes, entries: dict[int, Entry], places: int) -> _Bounds:
        def number(tag: int, default: int) -> int:
            return max(numbers_of(content, entries[tag]), default=default) if tag in entries else default

        is_tiled = _TILE_WIDTH in entries
        height = number(_HEIGHT, 0)
        rows = number(_TILE_HEIGHT, 0) if is_tiled else min(number(_ROWS, height), height)
        samples = 1 if number(_PLANES, 1) == _SEPARATE_PLANES else number(_SAMPLES, 1)
        bits = number(_TILE_WIDTH if is_tiled else _WIDTH, 0) * samples * number(_BITS, 1)
        strips = 0 if is_tiled or not rows else min(-(-height // rows), max(places, 1))
        return cls(number(_COMPRESSION, _UNCOMPRESSED), -(-bits // 8), rows, height, strips)

    def size(self, keeping: Keeping, place: int, said: int, number: int) -> int:
        """Bytes of the strip or tile with this number. Raises NotWhole where nothing tells them."""
        rows = self.rows
        if self.strips_a_plane:
            rows = max(0, min(rows, self.height - number % self.strips_a_plane * rows))
        raw = self.bytes_a_row * rows
        if self.compression == _UNCOMPRESSED:
            return raw if not said else min(raw, said)
        if not said:
            raise NotWhole
        return _deflated_size(keeping, place, said, raw) if self.compression in _DEFLATED else said


def _deflated_size(keeping: Keeping, place: int, said: int, raw: int) -> int:
    """How many bytes the compressed stream takes that gives `raw` bytes (RFC 1950); all that were said where it breaks.

    Raises NotWhole when it becomes too much: strips may name the same stream again and again.
    """
    decompressor = zlib.decompressobj()
    left = keeping.source[place : place + said]
    size = len(left)
    try:
        while raw > 0 and left and not decompressor.eof:
            given = len(decompressor.decompress(left, min(raw, _PIECE)))
            keeping.spend(given // _DEFLATED_TIMES)
            raw, left = raw - given, decompressor.unconsumed_tail
            if not given:
                break
    except zlib.error:
        return size
    return size - len(decompressor.unused_data) - len(left)
