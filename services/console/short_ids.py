"""Ids of mails as short as a person can type them: their beginnings, by which every command knows them too."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

SHORTEST: Final = 8
"""Characters of a beginning, at least."""


def short_ids(ids: Sequence[uuid.UUID]) -> list[str]:
    """For each id a beginning that no other of them has; of all the same length, as in a column."""
    texts = [str(one) for one in ids]
    lengths = range(SHORTEST, 36)
    length = next((each for each in lengths if len({text[:each] for text in texts}) == len(set(texts))), 36)
    return [text[:length].rstrip("-") for text in texts]
