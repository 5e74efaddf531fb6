"""What comes from an EWS server, in pieces of bounded size: read as it comes, unpacked no faster than it is taken."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import requests
from urllib3 import HTTPResponse

from services.fetcher.mailboxes.ews.answer_reader import AnswerBroken
from services.fetcher.mailboxes.ews.checked_requests import CheckedAdapter
from services.fetcher.mailboxes.ews.login import UNAUTHORIZED

READ_BYTES: Final = 64 * 1024
ERROR_BYTES: Final = 256 * 1024
"""Read of an answer that is no success: a SOAP fault has some 1,500."""


def pieces(response: requests.Response) -> Iterator[bytes]:
    """What has come of the answer, unpacked, at most READ_BYTES at a time. Raises AnswerBroken.

    urllib3 would unpack all that came at once: a few bytes may be gigabytes (zip bomb).
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise AnswerBroken(f"it is encoded as {encoding[:40]}, which was not asked for")
    unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16) if "gzip" in encoding else None
    # read1 gives what has come: a slow server's bytes count as they come in, and end with `abort`.
    while data := response.raw.read1(READ_BYTES, decode_content=False):
        if unpack is None:
            yield data
            continue
        try:
            while data:
                yield unpack.decompress(data, READ_BYTES)
                data = unpack.unconsumed_tail
        except zlib.error as error:
            raise AnswerBroken("it is packed with gzip, and damaged") from error


def _few_pieces(raw: HTTPResponse, *_: object, **__: object) -> Iterator[bytes]:
    """What has come, not unpacked, in the place of urllib3's own `stream`."""
    size = 0
    while data := raw.read1(READ_BYTES, decode_content=False):
        size += len(data)
        if size > ERROR_BYTES:
            raw.close()
            raise requests.exceptions.ContentDecodingError("too much text in an answer that asks for a login")
        yield data


class Adapter(CheckedAdapter):
    """With TLS of its own, which requests would replace by its bundle, and with little to say on a refused login."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        super().__init__(pool_connections=1, pool_maxsize=1, pool_block=True)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Have the pools use our TLS."""
        super().init_poolmanager(*args, ssl_context=self._tls, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Send it; of an answer that asks for a login ERROR_BYTES are taken at most, as they came."""
        response = super().send(*args, **kwargs)
        if response.status_code == UNAUTHORIZED:
            # QUIRK: requests_ntlm reads the text, unpacked and however much it is; it needs none of it
            response.raw.stream = partial(_few_pieces, response.raw)
        return response

    def cert_verify(self, *_: Any) -> None:
        """Leave it to our TLS, which does."""
