"""A back-up of the containers' data in a folder, and the way back from it.

helpdesk.dump    the whole database, as one moment saw it (pg_dump, custom format)
taken_at         a moment just before that one, by the clock of the database
secrets/         encryption_keys and message_id_key, without which stored passwords and sent mails mean nothing

Whoever has the folder has the helpdesk: it is for its owner alone. RabbitMQ's data is not in it: what is under way
there is in the database too.
"""

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deploy.local.console import say, shown, step
from deploy.local.docker import Compose
from deploy.local.failure import SetUpFailed

KEYS = ("encryption_keys", "message_id_key")
DUMP = "helpdesk.dump"
TAKEN_AT = "taken_at"
_BEFORE = "helpdesk_before_restore"
_SUPERUSER = "--username=postgres"
_DISCONNECT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'helpdesk'"
_LAST_NUMBER = "SELECT last_value FROM helpdesk.ticket_number_seq"
_NOW = "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"


@dataclass(frozen=True, slots=True)
class BroughtBack:
    """A database that was brought back to a moment, and the last ticket number of the one that it replaces; 0: none."""

    moment: datetime
    last_number: int


@dataclass(frozen=True, slots=True)
class Backups:
    """Those of one Compose project, whose PostgreSQL runs; `secrets` is its folder of secrets."""

    compose: Compose
    secrets: Path

    def make(self, folder: Path) -> Path:
        """Write a back-up into a new folder within `folder`; it is there whole or not at all."""
        name = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        draft, made = folder / f".{name}.draft", folder / name
        draft.mkdir(mode=0o700, parents=True)
        try:
            (draft / TAKEN_AT).write_text(f"{self._psql('helpdesk', _NOW)}\n", encoding="ascii")
            with step("the database is copied"):
                self._stream("pg_dump", _SUPERUSER, "--format=custom", "--create", "helpdesk", to=draft / DUMP)
            (draft / "secrets").mkdir(mode=0o700)
            for key in KEYS:
                shutil.copyfile(self.secrets / key, draft / "secrets" / key)
                (draft / "secrets" / key).chmod(0o600)
            draft.rename(made)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        size = (made / DUMP).stat().st_size / 1_000_000
        say(f"{shown(made)}: {size:.1f} MB. It holds mails and keys: keep it elsewhere.")
        return made

    def bring_back(self, backup: Path) -> BroughtBack:
        """Put the database of a back-up in the place of the one there is, which goes when all is well.

        The services must not run. Where they do again they wait to be confirmed; `note` is to be called before that.
        """
        for name in (DUMP, TAKEN_AT):
            if not (backup / name).is_file():
                raise SetUpFailed(
                    f"There is no back-up in {shown(backup)}: `make backup` writes {name} into its folder."
                )
        moment = datetime.fromisoformat((backup / TAKEN_AT).read_text(encoding="ascii").strip())
        last_number = self._psql("helpdesk", _LAST_NUMBER) if self._has("helpdesk") else "0"
        self._psql("postgres", f"DROP DATABASE IF EXISTS {_BEFORE} WITH (FORCE)")
        if self._has("helpdesk"):
            self._psql("postgres", _DISCONNECT, f"ALTER DATABASE helpdesk RENAME TO {_BEFORE}")
        try:
            with step("the database is brought back"):
                self._stream(
                    *("pg_restore", _SUPERUSER, "--dbname=postgres", "--create", "--exit-on-error"),
                    from_=backup / DUMP,
                )
        except SetUpFailed:
            self._psql("postgres", "DROP DATABASE IF EXISTS helpdesk WITH (FORCE)")
            if self._has(_BEFORE):
                self._psql("postgres", f"ALTER DATABASE {_BEFORE} RENAME TO helpdesk")
            raise
        self._put_back_keys(backup / "secrets")
        self._psql("postgres", f"DROP DATABASE IF EXISTS {_BEFORE} WITH (FORCE)")
        return BroughtBack(moment, int(last_number))

    def note(self, back: BroughtBack) -> str:
        """Let what came since be imported again, and no number since be given again; what follows, as a sentence.

        What `installation restored` does, without emptying RabbitMQ.
        """
        moment, last_number = back.moment.isoformat(), back.last_number
        asked = f"SELECT * FROM helpdesk.note_brought_back('{moment}', nullif({last_number}, 0))"  # noqa: S608 - typed
        number, mailboxes, mails = self._psql("helpdesk", asked).split("|")
        return (
            f"The next ticket is {number}; mailboxes that will be read again: {mailboxes}; mails to be published "
            f"again: {mails}. Nothing is read or sent before `helpdesk-importer installation confirm`; `installation "
            f"show` says what follows. Then: `helpdesk-importer reconcile --since {moment}`."
        )

    def _put_back_keys(self, folder: Path) -> None:
        """The key of Message-IDs as it was; those of stored passwords before any that were made since."""
        for key in KEYS:
            (file := self.secrets / key).chmod(0o600)
            earlier = (folder / key).read_text(encoding="ascii").split()
            since = file.read_text(encoding="ascii").split() if key == "encryption_keys" else []
            lines = dict.fromkeys([*earlier, *since])
            file.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
            file.chmod(0o444)

    def _has(self, database: str) -> bool:
        return database in self._psql("postgres", "SELECT datname FROM pg_database").splitlines()

    def _psql(self, database: str, *statements: str) -> str:
        """What the statements answer, the last one's; as the superuser, by the socket in the container."""
        asked = [part for statement in statements for part in ("--command", statement)]
        options = (_SUPERUSER, f"--dbname={database}", "--no-psqlrc", "--tuples-only", "--no-align", "--quiet")
        return self.compose.must("exec", "-T", "postgres", "psql", *options, "--set=ON_ERROR_STOP=1", *asked).strip()

    def _stream(self, *command: str, to: Path | None = None, from_: Path | None = None) -> None:
        """Run a program in PostgreSQL's container, its output into one file or its input from one."""
        out = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600) if to else os.open(os.devnull, os.O_WRONLY)
        into = os.open(from_ or os.devnull, os.O_RDONLY)
        try:
            ended = subprocess.run(
                self.compose.command("exec", "-T", "postgres", *command),
                env=self.compose.environment(),
                stdin=into,
                stdout=out,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                check=False,
            )
            if to:
                os.fsync(out)
        finally:
            os.close(into)
            os.close(out)
        if ended.returncode != 0:
            raise SetUpFailed(f"{command[0]} failed: {ended.stderr.strip().splitlines()[-1:] or ended.returncode}")
