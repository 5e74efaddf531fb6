"""Coming in and going out, and what attackers try there."""

from __future__ import annotations

import httpx
import pytest

from services.console.web import sessions
from services.console.web.addresses import is_our_host, is_our_origin, own_path
from services.console.web.tokens import hash_of
from services.console.web.visit import SESSION_COOKIE
from tests.services.console.web.conftest import PASSWORD, World, form_of

SEE_OTHER = httpx.codes.SEE_OTHER


async def login(client: httpx.AsyncClient, name: str, password: str, **fields: str) -> httpx.Response:
    form = await form_of(client, "/login")
    return await client.post("/login", data={**form, "name": name, "password": password, **fields})


@pytest.fixture(autouse=True)
async def without_tries(world: World) -> None:
    await world.owner.execute("DELETE FROM web_login_tries")


async def test_who_is_not_logged_in_is_sent_to_log_in_and_comes_back(world: World) -> None:
    async with world.client() as client:
        sent = await client.get("/mails?outcome=ticket")
        assert (sent.status_code, sent.headers["location"]) == (SEE_OTHER, "/login?next=%2Fmails%3Foutcome%3Dticket")
        came = await login(client, "ANNA", PASSWORD, next="/mails?outcome=ticket")
        assert (came.status_code, came.headers["location"]) == (SEE_OTHER, "/mails?outcome=ticket")
        assert (await client.get("/mails")).status_code == httpx.codes.OK


async def test_a_program_that_is_not_logged_in_is_told_so(world: World) -> None:
    async with world.client(accept="application/json") as client:
        answer = await client.get("/mails")
    assert (answer.status_code, list(answer.json())) == (httpx.codes.UNAUTHORIZED, ["sentence"])


async def test_a_wrong_password_and_an_unknown_name_have_one_answer(world: World) -> None:
    answers = []
    for name in ("anna", "nobody"):
        async with world.client() as client:
            answer = await login(client, name, "not the password at all")
            assert SESSION_COOKIE not in client.cookies
        answers.append((answer.status_code, "niet juist" in answer.text))
    assert answers == [(httpx.codes.UNAUTHORIZED, True)] * 2


@pytest.mark.parametrize("name", ["kijker", "nobody"])
async def test_after_so_many_tries_none_is_made_not_even_the_right_one(world: World, name: str) -> None:
    async with world.database.connect("web") as connection:
        for _ in range(sessions.TRIES):
            await sessions.note_failure(connection, name, "192.0.2.1")
    async with world.client() as client:
        answer = await login(client, name, PASSWORD)
        assert answer.status_code == httpx.codes.UNAUTHORIZED
        assert "te vaak" in answer.text


async def test_a_user_who_is_locked_comes_in_no_more_and_his_session_ends(world: World) -> None:
    async with await world.logged_in("verkoop") as client:
        await world.owner.execute("UPDATE web_users SET active = false WHERE name = 'verkoop'")
        try:
            assert (await client.get("/")).status_code == SEE_OTHER
            async with world.client() as other:
                assert (await login(other, "verkoop", PASSWORD)).status_code == httpx.codes.UNAUTHORIZED
        finally:
            await world.owner.execute("UPDATE web_users SET active = true WHERE name = 'verkoop'")


async def test_a_session_that_was_planted_is_not_the_one_after_logging_in(world: World) -> None:
    async with world.client() as client:
        client.cookies.set(SESSION_COOKIE, "planted-by-an-attacker", domain="127.0.0.1")
        form = await form_of(client, "/login")
        answer = await client.post("/login", data={**form, "name": "anna", "password": PASSWORD})
        assert answer.status_code == SEE_OTHER
        new = answer.cookies[SESSION_COOKIE]
    assert new != "planted-by-an-attacker"
    planted = await world.owner.fetchval(
        "SELECT count(*) FROM web_sessions WHERE token_hash = $1", hash_of("planted-by-an-attacker")
    )
    assert planted == 0


