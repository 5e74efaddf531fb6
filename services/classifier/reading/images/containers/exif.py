"""The orientation in an Exif block (Exif 2.32 4.5, 4.6.4), which is a TIFF of its own."""

from __future__ import annotations

import struct
from typing import Final

from services.classifier.reading.images.containers.errors import NotWhole
from services.classifier.reading.images.containers.tiff import first_entries, numbers_of

HEADER: Final = b"Exif\x00\x00"
_ORIENTATION: Final = 0x0112
_TURNED: Final = range(2, 9)
"""1 is upright, and need not be said."""


def orientation_alone(tiff: bytes) -> bytes | None:
    """An Exif block that says the orientation that this one names and nothing else; None where it is upright."""
    orientation = _orientation_of(tiff)
    return _block_of(orientation) if orientation in _TURNED else None


def _orientation_of(tiff: bytes) -> int:
    """The orientation that an Exif block names; 1, upright, where it names none."""
    try:
        said = [numbers_of(tiff, entry) for entry in first_entries(tiff) if entry.tag == _ORIENTATION]
    except (struct.error, NotWhole):
        return 1
    return next((values[0] for values in said if values), 1)


def _block_of(orientation: int) -> bytes:
    """An Exif block that says the orientation and nothing else."""
    return b"MM\x00*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, orientation, 0, 0)
