"""RFC 3676, RFC 1896: what the lines of a text mean."""

import pytest

from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.mime.parser import parse_mail
from services.classifier.reading.mime.part_text import unflowed


@pytest.mark.parametrize(
    ("text", "delete_space", "expected"),
    [
        pytest.param("een \ntwee\ndrie", False, "een twee\ndrie", id="joined-at-the-space"),
        pytest.param("een \ntwee", True, "eentwee", id="DelSp"),
        pytest.param("> een \n> twee\n>> drie", False, "> een twee\n>> drie", id="within-one-depth"),
        pytest.param("> een \ntwee", False, "> een \ntwee", id="not-across-depths"),
        pytest.param("x\n-- \nSanne", False, "x\n-- \nSanne", id="signature-mark"),
        pytest.param(" ingesprongen", False, "ingesprongen", id="space-stuffed"),
    ],
)
def test_format_flowed(text: str, delete_space: bool, expected: str) -> None:  # noqa: FBT001 - a table's column
    assert unflowed(text, delete_space=delete_space) == expected


def test_enriched_text_is_read_without_its_commands() -> None:
    raw = b"Content-Type: text/enriched\n\n<bold>Hallo</bold>\ndaar<<\n\n<color><param>red</param>Rood</color>"
    assert parse_mail(raw, DEFAULT_LIMITS).text == "Hallo daar<\nRood"
