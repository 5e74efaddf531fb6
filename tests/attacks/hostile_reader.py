"""A reading process that was taken over: what it does with a mail is what the mail says, not what a reader does.

    python -m tests.attacks.hostile_reader [LAYER…] MEMORY_BYTES

Everything before the first mail is the real process's own (`services.classifier.reading`); with LAYERs named, it is as
on a system that lacks the other layers of its confinement. A mail is a line `ATTACK [ARGUMENT]`; the answer's subject
says how far it came: `done …`, or `refused` with the errno. Attacks call the C library, as native code would that runs
in the process; one that succeeds does no harm.
"""

import ctypes
import errno
import mmap
import os
import resource
import socket
import sys
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from services.classifier.reading import __main__ as child
from services.classifier.reading import confinement
from services.classifier.reading.confinement import Layer, seccomp
from services.classifier.reading.confinement.kernel import Lacking, prctl
from services.classifier.reading.frames import Mode
from services.classifier.reading.limits import DEFAULT_LIMITS, Limits
from services.classifier.reading.unread import unread_mail
from services.classifier.reading.values import ReadingSettings, ReadMail

LIBC: Final = ctypes.CDLL(None, use_errno=True)
LIBC.mmap.restype = ctypes.c_void_p
_IO_URING_SETUP: Final = 425
_PERSONALITY: Final = {"x86_64": 135, "aarch64": 92}[os.uname().machine]
_BPF: Final = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
_NEW_USER_AND_NETWORK: Final = 0x1000_0000 | 0x4000_0000
_PTRACE_TRACEME: Final = 0
_NO_NEW_PRIVILEGES: Final = 38


def asked(result: int | None) -> str:
    """What a function of the C library gave. Raises OSError by its errno where that is an error."""
    if result is None or result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return f"done {result}"


def read(path: str) -> str:
    with open(path, "rb") as file:  # noqa: PTH123 - an attacker's open()
        return f"done {file.read(200)!r}"


def write(path: str) -> str:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    return f"done {descriptor}"


def tcp(port: str) -> str:
    with socket.socket() as connection:
        connection.connect(("127.0.0.1", int(port)))
    return "done"


def unix(path: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
    return "done"


def netlink(_: str) -> str:
    return asked(LIBC.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0))


def thread(_: str) -> str:
    one = threading.Thread(target=str)
    one.start()
    one.join()
    return "done"


def executable_memory(_: str) -> str:
    everything = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    place = LIBC.mmap(None, ctypes.c_size_t(4096), everything, flags, -1, ctypes.c_long(0))
    return asked(-1 if place == ctypes.c_void_p(-1).value else 0)


def more_files(_: str) -> str:
    resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))
    return "done"


ATTACKS: Final[dict[str, Callable[[str], str]]] = {
    "nothing": lambda _: "done",
    "thread": thread,
    "read": read,
    "environ-of-parent": lambda _: read(f"/proc/{os.getppid()}/environ"),
    "memory-of-parent": lambda _: read(f"/proc/{os.getppid()}/mem"),
    "write": write,
    "list": lambda path: f"done {[entry.name for entry in os.scandir(path)]!r}",
    "memfd": lambda _: asked(LIBC.memfd_create(b"x", 0)),
    "answer": lambda said: f"done {os.write(1, bytes.fromhex(said))}",
    "log": lambda _: f"done {os.write(2, b'{}')}",
    "tcp": tcp,
    "unix": unix,
    "netlink": netlink,
    "executable-memory": executable_memory,
    "more-files": more_files,
    "fork": lambda _: asked(os.fork()),
    "signal-parent": lambda _: asked(LIBC.kill(os.getppid(), 0)),
    "exec": lambda path: asked(os.execv(path, [path])),  # noqa: S606 - without a shell
    "ptrace": lambda _: asked(LIBC.ptrace(_PTRACE_TRACEME, 0, None, None)),
    "setuid": lambda _: asked(LIBC.setuid(0)),
    "io-uring": lambda _: asked(LIBC.syscall(_IO_URING_SETUP, 1, (ctypes.c_byte * 120)())),
    "mount": lambda _: asked(LIBC.mount(b"none", b"/nowhere", b"tmpfs", 0, None)),
    "unshare": lambda _: asked(LIBC.unshare(_NEW_USER_AND_NETWORK)),
    "bpf": lambda _: asked(LIBC.syscall(_BPF, 0, None, 0)),
    "personality": lambda _: asked(LIBC.syscall(_PERSONALITY, 0)),
}


def attacked(raw: bytes, mail_id: uuid.UUID, settings: ReadingSettings, limits: Limits = DEFAULT_LIMITS) -> ReadMail:
    del mail_id, settings, limits
    name, _, argument = raw.decode().partition(" ")
    try:
        outcome = ATTACKS[name](argument)
    except OSError as error:
        outcome = f"refused {errno.errorcode.get(error.errno or 0, str(error))}"
    except ValueError:
        outcome = "refused"
    return replace(unread_mail(), subject=outcome)


def main(arguments: list[str]) -> None:
    *layers, memory_bytes = arguments
    if layers:
        without(set(Layer) - {Layer(layer) for layer in layers})
    for mode in Mode:
        child._READERS[mode] = attacked
    child.main(int(memory_bytes))


def without(layers: set[Layer]) -> None:
    def nothing(*_: object) -> None:
        raise Lacking("not on this system")

    def no_new_privileges() -> None:
        prctl(_NO_NEW_PRIVILEGES, 1)  # Landlock asks for it of who is not root, and keeps it for itself
        nothing()

    if Layer.PRIVILEGES in layers:
        confinement.privileges.give_up = no_new_privileges
    if Layer.LANDLOCK in layers:
        confinement.landlock.restrict = nothing
    if Layer.SECCOMP in layers:
        seccomp.SystemCallFilter.restrict = nothing  # type: ignore[assignment,method-assign]
    if Layer.DESCRIPTORS in layers:
        set_limit = resource.setrlimit
        resource.setrlimit = lambda which, limits: which == resource.RLIMIT_NOFILE or set_limit(which, limits)  # type: ignore[assignment]


if __name__ == "__main__":
    main(sys.argv[1:])
