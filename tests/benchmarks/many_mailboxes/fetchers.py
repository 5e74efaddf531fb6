"""Fetchers as processes: what they say of themselves, and what the kernel says of them."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tests.benchmarks.processes import processor_seconds

_CHECKS: Final = re.compile(r'^importer_mailbox_check_seconds_count\{helpdesk_id="(\d+)"\} (\S+)$', re.MULTILINE)
_READY_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process takes of the machine."""

    memory_mb: float
    threads: int
    files: int
    """Open descriptors: sockets above all."""
    sockets: int


@dataclass(frozen=True, slots=True)
class Fetcher:
    """One that runs."""

    process: asyncio.subprocess.Process
    client: httpx.AsyncClient

    @property
    def pid(self) -> int:
        """The process."""
        return self.process.pid

    async def checks(self) -> dict[int, int]:
        """Checks that it ended so far, by helpdesk."""
        text = (await self.client.get("/metrics")).text
        return {int(helpdesk): int(float(count)) for helpdesk, count in _CHECKS.findall(text)}

    def footprint(self) -> Footprint:
        """What it takes now."""
        folder = Path(f"/proc/{self.pid}")
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        kept = [_target(file) for file in (folder / "fd").iterdir()]
        return Footprint(
            int(status["VmRSS"].split()[0]) / 1024,
            int(status["Threads"]),
            len(kept),
            sum(target.startswith("socket:") for target in kept),
        )

    def processor_seconds(self) -> float:
        """Processor time so far."""
        return processor_seconds({"fetcher": [self.pid]})["fetcher"]

    async def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        await self.process.wait()


def _target(file: Path) -> str:
    try:
        return str(file.readlink())
    except FileNotFoundError:  # closed since it was listed
        return ""


@asynccontextmanager
async def a_fetcher(environment: Mapping[str, str], log: Path) -> AsyncIterator[Fetcher]:
    """One that is ready; drained afterwards, if it still runs. TimeoutError where it is never ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.fetcher", stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            env={**environment, "PYTHONSAFEPATH": "1", "IMPORTER_HEALTH_PORT": str(port)},
        )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            async with asyncio.timeout(_READY_SECONDS):
                while not await _is_ready(client):
                    await asyncio.sleep(0.1)
            yield Fetcher(process, client)
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(30):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/ready")).is_success
    except httpx.HTTPError:
        return False
