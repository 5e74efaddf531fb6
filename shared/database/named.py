"""SQL whose parameters have names: asyncpg knows places only (`$1`), which nobody can read once there are many."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

_NAME: Final = re.compile(r"(?<!:):([a-z][a-z0-9_]*)")
"""`:name`, and no `::type`. A colon in a comment or a literal is followed by a space, or it is taken for one."""


@dataclass(frozen=True, slots=True)
class NamedStatement:
    """A statement as asyncpg takes it, and the names of its parameters by their place."""

    sql: str
    names: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> NamedStatement:
        """The statement of SQL with parameters `:name`; a name that stands several times is one parameter."""
        names = tuple(dict.fromkeys(_NAME.findall(text)))
        places = {name: f"${place}" for place, name in enumerate(names, 1)}
        return cls(_NAME.sub(lambda match: places[match[1]], text), names)

    def arguments(self, **values: Any) -> list[Any]:
        """The values in the places of their names. Raises TypeError where one is missing or is no parameter."""
        if values.keys() != set(self.names):
            wrong = ", ".join(sorted(values.keys() ^ set(self.names)))
            raise TypeError(f"Missing among the parameters of a statement, or none of them: {wrong}.")
        return [values[name] for name in self.names]
