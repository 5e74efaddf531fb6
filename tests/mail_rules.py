"""The generated tables of docs/mail-rules.md: reasons, what is left out, and limits.

    python -m tests.mail_rules            write the tables anew
    python -m tests.mail_rules --check    say which of them is not current, and end with 1

A table stands between `<!-- <name> -->` and `<!-- /<name> -->`; the page around them is written by hand.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from services.classifier.reading.images.decoding import NotStored
from services.classifier.reading.limits import DEFAULT_LIMITS, Limits
from shared.portal.reasons import EXPLANATIONS, NOT_SENT, Explanation

PAGE: Final = Path(__file__).parents[1] / "docs" / "mail-rules.md"


def tables() -> Mapping[str, str]:
    """Each table by its name in the page."""
    return {
        "reasons": _explained(EXPLANATIONS.items()),
        "not sent": _explained(NOT_SENT.items()),
        "left out": _table(("reason", "id"), ((each.value, f"`{each.name}`") for each in NotStored)),
        "limits": _table(("limit", "value", "what it bounds"), _limits()),
    }


def with_tables(page: str) -> str:
    """The page with its tables as they are now; ValueError for one that the page has no place for."""
    for name, table in tables().items():
        place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not place.search(page):
            raise ValueError(f"{PAGE} has no place for the table «{name}».")
        page = place.sub(lambda found, table=table: f"{found[1]}{table}{found[2]}", page)  # type: ignore[misc]
    return page


def _explained(reasons: Iterable[tuple[str, Explanation]]) -> str:
    rows = ((f"`{identity}`", explanation.sentence, explanation.remedy) for identity, explanation in reasons)
    return _table(("id", "sentence", "remedy"), rows)


def _limits() -> Iterable[tuple[str, str, str]]:
    body = ast.parse(inspect.getsource(Limits)).body[0]
    statements = body.body if isinstance(body, ast.ClassDef) else []
    told: dict[str, str] = {}
    for statement, following in zip(statements, [*statements[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            said = following.value if isinstance(following, ast.Expr) else None
            told[statement.target.id] = str(said.value) if isinstance(said, ast.Constant) else ""
    for field in dataclasses.fields(DEFAULT_LIMITS):
        yield f"`{field.name}`", f"{getattr(DEFAULT_LIMITS, field.name):,}", " ".join(told[field.name].split())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def main(arguments: list[str]) -> int:
    """The exit code, as the manual above says."""
    written = PAGE.read_text(encoding="utf-8")
    current = with_tables(written)
    if arguments == ["--check"]:
        if current != written:
            sys.stdout.write("A table of docs/mail-rules.md is not current: run `python -m tests.mail_rules`.\n")
        return int(current != written)
    PAGE.write_text(current, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
