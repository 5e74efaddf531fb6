"""Folders of an IMAP server: their names under its hierarchy and namespace, and those with a special use.

A name in the settings is written with `/` between its levels, or exactly as the server has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from services.fetcher.mailboxes.protocol import INBOX

TRASH: Final = "\\Trash"
JUNK: Final = "\\Junk"
USUAL_NAMES: Final = {
    TRASH: (
        "Trash", "Deleted Items", "Deleted Messages", "Deleted", "Bin", "Verwijderde items", "Prullenbak",
        "Prullenmand", "[Gmail]/Trash", "[Gmail]/Bin", "[Gmail]/Prullenbak", "[Google Mail]/Trash", "Papierkorb",
        "Gelöschte Elemente", "Corbeille", "Éléments supprimés",
    ),
    JUNK: (
        "Junk", "Junk E-mail", "Junk Email", "Junk Mail", "Spam", "Bulk Mail", "Ongewenste e-mail", "Ongewenst",
        "[Gmail]/Spam", "[Google Mail]/Spam",
    ),
}  # fmt: skip
"""For servers without RFC 6154: what mail programs and servers call these folders."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a server names folders: what stands between two levels (None: it has none), and before a person's own."""

    separator: str | None = "/"
    prefix: str = ""

    def candidates(self, written: str) -> tuple[str, ...]:
        """The names that a folder of the settings may have here, the likeliest first, each once."""
        if written.upper() == INBOX:
            return (INBOX,)
        names = [written]
        if self.separator:
            names.append(written.replace("/", self.separator))
        if self.prefix and not written.upper().startswith(self.prefix.upper()):
            names = [*(f"{self.prefix}{name}" for name in reversed(names)), *names]
        return tuple(dict.fromkeys(names))

    def to_create(self, written: str) -> str:
        """The name under which a missing folder is made."""
        name = written.replace("/", self.separator) if self.separator else written
        if self.prefix and not name.upper().startswith(self.prefix.upper()):
            return f"{self.prefix}{name}"
        return name

    def ancestors(self, name: str) -> tuple[str, ...]:
        """The folders above one, the highest first, without the prefix of all."""
        if not self.separator:
            return ()
        levels = name.split(self.separator)
        above = [self.separator.join(levels[:depth]) for depth in range(1, len(levels))]
        return tuple(each for each in above if f"{each}{self.separator}".upper() != self.prefix.upper())


Listed = Sequence[tuple[tuple[bytes, ...], bytes | None, str]]
"""Flags, separator and name of folders, as IMAPClient lists them."""


def special(listed: Listed, use: str, layout: Layout) -> str | None:
    """The folder with this special use: by its flag, else by a usual name."""
    there = [(frozenset(flag.lower() for flag in flags), name) for flags, _, name in listed]
    selectable = [(flags, name) for flags, name in there if not flags & {b"\\noselect", b"\\nonexistent"}]
    for flags, name in selectable:
        if use.lower().encode() in flags:
            return name
    return first_usual((name for _, name in selectable), use, layout)


def first_usual(names: Iterable[str], use: str, layout: Layout) -> str | None:
    """The first usual name of this use among `names`, in whatever case."""
    by_name = {name.casefold(): name for name in names}
    for usual in USUAL_NAMES[use]:
        for candidate in layout.candidates(usual):
            if candidate.casefold() in by_name:
                return by_name[candidate.casefold()]
    return None
