"""What needs a person, in Dutch to the last word: its cause may have been told in English."""

from __future__ import annotations

from services.console.texts import said_in, texts_of
from shared.standing.needs import Need


def in_dutch(need: Need) -> str:
    """The need's Dutch sentence, with the Dutch of the sentences in it."""
    return said_in(texts_of("nl"), need.dutch)
