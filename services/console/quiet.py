"""Keeps libraries from writing between the lines of a command: what they would say, it says itself, as a sentence."""

from __future__ import annotations

import logging
from typing import Final

_TALKERS: Final = ("asyncio", "aio_pika", "aiormq")
"""They tell of connections that fail or are given up; without a handler Python writes that to standard error."""


def keep_libraries_quiet() -> None:
    """Have nothing of theirs on the terminal. For commands that look at servers which may be away."""
    for name in _TALKERS:
        logging.getLogger(name).addHandler(logging.NullHandler())
