"""What a service and its server say to each other, as far as faults are timed by it: AMQP 0-9-1 and PostgreSQL's.

`Eyes` cut what passes into whole frames or messages and tell what each of them means. The sources are AMQP 0-9-1 §2.3.5
(frames) and §1.8 (class basic), and PostgreSQL's manual, «Message Formats».
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

import pamqp.frame
from pamqp.header import ContentHeader


class What(StrEnum):
    """What was seen, and what `Seen.of` then names."""

    PUBLISH = "the service publishes"  # the routing key
    CONFIRM = "the broker confirms"
    DELIVER = "the broker delivers"  # the mail_id and the broker's delivery count
    ACKNOWLEDGE = "the service acknowledges"
    ASK = "the service asks the database"  # the SQL
    COMMIT = "the service commits"  # all SQL of the transaction
    DONE = "the database has committed"  # all SQL of the transaction


@dataclass(frozen=True, slots=True)
class Seen:
    """One meaning of what passed; `times`: how many messages it is about."""

    what: What
    of: tuple[str, ...] = ()
    times: int = 1


Unit = tuple[bytes, Seen | None]
"""A whole frame or message, and what it means to a fault."""


class Eyes(Protocol):
    """Watches one connection. Units come out whole and in order; what is incomplete is kept for the next call."""

    unacknowledged: int
    """Messages that the client got and has not acknowledged."""

    def from_client(self, data: bytes) -> Iterator[Unit]:
        """What the service sent."""
        ...

    def from_server(self, data: bytes) -> Iterator[Unit]:
        """What the server sent."""
        ...


_PROTOCOL_HEADER: Final = b"AMQP"
_METHOD, _CONTENT_HEADER = 1, 2
_FRAME: Final = struct.Struct(">BHI")
_PUBLISH, _DELIVER, _ACK, _REJECT, _NACK = ((60, method) for method in (40, 60, 80, 90, 120))


@dataclass(slots=True)
class AmqpEyes:
    """One AMQP connection."""

    unacknowledged: int = 0
    _client: bytearray = field(default_factory=bytearray)
    _server: bytearray = field(default_factory=bytearray)
    _published: dict[int, int] = field(default_factory=dict)
    _unconfirmed: dict[int, set[int]] = field(default_factory=dict)
    _delivering: set[int] = field(default_factory=set)
    _delivered: dict[int, int] = field(default_factory=dict)
    _in_hand: dict[int, set[int]] = field(default_factory=dict)

    def from_client(self, data: bytes) -> Iterator[Unit]:
        """Publishes and acknowledgements."""
        for raw in _frames(self._client, data):
            method, arguments = _method(raw)
            if method == _PUBLISH:
                yield raw, self._publish(_channel(raw), arguments)
            elif method in {_ACK, _REJECT, _NACK}:
                yield raw, self._acknowledge(_channel(raw), arguments)
            else:
                yield raw, None

    def from_server(self, data: bytes) -> Iterator[Unit]:
        """Confirms and deliveries; a delivery is seen at its content header, which has the message's properties."""
        for raw in _frames(self._server, data):
            method, arguments = _method(raw)
            channel = _channel(raw)
            if method == _ACK:
                yield raw, self._confirm(channel, arguments)
            elif method == _DELIVER:
                self.unacknowledged += 1
                self._delivering.add(channel)
                tag = self._delivered[channel] = self._delivered.get(channel, 0) + 1
                self._in_hand.setdefault(channel, set()).add(tag)
                yield raw, None
            elif raw[0] == _CONTENT_HEADER and channel in self._delivering:
                self._delivering.discard(channel)
                yield raw, _delivered(raw)
            else:
                yield raw, None

    def _publish(self, channel: int, arguments: bytes) -> Seen:
        tag = self._published[channel] = self._published.get(channel, 0) + 1
        self._unconfirmed.setdefault(channel, set()).add(tag)
        _, rest = _short_string(arguments[2:])
        routing_key, _ = _short_string(rest)
        return Seen(What.PUBLISH, (routing_key,))

    def _acknowledge(self, channel: int, arguments: bytes) -> Seen:
        acknowledged = _meant(arguments, self._in_hand.get(channel, set()))
        self.unacknowledged -= acknowledged
        return Seen(What.ACKNOWLEDGE, times=acknowledged)

    def _confirm(self, channel: int, arguments: bytes) -> Seen:
        return Seen(What.CONFIRM, times=_meant(arguments, self._unconfirmed.get(channel, set())))


