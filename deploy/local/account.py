"""Whom PostgreSQL runs as: us, or, since it refuses root, an ordinary account that every system has."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local.failure import SetUpFailed


@dataclass(frozen=True, slots=True)
class Account:
    """A user that a server runs as; `switch` is what must stand before its command (nothing when it is us)."""

    uid: int
    gid: int
    switch: tuple[str, ...] = ()

    def owns(self, folder: Path) -> None:
        """Make `folder`, if need be, and give it and all in it to this account alone."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.switch:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.uid, self.gid, follow_symlinks=False)
        folder.chmod(0o700)

    def reaches(self, folder: Path) -> bool:
        """Whether this account can enter an existing folder, through all the folders above it."""
        return subprocess.run([*self.switch, "test", "-x", str(folder)], check=False).returncode == 0


def ordinary_account() -> Account:
    """We ourselves, or for root the account `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        switch = ("setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups")
        return Account(entry.pw_uid, entry.pw_gid, switch)
    raise SetUpFailed("PostgreSQL refuses to run as root and there is no user `nobody`: run this as an ordinary user.")
