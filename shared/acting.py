"""In whose name a person's tool acts: what the audit log of the database records (`helpdesk.actor`).

    with acting.as_person(acting.at_the_command_line()): …    # a command: for all that it does
    with acting.as_person("jan@example.org"): …               # a web request: for what it does

A service acts in nobody's name, and nothing is said. A process that is asked something (`shared.asking`) acts for who
asked: the name travels in its environment.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Final, Self

VARIABLE: Final = "IMPORTER_ACTOR"
"""Names who acts where the system cannot: in a container, or behind a tool that several people use."""

_ACTOR: Final[ContextVar[str | None]] = ContextVar("actor", default=None)


def actor() -> str | None:
    """In whose name the present task acts; None: in nobody's."""
    return _ACTOR.get()


class as_person:  # noqa: N801 - a statement, not a thing
    """Act in this person's name from now on; as a context manager, until its end."""

    def __init__(self, name: str | None) -> None:
        self._token: Token[str | None] = _ACTOR.set(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _ACTOR.reset(self._token)


def at_the_command_line() -> str:
    """Who types: IMPORTER_ACTOR, else the login of who used sudo, else that of the process's user."""
    if named := named_by_environment():
        return named
    user = os.getuid()
    if user == 0 and (before_sudo := os.environ.get("SUDO_USER")):
        return before_sudo
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"uid {user}"


def named_by_environment() -> str | None:
    """Who is named by IMPORTER_ACTOR; None: nobody."""
    return os.environ.get(VARIABLE) or None


def environment() -> Mapping[str, str]:
    """What a process that acts for the present actor is told."""
    person = actor()
    return {} if person is None else {VARIABLE: person}
