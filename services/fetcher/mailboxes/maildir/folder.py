"""One folder of a Maildir, as blocking calls on files. `maildir` runs them off the event loop.

A mail is a file; its state is its name, and a mail client may rename it between any two of our calls. So every act
looks the mail up again when its file is not where it was: found, the act is tried again; not found, the mail is gone.
Only `new/` and `cur/` are read: what lies in `tmp/` is still being delivered. What is no regular file (a directory, a
symbolic link, a pipe) is no mail, nor is a hard link to another owner's file.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

from services.fetcher.mailboxes.maildir.confinement import confine
from services.fetcher.mailboxes.maildir.names import MaildirName, folder_directory, hint_to_path, path_to_hint
from services.fetcher.mailboxes.protocol import (
    AccessDenied,
    MailboxMissing,
    MailboxUnreachable,
    MailGone,
    MailReference,
    MailTooLarge,
    MailUnreadable,
)

NEW: Final = "new"
CUR: Final = "cur"
READ_BYTES: Final = 1024 * 1024
RENAME_TRIES: Final = 10
"""How often a mail is looked up again when somebody renames it at the same moment."""


class Place(NamedTuple):
    """Where a message's file was seen: in `new` or `cur`, under this name."""

    directory: str
    name: str


class MaildirFolder:
    """A folder of the Maildir at `root`; it and what is beneath it lie in `bounds`, where there are such."""

    def __init__(self, root: Path, folder: str, bounds: Path | None = None) -> None:
        self._root = root
        self._bounds = bounds
        self.path = root / folder_directory(folder)

    def check(self) -> None:
        """Raise MailboxMissing when this is no Maildir, AccessDenied when we cannot list it or mark mail in it."""
        for directory in (self.path / NEW, self.path / CUR):
            self._confine(directory)
            with self._trouble():
                if not stat.S_ISDIR(directory.stat().st_mode):
                    raise NotADirectoryError
            if not os.access(directory, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
                raise AccessDenied(_no_access(directory))

    def unread(self) -> list[Place]:
        """The unread mails, oldest first. `new` is read before `cur`: what is moved meanwhile is found in either."""
        return self._in_order(lambda place, name: place.directory != CUR or not name.seen)

    def received_since(self, moment: datetime) -> list[Place]:
        """The mails, read ones too, that were delivered then or later, oldest first."""
        return self._in_order(lambda _, name: not name.is_put_aside, moment.timestamp())

    def _in_order(self, wanted: Callable[[Place, MaildirName], bool], since: float = -math.inf) -> list[Place]:
        places: dict[str, tuple[float, tuple[int, str], Place]] = {}
        for place in self._places():
            name = MaildirName.parse(place.name)
            if not wanted(place, name):
                places.pop(name.key, None)
                continue
            arrival = name.arrival
            seconds = arrival.timestamp() if arrival else self._modified_at(place)
            if seconds is not None and seconds >= since:
                places[name.key] = (seconds, name.order, place)
        return [place for _, _, place in sorted(places.values())]

    def references(self, places: Sequence[Place]) -> tuple[MailReference, ...]:
        """References to these mails; what is gone meanwhile, or is no regular file, is left out."""
        references = []
        for place in places:
            try:
                status = self.path.joinpath(*place).lstat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                name = MaildirName.parse(place.name)
                arrival = name.arrival or datetime.fromtimestamp(int(status.st_mtime), UTC)
                references.append(MailReference(name.key, arrival, status.st_size, path_to_hint("/".join(place))))
        return tuple(references)

    def fetch(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        """Copy the mail's file into `into`; its size. See `Mailbox.fetch`."""
        with self._open(mail) as file:
            size = 0
            while block := _read(file, READ_BYTES, mail):
                size += len(block)
                if size > limit:
                    raise MailTooLarge(f"Mail {mail.key} is groter dan {limit} bytes.")
                into.write(block)
            return size

    def fetch_head(self, mail: MailReference, into: BinaryIO, limit: int) -> int:
        """Copy the first `limit` bytes, up to the last whole line; the file's size. See `Mailbox.fetch_head`."""
        with self._open(mail) as file:
            size = os.fstat(file.fileno()).st_size
            head = _read(file, limit, mail)
            into.write(head if len(head) == size else head[: head.rfind(b"\n") + 1] or head)
            return size

    def mark_read(self, mail: MailReference) -> None:
        """Move the mail to `cur` with the flag S."""
        self._rename(mail, lambda name: self.path / CUR / name.as_read)

    def move(self, mail: MailReference, folder: str) -> None:
        """Move the mail to another folder of the same Maildir, read."""
        target = self._root / folder_directory(folder)
        with self._trouble():
            for directory in ("tmp", NEW, CUR):
                self._confine(target / directory)
                (target / directory).mkdir(mode=0o700, parents=True, exist_ok=True)
            if target != self._root:
                (target / "maildirfolder").touch(mode=0o600)  # Maildir++: what lies around it is a folder
        self._rename(mail, lambda name: target / CUR / name.as_read)

    def _confine(self, directory: Path) -> None:
        if self._bounds is not None:
            confine(self._root, self._bounds)
        confine(directory, self._root)

    def _rename(self, mail: MailReference, destination: Callable[[MaildirName], Path]) -> None:
        for _ in range(RENAME_TRIES):
            place = self._find(mail)
            if place is None:
                return
            source, target = self.path.joinpath(*place), destination(MaildirName.parse(place.name))
            if source == target:
                return
            with self._trouble(), contextlib.suppress(FileNotFoundError):
                source.rename(target)
                return
        raise MailboxUnreachable(
            f"Mail {mail.key} wordt steeds hernoemd: kijk welk ander programma in deze Maildir werkt."
        )

    @contextlib.contextmanager
    def _open(self, mail: MailReference) -> Iterator[BinaryIO]:
        for _ in range(RENAME_TRIES):
            place = self._find(mail)
            if place is None:
                raise MailGone(f"Mail {mail.key} is er niet meer.")
            try:
                # Never through a link, never waiting on a pipe: the name was put there by somebody else.
                descriptor = os.open(
                    self.path.joinpath(*place), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
                )
            except FileNotFoundError:
                continue
            except OSError as error:
                raise MailUnreadable(
                    f"Mail {mail.key} kan niet worden gelezen ({error.strerror}): controleer de rechten op het bestand."
                ) from error
            with os.fdopen(descriptor, "rb", buffering=0) as file:
                self._check_file(mail, os.fstat(descriptor))
                yield cast(BinaryIO, file)
            return
        raise MailUnreadable(f"Mail {mail.key} wordt steeds hernoemd en kan niet worden gelezen.")

    def _check_file(self, mail: MailReference, status: os.stat_result) -> None:
        """MailUnreadable for what is no mail of this Maildir.

        Deliverers link a mail into `new` and then unlink it from `tmp`, and Dovecot copies by a link: those are the
        owner's files. Another's with a second name may be any file of the disk, put here by who cannot read it.
        """
        if not stat.S_ISREG(status.st_mode):
            raise MailUnreadable(f"Mail {mail.key} is geen gewoon bestand en kan niet worden gelezen.")
        if status.st_nlink > 1 and status.st_uid != self._owner():
            raise MailUnreadable(
                f"Mail {mail.key} is een bestand met nog een naam elders (hard link) van een andere eigenaar dan de "
                "Maildir, en wordt niet gelezen: zet er een kopie neer."
            )

    def _owner(self) -> int:
        with self._trouble():
            return self.path.stat().st_uid

    def _find(self, mail: MailReference) -> Place | None:
        """Where the mail is now: where it was seen, else where we would have put it, else anywhere."""
        for path in (hint_to_path(mail.hint), f"{CUR}/{hint_to_path(mail.key)}:2,S"):
            directory, _, name = path.partition("/")
            if directory in {NEW, CUR} and "/" not in name and MaildirName.parse(name).key == mail.key:
                with contextlib.suppress(OSError):
                    (self.path / directory / name).lstat()
                    return Place(directory, name)
        return next((place for place in self._places() if MaildirName.parse(place.name).key == mail.key), None)

    def _places(self) -> Iterator[Place]:
        for directory in (NEW, CUR):
            with self._trouble():
                names = os.listdir(self.path / directory)  # noqa: PTH208 - names suffice, 100 000 paths are slow
            for name in names:
                if not name.startswith("."):
                    yield Place(directory, name)

    def _modified_at(self, place: Place) -> float | None:
        try:
            return self.path.joinpath(*place).lstat().st_mtime
        except OSError:
            return None

    @contextlib.contextmanager
    def _trouble(self) -> Iterator[None]:
        """Raise what the file system refuses as an error of the mailbox."""
        try:
            yield
        except (FileNotFoundError, NotADirectoryError) as error:
            raise MailboxMissing(
                f"«{_shown(self.path)}» is geen Maildir, want de mappen new en cur ontbreken: "
                "controleer «Server» en de map."
            ) from error
        except PermissionError as error:
            raise AccessDenied(_no_access(error.filename or self.path)) from error
        except OSError as error:
            hint = "de schijf is vol" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "controleer de schijf"
            raise MailboxUnreachable(f"De Maildir «{_shown(self.path)}» weigert ({error.strerror}): {hint}.") from error


def _read(file: BinaryIO, size: int, mail: MailReference) -> bytes:
    try:
        return file.read(size)
    except OSError as error:
        raise MailUnreadable(
            f"Mail {mail.key} kan niet worden gelezen ({error.strerror}): controleer de schijf."
        ) from error


def _no_access(path: str | Path) -> str:
    return (
        f"De importer mag niet lezen en wijzigen in «{_shown(path)}»: "
        "geef de gebruiker waaronder de fetcher draait lees-, schrijf- en toegangsrecht op die map."
    )


def _shown(path: str | Path) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")
