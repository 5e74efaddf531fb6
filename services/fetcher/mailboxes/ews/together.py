"""Fetching small mails of an Exchange mailbox, several in one request.

What one request does not give whole, and as asked, is left to `Reading`, mail by mail, which tells what is wrong. A
server that breaks off such an answer, or keeps refusing such requests, is not asked for several mails any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Final
from xml.etree.ElementTree import Element

from services.fetcher.mailboxes.ews.answer_reader import AnswerReader, MimeDecoder
from services.fetcher.mailboxes.ews.answers import EwsError, item_id, response_messages, succeeded, transport_headers
from services.fetcher.mailboxes.ews.completing import complete
from services.fetcher.mailboxes.ews.connection import AnswerStopped
from services.fetcher.mailboxes.ews.reading import Reading
from services.fetcher.mailboxes.ews.session import EwsSession
from services.fetcher.mailboxes.protocol import MailReference, MailTooLarge

SMALL_BYTES: Final = 1024 * 1024
"""A larger mail is fetched by itself."""
TOGETHER_BYTES: Final = 8 * 1024 * 1024
"""Bytes of mail in one answer, as the listing told their sizes."""
MOST_REFUSALS: Final = 3
"""Requests for several mails that a server may refuse; one refusal may be of a property, which `Reading` learns."""


@dataclass(frozen=True, slots=True)
class ToFetch:
    """A mail of a known size, the file that it is to be written into, and the most bytes that it may have."""

    mail: MailReference
    into: BinaryIO
    limit: int


class FetchingTogether:
    """Fetches what `session` gives of several mails at once; `reading` knows whether it gives header blocks."""

    def __init__(self, session: EwsSession, reading: Reading) -> None:
        self._session = session
        self._reading = reading
        self._refusals = 0

    def fetch(self, wanted: Sequence[ToFetch]) -> dict[int, int]:
        """By their place in `wanted`, the sizes of the mails that were written; the files of the others are empty.

        Raises MailboxError where the server wants to be left alone or is not there.
        """
        sizes: dict[int, int] = {}
        for places in _requests(wanted):
            if len(places) > 1 and self._refusals < MOST_REFUSALS:
                some = [wanted[place] for place in places]
                sizes |= {places[number]: size for number, size in self._fetch_at_once(some).items()}
        return sizes

    def _fetch_at_once(self, wanted: Sequence[ToFetch]) -> dict[int, int]:
        sinks = [_Sink(each) for each in wanted]
        decoders = [MimeDecoder(sink.write) for sink in sinks]
        sizes: dict[int, int] = {}
        try:
            root = self._session.ask_for_several(
                self._session.requests.get_mime(
                    [each.mail.key for each in wanted], with_headers=self._reading.gives_headers
                ),
                AnswerReader(decoders),
            )
        except EwsError:
            self._refusals += 1
        except AnswerStopped:
            self._refusals = MOST_REFUSALS
        else:
            messages = response_messages(root)
            if len(messages) == len(wanted):
                for number, message in enumerate(messages):
                    size = _written(wanted[number], sinks[number], decoders[number], message)
                    if size is not None:
                        sizes[number] = size
        for number, each in enumerate(wanted):
            if number not in sizes:
                with suppress(OSError):  # the next try meets it too, and tells
                    each.into.seek(0)
                    each.into.truncate()
        return sizes


class _Sink:
    """Writes a mail; `spoilt` once it grew beyond its limit or its file took no more."""

    def __init__(self, wanted: ToFetch) -> None:
        self._into = wanted.into
        self._left = wanted.limit
        self.spoilt = False

    def write(self, data: bytes) -> None:
        self._left -= len(data)
        self.spoilt = self.spoilt or self._left < 0
        if not self.spoilt:
            try:
                self._into.write(data)
            except OSError:
                self.spoilt = True


def _written(wanted: ToFetch, sink: _Sink, decoder: MimeDecoder, message: Element) -> int | None:
    """The mail's size, once its header block is in front of it; None where this is not, or not all of, that mail."""
    identity = item_id(message)
    if not succeeded(message) or identity is None or identity[0] != wanted.mail.key or sink.spoilt or not decoder.size:
        return None
    try:
        return complete(wanted.into, 0, decoder.size, transport_headers(message), wanted.limit)
    except (MailTooLarge, OSError):
        return None


def _requests(wanted: Sequence[ToFetch]) -> Iterator[list[int]]:
    """Places in `wanted`, in their order, as many a request as have TOGETHER_BYTES."""
    places: list[int] = []
    total = 0
    for place, each in enumerate(wanted):
        size = SMALL_BYTES if each.mail.size is None else each.mail.size
        if places and total + size > TOGETHER_BYTES:
            yield places
            places, total = [], 0
        places.append(place)
        total += size
    if places:
        yield places
