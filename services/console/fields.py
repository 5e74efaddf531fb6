"""What a person may type for a setting, and what it becomes: pure parsing, one small class a kind of value.

Each kind turns the text of an option into the value of a column, or raises `BadValue` with a sentence that says what
belongs there. An empty text clears an optional setting (None). Nothing here knows a table or a database.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final, Protocol
from zoneinfo import available_timezones

from services.console.texts import _
from shared.errors import ImporterError
from shared.templates.render import BadTemplate, parse_body, parse_subject

LONGEST_ADDRESS: Final = 254
"""Characters of a mail address (RFC 5321 §4.5.3.1.3, erratum 1690)."""
LONGEST_TEMPLATE: Final = 256 * 1024
"""Bytes of the largest template file that is taken."""


class BadValue(ImporterError):
    """What was typed cannot be stored; the text says which option and what belongs there."""


class Kind(Protocol):
    """A kind of value: `metavar` names it in --help, `parse` makes the column's value of what was typed."""

    @property
    def metavar(self) -> str: ...

    def parse(self, text: str) -> Any:
        """The value of the column; BadValue when the text cannot be one."""


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text, without control characters, cut by nobody: too long is refused."""

    metavar: str = "TEXT"
    longest: int = 200

    def parse(self, text: str) -> str:
        """The text without surrounding white space."""
        text = text.strip()
        if len(text) > self.longest:
            told = {"count": len(text), "most": self.longest}
            raise BadValue(_("it has %(count)s characters; at most %(most)s fit") % told)
        if any(unicodedata.category(character) == "Cc" for character in text):
            raise BadValue(_("it holds a control character (a tab or a line break, for example)"))
        return text


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds, both included."""

    least: int
    most: int
    metavar: str = "NUMBER"

    def parse(self, text: str) -> int:
        """The number."""
        try:
            number = int(text)
        except ValueError:
            raise BadValue(_("%(typed)r is not a whole number") % {"typed": text}) from None
        if not self.least <= number <= self.most:
            told = {"number": number, "least": self.least, "most": self.most}
            raise BadValue(_("%(number)s is outside %(least)s to %(most)s") % told)
        return number


@dataclass(frozen=True, slots=True)
class Hours:
    """Working hours of a priority, such as 8 or 1.5 or 0:30; stored in minutes (SPEC D3)."""

    metavar: str = "HOURS"

    def parse(self, text: str) -> int:
        """Whole minutes."""
        if match := re.fullmatch(r"(\d{1,4}):([0-5]\d)", text):
            minutes = int(match[1]) * 60 + int(match[2])
        elif re.fullmatch(r"\d{1,4}([.,]\d{1,2})?", text):
            minutes = round(float(text.replace(",", ".")) * 60)
        else:
            raise BadValue(_("%(typed)r is no number of hours; write 8, 1.5 or 1:30") % {"typed": text})
        if minutes == 0:
            raise BadValue(_("a resolution time of nothing cannot be met; leave it empty for none"))
        return minutes


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few fixed words."""

    words: tuple[str, ...]

    @property
    def metavar(self) -> str:
        """The words themselves."""
        return "|".join(self.words)

    def parse(self, text: str) -> str:
        """The word."""
        if text not in self.words:
            told = {"typed": text, "words": ", ".join(self.words)}
            raise BadValue(_("%(typed)r is not one of %(words)s") % told)
        return text


@dataclass(frozen=True, slots=True)
class YesNo:
    """Yes or no: a pair of options --x/--no-x."""

    metavar: str = ""

    def parse(self, text: str) -> bool:
        """Only used for values that come as text (JSON, files)."""
        if text not in ("yes", "no"):
            raise BadValue(_("%(typed)r is neither yes nor no") % {"typed": text})
        return text == "yes"


@dataclass(frozen=True, slots=True)
class Address:
    """A mail address: something, an @, a domain (RFC 5321 §4.1.2, without the quoted forms that nobody has)."""

    metavar: str = "ADDRESS"

    def parse(self, text: str) -> str:
        """The address as typed, trimmed."""
        text = text.strip()
        if len(text) > LONGEST_ADDRESS:
            raise BadValue(_("a mail address has at most %(most)s characters") % {"most": LONGEST_ADDRESS})
        if not re.fullmatch(r"[^@\s<>(),;:\"\\]+@[^@\s<>(),;:\"\\]+", text):
            raise BadValue(_("%(typed)r is no mail address; write name@example.org") % {"typed": text})
        return text


@dataclass(frozen=True, slots=True)
class Reference:
    """Another row, typed by its name, one of its addresses, or its id; `resource` says of which table."""

    resource: str

    @property
    def metavar(self) -> str:
        """What to type."""
        return self.resource.upper()

    def parse(self, text: str) -> str:
        """The key as typed: it is looked up in the database."""
        return Text().parse(text)


@dataclass(frozen=True, slots=True)
class TimeZone:
    """A time zone of the IANA database."""

    metavar: str = "ZONE"

    def parse(self, text: str) -> str:
        """The zone's name."""
        if text not in available_timezones():
            raise BadValue(_("%(typed)r is no time zone; write one like Europe/Amsterdam") % {"typed": text})
        return text


