"""The languages of the pages. Their texts are Dutch where they stand; `locale/en.po` has each of them in English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.pofile import read_po

LOCALES: Final = Path(__file__).with_name("locale")
LANGUAGES: Final[Mapping[str, str]] = {"nl": "Nederlands", "en": "English"}
"""Each language and what it calls itself; the first is the default."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language."""

    language: str
    messages: Mapping[str, str | tuple[str, ...]]

    @property
    def locale(self) -> Locale:
        """How numbers and times are written."""
        return Locale.parse(self.language)

    def gettext(self, text: str) -> str:
        """The text in this language."""
        found = self.messages.get(text, text)
        return found if isinstance(found, str) else found[0]

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The text for so many; both languages have one plural, for all counts but 1."""
        found = self.messages.get(one, (one, many))
        return found[0 if count == 1 else 1] if isinstance(found, tuple) else found


@cache
def texts_of(language: str) -> Texts:
    """The texts of a language, Dutch where it is none of ours."""
    if language == "nl" or language not in LANGUAGES:
        return Texts("nl", {})
    with (LOCALES / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    return Texts(
        language,
        {
            message.id[0] if isinstance(message.id, (tuple, list)) else message.id: (
                tuple(message.string) if isinstance(message.string, (tuple, list)) else message.string
            )
            for message in catalog
            if message.id
        },
    )


def preferred(accept_language: str) -> str:
    """The language that a stranger's browser asks for first (RFC 9110 §12.5.4), Dutch where it names none of ours."""
    for part in accept_language.split(","):
        tag = part.partition(";")[0].strip().lower().partition("-")[0]
        if tag in LANGUAGES:
            return tag
    return next(iter(LANGUAGES))
