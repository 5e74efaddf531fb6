"""`helpdesk-importer migrate` as the deployment runs it: environment and secret files, real roles."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from deploy.local.endpoints import PostgresEndpoint
from shared.database.roles import ROLES

PASSWORD = "test"  # of every role on a test server (conftest.py)


@pytest.fixture
def environment(
    tmp_path: Path, database: Any, empty_database: str, postgres_server: PostgresEndpoint
) -> dict[str, str]:
    assert database is not None  # the roles are there, with their passwords
    (tmp_path / "database_password_owner").write_text(f"{PASSWORD}\n")
    (tmp_path / "database_password_fetcher").write_text(f"{PASSWORD}\n")
    address = postgres_server.url.rpartition("@")[2].rpartition("/")[0]
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path.cwd()),
        "IMPORTER_DATABASE_URL": f"postgresql://{address}/{empty_database.rpartition('/')[2]}",
        "IMPORTER_SECRETS_DIR": str(tmp_path),
    }


async def run(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.console", "migrate", *arguments,
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def give_to_owner(empty_database: str) -> None:
    superuser = await asyncpg.connect(empty_database)
    name = await superuser.fetchval("SELECT current_database()")
    await superuser.execute(f"ALTER DATABASE {name} OWNER TO importer_owner")
    await superuser.close()


async def test_it_migrates_lets_roles_log_in_and_goes_back(environment: dict[str, str], empty_database: str) -> None:
    await give_to_owner(empty_database)
    code, output = await run(environment)
    assert code == 0, output
    assert "importer_fetcher: may log in" in output
    assert "importer_notifier: left as it is (database_password_notifier is not given)" in output
    assert all(role in output for role in ROLES)
    url = environment["IMPORTER_DATABASE_URL"].replace("//", f"//importer_fetcher:{PASSWORD}@")
    fetcher = await asyncpg.connect(url)
    assert await fetcher.fetchval("SELECT count(*) FROM helpdesk.imported_mails") == 0
    await fetcher.close()

    code, output = await run(environment)
    assert code == 0, output

    code, output = await run(environment, "--back-to", "base")
    assert code == 0, output
    superuser = await asyncpg.connect(empty_database)
    assert await superuser.fetchval("SELECT to_regnamespace('helpdesk') IS NULL")
    await superuser.close()


async def test_a_refused_login_is_a_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "database_password_owner").write_text("wrong")
    code, output = await run(environment)
    assert code == os.EX_CONFIG
    assert "refuses the login of its owner" in output
    assert "Traceback" not in output


async def test_in_dutch_it_says_what_is_wrong_and_nothing_of_a_log_stands_between(
    environment: dict[str, str], empty_database: str
) -> None:
    in_dutch = {**environment, "IMPORTER_LANGUAGE": "nl"}
    code, output = await run({**in_dutch, "IMPORTER_DATABASE_PASSWORD_OWNER": "wrong"})
    assert code == os.EX_CONFIG
    assert output.startswith("De database weigert de aanmelding van haar eigenaar: ")
    await give_to_owner(empty_database)
    code, output = await run(in_dutch)
    assert code == 0, output
    assert output.startswith("Het schema is op revisie ")


async def test_a_server_that_does_not_answer_is_a_sentence(environment: dict[str, str], unused_tcp_port: int) -> None:
    code, output = await run(
        environment | {"IMPORTER_DATABASE_URL": f"postgresql://127.0.0.1:{unused_tcp_port}/helpdesk"}
    )
    assert code == 1
    assert "does not answer" in output
    assert "Traceback" not in output


async def test_a_secret_that_is_given_but_empty_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "database_password_notifier").write_text("\n")
    code, output = await run(environment)
    assert code == os.EX_CONFIG
    assert "database_password_notifier" in output