async def test_a_session_that_a_browser_had_ends_when_it_logs_in_anew(world: World) -> None:
    async with await world.logged_in("anna") as client:
        earlier = client.cookies[SESSION_COOKIE]
        form = {"form_token": (await form_of(client, "/"))["form_token"]}
        answer = await client.post("/login", data={**form, "name": "kijker", "password": PASSWORD})
        assert answer.status_code == SEE_OTHER
    async with world.client() as thief:
        thief.cookies.set(SESSION_COOKIE, earlier, domain="127.0.0.1")
        assert (await thief.get("/")).status_code == SEE_OTHER


async def test_logging_out_ends_the_session_itself(world: World) -> None:
    async with await world.logged_in("anna") as client:
        token = client.cookies[SESSION_COOKIE]
        assert (await client.post("/logout", data=await form_of(client, "/"))).status_code == SEE_OTHER
    assert await world.owner.fetchval("SELECT count(*) FROM web_sessions WHERE token_hash = $1", hash_of(token)) == 0


async def test_a_session_ends_an_hour_after_the_last_look_and_after_twelve_in_any_case(world: World) -> None:
    for ended in ("seen_at = now() - interval '61 minutes'", "ends_at = now() - interval '1 second'"):
        async with await world.logged_in("anna") as client:
            await world.owner.execute(
                f"UPDATE web_sessions SET {ended} WHERE token_hash = $1",  # noqa: S608 - of this test
                hash_of(client.cookies[SESSION_COOKIE]),
            )
            assert (await client.get("/")).status_code == SEE_OTHER


async def test_the_cookie_is_for_no_script_and_no_other_site(world: World) -> None:
    async with world.client() as client:
        answer = await login(client, "anna", PASSWORD)
    (cookie,) = [value for value in answer.headers.get_list("set-cookie") if value.startswith(SESSION_COOKIE)]
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


async def test_the_database_holds_no_token_and_no_password(world: World) -> None:
    async with await world.logged_in("anna") as client:
        token = client.cookies[SESSION_COOKIE]
    rows = await world.owner.fetch(
        "SELECT web_sessions::text AS row FROM web_sessions UNION SELECT web_users::text FROM web_users"
    )
    assert not any(token in row["row"] or PASSWORD in row["row"] for row in rows)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"origin": "https://evil.example"}, id="another site's form"),
        pytest.param({"origin": "null"}, id="a form in a sandbox"),
        pytest.param({"sec-fetch-site": "cross-site"}, id="sent from elsewhere"),
        pytest.param({"sec-fetch-site": "same-site"}, id="from a neighbour's host"),
    ],
)
async def test_CSRF_a_form_of_another_site_is_refused_even_with_the_token(
    world: World, headers: dict[str, str]
) -> None:
    async with await world.logged_in("anna") as client:
        form = await form_of(client, "/")
        answer = await client.post("/own", data={**form, "language": "en", "zone": "Europe/Paris"}, headers=headers)
        assert answer.status_code == httpx.codes.FORBIDDEN
    assert await world.owner.fetchval("SELECT language FROM web_users WHERE name = 'anna'") == "nl"


@pytest.mark.parametrize("token", [None, "", "wrong", "é"])
@pytest.mark.parametrize("path", ["/login", "/logout", "/own", "/work/quarantine", "/work/backlog", "/welcome/x"])
async def test_CSRF_a_form_without_the_token_of_this_browser_is_refused(
    world: World, path: str, token: str | None
) -> None:
    async with await world.logged_in("anna") as client:
        answer = await client.post(path, data={} if token is None else {"form_token": token})
        assert answer.status_code == httpx.codes.FORBIDDEN


