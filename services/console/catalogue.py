"""Texts in a language, out of a catalogue of gettext (`.po`): of the command line and of the web console."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from babel import Locale


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language; what its catalogue does not have stays as it stands in the code."""

    language: str
    messages: Mapping[str, str | tuple[str, ...]]

    @classmethod
    def read(cls, catalogue: Path) -> Self:
        """Those of the file `LANGUAGE.po`."""
        from babel.messages.pofile import read_po  # noqa: PLC0415 - the command line in English needs none of it

        with catalogue.open("rb") as file:
            read = read_po(file, locale=catalogue.stem)
        return cls(
            catalogue.stem,
            {
                message.id[0] if isinstance(message.id, (tuple, list)) else message.id: (
                    tuple(message.string) if isinstance(message.string, (tuple, list)) else message.string
                )
                for message in read
                if message.id
            },
        )

    @property
    def locale(self) -> Locale:
        """How numbers and times are written; in English the day stands before the month, as in all of Europe."""
        from babel import Locale  # noqa: PLC0415 - as above

        return Locale.parse("en_GB" if self.language == "en" else self.language)

    def gettext(self, text: str) -> str:
        """The text in this language."""
        found = self.messages.get(text, text)
        return found if isinstance(found, str) else found[0]

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The text for so many; both languages have one plural, for all counts but 1."""
        found = self.messages.get(one, (one, many))
        return found[0 if count == 1 else 1] if isinstance(found, tuple) else found
