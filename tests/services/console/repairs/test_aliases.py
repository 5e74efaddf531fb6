"""`aliases`: old numbers by which tickets are known too, from a file, checked line by line (SPEC D1)."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.console.repairs.aliases import Line, NotAliases, Wrong, read_lines
from tests.services.console.repairs.conftest import CommandLine


@pytest.mark.parametrize(
    ("content", "lines", "wrong"),
    [
        pytest.param(b"2000001,1000001\n", [Line(1, "2000001", "1000001")], [], id="comma"),
        pytest.param(b"\xef\xbb\xbf2000001;1000001\r\n", [Line(1, "2000001", "1000001")], [], id="Excel's in Dutch"),
        pytest.param(b"2000001\t1000001", [Line(1, "2000001", "1000001")], [], id="tab"),
        pytest.param(b"alias,ticket\n 2000001 ,1000001\n", [Line(2, "2000001", "1000001")], [], id="headings, spaces"),
        pytest.param(b'"2000001","1000001"\n\n', [Line(1, "2000001", "1000001")], [], id="quotes, an empty line"),
        pytest.param(b"2000001,1000001\n2000002\n,1\n", [Line(1, "2000001", "1000001")], [2, 3], id="too few"),
        pytest.param(b"2000001,1000001,x\n", [], [1], id="too many"),
        pytest.param(b"", [], [], id="empty"),
    ],
)
def test_D1_the_lines_of_a_file(content: bytes, lines: list[Line], wrong: list[int]) -> None:
    found, refused = read_lines(content)
    assert found == lines
    assert [each.line for each in refused] == wrong
    assert all(isinstance(each, Wrong) and each.why for each in refused)


def test_D1_what_is_no_text_is_refused() -> None:
    with pytest.raises(NotAliases, match="UTF-8"):
        read_lines(b"2000001,1000001\n\xff\xfe")


def _tickets(filled: CommandLine) -> tuple[str, str]:
    first, second, *_ = sorted({each["ticket"] for each in filled.json("mails", "list") if each["ticket"]})
    return first, second


def test_D1_a_file_is_checked_then_taken_in_whole(filled: CommandLine, tmp_path: Path) -> None:
    first, second = _tickets(filled)
    file, before = tmp_path / "oud.csv", filled.json("aliases", "list")
    file.write_text(f"oud nummer;ticket\n2000001;{first}\n2000002;{second}\n2000003;{first}\n", encoding="utf-8")
    assert "3 old numbers would be added" in filled("aliases", "import", str(file), "--dry-run")
    assert filled.json("aliases", "list") == before
    assert filled.json("aliases", "import", str(file)) == {"new": 3, "known": 0, "wrong": [], "stored": True}
    assert "0 old numbers added, 3 known already." in filled("aliases", "import", str(file))
    of_first = [each["alias"] for each in filled.json("aliases", "list", "--ticket", "2000003")]
    assert {"2000001", "2000003"} <= set(of_first)
    assert "2000002" not in of_first


def test_D1_every_wrong_line_is_named_and_nothing_is_stored(filled: CommandLine) -> None:
    (first, second), before = _tickets(filled), filled.json("aliases", "list")
    lines = [
        *(f"2000001,{first}", f"2000001,{second}", "2000002,9999999", f"99999999999,{first}", f"OUD-1,{first}"),
        *(f"{second},{first}", "2000003"),
    ]
    said = filled("aliases", "import", "-", stdin="\n".join(lines), code=1)
    assert said.splitlines() == [
        "Line 2: 2000001 is another ticket's number already.",
        "Line 3: there is no ticket 9999999.",
        "Line 4: 99999999999 would not be found: the pattern of ticket numbers is TCK-[0-9]{1,5}|[1-9][0-9]{6,9}.",
        "Line 5: OUD-1 would not be found: the pattern of ticket numbers is TCK-[0-9]{1,5}|[1-9][0-9]{6,9}.",
        f"Line 6: {second} is another ticket's number already.",
        "Line 7: two columns are expected: the old number, and its ticket's number.",
        "Nothing is stored.",
    ]
    assert filled.json("aliases", "list") == before


def test_D1_one_old_number_is_added(filled: CommandLine) -> None:
    first, second = _tickets(filled)
    assert filled("aliases", "add", "2000001", first) == f"Ticket {first} is known by 2000001 too.\n"
    assert "another ticket's" in filled("aliases", "add", "2000001", second, code=1)
    assert "would not be found" in filled("aliases", "add", "123", first, code=1)
