"""Free ports on the loopback interface, kept from one start to the next."""

import json
import random
import socket
from collections.abc import Collection, Mapping
from pathlib import Path

from deploy.local.console import say
from deploy.local.failure import SetUpFailed

# below the range from which Linux hands out ports to outgoing connections (32768 and up)
_RANGE = range(20000, 32000)
_TRIES = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # as the servers do: a port whose old connections still linger can be listened on
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free(count: int, taken: set[int]) -> int:
    for _ in range(_TRIES):
        first = random.SystemRandom().choice(_RANGE)
        block = range(first, first + count)
        if taken.isdisjoint(block) and all(is_free(port) for port in block):
            return first
    raise SetUpFailed(
        f"No free port was found between {_RANGE.start} and {_RANGE.stop}: stop a few servers and try again."
    )


def kept(file: Path) -> dict[str, int]:
    """The ports settled earlier, by name; none when no readable file is there."""
    try:
        ports: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return ports


def settle(
    file: Path, counts: Mapping[str, int], held: Collection[str] = (), *, chosen: Mapping[str, int] | None = None
) -> dict[str, int]:
    """A port for each name, the first of as many consecutive ones as `counts` says.

    The one kept in `file` stays while it is free, or `held` by a program of our own that runs; a new one, when it was
    taken, is said aloud. One that somebody has `chosen` never moves: SetUpFailed when it is taken.
    """
    earlier = kept(file)
    for name, port in (chosen or {}).items():
        if not (earlier.get(name) == port and name in held) and not is_free(port):
            raise SetUpFailed(
                f"Port {port}, which {name} chooses, is taken by another program: stop that, or choose another one "
                f"({name}= in the environment, empty: any that is free)."
            )
        earlier[name] = port
    settled: dict[str, int] = {}
    taken = {port for name, first in earlier.items() for port in range(first, first + counts.get(name, 1))}
    for name, count in counts.items():
        first = earlier.get(name)
        is_ours = first is not None and name in held
        if first is None or not (is_ours or all(is_free(port) for port in range(first, first + count))):
            new = _free(count, taken)
            if first is not None:
                say(f"  port {first} ({name}) is taken by another program: from now on it is {new}")
            first = new
        settled[name] = first
        taken |= set(range(first, first + count))
    file.write_text(json.dumps(settled), encoding="utf-8")
    return settled