async def test_CSRF_the_token_of_one_browser_is_none_for_another(world: World) -> None:
    async with await world.logged_in("anna") as one, await world.logged_in("kijker") as other:
        answer = await other.post("/logout", data=await form_of(one, "/"))
        assert answer.status_code == httpx.codes.FORBIDDEN


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "\\\\evil",
        "javascript:alert(1)",
        "",
    ],
)
async def test_open_redirect_nobody_is_sent_elsewhere(world: World, wanted: str) -> None:
    async with world.client() as client:
        answer = await login(client, "anna", PASSWORD, next=wanted)
        assert answer.headers["location"] == "/"
        assert (await client.get("/login", params={"next": wanted})).headers["location"] == "/"


def test_own_paths_stay() -> None:
    assert own_path("/mails?sender=a%20b&outcome=ticket") == "/mails?sender=a%20b&outcome=ticket"


@pytest.mark.parametrize(
    ("host", "known_as", "ours"),
    [
        ("127.0.0.1:8025", None, True),
        ("localhost:8025", None, True),
        ("[::1]:8025", None, True),
        ("evil.example", None, False),
        ("127.0.0.1.evil.example", None, False),
        ("", None, False),
        ("mail.example.org", "https://mail.example.org", True),
        ("MAIL.example.org", "https://mail.example.org", True),
        ("127.0.0.1:8025", "https://mail.example.org", False),
        ("evil.example", "https://mail.example.org", False),
    ],
)
def test_no_other_name_leads_here(host: str, known_as: str | None, *, ours: bool) -> None:
    assert is_our_host(host, known_as) is ours


def test_the_origin_is_ours_or_the_browser_says_so() -> None:
    own = "https://mail.example.org"
    assert is_our_origin(own, "same-origin", own)
    assert is_our_origin(None, None, own)
    assert not is_our_origin("https://mail.example.org.evil.example", None, own)
    assert not is_our_origin("http://mail.example.org", None, own)


async def test_a_foreign_host_name_gets_no_page(world: World) -> None:
    async with await world.logged_in("anna") as client:
        answer = await client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == httpx.codes.MISDIRECTED_REQUEST


async def test_a_link_is_good_for_one_password(world: World) -> None:
    token = "the-secret-part-of-a-link"
    await world.owner.execute("INSERT INTO web_users (name) VALUES ('nieuw')")
    await world.owner.execute(
        "INSERT INTO web_invitations (token_hash, user_id, ends_at)"
        " SELECT $1, id, now() + interval '1 hour' FROM web_users WHERE name = 'nieuw'",
        hash_of(token),
    )
    async with world.client() as client:
        form = await form_of(client, f"/welcome/{token}")
        short = await client.post(f"/welcome/{token}", data={**form, "password": "kort"})
        assert short.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        came = await client.post(f"/welcome/{token}", data={**form, "password": "een nieuwe lange zin"})
        assert came.headers["location"] == "/"
        assert (await client.get("/")).status_code == httpx.codes.OK
    async with world.client() as other:
        assert (await other.get(f"/welcome/{token}")).status_code == httpx.codes.NOT_FOUND
        again = await other.post(
            f"/welcome/{token}", data={**await form_of(other, "/login"), "password": "nog een lange zin"}
        )
        assert again.status_code == httpx.codes.NOT_FOUND
        assert (await login(other, "nieuw", "een nieuwe lange zin")).status_code == SEE_OTHER


async def test_a_user_chooses_language_and_time_zone(world: World) -> None:
    async with await world.logged_in("verkoop") as client:
        data = {**await form_of(client, "/own"), "language": "en", "zone": "Asia/Tokyo"}
        assert (await client.post("/own", data=data)).status_code == SEE_OTHER
        assert '<html lang="en">' in (await client.get("/own")).text
        data = {**data, "zone": "Not/AZone"}
        assert (await client.post("/own", data=data)).status_code == httpx.codes.UNPROCESSABLE_ENTITY
    await world.owner.execute("UPDATE web_users SET language = 'nl', time_zone = DEFAULT WHERE name = 'verkoop'")
