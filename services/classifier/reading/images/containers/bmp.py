"""BMP, by the headers of Windows (BITMAPINFOHEADER and its kin) and of OS/2 1.x."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

_UNCOMPRESSED: Final = frozenset({0, 3, 6})


def pieces(content: bytes, *, strip: bool) -> Iterator[bytes]:  # noqa: ARG001 - it has no metadata
    begin, header_size = struct.unpack_from("<10xII", content)
    if header_size < 40:  # noqa: PLR2004 - the header of OS/2 1.x has no sizes of data
        width, height, _, bits = struct.unpack_from("<18xHHHH", content)
        size = (width * bits + 31) // 32 * 4 * height
    else:
        width, height, _, bits, compression, size = struct.unpack_from("<18xiiHHII", content)
        if compression in _UNCOMPRESSED:
            size = (abs(width) * bits + 31) // 32 * 4 * abs(height)
    yield content[: begin + size] if size else content
