"""What reaches a terminal: nothing of a mail, a server or a file that a terminal would obey."""

import json

import pytest

from services.console.output import done, show_json, show_one, show_rows, visible

HOSTILE = "a\x1b]0;x\x07\x9b2J\rb\x00\u202ec\x7f"


@pytest.mark.parametrize("show", ["done", "json", "one", "rows"])
def test_no_control_character_reaches_a_terminal_as_such(show: str, capsys: pytest.CaptureFixture[str]) -> None:
    match show:
        case "done":
            done(HOSTILE)
        case "json":
            show_json({"found": HOSTILE})
        case "one":
            show_one({"found": HOSTILE}, as_json=False)
        case "rows":
            show_rows("mails", [{"subject": HOSTILE}], as_json=False)
    said = capsys.readouterr().out
    assert not set(HOSTILE) - set("abcx]0;2J") & set(said)
    assert "\\u001b]0" in said


def test_json_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    show_json({"found": HOSTILE})
    assert json.loads(capsys.readouterr().out) == {"found": HOSTILE}


def test_lines_and_letters_stay_as_they_are() -> None:
    assert visible("één\n\ttwee 👍") == "één\n\ttwee 👍"
