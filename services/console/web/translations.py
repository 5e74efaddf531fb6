"""The languages of the pages. Their texts are Dutch where they stand; `locale/en.po` has each of them in English."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from services.console.catalogue import Texts

LOCALES: Final = Path(__file__).with_name("locale")
LANGUAGES: Final[Mapping[str, str]] = {"nl": "Nederlands", "en": "English"}
"""Each language and what it calls itself; the first is the default."""


@cache
def texts_of(language: str) -> Texts:
    """The texts of a language, Dutch where it is none of ours."""
    if language == "nl" or language not in LANGUAGES:
        return Texts("nl", {})
    return Texts.read(LOCALES / f"{language}.po")


def preferred(accept_language: str) -> str:
    """The language that a stranger's browser asks for first (RFC 9110 §12.5.4), Dutch where it names none of ours."""
    for part in accept_language.split(","):
        tag = part.partition(";")[0].strip().lower().partition("-")[0]
        if tag in LANGUAGES:
            return tag
    return next(iter(LANGUAGES))
