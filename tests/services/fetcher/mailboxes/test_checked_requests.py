"""`requests` connects where `shared.connecting` lets it, with TLS to the name and not to the address."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from services.fetcher.mailboxes.ews.checked_requests import CheckedAdapter
from shared.connecting import ForbiddenAddress
from tests.servers.certificates import Certificates, make_certificates


class Answer(BaseHTTPRequestHandler):
    """Answers ok, or sends whoever asks for /away elsewhere."""

    def do_GET(self) -> None:
        away = self.path == "/away"
        self.send_response(302 if away else 200)
        if away:
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


@pytest.fixture
def server(certificates: Certificates) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        server.socket = certificates.server.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def session(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Iterator[requests.Session]:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # they beat the session's own
        monkeypatch.delenv(name, raising=False)
    with requests.Session() as session:
        session.verify = str(certificates.ca_file)
        for scheme in ("http://", "https://"):
            session.mount(scheme, CheckedAdapter())
        yield session


def test_a_server_of_ones_own_answers_over_tls(session: requests.Session, server: int) -> None:
    assert session.get(f"https://127.0.0.1:{server}/", timeout=5).text == "ok"


def test_its_certificate_must_be_for_the_host_that_was_asked_for(session: requests.Session, server: int) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        session.get(f"https://localhost:{server}/", timeout=5)


def test_a_redirect_to_a_metadata_service_goes_nowhere(session: requests.Session, server: int) -> None:
    with pytest.raises(ForbiddenAddress, match=r"169\.254\.169\.254"):
        session.get(f"https://127.0.0.1:{server}/away", timeout=5)


def test_a_proxy_of_the_environment_is_not_used(
    session: requests.Session, server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    assert session.get(f"https://127.0.0.1:{server}/", timeout=5).text == "ok"


def test_a_host_that_does_not_answer_is_what_requests_calls_it(session: requests.Session) -> None:
    with pytest.raises(requests.exceptions.ConnectionError):
        session.get("http://127.0.0.1:1/", timeout=5)
