"""How a page is put under a path: whoever is not logged in is sent to log in, and no form of another site gets through.

A page can be made in this way alone, so that none forgets to ask.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from services.console.web.addresses import is_our_host, is_our_origin
from services.console.web.rendering import Shown, respond, wants_json
from services.console.web.tokens import hash_of, is_form_token, new_token
from services.console.web.visit import SESSION_COOKIE, TOKEN_FIELD, VISIT_COOKIE, House, Refusal, Visit
from services.console.web.visitors import visitor_of
from shared import acting
from shared.database.pool import transaction

Answer = Shown | Response
Get = Callable[[Visit], Awaitable[Answer]]
Post = Callable[[Visit, FormData], Awaitable[Answer]]

MOST_FIELDS: Final = 2000
MOST_BYTES: Final = 1024 * 1024
"""Of one field of a form."""
MOST_OF_FORM: Final = 4 * MOST_BYTES
"""Of a whole form, where its page takes no more."""
_HEARD_OUT: Final = 64 * MOST_BYTES
"""A form that is too large is taken to its end up to here: a browser shows no answer before it has sent all."""


def page(
    path: str,
    get: Get | None = None,
    post: Post | None = None,
    *,
    everybody: bool = False,
    most_bytes: int = MOST_OF_FORM,
) -> Route:
    """The route of a page; `everybody`: also for who is not logged in; `most_bytes` of a form that it takes."""

    async def endpoint(request: Request) -> Response:
        request.scope["page"] = path
        visit = await _visit(request)
        try:
            if visit.visitor is None and not everybody:
                return _to_login(visit)
            with acting.as_person(visit.visitor.name if visit.visitor else None):
                answer = await _answer(visit, get, post, most_bytes)
        except Refusal as refusal:
            answer = Shown("refused.html", {"sentence": str(refusal)}, refusal.status)
        response = respond(request, answer, visit.surroundings()) if isinstance(answer, Shown) else answer
        if visit.visitor is None and VISIT_COOKIE not in request.cookies:
            set_cookie(response, visit, VISIT_COOKIE, visit.cookie)
        return response

    methods = [name for name, handler in (("GET", get), ("POST", post)) if handler is not None]
    return Route(path, endpoint, methods=methods)


def set_cookie(response: Response, visit: Visit, name: str, value: str, *, seconds: int | None = None) -> None:
    """A cookie that no script reads and no other site sends with its forms; it ends with the browser, or earlier."""
    response.set_cookie(
        name, value, max_age=seconds, httponly=True, samesite="lax", secure=is_https(visit.house), path="/"
    )


def see(path: str) -> RedirectResponse:
    """What a form answers: look there, with GET, so that a reload sends nothing again."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


async def _visit(request: Request) -> Visit:
    house: House = request.app.state.house
    token = request.cookies.get(SESSION_COOKIE)
    visitor = None
    if token is not None:
        async with transaction(house.pool) as connection:
            visitor = await visitor_of(connection, hash_of(token))
    if visitor is not None and token is not None:
        return Visit(request, house, visitor, token)
    return Visit(request, house, None, request.cookies.get(VISIT_COOKIE) or new_token())


async def _answer(visit: Visit, get: Get | None, post: Post | None, most_bytes: int) -> Answer:
    request, configuration = visit.request, visit.house.configuration
    _ = visit.texts.gettext
    if not is_our_host(request.headers.get("host", ""), configuration.web_url):
        raise Refusal(HTTPStatus.MISDIRECTED_REQUEST, _("Dit adres is niet dat van de console."))
    _refuse_nul(visit, [*request.query_params.values(), *request.path_params.values()])
    if request.method in ("GET", "HEAD"):
        if get is None:
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, _("Deze pagina kan alleen een formulier ontvangen."))
        return await get(visit)
    try:
        form = await _form(visit, most_bytes)
        return await _posted(visit, form, post)
    finally:
        await request.close()  # the files of the form


async def _posted(visit: Visit, form: FormData, post: Post | None) -> Answer:
    request, configuration = visit.request, visit.house.configuration
    _ = visit.texts.gettext
    own = configuration.web_url or f"{request.url.scheme}://{request.headers['host'].lower()}"
    _refuse_nul(visit, form.values())
    if not is_our_origin(request.headers.get("origin"), request.headers.get("sec-fetch-site"), own) or not (
        is_form_token(str(form.get(TOKEN_FIELD, "")), visit.cookie)
    ):
        raise Refusal(
            HTTPStatus.FORBIDDEN,
            _("Dit formulier kwam niet van een pagina van deze sessie. Open de pagina opnieuw."),
        )
    if post is None:
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, _("Deze pagina ontvangt geen formulier."))
    return await post(visit, form)


def _refuse_nul(visit: Visit, values: Iterable[object]) -> None:
    """No person types it, and PostgreSQL has no text with it."""
    if any(isinstance(value, str) and "\0" in value for value in values):
        raise Refusal(HTTPStatus.BAD_REQUEST, visit.texts.gettext("In de tekst staat een teken dat niet kan."))


async def _form(visit: Visit, most_bytes: int) -> FormData:
    """The form; of what is too large nothing is kept."""
    request, _ = visit.request, visit.texts.gettext
    length = request.headers.get("content-length", "")
    size = int(length) if length.isdecimal() else None
    if size is None or size > most_bytes:
        if size is not None and size <= _HEARD_OUT:
            async for _piece in request.stream():
                pass
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("Dit is te groot voor deze pagina."))
    try:
        return await request.form(max_fields=MOST_FIELDS, max_part_size=MOST_BYTES)
    except HTTPException:
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("Dit is te groot voor deze pagina.")) from None


def _to_login(visit: Visit) -> Response:
    if wants_json(visit.request):
        sentence = visit.texts.gettext("U bent niet ingelogd.")
        return respond(visit.request, Shown("", {"sentence": sentence}, HTTPStatus.UNAUTHORIZED), {})
    wanted = visit.request.url.path
    if visit.request.url.query:
        wanted += f"?{visit.request.url.query}"
    return see(f"/login?{urlencode({'next': wanted})}" if visit.request.method == "GET" else "/login")


def is_https(house: House) -> bool:
    """Whether browsers reach us over https alone."""
    return (house.configuration.web_url or "").startswith("https:")
