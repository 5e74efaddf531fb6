"""docs/templates.md says what the code does."""

from pathlib import Path

from shared.templates.placeholders import NUMBER, PLACEHOLDERS
from shared.templates.reference import reference


def test_the_page_is_current() -> None:
    page = Path(__file__).parents[3] / "docs" / "templates.md"
    assert page.read_text(encoding="utf-8") == reference(), (
        "run: python -m shared.templates.reference > docs/templates.md"
    )


def test_names_are_unique_and_written_as_the_table_is_searched() -> None:
    names = [placeholder.name for placeholder in PLACEHOLDERS]
    assert len(set(names)) == len(names)
    assert names == [" ".join(name.split()).casefold() for name in names]
    assert NUMBER.name == "ticketnummer"