@dataclass(frozen=True, slots=True)
class Country:
    """A country whose public holidays count (ISO 3166-1, two letters)."""

    metavar: str = "COUNTRY"

    def parse(self, text: str) -> str:
        """Two capitals."""
        if not re.fullmatch(r"[A-Z]{2}", text):
            raise BadValue(_("%(typed)r is no country; write two capitals like NL") % {"typed": text})
        return text


@dataclass(frozen=True, slots=True)
class WebAddress:
    """An https or http address with [ticketnummer] where the number goes."""

    metavar: str = "URL"

    def parse(self, text: str) -> str:
        """The address."""
        text = Text(longest=500).parse(text)
        if not re.fullmatch(r"https?://[^\s<>\"]+", text):
            raise BadValue(_("%(typed)r is no web address; write https://…") % {"typed": text})
        return text


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, or a date and time with offset (RFC 3339)."""

    metavar: str = "WHEN"

    def parse(self, text: str) -> datetime:
        """An aware time in UTC; a date alone is its first moment in UTC."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            sentence = _("%(typed)r is no time; write 2026-11-23 or 2026-11-23T08:30:00+01:00")
            raise BadValue(sentence % {"typed": text}) from None
        if moment.tzinfo is None and len(text) > len("2026-11-23"):
            raise BadValue(_("%(typed)r has no offset; write 2026-11-23T08:30:00+01:00") % {"typed": text})
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Day:
    """A day."""

    metavar: str = "DATE"

    def parse(self, text: str) -> date:
        """The day."""
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise BadValue(_("%(typed)r is no date; write 2026-11-23") % {"typed": text}) from None


def _of_template(error: BadTemplate) -> str:
    return " ".join(_(problem.trouble.value) % problem.told for problem in error.problems).rstrip(".")


@dataclass(frozen=True, slots=True)
class SubjectTemplate:
    """The subject of a template mail, with [placeholders] (DESIGN 11); not `of_ticket`: that of a summary."""

    metavar: str = "TEXT"
    of_ticket: bool = True

    def parse(self, text: str) -> str:
        """The subject, its placeholders checked."""
        subject = Text(longest=500).parse(text)
        try:
            parse_subject(subject, of_ticket=self.of_ticket)
        except BadTemplate as error:
            raise BadValue(_of_template(error)) from None
        return subject


@dataclass(frozen=True, slots=True)
class BodyTemplate:
    """A text file with the body of a template mail and its [placeholders]; its content is stored.

    Not `of_ticket`: that of a summary.
    """

    metavar: str = "FILE"
    of_ticket: bool = True

    def parse(self, text: str) -> str:
        """The file's content (UTF-8), its placeholders checked."""
        body = self._content(text)
        try:
            parse_body(body, of_ticket=self.of_ticket)
        except BadTemplate as error:
            told = {"file": text, "problem": _of_template(error)}
            raise BadValue(_("in the file %(file)s: %(problem)s") % told) from None
        return body

    def _content(self, text: str) -> str:
        try:
            content = Path(text).read_bytes()
        except OSError as error:
            told = {"file": text, "why": error.strerror}
            raise BadValue(_("the file %(file)s cannot be read (%(why)s)") % told) from None
        if len(content) > LONGEST_TEMPLATE:
            large = {"file": text, "count": len(content), "most": LONGEST_TEMPLATE}
            raise BadValue(_("the file %(file)s has %(count)s bytes; at most %(most)s fit") % large)
        try:
            return content.decode("utf-8").replace("\0", "")
        except UnicodeDecodeError:
            raise BadValue(_("the file %(file)s is not UTF-8 text") % {"file": text}) from None


WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


_MIDNIGHT: Final = "24:00"
"""The end of a day, which `time` cannot say; PostgreSQL's type can."""


def _clock(text: str) -> str:
    """A time of the day, two digits each: `08:30`."""
    padded = text.strip().zfill(5)
    if padded == _MIDNIGHT:
        return padded
    try:
        return time.fromisoformat(padded).isoformat()
    except ValueError:
        raise BadValue(_("%(typed)r is no time of the day; write 8:30") % {"typed": text}) from None


def _opening(text: str) -> tuple[str, str]:
    opens, dash, closes = text.partition("-")
    if not dash:
        raise BadValue(_("%(typed)r is no opening time; write 8:30-17:00") % {"typed": text})
    if _clock(opens) >= _clock(closes):
        raise BadValue(_("%(typed)r closes before it opens") % {"typed": text})
    return _clock(opens), _clock(closes)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Working hours on weekdays: `mon-fri 8:30-17:00`, `sat 9:00-12:00`, `sun 0:00-24:00` (SPEC D3)."""

    metavar: str = "'DAYS HOURS'"

    def parse(self, text: str) -> list[tuple[int, str, str]]:
        """A row (ISO weekday, opens, closes) for each day."""
        days, _space, hours = text.strip().lower().partition(" ")
        first, _dash, last = days.partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            raise BadValue(_("%(typed)r names no weekdays; write mon-fri 8:30-17:00") % {"typed": text})
        opens, closes = _opening(hours.strip())
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        if end < start:
            raise BadValue(_("%(typed)r ends before it begins; weeks run from mon to sun") % {"typed": text})
        return [(day + 1, opens, closes) for day in range(start, end + 1)]


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A day that is not as its weekday: `2026-12-24 8:30-12:00`, or `2026-12-27 closed`."""

    metavar: str = "'DATE HOURS|closed'"

    def parse(self, text: str) -> list[tuple[date, str | None, str | None]]:
        """One row (day, opens, closes); both times None when closed."""
        day, _space, hours = text.strip().lower().partition(" ")
        try:
            parsed = date.fromisoformat(day)
        except ValueError:
            raise BadValue(_("%(typed)r begins with no date; write 2026-12-24 8:30-12:00") % {"typed": text}) from None
        opens, closes = (None, None) if hours.strip() == "closed" else _opening(hours.strip())
        return [(parsed, opens, closes)]


@dataclass(frozen=True, slots=True)
class Children:
    """A repeatable option whose values are rows of a table of their own; given at all, they replace what was there."""

    table: str
    owner: str
    columns: tuple[str, ...]
    each: Kind
    numbered: bool = False
    """The rows keep the order in which they were typed, in a column `position`."""

    @property
    def metavar(self) -> str:
        """That of one value."""
        return self.each.metavar

    def parse(self, text: str) -> Any:
        """The rows that one value makes."""
        value = self.each.parse(text)
        return value if isinstance(value, list) else [(value,)]


@dataclass(frozen=True, slots=True)
class Several:
    """A repeatable option whose values go into one array column; given at all, they replace what was there."""

    each: Kind

    @property
    def metavar(self) -> str:
        """That of one value."""
        return self.each.metavar

    def parse(self, text: str) -> Any:
        """One value of the array."""
        return self.each.parse(text)


def joined(texts: Sequence[str]) -> str:
    """`a, b and c`, for a sentence."""
    *first, last = texts
    return _("%(first)s and %(last)s") % {"first": ", ".join(first), "last": last} if first else last
