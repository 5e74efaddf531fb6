"""A piece of the importer in a process of its own, so that a test can tell what an attack costs.

outcome = await run_apart(victims.read_imap, port)
assert (outcome.kind, outcome.megabytes < 100) == ("MailboxUnreachable", True)
"""

import asyncio
import multiprocessing
import re
import traceback
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from shared.errors import ImporterError

_processes = multiprocessing.get_context("forkserver")  # what is loaded once, each process has at once
_processes.set_forkserver_preload(["tests.attacks.victims"])


@dataclass(frozen=True, slots=True)
class Outcome:
    """`kind` is «done», the type of our error, or «traceback»; `megabytes` the memory that it took at its worst."""

    kind: str
    said: str
    megabytes: float


async def run_apart(victim: Callable[..., Coroutine[Any, Any, str]], *arguments: Any) -> Outcome:
    """What comes of `victim`, a function of a module, in a process of its own."""
    return await asyncio.to_thread(_run, victim, arguments)


def _run(victim: Callable[..., Coroutine[Any, Any, str]], arguments: tuple[Any, ...]) -> Outcome:
    receiving, sending = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_measure, args=(sending, victim, arguments), daemon=True)
    process.start()
    sending.close()
    try:
        outcome: Outcome = receiving.recv()
        return outcome
    finally:
        process.kill()  # threads of its own may still wait for the hostile server
        process.join()
        receiving.close()


def _measure(sending: Connection, victim: Callable[..., Coroutine[Any, Any, str]], arguments: tuple[Any, ...]) -> None:
    before = _memory("VmRSS")
    try:
        kind, said = "done", asyncio.run(victim(*arguments))
    except ImporterError as error:
        kind, said = type(error).__name__, str(error)
    except BaseException:  # noqa: BLE001 - the test is told of it
        kind, said = "traceback", traceback.format_exc()
    sending.send(Outcome(kind, said, (_memory("VmHWM") - before) / 1024))


def _memory(what: str) -> int:
    """KiB of this process (proc(5)): VmRSS now, VmHWM at its most."""
    found = re.search(rf"^{what}:\s+([0-9]+) kB", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    assert found is not None
    return int(found[1])
