"""Sentences that are made in English where a thing is known, and translated where a person reads them.

A log, a database and a program get the English; the command line looks its text up in the language of its reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self


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
