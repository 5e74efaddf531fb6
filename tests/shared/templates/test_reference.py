"""docs/templates.md says what the code does."""

from pathlib import Path

import pytest

from shared.templates.placeholders import NUMBER, OF_SUMMARIES, PLACEHOLDERS, Placeholder
from shared.templates.reference import reference


def test_the_page_is_current() -> None:
    page = Path(__file__).parents[3] / "docs" / "templates.md"
    assert page.read_text(encoding="utf-8") == reference(), (
        "run: python -m shared.templates.reference > docs/templates.md"
    )


@pytest.mark.parametrize("table", [PLACEHOLDERS, OF_SUMMARIES], ids=["tickets", "summaries"])
def test_names_are_unique_and_written_as_the_table_is_searched(table: tuple[Placeholder, ...]) -> None:
    names = [placeholder.name for placeholder in table]
    assert len(set(names)) == len(names)
    assert names == [" ".join(name.split()).casefold() for name in names]


def test_W3_the_number_is_a_placeholder_of_tickets_alone() -> None:
    assert NUMBER.name == "ticketnummer"
    assert NUMBER.name not in {placeholder.name for placeholder in OF_SUMMARIES}
