"""What the command line says, in the language of its process: IMPORTER_LANGUAGE, English where it is not set.

    from services.console.texts import _, ngettext

    done(_("Mailbox %(name)s is paused.") % {"name": name})
    done(ngettext("%(count)s mail waits.", "%(count)s mails wait.", count) % {"count": count})

The texts are English where they stand; `locale/nl.po` has each of them in Dutch, and a test finds which it lacks. JSON,
names of options, and words that are typed back are the same in both.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Final

from services.console.catalogue import Texts
from shared.errors import Misconfigured
from shared.sentences import Sentence

VARIABLE: Final = "IMPORTER_LANGUAGE"
LANGUAGES: Final = ("en", "nl")
"""The first is the default, and the language of the texts where they stand."""
LOCALES: Final = Path(__file__).with_name("locale")


@cache
def texts() -> Texts:
    """Those of this process; Misconfigured where its language is none of ours."""
    language = os.environ.get(VARIABLE) or LANGUAGES[0]
    if language not in LANGUAGES:
        raise Misconfigured(f"{VARIABLE} is wrong. Set it to: {' or '.join(LANGUAGES)}.")
    return texts_of(language)


@cache
def texts_of(language: str) -> Texts:
    """Those of a language of ours."""
    return Texts(language, {}) if language == LANGUAGES[0] else Texts.read(LOCALES / f"{language}.po")


def _(text: str) -> str:
    """`text` in the language of this process."""
    return texts().gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """The text for so many, in the language of this process."""
    return texts().ngettext(one, many, count)


def said_in(language: Texts, text: str) -> str:
    """A sentence that was made in English, and those among its values, in this language where it has them."""
    if not isinstance(text, Sentence):
        return text
    values = {
        name: said_in(language, value) if isinstance(value, str) else value for name, value in text.values.items()
    }
    said = language.gettext(text.text)
    return said % values if values else said


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for a text that is translated later
    """`text` as it stands: it is given to `_` where it is said."""
    return text
