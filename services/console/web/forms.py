"""Forms of settings: how a field is asked, what was typed in it, and the sentence beside it where it cannot be.

What may stand in a field, and what it becomes, is the field's kind (`services.console.fields`), as on the command line.
A field that a form does not hold, or in which nothing was changed, is left alone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from services.console import changes, repository
from services.console.catalogue import Texts
from services.console.fields import (
    Address,
    BadValue,
    Children,
    Choice,
    Country,
    Day,
    Hours,
    Kind,
    Moment,
    OpeningHours,
    Reference,
    Several,
    SpecialDay,
    Text,
    TimeZone,
    WebAddress,
    Whole,
    YesNo,
)
from services.console.repository import NotOne
from services.console.resources import RESOURCES, Field
from shared.database.pool import Connection

LONGEST_TYPED: Final = 20_000
PEOPLE: Final = frozenset({"contact", "employee"})
"""References that are looked for by typing: there may be thousands."""


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for a text that is translated later
    """Mark a text for translation."""
    return text


@dataclass(frozen=True, slots=True)
class Asked:
    """A field of a form: what it is called on the screen, and what it is for. `operator`: others only see it."""

    field: Field
    label: str
    sentence: str = ""
    operator: bool = False
    words: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What the words of a choice are called; '' is what nothing chosen means."""

    @property
    def name(self) -> str:
        """The name of the input."""
        return self.field.name


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a page: its control, what stands in it, and what is wrong with that."""

    name: str
    label: str
    sentence: str
    control: str
    value: str
    options: tuple[tuple[str, str], ...]
    default: str
    problem: str
    locked: bool
    required: bool


@dataclass(frozen=True, slots=True)
class Read:
    """What a form comes to: columns of the row, rows of its children, and problems by the name of the input."""

    columns: dict[str, Any]
    children: dict[str, Any]
    problems: dict[str, str]


_CONTROLS: Final[Mapping[type[Any], str]] = {
    YesNo: "yes-no",
    Choice: "choice",
    Whole: "number",
    Address: "address",
    Moment: "moment",
    Day: "day",
    Several: "lines",
    Children: "lines",
}

_BELONGS: Final[Mapping[type[Any], str]] = {
    Text: N_("Hier past één regel tekst van hoogstens %(longest)s tekens."),
    Whole: N_("Vul een heel getal in van %(least)s tot en met %(most)s."),
    Hours: N_("Vul een aantal uren in, zoals 8 of 1,5 of 1:30."),
    Choice: N_("Kies een van de mogelijkheden."),
    YesNo: N_("Kies ja of nee."),
    Address: N_("Vul een mailadres in, zoals naam@voorbeeld.nl."),
    TimeZone: N_("Vul een tijdzone in, zoals Europe/Amsterdam."),
    Country: N_("Vul een land in als twee hoofdletters, zoals NL."),
    WebAddress: N_("Vul een webadres in, dat begint met https://."),
    Moment: N_("Vul een datum en tijd in."),
    Day: N_("Vul een datum in."),
    OpeningHours: N_("Schrijf op elke regel dagen en uren, zoals «mon-fri 8:30-17:00»."),
    SpecialDay: N_("Schrijf op elke regel een dag, zoals «2026-12-24 8:30-12:00» of «2026-12-27 closed»."),
}
_EMPTY: Final = N_("Dit mag niet leeg zijn.")
_NOBODY: Final = N_("Zo heet niemand. Typ een deel van de naam of het mailadres, en kies uit de lijst.")
_SEVERAL: Final = N_("Zo heten er meer: typ het mailadres, of een van deze nummers: %(these)s.")
_NOT_CHOSEN: Final = N_("Kies iets uit de lijst.")
_OPERATOR: Final = N_("Dit kan alleen wie alles beheert veranderen.")


def sentence_for(kind: Kind, texts: Texts) -> str:
    """What belongs in a field of this kind."""
    inner = kind.each if isinstance(kind, Several | Children) else kind
    text = texts.gettext(_BELONGS[type(inner)])
    places = {name: getattr(inner, name) for name in ("longest", "least", "most") if hasattr(inner, name)}
    return text % places if places else text


def text_of(kind: Kind, value: Any, zone: str) -> str:
    """A column's value as it stands in its input."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() if isinstance(kind, Hours):
            return f"{value // 60}:{value % 60:02}"
        case datetime():
            return value.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")
        case list() | tuple():
            return "\n".join(map(str, value))
    return str(value)


def typed_in(form: FormData, asked: Sequence[Asked]) -> dict[str, str]:
    """What the form holds of these fields, by name. The last of a name counts: a box that is ticked, after its «no»."""
    return {
        one.name: str(form.getlist(one.name)[-1]).replace("\r\n", "\n")[:LONGEST_TYPED]
        for one in asked
        if one.name in form
    }


