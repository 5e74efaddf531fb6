"""Logging in as an app: secret and certificate, one request for many waiters, refusals sorted, nothing leaked."""

import asyncio
import base64
import json

import pytest
import structlog
from pydantic import SecretStr

from shared.microsoft.certificate import Certificate
from shared.microsoft.credentials import AppLogin
from shared.microsoft.errors import Interrupted, MicrosoftError, NotSecure, SignInRefused, Unavailable
from shared.microsoft.http import open_client
from shared.microsoft.patience import Patience
from shared.microsoft.tokens import Tokens
from tests.servers.graph_apps import app_certificate, app_login
from tests.servers.graph_entra import CLIENT_ID, OUTLOOK, SECRET
from tests.servers.graph_faults import broken_off, cut_short, no_answer, redirected, status
from tests.servers.graph_server import GraphServer

TOKEN = r"POST .*/token"


@pytest.fixture
def login(server: GraphServer) -> AppLogin:
    return app_login(server.ca_file)


async def test_a_secret_gives_a_token_for_one_scope(server: GraphServer, login: AppLogin) -> None:
    tokens = Tokens()
    graph = await tokens.of(login, login.cloud.graph_scope)
    mail = await tokens.of(login, login.cloud.mail_scope)
    assert server.entra.grant_of(graph.get_secret_value(), server.url)
    assert server.entra.grant_of(mail.get_secret_value(), OUTLOOK)
    assert not server.entra.grant_of(graph.get_secret_value(), OUTLOOK)
    assert server.token_requests == 2


async def test_a_certificate_signs_for_the_app_and_its_key_stays_here(server: GraphServer) -> None:
    pem, certificate = app_certificate()
    server.entra.apps[CLIENT_ID].certificates.append(certificate)
    login = app_login(server.ca_file, certificate=pem)
    token = await Tokens().of(login, login.cloud.graph_scope)
    assert server.entra.grant_of(token.get_secret_value(), server.url)
    form = login.form(login.cloud.graph_scope)
    assert "client_secret" not in form
    head = json.loads(base64.urlsafe_b64decode(form["client_assertion"].split(".")[0] + "=="))
    assert head["alg"] == "PS256"
    assert set(head) == {"alg", "typ", "x5t#S256"}


async def test_a_token_is_asked_for_once_however_many_wait_and_kept(server: GraphServer, login: AppLogin) -> None:
    tokens = Tokens()
    found = await asyncio.gather(*(tokens.of(login, login.cloud.graph_scope) for _ in range(50)))
    assert {token.get_secret_value() for token in found} == {server.entra.given[0]}
    again = await tokens.of(app_login(server.ca_file), login.cloud.graph_scope)
    assert again.get_secret_value() == server.entra.given[0]
    assert server.token_requests == 1


async def test_a_waiter_that_is_cancelled_leaves_the_others_their_token(server: GraphServer, login: AppLogin) -> None:
    tokens = Tokens()
    first, second = (asyncio.create_task(tokens.of(login, login.cloud.graph_scope)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).get_secret_value() == server.entra.given[0]
    assert server.token_requests == 1


async def test_a_token_is_renewed_before_it_ends(server: GraphServer, login: AppLogin) -> None:
    tokens = Tokens()
    server.entra.expires_in = 0
    await tokens.of(login, login.cloud.graph_scope)
    await tokens.of(login, login.cloud.graph_scope)
    assert len(server.entra.given) == 2


async def test_a_refused_token_is_renewed_once_for_all_who_hold_it(server: GraphServer, login: AppLogin) -> None:
    tokens, scope = Tokens(), login.cloud.graph_scope
    old = await tokens.of(login, scope)
    new = await tokens.renewed(login, scope, refused=old)
    assert new != old
    assert await tokens.renewed(login, scope, refused=old) == new
    assert len(server.entra.given) == 2


async def test_another_secret_is_another_login(server: GraphServer, login: AppLogin) -> None:
    tokens = Tokens()
    await tokens.of(login, login.cloud.graph_scope)
    with pytest.raises(SignInRefused):
        await tokens.of(app_login(server.ca_file, secret=SecretStr("other")), login.cloud.graph_scope)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"secret": SecretStr("wrong")}, r"clientgeheim is onjuist: maak .* \(AADSTS7000215\)"),
        ({"secret": SecretStr("old")}, r"clientgeheim is verlopen: maak .* \(AADSTS7000222\)"),
        ({"client_id": "unknown"}, r"niet bekend in deze tenant: controleer .* \(AADSTS700016\)"),
        ({"tenant": "unknown.example"}, r"tenant is niet bekend: controleer .* \(AADSTS90002\)"),
        ({"certificate": app_certificate()[0]}, r"herkent het certificaat niet.*: voeg .* \(AADSTS700027\)"),
    ],
    ids=["wrong secret", "expired secret", "unknown app", "unknown tenant", "foreign certificate"],
)
async def test_a_definite_refusal_says_what_to_do(
    server: GraphServer, changes: dict[str, object], sentence: str
) -> None:
    server.entra.apps[CLIENT_ID].secrets["old"] = False
    login = app_login(server.ca_file, **changes)
    with pytest.raises(SignInRefused, match=sentence):
        await Tokens().of(login, login.cloud.graph_scope)


