"""The texts of the pages, as they stand in templates and code, and the meanings of placeholders."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from babel.messages.extract import extract_from_dir

from shared.templates.placeholders import OF_SUMMARIES, PLACEHOLDERS

WEB: Final = Path(__file__).parents[4] / "services" / "console" / "web"
_METHODS: Final = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
_OPTIONS: Final = {"**.html": {"trimmed": "false", "newstyle_gettext": "true", "silent": "false"}}
_KEYWORDS: Final = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}

Text = str | tuple[str, ...]


def texts() -> set[Text]:
    """Each text once; one for singular and plural is a pair."""
    found = extract_from_dir(WEB, _METHODS, _OPTIONS, _KEYWORDS)
    of_pages = {tuple(message) if isinstance(message, tuple) else message for _, _, message, _, _ in found}
    return of_pages | {placeholder.meaning for placeholder in (*PLACEHOLDERS, *OF_SUMMARIES)}
