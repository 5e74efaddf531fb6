"""How requests travel to an EWS server: one connection a mailbox, one request at a time, each asked once.

- Where we connect is `shared.connecting`'s to say; redirects are not followed, proxies and certificates named in the
  environment (HTTPS_PROXY, REQUESTS_CA_BUNDLE) not used: what counts stands in the settings.
- The first request goes without a login; what the server's 401 offers decides: NTLM before Basic. The password goes out
  once per connection at most, and what is refused then is not tried in another way.
- Nothing waits for ever: connecting, silence, and (by `abort`, from another thread) a request as a whole.
"""

from __future__ import annotations

import logging
import ssl
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from requests_ntlm import HttpNtlmAuth
from spnego.exceptions import SpnegoError
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError, ProtocolError

from services.fetcher.mailboxes.ews import errors as ews_errors
from services.fetcher.mailboxes.ews.answers import (
    AnswerBroken,
    AnswerReader,
    EwsError,
    NotEws,
    response_message,
    response_messages,
)
from services.fetcher.mailboxes.ews.checked_requests import CheckedAdapter
from services.fetcher.mailboxes.ews.errors import Place
from services.fetcher.mailboxes.ews.network_errors import network_problem
from services.fetcher.mailboxes.protocol import MailboxError, MailboxMissing, MailboxUnreachable
from services.fetcher.rules.problem import ProblemKind
from shared.connecting import ForbiddenAddress
from shared.http_connections import NoCookies

NTLM: Final = "NTLM"
BASIC: Final = "Basic"

PATH: Final = "/EWS/Exchange.asmx"
READ_BYTES: Final = 64 * 1024
ERROR_BYTES: Final = 256 * 1024
"""Read of an answer that is no success: a SOAP fault has some 1,500."""

USER_AGENT: Final = "helpdesk-importer"
"""By which administrators may allow us (docs/exchange.md: EwsAllowList)."""
_HEADERS: Final = {
    "User-Agent": USER_AGENT,
    "Content-Type": "text/xml; charset=utf-8",
    "Accept": "text/xml",
    "Accept-Encoding": "gzip",
}
_UNAUTHORIZED: Final = 401
_OK: Final = 200
_NTLM_STEPS: Final = 2
"""Answers before the last one, where NTLM went as it should."""

