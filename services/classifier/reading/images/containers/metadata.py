"""Metadata that must not stay in an image, whatever a helpdesk wants."""

from __future__ import annotations

from typing import Final

_ACTIVE: Final = (b"<?php", b"<script", b"<html", b"<svg", b"%pdf-", b"pk\x03\x04", b"#!/", b"mz\x90\x00")
"""Beginnings, in lower case, of what is run or opened as something else."""


def may_stay(metadata: bytes) -> bool:
    """Whether metadata may stay where a helpdesk keeps them: nothing in them can be run."""
    lower = metadata.lower()
    return not any(active in lower for active in _ACTIVE)
