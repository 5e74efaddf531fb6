"""A private PostgreSQL: a data directory, one process on a loopback port, password logins only, no Unix socket.

Without a Unix socket no path can be too long for one.
"""

import os
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.local import credentials, processes
from deploy.local.account import Account
from deploy.local.endpoints import PostgresEndpoint
from deploy.local.failure import SetUpFailed
from deploy.local.moves import Moves
from deploy.local.packages import Packages
from deploy.local.processes import Process
from deploy.local.server_log import last_words
from deploy.local.tools import Ended, plain_environment, run

# C.UTF-8 is on every Debian and Ubuntu. It sorts by code point: what people see sorted is sorted by the query's
# COLLATE, the same on every machine.
_LOCALE = "C.UTF-8"
_PROVISION = """\
SELECT 'CREATE ROLE importer_owner'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'importer_owner') \\gexec
ALTER ROLE importer_owner LOGIN CREATEROLE PASSWORD :'owner_password';
SELECT format('CREATE DATABASE helpdesk OWNER importer_owner TEMPLATE template0 ENCODING UTF8 LOCALE %L', :'locale')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'helpdesk') \\gexec
"""
_LOWER_OWNER = "ALTER ROLE importer_owner NOCREATEROLE;"
_STOP_SECONDS = 30
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Postgres:
    """A private PostgreSQL in `folder` (data, superuser's password), listening on 127.0.0.1:`port`."""

    packages: Packages
    folder: Path
    log: Path
    account: Account
    port: int
    durable: bool
    """Whether it outlives the command that starts it."""
    synced: bool
    """False trades the safety of the data in a crash for speed: for data that is thrown away anyway."""
    measured: bool = False
    """Whether it counts statements (`pg_stat_statements`), for who measures."""

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _superuser_password(self) -> str:
        return credentials.keep(self.folder / "superuser_password")

    @property
    def endpoint(self) -> PostgresEndpoint:
        return PostgresEndpoint(f"postgresql://postgres:{self._superuser_password}@127.0.0.1:{self.port}/postgres")

    def prepare(self) -> None:
        """Make the data directory when there is none yet."""
        if (self._data / "PG_VERSION").exists():
            self._refuse_other_version()
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._data, ignore_errors=True)  # what an interrupted initdb left
        self.account.owns(self._data)
        handed = self.folder / "password_for_initdb"  # which the account can read, unlike our own copy
        credentials.keep(handed, lambda: self._superuser_password)
        os.chown(handed, self.account.uid, self.account.gid)
        made = self._run(
            "initdb",
            *("--pgdata", str(self._data), "--username", "postgres", "--pwfile", str(handed)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", _LOCALE),
            *(() if self.synced else ("--no-sync",)),
            as_account=True,
        )
        handed.unlink()
        if made.code != 0:
            raise SetUpFailed(f"PostgreSQL's data directory could not be made, initdb says: {made.errors()}")

    def launch(self) -> Process:
        """Start the server; `wait` tells when it answers. One that is not durable ends with this process."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "300",
            "jit": "off",  # its library is not unpacked
            # as deploy/compose.yaml has them
            "max_wal_size": "2GB",
            "wal_compression": "lz4",
            "default_toast_compression": "lz4",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if self.measured:
            settings |= {
                "shared_preload_libraries": "pg_stat_statements",  # of Debian's own package since PostgreSQL 10
                "pg_stat_statements.max": "10000",
            }
        if not self.synced:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return processes.launch(
            [
                str(self._program("postgres")),
                *("-D", str(self._data)),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ],
            environment=self._environment(),
            log=self.log,
            folder=Path(os.sep),
            tether=None if self.durable else signal.SIGQUIT,  # at once, yet it removes its shared memory
            switch=self.account.switch,
        )

    def wait(self, process: Process) -> None:
        """Wait until the server answers; raises SetUpFailed with its own words when it ends or stands still."""
        moves = Moves(process, self.log)
        while not self.answers(seconds=5):
            if not processes.is_alive(process) or moves.stands_still():
                raise SetUpFailed(f"PostgreSQL does not start: {last_words(self.log)} (all of it: {self.log})")
            time.sleep(_POLL_SECONDS)

    def answers(self, *, seconds: int = 2) -> bool:
        """Whether it takes connections, within so many seconds."""
        return self._run("pg_isready", *self._login(), "--timeout", str(seconds)).code == 0

    def provision(self, owner_password: str) -> None:
        """The role `importer_owner` with this password and the database `helpdesk` that it owns; safe to repeat.

        It may make roles until `lower_owner`: a migration makes those of the services.
        """
        # on standard input, since a command line can be read by every user of the machine
        self._sql(f"\\set owner_password {owner_password}\n\\set locale {_LOCALE}\n{_PROVISION}")

    def lower_owner(self) -> None:
        """Take the right to make roles from `importer_owner`: before PostgreSQL 16 it is as good as a superuser's."""
        self._sql(_LOWER_OWNER)

    def stop(self, process: Process) -> None:
        """Stop the server: connections are ended, data is written."""
        processes.stop(process, signal.SIGINT if self.durable else signal.SIGQUIT, _STOP_SECONDS)

    def _sql(self, statements: str) -> None:
        done = self._run(
            "psql",
            *("--no-psqlrc", "--quiet", "--no-password", "--set", "ON_ERROR_STOP=1"),
            *self._login(),
            given=statements,
        )
        if done.code != 0:
            raise SetUpFailed(f"PostgreSQL could not be provisioned, psql says: {done.errors()}")

    def _login(self) -> tuple[str, ...]:
        return ("--host", "127.0.0.1", "--port", str(self.port), "--username", "postgres", "--dbname", "postgres")

    def _refuse_other_version(self) -> None:
        made_by = (self._data / "PG_VERSION").read_text(encoding="ascii").strip()
        ours = self._program("postgres").parent.parent.name
        if made_by != ours:
            raise SetUpFailed(
                f"The data in {self._data} was made by PostgreSQL {made_by}, this system has {ours}: dump it there and "
                "load it here, or throw it away with `make clean`."
            )

    def _program(self, name: str) -> Path:
        return self.packages.one(f"usr/lib/postgresql/*/bin/{name}")

    def _environment(self) -> dict[str, str]:
        # no PGPORT, PGDATA, … that the person has set for other servers
        ours = {name: value for name, value in plain_environment().items() if not name.startswith("PG")}
        return ours | {"LD_LIBRARY_PATH": self.packages.libraries()}

    def _run(self, program: str, *arguments: str, given: str | None = None, as_account: bool = False) -> Ended:
        switch = self.account.switch if as_account else ()
        return run(
            [*switch, str(self._program(program)), *arguments],
            environment=self._environment() | {"PGPASSWORD": self._superuser_password},
            folder=Path(os.sep),
            given=given,
        )