async def test_conditional_access_says_what_to_do(server: GraphServer, login: AppLogin) -> None:
    server.entra.apps[CLIENT_ID].blocked = True
    with pytest.raises(SignInRefused, match=r"Conditional Access.*laat de beheerder"):
        await Tokens().of(login, login.cloud.graph_scope)


async def test_an_assertion_serves_once_and_at_one_place(server: GraphServer) -> None:
    """The server checks what it says it checks: without that the tests above would show nothing."""
    pem, certificate = app_certificate()
    server.entra.apps[CLIENT_ID].certificates.append(certificate)
    login = app_login(server.ca_file, certificate=pem)
    form = login.form(login.cloud.graph_scope)
    elsewhere = Certificate.from_pem(pem).assertion(CLIENT_ID, "https://elsewhere.example/token")
    async with await open_client(login.ca_file, connections=1, patience=Patience()) as client:
        first = await client.post(login.token_url, data=form)
        again = await client.post(login.token_url, data=form)
        other = await client.post(login.token_url, data=form | {"client_assertion": elsewhere})
    assert [answer.json().get("error_codes") for answer in (first, again, other)] == [None, [700022], [700023]]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (status(429, Retry_After="17"), Unavailable),
        (status(503, Retry_After="17"), Unavailable),
        (broken_off, Unavailable),
        (cut_short, Unavailable),
        (no_answer, Unavailable),
        (redirected("https://127.0.0.1:1/"), NotSecure),
    ],
    ids=["429", "503", "broken off", "cut short", "time-out", "redirect"],
)
async def test_what_passes_is_told_from_what_is_refused(
    server: GraphServer, login: AppLogin, fault: object, kind: type[Unavailable]
) -> None:
    tokens = Tokens(Patience(answer=0.5) if fault is no_answer else None)
    server.fault(TOKEN, fault)  # type: ignore[arg-type]
    with pytest.raises(kind) as trouble:
        await tokens.of(login, login.cloud.graph_scope)
    after = trouble.value.after
    assert after is None or after.total_seconds() == 17
    await Tokens().of(login, login.cloud.graph_scope)


async def test_an_error_that_is_no_word_is_a_refusal_without_its_words(server: GraphServer, login: AppLogin) -> None:
    server.fault(TOKEN, status(401, "ErrorOfGraph"))
    with pytest.raises(SignInRefused, match=r"geen code"):
        await Tokens().of(login, login.cloud.graph_scope)


async def test_an_old_token_serves_while_entra_is_away(server: GraphServer, login: AppLogin) -> None:
    tokens = Tokens()
    first = await tokens.of(login, login.cloud.graph_scope)
    known = next(iter(tokens._known))
    tokens._known[known] = type(tokens._known[known])(first, renew_at=0, ends_at=tokens._known[known].ends_at)
    server.fault(TOKEN, status(503))
    assert await tokens.of(login, login.cloud.graph_scope) == first


async def test_a_server_whose_certificate_does_not_hold_gets_nothing(server: GraphServer) -> None:
    login = AppLogin.of("global", tenant="t", client_id="c", secret=SecretStr(SECRET))
    with pytest.raises(NotSecure, match="geen certificaat dat te vertrouwen is"):
        await Tokens().of(login, login.cloud.graph_scope)
    assert server.token_requests == 0


async def test_no_secret_stands_in_a_repr_an_error_or_a_log(server: GraphServer) -> None:
    pem, _ = app_certificate()
    logins = [app_login(server.ca_file), app_login(server.ca_file, certificate=pem)]
    tokens = Tokens()
    said: list[object] = []
    with structlog.testing.capture_logs() as logged:
        for login in logins:
            try:
                await tokens.of(login, login.cloud.graph_scope)
            except MicrosoftError as error:
                said += [str(error), repr(error), error.__cause__, error.__context__]
    shown = f"{logins!r} {tokens.__dict__!r} {said!r} {logged!r}"
    assert logged
    key = pem.get_secret_value().splitlines()[1]
    for secret in (SECRET, key, *server.entra.given):
        assert secret not in shown


async def test_an_answer_that_is_no_json_is_no_refusal(server: GraphServer, login: AppLogin) -> None:
    async def page(request: object, handler: object) -> object:
        from aiohttp import web  # noqa: PLC0415 - only here

        del request, handler
        return web.Response(status=403, text="<html>proxy</html>")

    server.fault(TOKEN, page)  # type: ignore[arg-type]
    with pytest.raises(Interrupted, match="proxy"):
        await Tokens().of(login, login.cloud.graph_scope)
