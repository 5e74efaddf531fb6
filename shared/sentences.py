"""Sentences that are made in English where a thing is known, and translated where a person reads them.

A log, a database and a program get the English; the command line looks its text up in the language of its reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

_ENDED: Final = "%(sentence)s."
_FOLLOWED: Final = "%(first)s %(second)s"
"""Nothing of these is to be translated."""


class Sentence(str):
    """`Sentence("There is no %(thing)s.", thing="mail")`: that text with its values, and both kept beside it."""

    __slots__ = ("text", "values")

    text: str
    values: Mapping[str, Any]

    def __new__(cls, text: str, **values: Any) -> Self:
        """The English, with its values in their places."""
        made = super().__new__(cls, text % values if values else text)
        made.text, made.values = text, values
        return made


def one_below_another(sentences: Sequence[str]) -> Sentence:
    """Sentences as lines of one."""
    names = [f"line_{number}" for number in range(len(sentences))]
    text = "\n".join(f"%({name})s" for name in names)
    return Sentence(text, **dict(zip(names, sentences, strict=True)))


def ended(text: str) -> str:
    """`text` with its full stop, so that another sentence may follow."""
    return text if text.endswith(".") else Sentence(_ENDED, sentence=text)


def followed(first: str, second: str) -> Sentence:
    """Two sentences one after the other."""
    return Sentence(_FOLLOWED, first=first, second=second)


def said_by(error: Exception) -> str:
    """What an error says: its sentence, where it was raised with one."""
    return error.args[0] if error.args and isinstance(error.args[0], Sentence) else str(error)
