"""What `explain` says in Dutch of files and contexts that cannot be read; what a library says of them stays English."""

from __future__ import annotations

from typing import Final

from shared.sentences import Sentence

LANGUAGES: Final = ("en", "nl")

_DUTCH: Final = {
    "%(file)s: cannot be read (%(why)s)": "%(file)s: kan niet worden gelezen (%(why)s)",
    "The context %(file)s cannot be read (%(why)s).": "De context %(file)s kan niet worden gelezen (%(why)s).",
    "The context %(file)s is no YAML: %(why)s.": "De context %(file)s is geen YAML: %(why)s.",
    "The context %(file)s is wrong: %(what)s.": "De context %(file)s is fout: %(what)s.",
    "%(name)s is not known here; known are %(known)s": "%(name)s is hier niet bekend; bekend zijn %(known)s",
    "a mapping of %(names)s is expected": "verwacht wordt een verzameling van %(names)s",
}


def in_words(said: str, language: str) -> str:
    """A sentence, and those among its values, in this language."""
    if not isinstance(said, Sentence) or language == LANGUAGES[0]:
        return said
    values = {
        name: in_words(value, language) if isinstance(value, str) else value for name, value in said.values.items()
    }
    return _DUTCH.get(said.text, said.text) % values
