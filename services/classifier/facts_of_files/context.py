"""What a database would know, said by a person in YAML (`--context FILE`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from services.classifier.configuration import ClassifierConfiguration
from services.classifier.rules.number_pattern import compiled
from shared.errors import ImporterError
from shared.sentences import Sentence, one_below_another

_NAMES: Final = "marker, numbers, number_pattern, contacts, employees, mailbox, trusted_authserv, fed_by_rule"


class BadContext(ImporterError):
    """The context cannot be used; the text says which field, and why."""


def _as_list(given: Any) -> Any:
    """One value where a list may stand is a list of one."""
    if given is None:
        return []
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _as_text(given: Any) -> Any:
    """A number that YAML read as one is the text that was typed."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


def _pattern(pattern: str) -> str:
    compiled(pattern)
    return pattern


Number = Annotated[str, BeforeValidator(_as_text), Field(min_length=1)]


class Person(BaseModel):
    """A contact or an employee."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    address: str


class Context(BaseModel):
    """All that a person can say; every field may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    marker: str = ""
    """The line above which customers answer (S7)."""
    numbers: Annotated[tuple[Number, ...], BeforeValidator(_as_list)] = ()
    """Numbers of tickets that exist."""
    number_pattern: Annotated[str, AfterValidator(_pattern)] = ClassifierConfiguration.model_fields[
        "ticket_number_pattern"
    ].default
    contacts: Annotated[tuple[Person, ...], BeforeValidator(_as_list)] = ()
    employees: Annotated[tuple[Person, ...], BeforeValidator(_as_list)] = ()
    mailbox: str | None = None
    """The mailbox's own address (D19)."""
    trusted_authserv: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = ()
    """Servers whose Authentication-Results count (D10)."""
    fed_by_rule: bool = False
    """Whether a rule of another mailbox redirects its mail to this one (D6)."""


def load_context(path: Path) -> Context:
    """The context in a file. Raises BadContext with a sentence for each field that is wrong."""
    try:
        said = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise BadContext(
            Sentence("The context %(file)s cannot be read (%(why)s).", file=path, why=error.strerror)
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        said_wrong = " ".join(str(error).split())
        raise BadContext(Sentence("The context %(file)s is no YAML: %(why)s.", file=path, why=said_wrong)) from None
    try:
        return Context.model_validate({} if said is None else said)
    except ValidationError as error:
        wrong = [_sentence(each["loc"], each["msg"], each["type"]) for each in error.errors()]
        raise BadContext(
            one_below_another(
                [Sentence("The context %(file)s is wrong: %(what)s.", file=path, what=what) for what in wrong]
            )
        ) from None


def _sentence(place: tuple[int | str, ...], said: str, kind: str) -> Sentence:
    name = ".".join(map(str, place))
    if kind == "extra_forbidden":
        known = _NAMES if len(place) == 1 else "name, address"
        return Sentence("%(name)s is not known here; known are %(known)s", name=name, known=known)
    if not name:
        return Sentence("a mapping of %(names)s is expected", names=_NAMES)
    return Sentence("%(name)s: %(why)s", name=name, why=said.removeprefix("Value error, "))
