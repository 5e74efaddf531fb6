"""Autodiscover at set-up: the server is found without a password going anywhere."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from services.fetcher.mailboxes.ews.discovery import discover, hosts_of
from services.fetcher.mailboxes.protocol import MailboxAccess, MailboxMissing
from tests.servers.certificates import Certificates, make_certificates
from tests.servers.ews.server import EwsServer, Manners
from tests.servers.ews.store import Store, User

ADDRESS = "helpdesk@corp.example"


class DiscoveryServer(EwsServer):
    """With Autodiscover v2, which answers what a test says."""

    answer: Callable[[], web.Response] = partial(web.Response, status=404)
    asked: dict[str, str]
    user_agent: str

    def _add_routes(self, app: web.Application) -> None:
        app.router.add_get("/autodiscover/autodiscover.json", self._discover)
        app.router.add_get("/EWS/Exchange.asmx", self._look)

    async def _discover(self, request: web.Request) -> web.Response:
        assert "Authorization" not in request.headers
        self.asked = dict(request.query)
        self.user_agent = request.headers["User-Agent"]
        return self.answer()

    async def _look(self, request: web.Request) -> web.Response:
        assert "Authorization" not in request.headers
        return self._refuse()


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


@pytest.fixture
def access(certificates: Certificates) -> MailboxAccess:
    return MailboxAccess("ews", None, username=ADDRESS, password=SecretStr("x"), ca_file=str(certificates.ca_file))


def exchange(certificates: Certificates, *ways: str) -> DiscoveryServer:
    return DiscoveryServer(User("u", "p"), Store(ADDRESS), tls=certificates.server, manners=Manners(ways=ways))


async def test_a_newer_exchange_names_its_address(certificates: Certificates, access: MailboxAccess) -> None:
    with exchange(certificates) as server:
        url = "https://mail.corp.example/EWS/Exchange.asmx"
        server.answer = partial(web.json_response, {"Protocol": "EWS", "Url": url})
        assert await discover(access, lambda _: [server.host]) == url
        assert server.asked == {"Email": ADDRESS, "Protocol": "EWS"}
        assert server.user_agent == "helpdesk-importer"  # as administrators are told to allow


async def test_an_older_exchange_asks_for_a_login_where_its_clients_look(
    certificates: Certificates, access: MailboxAccess
) -> None:
    with exchange(certificates, "NTLM") as server:
        assert await discover(access, lambda _: ["127.0.0.1:1", server.host]) == server.url


async def test_a_redirect_is_followed_once_and_over_tls_alone(
    certificates: Certificates, access: MailboxAccess
) -> None:
    with exchange(certificates) as first, exchange(certificates, "NTLM") as second:
        for target, found in (
            (second.url, second.url),
            (second.url.replace("https", "http"), None),
            (first.url, None),
            ("https://169.254.169.254/", None),
        ):
            first.answer = partial(web.Response, status=302, headers={"Location": target})
            if found is None:
                with pytest.raises(MailboxMissing, match="autodiscover"):
                    await discover(access, lambda _: [first.host])
            else:
                assert await discover(access, lambda _: [first.host]) == found


@pytest.mark.parametrize(
    "told", [{"Url": "http://mail/EWS"}, {"Url": "https://u:p@mail/"}, {"Url": 1}, {}, [], "EWS"], ids=json.dumps
)
async def test_an_answer_that_names_nothing_usable_is_none(
    certificates: Certificates, access: MailboxAccess, told: object
) -> None:
    with exchange(certificates, "Bearer") as server:
        server.answer = partial(web.json_response, told)
        with pytest.raises(MailboxMissing, match=r"corp\.example"):
            await discover(access, lambda _: [server.host])


async def test_without_an_address_there_is_nothing_to_look_for() -> None:
    with pytest.raises(MailboxMissing, match="adres"):
        await discover(MailboxAccess("ews", None, username="CORP\\svc"))


def test_the_hosts_are_the_mail_domains_own() -> None:
    assert hosts_of("corp.example") == ("autodiscover.corp.example", "corp.example")
