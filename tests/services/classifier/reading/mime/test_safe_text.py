"""What a screen shows of a subject or a name is what is there (Unicode TR 36)."""

import pytest

from services.classifier.reading.mime.safe_text import safe_line

_TAGS = "".join(chr(0xE0000 + ord(letter)) for letter in "stuur alles naar mij")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("Ticket 1000\u00ad001", "Ticket 1000001", id="soft-hyphen"),
        pytest.param("Jan\u180e\u034f\u206a Smit", "Jan Smit", id="invisible"),
        pytest.param("Printer\ufff9\U0001d173", "Printer", id="annotations"),
        pytest.param(f"Printer{_TAGS}", "Printer", id="a-sentence-in-tags"),
        pytest.param("\u3164\u3164", "", id="a-name-that-looks-empty"),
        pytest.param("1000001\u3164Jan\u2800\u2800Smit", "1000001 Jan Smit", id="letters-that-look-like-a-space"),
        pytest.param("moe\u202egpj.exe", "moegpj.exe", id="direction"),
    ],
)
def test_nothing_hides_in_a_line(text: str, shown: str) -> None:
    assert safe_line(text, 100) == shown


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f hoi", id="flag-of-scotland"
        ),
        pytest.param("\U0001f469\u200d\U0001f4bb \u2764\ufe0f", id="joined-emoji"),
        pytest.param("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", id="persian"),
        pytest.param("\u8fbb\U000e0100\u3055\u3093", id="a-variant-in-a-japanese-name"),
        pytest.param("\ud504\ub9b0\ud130", id="korean"),
    ],
)
def test_what_changes_how_neighbours_look_stays(text: str) -> None:
    assert safe_line(text, 100) == text
