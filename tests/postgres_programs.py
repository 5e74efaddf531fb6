"""PostgreSQL's own programs (pg_dump, pg_restore), of the packages that `make setup` brought."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from deploy.local.checkout import here
from deploy.local.endpoints import PostgresEndpoint
from deploy.local.packages import Packages
from deploy.local.tools import plain_environment, run


def on_server(server: PostgresEndpoint, name: str, *arguments: str) -> None:
    """Run a program as the server's superuser."""
    packages, login = Packages(here().packages.resolve()), urlsplit(server.url)
    done = run(
        [str(packages.one(f"usr/lib/postgresql/*/bin/{name}")), *arguments],
        environment=plain_environment()
        | {
            "LD_LIBRARY_PATH": packages.libraries(),
            "PGHOST": str(login.hostname),
            "PGPORT": str(login.port),
            "PGUSER": unquote(str(login.username)),
            "PGPASSWORD": unquote(str(login.password)),
        },
        folder=Path(os.sep),
    )
    assert done.code == 0, done.output


def copy_by_dump(of: PostgresEndpoint, database: str, to: PostgresEndpoint, new: str, folder: Path) -> None:
    """Make of a database what a back-up of it and its restoring make: `new` on the server `to`, which must be empty."""
    dump = folder / f"{new}.dump"
    on_server(of, "pg_dump", "--format=custom", f"--file={dump}", database)
    on_server(to, "pg_restore", f"--dbname={new}", "--exit-on-error", str(dump))
