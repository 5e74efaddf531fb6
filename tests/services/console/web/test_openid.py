"""Logging in by OpenID Connect at a provider that speaks the protocol, and what it or a stranger may try there."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey
from playwright.async_api import Browser
from pydantic import SecretStr
from starlette.responses import JSONResponse, RedirectResponse, Response

from services.console.web.configuration import WebConfiguration
from services.console.web.openid import provider as provider_module
from services.console.web.openid.login import LASTS, new_login, opened, sealed
from services.console.web.openid.settings import openid_settings
from services.console.web.tokens import form_token
from services.console.web.visit import SESSION_COOKIE
from shared.database.pool import Pool
from shared.errors import Misconfigured
from tests.servers import openid_provider
from tests.servers.openid_provider import CLIENT_ID, CLIENT_SECRET, Provider, running_provider
from tests.services.console.web.conftest import PASSWORD, World, form_of, serving

SEE_OTHER, OK = httpx.codes.SEE_OTHER, httpx.codes.OK
COOKIE = "helpdesk_login"
TEXTS = {
    "nl": ("Inloggen met uw account van het werk", "Vraag wie de console beheert"),
    "en": ("Log in with your work account", "Ask whoever administers the console"),
}
"""The button, and what somebody reads who is no user here."""


@pytest.fixture(scope="module")
async def pool(world: World) -> AsyncIterator[Pool]:
    async with world.database.pool("web") as pool:
        yield pool


@pytest.fixture
async def provider(world: World, tmp_path: Path) -> AsyncIterator[Provider]:
    await world.owner.execute("UPDATE web_users SET openid_issuer = NULL, openid_subject = NULL, active = true")
    async with running_provider(tmp_path) as provider:
        yield provider


@asynccontextmanager
async def console(
    pool: Pool, provider: Provider, monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> AsyncIterator[str]:
    monkeypatch.setenv("IMPORTER_WEB_OIDC_CLIENT_SECRET", CLIENT_SECRET)
    given = {"web_oidc_issuer": provider.issuer, "web_oidc_client_id": CLIENT_ID, "web_oidc_ca_file": provider.ca_file}
    async with serving(pool, **{**given, **settings}) as address:
        yield address


@pytest.fixture
async def address(pool: Pool, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    async with console(pool, provider, monkeypatch) as address:
        yield address


def browsing(address: str, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=address, headers=headers, timeout=30, verify=False)  # noqa: S501 - the tests' own


async def to_provider(client: httpx.AsyncClient, wanted: str = "/mails") -> str:
    """The address at the provider that the console sends the browser to."""
    left = await client.get("/login/openid", params={"next": wanted})
    assert left.status_code == SEE_OTHER, left.text
    return left.headers["location"]


async def back_from(client: httpx.AsyncClient, way: str) -> str:
    """The address at the console that the provider sends the browser back to."""
    answer = await client.get(way)
    assert answer.status_code == SEE_OTHER, answer.text
    return answer.headers["location"]


async def logged_in(client: httpx.AsyncClient, wanted: str = "/mails") -> httpx.Response:
    return await client.get(await back_from(client, await to_provider(client, wanted)))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_a_person_logs_in_and_goes_on_to_where_he_was(address: str, provider: Provider, algorithm: str) -> None:
    provider.algorithm = algorithm
    async with browsing(address) as client:
        came = await logged_in(client, "/mails?outcome=ticket")
        assert (came.status_code, came.headers["location"]) == (SEE_OTHER, "/mails?outcome=ticket")
        assert COOKIE not in client.cookies
        assert (await client.get("/mails")).status_code == OK


async def test_the_secret_goes_in_the_form_where_the_provider_wants_it_there(address: str, provider: Provider) -> None:
    provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    async with browsing(address) as client:
        assert (await logged_in(client)).status_code == SEE_OTHER


async def test_the_login_cookie_is_for_no_script_and_no_other_site_and_ends(address: str) -> None:
    async with browsing(address) as client:
        answer = await client.get("/login/openid")
    (cookie,) = [value for value in answer.headers.get_list("set-cookie") if value.startswith(COOKIE)]
    assert {"HttpOnly", "SameSite=lax", "Path=/", f"Max-Age={LASTS}"} <= {part.strip() for part in cookie.split(";")}


async def test_what_the_provider_gets_to_see_is_no_verifier_and_no_secret(address: str) -> None:
    async with browsing(address) as client:
        query = parse_qs(urlsplit(await to_provider(client)).query)
        held = opened(client.cookies[COOKIE], CLIENT_SECRET, time.time())
    assert held is not None
    assert query["code_challenge_method"] == ["S256"]
    assert (query["state"], query["nonce"], query["code_challenge"]) == ([held.state], [held.nonce], [held.challenge])
    assert not {held.secret, held.verifier} & {value for values in query.values() for value in values}


async def test_the_session_is_a_new_one(address: str, world: World) -> None:
    async with browsing(address) as client:
        client.cookies.set(SESSION_COOKIE, "planted-by-an-attacker", domain="127.0.0.1")
        came = await logged_in(client)
        assert came.cookies[SESSION_COOKIE] != "planted-by-an-attacker"
    earlier = await world.logged_in("kijker")
    async with browsing(address) as client:
        client.cookies.set(SESSION_COOKIE, earlier.cookies[SESSION_COOKIE], domain="127.0.0.1")
        await logged_in(client)
    assert (await earlier.get("/")).status_code == SEE_OTHER
    await earlier.aclose()


async def test_a_user_is_bound_once_and_then_known_by_who_he_is_and_not_by_his_name(
    address: str, provider: Provider, world: World
) -> None:
    async with browsing(address) as client:
        await logged_in(client)
    bound = await world.owner.fetchrow("SELECT openid_issuer, openid_subject FROM web_users WHERE name = 'anna'")
    assert tuple(bound or ()) == (provider.issuer, "42")
    audited = await world.owner.fetchval("SELECT audit_log::text FROM audit_log ORDER BY id DESC LIMIT 1")
    assert "openid_subject" in audited
    provider.person = {"sub": "42", "email": "kijker", "email_verified": True}
    async with browsing(address) as client:
        assert (await logged_in(client)).status_code == SEE_OTHER
        assert "anna" in (await client.get("/own")).text
    provider.person = {"sub": "43", "email": "anna", "email_verified": True}
    async with browsing(address) as client:
        await refused(client, await back_from(client, await to_provider(client)), httpx.codes.FORBIDDEN)


async def test_an_operator_unbinds_a_user_whose_name_another_has_now(
    address: str, provider: Provider, world: World
) -> None:
    async with browsing(address) as client:
        await logged_in(client)
        provider.person = {"sub": "43", "email": "anna", "email_verified": True}
        user_id = await world.owner.fetchval("SELECT id FROM web_users WHERE name = 'anna'")
        async with await world.logged_in("baas") as boss:
            assert provider.issuer in (await boss.get(f"/users/{user_id}")).text
            data = {**await form_of(boss, f"/users/{user_id}"), "what": "unbind"}
            assert (await boss.post(f"/users/{user_id}/access", data=data)).status_code == SEE_OTHER
        assert (await client.get("/mails")).status_code == SEE_OTHER
    async with browsing(address) as client:
        assert (await logged_in(client)).status_code == SEE_OTHER
        assert (await client.get("/mails")).status_code == OK


async def refused(client: httpx.AsyncClient, back: str, status: int = httpx.codes.BAD_GATEWAY) -> str:
    """The page of a login that was refused, which says so and begins no session."""
    answer = await client.get(back)
    assert (answer.status_code, SESSION_COOKIE in client.cookies) == (status, False), answer.text
    assert 'role="alert"' in answer.text
    return answer.text


@pytest.mark.parametrize(
    "person",
    [
        {"sub": "1", "email": "nobody@example.org", "email_verified": True},
        {"sub": "1", "email": "anna", "email_verified": False},
        {"sub": "1", "email": "anna", "email_verified": "true"},
        {"sub": "1", "email": "anna"},
        {"sub": "1", "preferred_username": "anna"},
        {"sub": "1", "email": ["anna"], "email_verified": True},
        {"sub": "1", "email": "anna\0", "email_verified": True},
        {"sub": "1"},
    ],
)
async def test_who_is_no_user_here_is_told_whom_to_ask_and_made_none(
    address: str, provider: Provider, world: World, person: dict[str, Any]
) -> None:
    provider.person = person
    users = await world.owner.fetchval("SELECT count(*) FROM web_users")
    async with browsing(address) as client:
        page = await refused(client, await back_from(client, await to_provider(client)), httpx.codes.FORBIDDEN)
    assert "Vraag wie de console beheert" in page
    assert await world.owner.fetchval("SELECT count(*) FROM web_users") == users
    assert await world.owner.fetchval("SELECT count(*) FROM web_users WHERE openid_subject IS NOT NULL") == 0


async def test_another_claim_names_the_user_where_the_setting_says_so(
    pool: Pool, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.person = {"sub": "7", "preferred_username": "ANNA", "email": "kijker", "email_verified": True}
    async with (
        console(pool, provider, monkeypatch, web_oidc_claim="preferred_username") as address,
        browsing(address) as client,
    ):
        assert "profile" in parse_qs(urlsplit(await to_provider(client)).query)["scope"][0]
        assert (await logged_in(client)).status_code == SEE_OTHER
        assert "anna" in (await client.get("/own")).text


@pytest.mark.parametrize("bound", [True, False])
async def test_a_locked_user_stays_out(address: str, world: World, *, bound: bool) -> None:
    if bound:
        async with browsing(address) as client:
            assert (await logged_in(client)).status_code == SEE_OTHER
    await world.owner.execute("UPDATE web_users SET active = false WHERE name = 'anna'")
    async with browsing(address) as client:
        await refused(client, await back_from(client, await to_provider(client)), httpx.codes.FORBIDDEN)


async def test_the_state_of_another_browser_is_refused_before_the_provider_is_asked(
    address: str, provider: Provider
) -> None:
    async with browsing(address) as one, browsing(address) as other:
        await to_provider(other)
        back = await back_from(one, await to_provider(one))
        provider.asked.clear()
        await refused(other, back, httpx.codes.BAD_REQUEST)
    async with browsing(address) as without:
        await refused(without, back, httpx.codes.BAD_REQUEST)
        await refused(without, "/login/openid/back?state=%C3%A9&code=x", httpx.codes.BAD_REQUEST)
    assert provider.asked == []


def test_a_login_ends_and_cannot_be_made_up() -> None:
    login = new_login("/mails", 1000)
    cookie = sealed(login, "key")
    assert opened(cookie, "key", 1000 + LASTS - 1) == login
    assert opened(cookie, "key", 1000 + LASTS) is None
    assert opened(cookie, "another key", 1000) is None
    for wrong in ("", ".", "x", cookie[:-1], f"x{cookie}", "é.é", "\ud800"):
        assert opened(wrong, "key", 1000) is None


def test_a_long_address_to_go_on_to_is_left_out_rather_than_the_cookie() -> None:
    assert new_login("/mails?subject=" + "x" * 2000, 0).wanted == "/"


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", ""])
async def test_open_redirect_nobody_is_sent_elsewhere(address: str, wanted: str) -> None:
    async with browsing(address) as client:
        assert (await logged_in(client, wanted)).headers["location"] == "/"


async def test_a_code_is_good_once(address: str) -> None:
    async with browsing(address) as client:
        way = await to_provider(client)
        cookie = client.cookies[COOKIE]
        back = await back_from(client, way)
        assert (await client.get(back)).status_code == SEE_OTHER
    async with browsing(address) as thief:
        thief.cookies.set(COOKIE, cookie, domain="127.0.0.1")
        await refused(thief, back)


async def test_a_stolen_code_is_of_no_use_to_another_login(address: str) -> None:
    async with browsing(address) as victim, browsing(address) as thief:
        stolen = parse_qs(urlsplit(await back_from(victim, await to_provider(victim))).query)["code"][0]
        own = urlsplit(await back_from(thief, await to_provider(thief)))
        query = {name: values[0] for name, values in parse_qs(own.query).items()} | {"code": stolen}
        await refused(thief, str(httpx.URL(own.path, params=query)))


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "another"}, {"aud": "another"}, {"aud": ["console", "another"]}, {"iss": "https://evil.example"},
        {"exp": int(time.time()) - 3600}, {"exp": None}, {"sub": ""}, {"sub": "\0"}, {"iat": 10**10, "exp": 10**11},
    ],
)  # fmt: skip
async def test_a_token_that_does_not_hold_lets_nobody_in(
    address: str, provider: Provider, changed: dict[str, Any]
) -> None:
    provider.changed = changed
    async with browsing(address) as client:
        await refused(client, await back_from(client, await to_provider(client)))


@pytest.mark.parametrize("forged", ["none", "HS256", "unknown key", "not offered", "nonsense"])
async def test_a_token_that_is_not_signed_by_the_provider_lets_nobody_in(
    address: str, provider: Provider, forged: str
) -> None:
    def sign(claims: dict[str, Any]) -> str:
        match forged:
            case "none":
                return openid_provider.unsigned(claims)
            case "HS256":
                return openid_provider.by(
                    OctKey.import_key(provider.keys[0].as_pem(private=False)), "HS256", claims, "rsa"
                )
            case "unknown key":
                return openid_provider.by(RSAKey.generate_key(2048), "RS256", claims, "strange")
            case "not offered":
                return openid_provider.by(provider.keys[0], "PS256", claims, "rsa")
            case _:
                return "a.b.c"

    provider.sign = sign
    async with browsing(address) as client:
        await refused(client, await back_from(client, await to_provider(client)))


async def test_a_new_key_is_fetched_and_an_unknown_one_at_most_once_a_minute(
    address: str, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "_BETWEEN", 3600)
    async with browsing(address) as client:
        assert (await logged_in(client)).status_code == SEE_OTHER
    provider.keys = [RSAKey.generate_key(2048, {"kid": "new"})]
    async with browsing(address) as client:
        await refused(client, await back_from(client, await to_provider(client)))
    assert provider.asked.count("keys") == 1  # within the minute
    monkeypatch.setattr(provider_module, "_BETWEEN", 0)
    async with browsing(address) as client:
        assert (await logged_in(client)).status_code == SEE_OTHER
    assert provider.asked.count("keys") == 2


@pytest.mark.parametrize("where", ["discovery", "token", "keys"])
@pytest.mark.parametrize("what", ["endless", "silent", "redirect", "error", "list", "html"])
async def test_a_provider_that_is_broken_is_a_sentence(
    address: str, provider: Provider, monkeypatch: pytest.MonkeyPatch, where: str, what: str
) -> None:
    seconds = 1 if what == "silent" else 30
    answers: dict[str, Response] = {
        "redirect": RedirectResponse(f"{provider.issuer}/keys", 307),
        "error": Response("no", 500),
        "list": JSONResponse([1]),
        "html": Response("<html>"),
    }
    made = {"endless": openid_provider.endless, "silent": openid_provider.silent}
    async with browsing(address) as client:
        if where == "token":
            way = await to_provider(client)
            monkeypatch.setattr(provider_module, "SECONDS", seconds)
            provider.instead["token"] = made[what]() if what in made else answers[what]
            provider.asked.clear()
            page = await refused(client, await back_from(client, way))
            assert what == "silent" or provider.asked == ["token"]
        else:
            monkeypatch.setattr(provider_module, "SECONDS", seconds)
            provider.instead[where] = made[what]() if what in made else answers[what]
            page = await refused(client, "/login/openid")
    assert "lukt nu niet" in page


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"}, {"token_endpoint": "http://127.0.0.1/token"}, {"jwks_uri": None},
        {"authorization_endpoint": "javascript:alert(1)"}, {"token_endpoint": "https://[x/"},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]}, {"id_token_signing_alg_values_supported": None},
        {"token_endpoint": "https://169.254.169.254/token", "jwks_uri": "https://169.254.169.254/keys"},
    ],
)  # fmt: skip
async def test_a_provider_that_says_what_cannot_be_is_a_sentence(
    address: str, provider: Provider, metadata: dict[str, Any]
) -> None:
    provider.metadata = metadata
    async with browsing(address) as client:
        await refused(client, "/login/openid")


async def test_keys_that_cannot_be_read_are_a_sentence(address: str, provider: Provider) -> None:
    provider.instead["keys"] = JSONResponse({"keys": [{"kty": "RSA", "n": "!", "e": 1}]})
    async with browsing(address) as client:
        await refused(client, "/login/openid")


async def test_a_provider_that_is_not_trusted_or_not_there_is_a_sentence(
    pool: Pool, provider: Provider, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    for settings in ({"web_oidc_ca_file": None}, {"web_oidc_issuer": f"https://127.0.0.1:{unused_tcp_port}"}):
        async with console(pool, provider, monkeypatch, **settings) as address, browsing(address) as client:
            await refused(client, "/login/openid")


async def test_an_answer_that_names_another_issuer_or_none_is_refused(address: str, provider: Provider) -> None:
    for iss in ("https://evil.example", None):
        async with browsing(address) as client:
            back = urlsplit(await back_from(client, await to_provider(client)))
            query = {name: values[0] for name, values in parse_qs(back.query).items() if name != "iss"}
            await refused(client, str(httpx.URL(back.path, params=query | ({"iss": iss} if iss else {}))))
    assert "token" not in provider.asked


async def test_who_says_no_at_the_provider_may_try_again(address: str, provider: Provider) -> None:
    async with browsing(address) as client:
        state = parse_qs(urlsplit(await to_provider(client)).query)["state"][0]
        query = {"error": "access_denied", "state": state, "iss": provider.issuer}
        back = str(httpx.URL("/login/openid/back", params=query))
        assert "liet u niet binnen" in await refused(client, back, httpx.codes.FORBIDDEN)


async def test_passwords_go_on_unless_the_setting_says_otherwise(
    world: World, address: str, pool: Pool, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browsing(address) as client:
        form = await form_of(client, "/login")
        came = await client.post("/login", data={**form, "name": "anna", "password": PASSWORD})
        assert came.status_code == SEE_OTHER
    async with console(pool, provider, monkeypatch, web_oidc_only=True) as only, browsing(only) as client:
        page = (await client.get("/login")).text
        assert "/login/openid" in page
        assert 'type="password"' not in page
        cookie = client.cookies["helpdesk_visit"]
        data = {"form_token": form_token(cookie), "name": "anna", "password": PASSWORD}
        assert (await client.post("/login", data=data)).status_code == httpx.codes.FORBIDDEN
        assert (await client.get("/welcome/x")).status_code == httpx.codes.FORBIDDEN
        assert (await client.post("/welcome/x", data=data)).status_code == httpx.codes.FORBIDDEN
        assert SESSION_COOKIE not in client.cookies
        assert (await logged_in(client)).status_code == SEE_OTHER
        async with await world.logged_in("baas") as boss:
            boss.base_url = httpx.URL(only)
            data = {**await form_of(boss, "/users"), "name": "nieuw@example.org", "language": "nl"}
            added = await boss.post("/users", data=data)
            assert (added.status_code, "saved" in added.headers["location"]) == (SEE_OTHER, True)


async def test_without_a_provider_there_is_no_button_and_no_way(world: World) -> None:
    async with world.client() as client:
        assert "/login/openid" not in (await client.get("/login")).text
        for path in ("/login/openid", "/login/openid/back"):
            assert (await client.get(path)).status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize("language", TEXTS)
async def test_a_person_presses_the_button_and_reads_why_not_and_then_comes_in(
    address: str, provider: Provider, browser: Browser, language: str
) -> None:
    button, sentence = TEXTS[language]
    provider.person = {"sub": "9", "email": "nobody", "email_verified": True}
    window = await browser.new_context(
        locale=language, ignore_https_errors=True, viewport={"width": 360, "height": 740}
    )
    try:
        page = await window.new_page()
        await page.goto(f"{address}/login?next=/own")
        await page.get_by_text(button).click()
        await page.get_by_role("alert").wait_for()
        assert sentence in await page.get_by_role("alert").inner_text()
        provider.person = {"sub": "42", "email": "anna", "email_verified": True}
        await page.get_by_text(button).click()
        await page.wait_for_url(f"{address}/own")
    finally:
        await window.close()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"web_oidc_only": True}, "IMPORTER_WEB_OIDC_ISSUER"),
        ({"web_oidc_issuer": "https://login.example"}, "IMPORTER_WEB_OIDC_CLIENT_ID"),
        ({"web_oidc_issuer": "https://login.example", "web_oidc_client_id": "x"}, "web_oidc_client_secret"),
    ],
)
def test_settings_that_are_not_whole_stop_the_start(settings: dict[str, Any], named: str, tmp_path: Path) -> None:
    configuration = WebConfiguration(
        service="web", database_url=SecretStr("postgresql://127.0.0.1/x"), secrets_dir=tmp_path, **settings
    )
    with pytest.raises(Misconfigured, match=named):
        openid_settings(configuration)


@pytest.mark.parametrize("issuer", ["http://login.example", "https://", "https://login.example/?x", "login.example"])
def test_an_issuer_is_an_https_address(issuer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPORTER_WEB_OIDC_ISSUER", issuer)
    with pytest.raises(Misconfigured, match="IMPORTER_WEB_OIDC_ISSUER"):
        WebConfiguration.load(service="web", database_url=SecretStr("postgresql://127.0.0.1/x"))
