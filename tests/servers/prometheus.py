"""Prometheus and Alertmanager on ports of their own, from Debian's packages, which `make test` unpacks."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from deploy.local.checkout import here
from deploy.local.packages import Packages
from deploy.local.tools import plain_environment

_START_SECONDS: Final = 60
_LISTENS: Final = re.compile(r'msg="Listening on".* address=(\S+)')
_TEMPLATES: Final = b"/usr/share/prometheus/alertmanager"
"""Compiled into Debian's Alertmanager, which ends where its templates are not there."""


def unpacked(program: str) -> Path:
    """A program of Debian's packages of Prometheus; the test is skipped where there is no apt to bring them."""
    path = Packages(here().packages.resolve()).root / "usr/bin" / program
    if path.exists():
        return path
    if shutil.which("apt-get") is None:
        pytest.skip(f"{program} comes from Debian's packages of Prometheus, and this machine has no apt-get")
    pytest.fail(f"{program} is not unpacked here: run `make test`, which brings it.", pytrace=False)


@asynccontextmanager
async def prometheus(configuration: Path) -> AsyncIterator[str]:
    """The address of one that runs by this file; what it keeps lies beside that."""
    folder = configuration.parent
    command = [str(unpacked("prometheus")), f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    async with _listening([*command, "--web.listen-address=127.0.0.1:0"], folder, folder / "prometheus.log") as address:
        yield address


@asynccontextmanager
async def alertmanager(configuration: Path) -> AsyncIterator[str]:
    """The address of one that runs by this file; what it keeps lies beside that."""
    folder, program = configuration.parent, unpacked("prometheus-alertmanager")
    templates = program.parents[2] / _TEMPLATES.decode().lstrip("/")
    relocated = folder / program.name
    relocated.write_bytes(program.read_bytes().replace(_TEMPLATES, b".".ljust(len(_TEMPLATES), b"/")))
    relocated.chmod(0o700)
    command = [str(relocated), f"--config.file={configuration}", f"--storage.path={folder / 'silences'}"]
    command += ["--web.listen-address=127.0.0.1:0", "--cluster.listen-address="]
    async with _listening(command, templates, folder / "alertmanager.log") as address:
        yield address


@asynccontextmanager
async def _listening(command: Sequence[str], folder: Path, log: Path) -> AsyncIterator[str]:
    """Run it in `folder` for the length of a block, which begins when it is ready: before, it answers 503."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=plain_environment(),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    keeping = asyncio.create_task(_keep(process.stderr, log, address))
    try:
        async with asyncio.timeout(_START_SECONDS):
            await asyncio.wait((keeping, address), return_when=asyncio.FIRST_COMPLETED)
            assert address.done(), f"it ended: {log.read_text(encoding='utf-8')}"
            url = f"http://{address.result()}"
            async with httpx.AsyncClient(trust_env=False) as client:
                while not (await client.get(f"{url}/-/ready")).is_success:
                    await asyncio.sleep(0.05)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await keeping


async def _keep(said: asyncio.StreamReader, log: Path, address: asyncio.Future[str]) -> None:
    with log.open("wb") as kept:
        while line := await said.readline():
            kept.write(line)
            kept.flush()
            if not address.done() and (found := _LISTENS.search(line.decode())):
                address.set_result(found[1])
