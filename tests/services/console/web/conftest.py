"""The web console in this process, on a real database; a real browser: one world a module, one browser a session."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from argon2 import PasswordHasher
from playwright.async_api import Browser, async_playwright
from pydantic import SecretStr

from deploy.local.checkout import here
from services.console.queues import MonitoringConfiguration
from services.console.web.application import application
from services.console.web.configuration import WebConfiguration
from services.console.web.listening import listen
from services.console.web.openid.provider import Provider
from services.console.web.openid.settings import openid_settings
from services.console.web.tokens import hash_of, new_token
from services.console.web.visit import SESSION_COOKIE, House
from shared.database.pool import Pool
from tests.databases import Database, Databases

AXE = Path(__file__).with_name("axe.min.js")
"""axe-core 4.14.1, unchanged (MPL-2.0: axe.LICENSE beside it)."""
EVERY_TABLE = Path(__file__).parents[3] / "shared" / "database" / "every_table.sql"
PASSWORD = "een zin die men onthoudt"
_TRUST = httpx.create_ssl_context()
"""Made once: each client would read all certificates of the machine anew, for a server without TLS."""
CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""A hash says itself what it costs: these tests try no password by force."""

USERS = """
    INSERT INTO web_users (name, password_hash, operator, language) VALUES
        ('baas', $1, true, 'nl'), ('boss', $1, true, 'en'), ('anna', $1, false, 'nl'),
        ('kijker', $1, false, 'nl'), ('viewer', $1, false, 'en'),
        ('verkoop', $1, false, 'nl')
"""
RIGHTS = """
    INSERT INTO web_rights (user_id, helpdesk_id, role, personal_data)
    SELECT users.id, rights.helpdesk, rights.role, rights.personal
    FROM (VALUES ('anna', 1, 'administrator', false), ('kijker', 1, 'viewer', false), ('viewer', 1, 'viewer', true),
        ('verkoop', 2, 'administrator', false)) AS rights (name, helpdesk, role, personal)
        JOIN web_users AS users USING (name)
"""
"""Helpdesk 1 is Servicedesk, 2 Verkoop: `verkoop` is of the other one."""


@dataclass(frozen=True, slots=True)
class World:
    """A database with rows in every table and five users, and the console that shows it."""

    database: Database
    owner: Pool
    address: str

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A browser without scripts, that nobody is logged in with."""
        return httpx.AsyncClient(base_url=self.address, headers=headers, timeout=30, verify=_TRUST)

    async def logged_in(self, name: str, **headers: str) -> httpx.AsyncClient:
        """One with which this user is logged in."""
        client, token = self.client(**headers), new_token()
        await self.owner.execute(
            "INSERT INTO web_sessions (token_hash, user_id, ends_at)"
            " SELECT $1, id, now() + interval '1 hour' FROM web_users WHERE name = $2",
            hash_of(token),
            name,
        )
        client.cookies.set(SESSION_COOKIE, token, domain="127.0.0.1")
        return client


async def form_of(client: httpx.AsyncClient, path: str) -> dict[str, str]:
    """The hidden fields of the page's first form, as a browser sends them back."""
    page = await client.get(path, headers={"accept": "text/html"})
    return dict(re.findall(r'<input type="hidden" name="(form_token)" value="([^"]*)"', page.text))


@asynccontextmanager
async def serving(pool: Pool, **settings: Any) -> AsyncIterator[str]:
    """The console on a free port of the loopback; its address."""
    stop = asyncio.Event()
    configuration = WebConfiguration(
        service="web", database_url=SecretStr("postgresql://127.0.0.1/unused"), web_port=0, **settings
    )
    monitoring = MonitoringConfiguration(
        amqp_url=SecretStr("amqp://nobody:x@127.0.0.1:9/helpdesk"),
        rabbitmq_management_url=SecretStr("http://nobody:x@127.0.0.1:9"),
    )
    settings_of_provider = openid_settings(configuration)
    openid = None if settings_of_provider is None else Provider(settings_of_provider)
    made = application(House(configuration, monitoring, pool, stop, openid))
    server = QuietServer(uvicorn.Config(made, log_config=None, access_log=False, lifespan="off"))
    with listen("127.0.0.1", 0) as listening:
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            stop.set()
            server.should_exit = True
            await running


class QuietServer(uvicorn.Server):
    """A server without signals of its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@pytest.fixture(scope="module")
async def world(databases: Databases) -> AsyncIterator[World]:
    async with databases.fresh() as database, database.pool("owner") as owner, database.pool("web") as pool:
        await owner.execute(EVERY_TABLE.read_text(encoding="utf-8"))
        await owner.execute(USERS, CHEAP.hash(PASSWORD))
        await owner.execute(RIGHTS)
        async with serving(pool) as address:
            yield World(database, owner, address)


_FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>/usr/share/fonts</dir><dir>{}</dir><cachedir>{}</cachedir></fontconfig>
"""
"""A bare machine has no fonts, nor any word of where they are; without one, Chromium ends."""


@pytest.fixture(scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """Debian's Chromium, the machine's or the one that `make test` unpacked; skipped where there is neither."""
    root = here().packages.resolve() / "root"
    unpacked = root / "usr/lib/chromium/chromium"
    program = shutil.which("chromium") or (str(unpacked) if unpacked.exists() else None)
    if program is None:
        pytest.skip("there is no Chromium here: `make test` unpacks it where there is apt-get")
    folders = [
        *root.glob("usr/lib/*-linux-gnu"),
        *root.glob("lib/*-linux-gnu"),
        *root.glob("usr/lib/*-linux-gnu/pulseaudio"),
    ]
    libraries = {"LD_LIBRARY_PATH": ":".join(map(str, folders))}
    fonts = tmp_path_factory.mktemp("fonts") / "fonts.conf"
    fonts.write_text(_FONTS.format(root / "usr/share/fonts", fonts.parent), encoding="utf-8")
    environment: dict[str, str | float | bool] = {**os.environ, **libraries, "FONTCONFIG_FILE": str(fonts)}
    driver = async_playwright()
    with pytest.MonkeyPatch.context() as environment_of_ours:  # Playwright starts its Node with it
        environment_of_ours.setenv("LD_LIBRARY_PATH", libraries["LD_LIBRARY_PATH"])
        playwright = await driver.__aenter__()
    try:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"], env=environment)
        yield browser
        await browser.close()
    finally:
        await driver.__aexit__()


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core, as a script."""
    return AXE.read_text(encoding="utf-8")
