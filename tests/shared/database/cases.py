"""Cases written as SQL: each under a line `-- name => what is expected`."""

import re
from pathlib import Path


def cases(file: str) -> dict[str, tuple[str, str]]:
    """The cases of a file in this folder: name → (SQL, what is expected)."""
    text = Path(__file__).with_name(file).read_text(encoding="utf-8")
    found = re.findall(r"^-- (.+) => (.+)\n((?:(?!--).+\n)+)", text, re.MULTILINE)
    return {name: (statements, expected) for name, expected, statements in found}