def _meant(arguments: bytes, open_tags: set[int]) -> int:
    """How many messages an acknowledgement or a confirm is about; these are not open any more."""
    tag, bits = struct.unpack_from(">QB", arguments)
    meant = {each for each in open_tags if each <= tag} if bits & 1 else {tag}
    open_tags -= meant
    return len(meant)


def _frames(buffer: bytearray, data: bytes) -> Iterator[bytes]:
    buffer += data
    while len(buffer) > _FRAME.size:
        whole = 8 if buffer.startswith(_PROTOCOL_HEADER) else _FRAME.size + _FRAME.unpack_from(buffer)[2] + 1
        if len(buffer) < whole:
            return
        yield bytes(buffer[:whole])
        del buffer[:whole]


def _channel(raw: bytes) -> int:
    channel: int = _FRAME.unpack_from(raw)[1]
    return channel


def _method(raw: bytes) -> tuple[tuple[int, int], bytes]:
    if raw[0] != _METHOD:
        return (0, 0), b""
    return struct.unpack_from(">HH", raw, _FRAME.size), raw[_FRAME.size + 4 : -1]


def _short_string(data: bytes) -> tuple[str, bytes]:
    end = 1 + data[0]
    return data[1:end].decode(), data[end:]


def _delivered(raw: bytes) -> Seen:
    _, _, header = pamqp.frame.unmarshal(raw)
    assert isinstance(header, ContentHeader)
    count = (header.properties.headers or {}).get("x-delivery-count", 0)
    return Seen(What.DELIVER, (header.properties.correlation_id or "", str(count)))


_IDLE: Final = b"I"


@dataclass(slots=True)
class PostgresEyes:
    """One connection to PostgreSQL, without TLS."""

    unacknowledged: int = 0
    _client: bytearray = field(default_factory=bytearray)
    _server: bytearray = field(default_factory=bytearray)
    _started: bool = False
    _statements: dict[bytes, str] = field(default_factory=dict)
    _asked: list[str] = field(default_factory=list)
    """The SQL since the connection was idle."""

    def from_client(self, data: bytes) -> Iterator[Unit]:
        """Statements and commits."""
        for raw in self._messages(self._client, data, started=self._started):
            kind, self._started = raw[:1] if self._started else b"", True
            if kind == b"P":
                name, sql = raw[5:].split(b"\0", 2)[:2]
                self._statements[name] = sql.decode()
            if kind == b"B":
                self._asked.append(self._statements[raw[5:].split(b"\0", 2)[1]])
                yield raw, Seen(What.ASK, (self._asked[-1],))
            elif kind == b"Q" and raw[5:].startswith(b"COMMIT"):
                yield raw, Seen(What.COMMIT, tuple(self._asked))
            else:
                yield raw, None

    def from_server(self, data: bytes) -> Iterator[Unit]:
        """«Ready for query» outside of a transaction: what was asked before it is committed."""
        for raw in self._messages(self._server, data, started=True):
            if raw[:1] == b"Z" and raw[5:] == _IDLE and self._asked:
                asked, self._asked = tuple(self._asked), []
                yield raw, Seen(What.DONE, asked)
            else:
                yield raw, None

    @staticmethod
    def _messages(buffer: bytearray, data: bytes, *, started: bool) -> Iterator[bytes]:
        """Whole messages; the very first of a client has no type."""
        buffer += data
        while len(buffer) >= 5:
            kind = 1 if started else 0
            whole = kind + struct.unpack_from(">I", buffer, kind)[0]
            if len(buffer) < whole:
                return
            started = True
            yield bytes(buffer[:whole])
            del buffer[:whole]