@dataclass(frozen=True, slots=True)
class Form:
    """Fields of one row, as a visitor sees and changes them."""

    asked: Sequence[Asked]
    row: Mapping[str, Any]
    """By field name, as `repository` shows it; empty for a new row."""
    options: Mapping[str, tuple[tuple[str, str], ...]]
    """Of references that are chosen from a list: id and name, by field name."""
    defaults: Mapping[str, Any]
    """By column."""
    texts: Texts
    zone: str
    operator: bool

    def inputs(self, typed: Mapping[str, str], problems: Mapping[str, str]) -> dict[str, Input]:
        """What the page shows, by name: what was typed, where it was, else what holds."""
        return {one.name: self._input(one, typed, problems) for one in self.asked}

    def _input(self, one: Asked, typed: Mapping[str, str], problems: Mapping[str, str]) -> Input:
        gettext, kind = self.texts.gettext, one.field.kind
        return Input(
            name=one.name,
            label=gettext(one.label),
            sentence=gettext(one.sentence) if one.sentence else "",
            control=_control(kind),
            value=typed.get(one.name, self._stands(one)),
            options=self._options(one),
            default=self._default(one),
            problem=problems.get(one.name, ""),
            locked=one.operator and not self.operator,
            required=one.field.required,
        )

    def _options(self, one: Asked) -> tuple[tuple[str, str], ...]:
        kind = one.field.kind
        nothing = (("", self.texts.gettext(one.words[""])),) if "" in one.words else ()
        if isinstance(kind, Choice):
            return (*nothing, *((word, self.texts.gettext(one.words.get(word, word))) for word in kind.words))
        chosen = self.options.get(one.name, ())
        return (*(nothing if one.field.clearable else ()), *chosen) if chosen or nothing else ()

    def _stands(self, one: Asked) -> str:
        value = self.row.get(one.name) if self.row else self.defaults.get(one.field.target)
        if one.name in self.options:
            return next((key for key, name in self.options[one.name] if name == value), "")
        return text_of(one.field.kind, value, self.zone)

    def _default(self, one: Asked) -> str:
        """The default, in words; '' where there is none."""
        value = self.defaults.get(one.field.target)
        if value is None or value in ("", []):
            return ""
        if isinstance(value, bool):
            return self.texts.gettext("ja") if value else self.texts.gettext("nee")
        text = text_of(one.field.kind, value, self.zone)
        return self.texts.gettext(one.words[text]) if text in one.words else text

    async def read(self, connection: Connection, typed: Mapping[str, str], helpdesk_id: int | None) -> Read:
        """Check what was typed and changed, and look up whom it names."""
        read = Read({}, {}, {})
        for one in self.asked:
            if one.name not in typed or (typed[one.name] == self._stands(one) and self.row):
                continue
            if one.operator and not self.operator:
                read.problems[one.name] = self.texts.gettext(_OPERATOR)
                continue
            try:
                value = changes.value_of(one.field, self._given(one, typed[one.name]))
                value = await changes.column_of(connection, one.field, value, helpdesk_id)
            except BadValue as error:
                read.problems[one.name] = self._sentence(one, typed[one.name], error)
                continue
            if isinstance(one.field.kind, Children):
                read.children[one.name] = value
            else:
                read.columns[one.field.target] = value
        return read

    def _given(self, one: Asked, typed: str) -> Any:
        kind = one.field.kind
        if isinstance(kind, YesNo):
            return kind.parse(typed)
        if isinstance(kind, Several | Children):
            return [line.strip() for line in typed.split("\n") if line.strip()]
        if isinstance(kind, Moment) and typed.strip():
            try:
                return datetime.fromisoformat(typed).replace(tzinfo=ZoneInfo(self.zone)).isoformat()
            except ValueError:
                return typed
        return typed

    def _sentence(self, one: Asked, typed: str, error: BadValue) -> str:
        gettext, kind = self.texts.gettext, one.field.kind
        if not typed.strip():
            return gettext(_EMPTY)
        if isinstance(error, NotOne) and isinstance(kind, Reference) and kind.resource in PEOPLE:
            these = ", ".join(f"{key} ({name})" for key, name in error.several)
            return gettext(_SEVERAL) % {"these": these} if these else gettext(_NOBODY)
        return gettext(_NOT_CHOSEN) if isinstance(kind, Reference) else sentence_for(kind, self.texts)


def _control(kind: Kind) -> str:
    if isinstance(kind, Reference):
        return "person" if kind.resource in PEOPLE else "choice"
    return _CONTROLS.get(type(kind), "text")


async def options_of(
    connection: Connection, asked: Sequence[Asked], helpdesk_id: int | None
) -> dict[str, tuple[tuple[str, str], ...]]:
    """What can be chosen in the fields that name another row, by field name."""
    found = {}
    for one in asked:
        kind = one.field.kind
        if isinstance(kind, Reference) and kind.resource not in PEOPLE:
            names = await repository.names(connection, RESOURCES[kind.resource], helpdesk_id)
            found[one.name] = tuple((str(key), name) for key, name in names)
    return found
