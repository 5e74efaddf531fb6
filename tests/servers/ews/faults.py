"""What goes wrong on demand: `server.next("GetItem", Truncated())` spoils the next answer to that operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Dropped:
    """The connection breaks after this part of the answer's body; at 0 before any answer."""

    after: float = 0.5


@dataclass(frozen=True, slots=True)
class Truncated:
    """A 200 whose body ends too early while its Content-Length agrees (learnt from how-to-export-items of EWS)."""

    at: float = 0.5


@dataclass(frozen=True, slots=True)
class Silent:
    """No answer at all, until the client goes."""


@dataclass(frozen=True, slots=True)
class Slow:
    """The body comes byte by byte, one in so many seconds."""

    pause: float = 0.02


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer of something that is not EWS."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A response code: in the response message, or as SOAP fault in an HTTP 500."""

    code: str
    back_off: int | None = None
    """BackOffMilliseconds."""
    fault: bool = False


@dataclass(frozen=True, slots=True)
class FirstPageAgain:
    """FindItem answers with its first page, whatever offset was asked."""


@dataclass(frozen=True, slots=True)
class DamagedBase64:
    """GetItem's MIME is no base64."""


@dataclass(frozen=True, slots=True)
class OtherItem:
    """GetItem gives another item than was asked."""


@dataclass(slots=True)
class Without:
    """The answer lacks one of its elements, with all that is in it, or one of its attributes.

    They are counted from 0 in the order of the answer; the envelope itself stays. `removed` tells which it was, and
    stays None where the answer has no so many.
    """

    number: int
    of: Refusal | None = None
    """Of this refusal, in the place of what the operation answers."""
    removed: str | None = None


Fault = Dropped | Truncated | Silent | Slow | Answer | Refusal | FirstPageAgain | DamagedBase64 | OtherItem | Without
