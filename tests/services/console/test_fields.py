"""What a person may type: every kind of value, good and bad."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from services.console.fields import (
    Address,
    BadValue,
    BodyTemplate,
    Choice,
    Country,
    Hours,
    Kind,
    Moment,
    OpeningHours,
    SpecialDay,
    Text,
    TimeZone,
    WebAddress,
    Whole,
)


@pytest.mark.parametrize(
    ("kind", "typed", "stored"),
    [
        pytest.param(Text(), "  Servicedesk ", "Servicedesk", id="text is trimmed"),
        pytest.param(Whole(1, 10), "10", 10, id="a bound belongs to its range"),
        pytest.param(Hours(), "8", 480, id="whole hours"),
        pytest.param(Hours(), "1.5", 90, id="a decimal point"),
        pytest.param(Hours(), "1,5", 90, id="a decimal comma"),
        pytest.param(Hours(), "0:30", 30, id="hours and minutes"),
        pytest.param(Choice(("open", "closed")), "open", "open", id="one of the words"),
        pytest.param(Address(), "Jan.Smit+werk@voorbeeld.nl", "Jan.Smit+werk@voorbeeld.nl", id="an address as typed"),
        pytest.param(TimeZone(), "Europe/Amsterdam", "Europe/Amsterdam", id="a time zone"),
        pytest.param(Country(), "NL", "NL", id="a country"),
        pytest.param(
            WebAddress(), "https://desk.example/t/[ticketnummer]", "https://desk.example/t/[ticketnummer]", id="a link"
        ),
        pytest.param(Moment(), "2026-11-23", datetime(2026, 11, 23, tzinfo=UTC), id="a date"),
        pytest.param(
            Moment(), "2026-11-23T08:30:00+01:00", datetime(2026, 11, 23, 7, 30, tzinfo=UTC), id="a moment becomes UTC"
        ),
        pytest.param(
            OpeningHours(),
            "mon-tue 8:30-17:00",
            [(1, "08:30:00", "17:00:00"), (2, "08:30:00", "17:00:00")],
            id="a row for each weekday",
        ),
        pytest.param(OpeningHours(), "SAT 9:00-12:00", [(6, "09:00:00", "12:00:00")], id="one weekday"),
        pytest.param(OpeningHours(), "sun 0:00-24:00", [(7, "00:00:00", "24:00")], id="a whole day"),
        pytest.param(SpecialDay(), "2026-12-27 closed", [(date(2026, 12, 27), None, None)], id="a closed day"),
        pytest.param(
            SpecialDay(), "2026-12-24 8:30-12:00", [(date(2026, 12, 24), "08:30:00", "12:00:00")], id="a short day"
        ),
    ],
)
def test_good_values(kind: Kind, typed: str, stored: Any) -> None:
    assert kind.parse(typed) == stored


@pytest.mark.parametrize(
    ("kind", "typed", "says"),
    [
        pytest.param(Text(longest=3), "vier", "at most 3", id="too long"),
        pytest.param(Text(), "twee\nregels", "control character", id="a line break would reach a mail header"),
        pytest.param(Whole(1, 10), "11", "outside 1 to 10", id="above the range"),
        pytest.param(Whole(1, 10), "tien", "no", id="no number"),
        pytest.param(Hours(), "0", "cannot be met", id="no time at all"),
        pytest.param(Hours(), "-1", "no number of hours", id="negative hours"),
        pytest.param(Choice(("open", "closed")), "ajar", "one of open, closed", id="another word"),
        pytest.param(Address(), "jan", "no mail address", id="no at sign"),
        pytest.param(Address(), "Jan <jan@voorbeeld.nl>", "no mail address", id="a name and an address"),
        pytest.param(Address(), "a@b\r\nBcc: c@d", "no mail address", id="a header in an address"),
        pytest.param(TimeZone(), "Amsterdam", "no time zone", id="a city"),
        pytest.param(Country(), "nl", "two capitals", id="small letters"),
        pytest.param(WebAddress(), "javascript:alert(1)", "no web address", id="a script"),
        pytest.param(Moment(), "gisteren", "no time", id="a word for a time"),
        pytest.param(Moment(), "2026-11-23T08:30:00", "no offset", id="a time without its offset"),
        pytest.param(OpeningHours(), "ma-vr 8:30-17:00", "no weekdays", id="other names of days"),
        pytest.param(OpeningHours(), "mon-fri 17:00-8:30", "closes before it opens", id="hours the wrong way round"),
        pytest.param(OpeningHours(), "fri-mon 8:30-17:00", "ends before it begins", id="a week the wrong way round"),
        pytest.param(SpecialDay(), "kerst closed", "no date", id="no date"),
    ],
)
def test_bad_values_say_what_belongs_there(kind: Kind, typed: str, says: str) -> None:
    with pytest.raises(BadValue, match=says):
        kind.parse(typed)


def test_a_file_is_stored_by_its_content(tmp_path: Path) -> None:
    template = tmp_path / "sjabloon.html"
    template.write_text("<p>Geachte [contactpersoon], één</p>", encoding="utf-8")
    assert BodyTemplate().parse(str(template)) == "<p>Geachte [contactpersoon], één</p>"


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    template = tmp_path / "sjabloon.html"
    template.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadValue, match="not UTF-8"):
        BodyTemplate().parse(str(template))
    with pytest.raises(BadValue, match="cannot be read"):
        BodyTemplate().parse(str(tmp_path / "weg.html"))
