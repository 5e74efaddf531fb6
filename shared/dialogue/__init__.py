"""What was asked of a mail server and what came, of a check that goes on: to be shown where the check fails.

    dialogue = Dialogue()
    with recorded(dialogue):                  # whoever checks; its tasks record too
        with asking("UID FETCH 12") as step:  # whoever speaks to the server
            step.came = "OK"
    dialogue.told()

Only words of fixed vocabularies, numbers, durations, and our own settings of host and port are written. Nothing that a
server sent is written as it is: who records compares it with a list, and writes the list's word. What is kept is
bounded, and is in memory alone until somebody stores it.
"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, ParamSpec, Self, TypedDict, TypeVar

MOST: Final = 40
"""Steps that are kept of a check: its last."""
LONGEST: Final = 200
"""Characters of what was asked, or came."""
TIMED_OUT: Final = "timed out"
ENDED: Final = "connection ended"

P = ParamSpec("P")
T = TypeVar("T")

_CERTIFICATE: Final[Mapping[int, str]] = MappingProxyType(
    {
        9: "not yet valid",
        10: "expired",
        18: "self-signed",
        19: "self-signed authority",
        20: "unknown authority",
        21: "unknown authority",
        23: "revoked",
        26: "not for servers",
        62: "for another name",
        64: "for another address",
    }
)
"""OpenSSL's X509_V_ERR_ codes, by what a person calls them."""
_TLS_REASON: Final = re.compile(r"[A-Z0-9_]{1,60}")
"""OpenSSL's own words for what went wrong; the server chooses among them at most, by its alert."""
_LIBRARIES: Final = frozenset(["httpx", "httpcore", "urllib3", "requests"])
"""Whose errors are told by their class, where nothing beneath them has a name."""
_NAMES: Final[Sequence[tuple[type[BaseException], str]]] = (
    (TimeoutError, TIMED_OUT),
    (ConnectionError, ENDED),
    (asyncio.CancelledError, "broken off"),
)
_RESOLVING: Final = MappingProxyType(
    {getattr(socket, name): name for name in ("EAI_NONAME", "EAI_NODATA", "EAI_AGAIN", "EAI_FAIL", "EAI_FAMILY")}
)


@dataclass(slots=True)
class Step:
    """Something that was asked; `came` is empty while there is no answer."""

    asked: str
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    came: str = ""

    def end(self, came: str) -> None:
        """This came, now."""
        self.came, self.ended = came, time.monotonic()

    def also(self, came: str | None) -> None:
        """And this, now."""
        self.end(", ".join(filter(None, (self.came, came))))

    @contextmanager
    def going_on(self) -> Iterator[Self]:
        """The rest of the answer comes inside; what is raised there is what it broke off by."""
        try:
            yield self
        except BaseException as error:
            self.also(failure(error))
            raise


class Told(TypedDict):
    """A step as it is stored: `at` and `took` in milliseconds, `took` None where nothing came."""

    at: int
    took: int | None
    asked: str
    came: str


class Dialogue:
    """The last steps of a check."""

    def __init__(self, withheld: Collection[str] = ()) -> None:
        self.withheld: Final = tuple(filter(None, withheld))
        """What is not written even where a server gives it the form of something that is."""
        self._began = time.monotonic()
        self._steps: deque[Step] = deque(maxlen=MOST)

    def add(self, step: Step) -> None:
        """Keep it, in the place of the oldest where there are many."""
        self._steps.append(step)

    def told(self) -> list[Told]:
        """The steps, oldest first."""
        return [
            {
                "at": round((step.began - self._began) * 1000),
                "took": None if step.ended is None else round((step.ended - step.began) * 1000),
                "asked": step.asked[:LONGEST],
                "came": step.came[:LONGEST],
            }
            for step in self._steps
        ]


_current: Final[ContextVar[Dialogue | None]] = ContextVar("dialogue", default=None)


def current() -> Dialogue | None:
    """The dialogue of the check that this runs in."""
    return _current.get()


@contextmanager
def recorded(dialogue: Dialogue) -> Iterator[None]:
    """What is asked inside, and in the tasks that begin there, is kept."""
    token = _current.set(dialogue)
    try:
        yield
    finally:
        _current.reset(token)


def within(dialogue: Dialogue | None, call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Call it with this dialogue: for a thread, which knows nothing of the task that waits for it."""
    token = _current.set(dialogue)
    try:
        return call(*arguments, **named)
    finally:
        _current.reset(token)


def withheld() -> tuple[str, ...]:
    """What must not be written of the check that this runs in: its secrets."""
    dialogue = _current.get()
    return () if dialogue is None else dialogue.withheld


def is_withheld(value: str) -> bool:
    """Whether a value holds, or is a part of, what must not be written."""
    return any(secret in value or value in secret for secret in withheld())


def ask(asked: str) -> Step:
    """A step that begins now; whoever knows what came says so with `end`."""
    step = Step(asked)
    if (dialogue := _current.get()) is not None:
        dialogue.add(step)
    return step


@contextmanager
def asking(asked: str) -> Iterator[Step]:
    """A step that ends with this block: with its `came`, or with what is raised."""
    with ask(asked).going_on() as step:
        yield step
        step.end(step.came)


def failure(error: BaseException) -> str:
    """What went wrong: as `known_failure`, or the name of the error's class."""
    return known_failure(error) or type(error).__name__


def known_failure(error: BaseException) -> str | None:
    """What went wrong, by the first of the errors it was made of that has a name in a fixed list."""
    causes = list(_causes(error))
    named = [name for each in causes if (name := _name(each)) is not None]
    named += [type(each).__name__ for each in causes if type(each).__module__.partition(".")[0] in _LIBRARIES]
    return named[0] if named else None


def encryption(sock: ssl.SSLSocket | ssl.SSLObject) -> str:
    """What came of a handshake that was done: our contexts trust no other certificate."""
    return f"{sock.version() or 'TLS'}, certificate trusted"


def _name(error: BaseException) -> str | None:
    match error:
        case ssl.SSLError():
            return _name_of_tls(error)
        case socket.gaierror():
            return f"name not found: {_RESOLVING.get(error.errno or 0, 'EAI')}"
        case OSError() if error.errno in errno.errorcode and not isinstance(error, TimeoutError):
            return errno.errorcode[error.errno or 0]
        case _:
            return next((name for kind, name in _NAMES if isinstance(error, kind)), None)


def _name_of_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not trusted: {_CERTIFICATE.get(error.verify_code, error.verify_code)}"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return ENDED
    return f"TLS {error.reason}" if error.reason and _TLS_REASON.fullmatch(error.reason) else "TLS"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it wraps: in arguments (as requests has it), reasons, causes and contexts."""
    seen: set[int] = set()
    waiting: deque[BaseException | None] = deque([error])
    while waiting and len(seen) < MOST:
        each = waiting.popleft()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = (*each.args, getattr(each, "reason", None), each.__cause__, each.__context__)
        waiting += [cause for cause in inner if isinstance(cause, BaseException)]
