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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import requests
from urllib3.exceptions import HTTPError, ProtocolError

from services.fetcher.mailboxes.ews import errors as ews_errors
from services.fetcher.mailboxes.ews import told
from services.fetcher.mailboxes.ews.answer_reader import AnswerBroken, AnswerReader, NotEws
from services.fetcher.mailboxes.ews.answers import EwsError, response_message, response_messages
from services.fetcher.mailboxes.ews.errors import Place
from services.fetcher.mailboxes.ews.login import NTLM, UNAUTHORIZED, Login, LoginInterrupted, offers
from services.fetcher.mailboxes.ews.network_errors import network_problem
from services.fetcher.mailboxes.ews.transport import ERROR_BYTES, Adapter, pieces
from services.fetcher.mailboxes.protocol import MailboxError, MailboxMissing, MailboxUnreachable
from services.fetcher.rules.problem import ProblemKind
from shared.connecting import ForbiddenAddress
from shared.dialogue import Step, asking, http
from shared.http_connections import NoCookies

PATH: Final = "/EWS/Exchange.asmx"
USER_AGENT: Final = "helpdesk-importer"
"""By which administrators may allow us (docs/exchange.md: EwsAllowList)."""
_HEADERS: Final = {
    "User-Agent": USER_AGENT,
    "Content-Type": "text/xml; charset=utf-8",
    "Accept": "text/xml",
    "Accept-Encoding": "gzip",
}
_OK: Final = 200

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
        self._login = Login(place.login, password)
        self._adapter = Adapter(tls)
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
        with asking(told.asked(envelope)) as step:
            try:
                return self._answer(envelope, reader, step)
            except EwsError as error:
                step.also(http.code(error.code))
                raise

    def _answer(self, envelope: bytes, reader: AnswerReader, step: Step) -> Element:
        with self._post(envelope) as response:
            step.came = told.came(response.status_code, response.headers)
            if response.status_code != _OK:
                self._raise_problem(response)
            root = self._read(response, reader)
        try:
            step.also(told.refusal(response_messages(root)))
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
        except LoginInterrupted as error:
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
            for data in pieces(response):
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
        if status == UNAUTHORIZED:
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
            for data in pieces(response):
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


def _was_closed(error: requests.ConnectionError) -> bool:
    return any(isinstance(each, ProtocolError) for each in error.args)