for _name in ("exchangelib", "spnego", "requests_ntlm"):
    # They print requests, answers and tokens when somebody asks for debugging.
    logging.getLogger(_name).setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: to connect, between two pieces of an answer, for an answer, and for one that holds a mail."""

    connect: float = 20
    silence: float = 60
    answer: float = 120
    mail: float = 600


PATIENCE: Final = Patience()


class AnswerStopped(MailboxUnreachable):
    """The server began to answer this one request and did not end: other requests may fare better."""


def ews_url(server: str | None, *, allow_unencrypted: bool) -> str:
    """The address of EWS on a server that is given as host, host:port or URL. Raises MailboxMissing."""
    if not server:
        raise MailboxMissing(
            "De server ontbreekt: vul bij «Server» de naam van de Exchange-server in, of laat hem opzoeken "
            "met: helpdesk-importer importer discover."
        )
    text = server.strip()
    if "://" not in text:
        text = f"https://[{text}]" if text.count(":") > 1 and "[" not in text else f"https://{text}"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme.lower() not in {"http", "https"} or parts.username is not None or parts.query:
        raise MailboxMissing(
            "Het adres van de server is niet goed: vul bij «Server» een naam in, naam:poort, of een adres als "
            f"https://mail.example.nl{PATH}."
        )
    if parts.scheme.lower() == "http" and not allow_unencrypted:
        raise MailboxMissing(
            "De server is met http:// ingevuld, dus zonder versleuteling: controleer of https:// kan, of sta "
            "onversleuteld inloggen met zoveel woorden toe.",
            kind=ProblemKind.NOT_SECURE,
        )
    path = PATH if parts.path in {"", "/"} else parts.path
    return f"{parts.scheme.lower()}://{parts.netloc}{path}"


class EwsConnection:
    """A connection to `url` for one mailbox. Its methods block; one at a time."""

    def __init__(  # noqa: PLR0917 - wired in one place
        self, url: str, password: str, place: Place, tls: ssl.SSLContext, anchor: str | None, patience: Patience
    ) -> None:
        self.url = url
        self._place = place
        self._patience = patience
        self._login = _Login(place.login, password)
        self._adapter = _Adapter(tls)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies = NoCookies()  # type: ignore[assignment] # it need be no more than a CookieJar
        self._session.auth = self._login
        self._session.headers.update(_HEADERS)
        if anchor is not None:
            self._session.headers["X-AnchorMailbox"] = anchor  # to the mailbox's own server, where there are several
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, self._adapter)
        self._aborted = False

    @property
    def login_kind(self) -> str:
        """How it logged in, in words; after an answer."""
        return self._login.kind or "geen inlog"

    def ask(self, envelope: bytes, reader: AnswerReader | None = None) -> Element:
        """Send a request; the root of a successful answer.

        Raises EwsError for a refusal by EWS, AnswerStopped where an answer broke off, MailboxError for all else, and
        what the reader's sink raises, which ends the connection.
        """
        root = self.send(envelope, reader or AnswerReader())
        response_message(root)
        return root

    def send(self, envelope: bytes, reader: AnswerReader) -> Element:
        """As `ask`, but that a refusal in a response message is no error: others may be there beside it."""
        if self._aborted:
            raise ews_errors.too_slow(self._place, self._patience.answer)
        with self._post(envelope) as response:
            if response.status_code != _OK:
                self._raise_problem(response)
            root = self._read(response, reader)
        try:
            response_messages(root)
        except AnswerBroken as error:
            raise ews_errors.broken_answer(self._place, str(error)) from error
        return root

    def begin(self) -> None:
        """Requests may go out again, after an `abort`."""
        self._aborted = False

    def abort(self) -> None:
        """End the request that is going on, from another thread, and let none follow until `begin`."""
        self._aborted = True
        self._adapter.abort()

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    @contextmanager
    def _post(self, envelope: bytes) -> Iterator[requests.Response]:
        try:
            response = self._send(envelope)
        except ForbiddenAddress as error:
            raise MailboxMissing(error.sentence) from error
        except _LoginInterrupted as error:
            raise ews_errors.login_interrupted(self._place) from error
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            if self._aborted:
                raise ews_errors.too_slow(self._place, self._patience.answer) from error
            raise network_problem(error, self._place) from error
        with response:
            yield response

    def _send(self, envelope: bytes) -> requests.Response:
        """Send it; once more where the server had closed the connection meanwhile: no request of ours adds anything."""
        for last in (False, True):
            try:
                return self._session.post(
                    self.url,
                    data=envelope,
                    stream=True,
                    allow_redirects=False,
                    timeout=(self._patience.connect, self._patience.silence),
                )
            except requests.ConnectionError as error:
                if last or self._aborted or not _was_closed(error):
                    raise
        raise AssertionError

    def _read(self, response: requests.Response, reader: AnswerReader) -> Element:
        try:
            for data in _pieces(response):
                reader.feed(data)
            return reader.close()
        except NotEws as error:
            raise ews_errors.no_ews(self._place) from error
        except (AnswerBroken, HTTPError, OSError) as error:
            if self._aborted:
                raise AnswerStopped(str(ews_errors.too_slow(self._place, self._patience.mail))) from error
            how = str(error) if isinstance(error, AnswerBroken) else type(error).__name__
            raise AnswerStopped(str(ews_errors.broken_answer(self._place, how))) from error

    def _raise_problem(self, response: requests.Response) -> None:
        status, headers = response.status_code, response.headers
        if status == _UNAUTHORIZED:
            raise self._login_problem(response)
        text = self._beginning(response)
        if b"currently locked out" in text:  # QUIRK: Exchange tells of a locked account in the page of an HTTP 500
            raise ews_errors.login_refused(self._place)
        reader = AnswerReader()
        try:
            reader.feed(text)
            response_message(reader.close())  # QUIRK: Exchange sends SOAP faults as HTTP 500, as SOAP 1.1 §6.2 says
        except EwsError as error:
            if error.back_off is None and (after := ews_errors.retry_after(headers.get("Retry-After"))):
                raise EwsError(error.code, after) from error
            raise
        except (AnswerBroken, NotEws):
            raise ews_errors.http_problem(status, self._place, headers) from None
        raise ews_errors.http_problem(status, self._place, headers)

    def _beginning(self, response: requests.Response) -> bytes:
        text = b""
        try:
            for data in _pieces(response):
                text += data
                if len(text) >= ERROR_BYTES:
                    break
        except (AnswerBroken, HTTPError, OSError):
            return text
        return text

    def _login_problem(self, response: requests.Response) -> MailboxError:
        if self._login.kind is not None:
            challenged = response.history[-1:] if self._login.kind == NTLM else []
            if any(step.headers.get("Connection", "").lower() == "close" for step in challenged):
                return ews_errors.login_interrupted(self._place)
            return ews_errors.login_refused(self._place)
        return ews_errors.no_usable_login(self._place, offers(response.headers))


class _Login(AuthBase):
    """Logs in by what the server offers, on each connection anew."""

    def __init__(self, username: str, password: str) -> None:
        self._ntlm = HttpNtlmAuth(username, password)
        self._basic = HTTPBasicAuth(username.encode(), password.encode())
        self.kind: str | None = None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.kind == BASIC:
            return self._basic(request)
        request.headers["Connection"] = "Keep-Alive"  # NTLM logs in the connection, not a request
        request.register_hook("response", self._answer)
        return request

    def _answer(self, response: requests.Response, **how: Any) -> requests.Response:
        if response.status_code != _UNAUTHORIZED:
            return response
        offered = offers(response.headers)
        if "ntlm" in offered:
            self.kind = NTLM
            return self._go_through_ntlm(response, **how)
        if "basic" in offered:
            self.kind = BASIC
            for _ in response.raw.stream():
                pass
            response.close()
            again = self._basic(response.request.copy())
            answered: requests.Response = response.connection.send(again, **how)
            answered.history.append(response)
            return answered
        return response

    def _go_through_ntlm(self, response: requests.Response, **how: Any) -> requests.Response:
        """QUIRK: requests_ntlm stumbles over a server that ends the login half-way, with errors of Python's own."""
        try:
            return self._ntlm.response_hook(response, **how)
        except (PermissionError, SpnegoError) as error:  # no challenge, or one that cannot be answered
            raise _LoginInterrupted from error
        except KeyError as error:
            if error.args != ("www-authenticate",):  # the answer that should hold the challenge has no such header
                raise
            raise _LoginInterrupted from error
        except AttributeError as error:
            if error.obj is not None:  # the socket of an answer that the server closed behind it
                raise
            raise _LoginInterrupted from error


class _LoginInterrupted(Exception):
    """The server began an NTLM login and did not go on with it."""


def offers(headers: Mapping[str, str]) -> frozenset[str]:
    """The ways of logging in that WWW-Authenticate names, in lower case (RFC 9110 §11.6.1)."""
    words = (part.split() for part in headers.get("WWW-Authenticate", "").split(","))
    return frozenset(word[0].lower() for word in words if word and "=" not in word[0])


def _pieces(response: requests.Response) -> Iterator[bytes]:
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


class _Adapter(CheckedAdapter):
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
        if response.status_code == _UNAUTHORIZED:
            # QUIRK: requests_ntlm reads the text, unpacked and however much it is; it needs none of it
            response.raw.stream = partial(_few_pieces, response.raw)
        return response

    def cert_verify(self, *_: Any) -> None:
        """Leave it to our TLS, which does."""


def _was_closed(error: requests.ConnectionError) -> bool:
    return any(isinstance(each, ProtocolError) for each in error.args)
