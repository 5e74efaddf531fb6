"""The web console as an ASGI application: its pages, what they load, and how trouble is shown."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Final

import structlog
from prometheus_client import Counter, Histogram
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.console.web.headers import FOREVER, SecurityHeaders
from services.console.web.pages import (
    audit,
    groups,
    jobs,
    login,
    mail,
    mailbox_log,
    mails,
    notifications,
    settings,
    templates,
    ticket,
    today,
    trial,
    users,
    work,
)
from services.console.web.rendering import STATIC, Shown, respond, static_versions
from services.console.web.translations import preferred, texts_of
from services.console.web.visit import DEFAULT_TIME_ZONE, House
from shared.errors import Outage, TryAgain

_REQUESTS: Final = Counter("importer_web_requests_total", "Requests of browsers.", ("page", "status"))
_SECONDS: Final = Histogram("importer_web_request_seconds", "What a page took on the server.", ("page",))

PAGES: Final = (
    *login.ROUTES,
    *today.ROUTES,
    *mails.ROUTES,
    *mail.ROUTES,
    *mailbox_log.ROUTES,
    *work.ROUTES,
    *jobs.ROUTES,
    *notifications.ROUTES,
    *ticket.ROUTES,
    *templates.ROUTES,
    *trial.ROUTES,
    *settings.ROUTES,
    *audit.ROUTES,
    *users.ROUTES,
    *groups.ROUTES,
)
"""The routes of all pages."""

_log = structlog.get_logger(__name__)


def application(house: House) -> ASGIApp:
    """The application of this house; whatever it answers, an error of ours too, has the headers and is counted."""
    made = Starlette(
        routes=[*PAGES, Route("/static/{version}/{name}", _static)],
        middleware=[Middleware(GZipMiddleware, minimum_size=1000)],
        exception_handlers={HTTPException: _no_page, Outage: _away, TryAgain: _away, Exception: _our_error},
    )
    made.state.house = house
    return Measured(SecurityHeaders(made, https=(house.configuration.web_url or "").startswith("https:")))


async def _static(request: Request) -> Response:
    name = request.path_params["name"]
    if static_versions().get(name) != request.path_params["version"]:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return FileResponse(STATIC / name, headers={"Cache-Control": FOREVER})


def _trouble(request: Request, status: HTTPStatus, sentence: str) -> Response:
    language = preferred(request.headers.get("accept-language", ""))
    surroundings = {
        "language": language,
        "time_zone": DEFAULT_TIME_ZONE,
        "visitor": None,
        "nonce": request.scope.get("nonce", ""),
        "form_token": "",
        "path": request.url.path,
    }
    shown = Shown("refused.html", {"sentence": texts_of(language).gettext(sentence)}, status)
    return respond(request, shown, surroundings)


async def _no_page(request: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
    return _trouble(request, status, NO_PAGE)


async def _away(request: Request, error: Exception) -> Response:
    _log.warning("page_not_shown", path=request.url.path, problem=str(error))
    return _trouble(request, HTTPStatus.SERVICE_UNAVAILABLE, AWAY)


async def _our_error(request: Request, error: Exception) -> Response:
    _log.error("page_failed", path=request.url.path, exc_info=error)
    return _trouble(request, HTTPStatus.INTERNAL_SERVER_ERROR, OUR_ERROR)


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for a text that is translated later
    """Mark a text for translation."""
    return text


NO_PAGE: Final = N_("Deze pagina is er niet.")
AWAY: Final = N_("De database antwoordt nu niet. Probeer het over een minuut nog eens.")
OUR_ERROR: Final = N_("Er ging bij ons iets mis. Het staat in het log van de console; probeer het nog eens.")


class Measured:
    """Counts and times each request by its page (never by its path: ids would make a series each), and logs it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def send_and_look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                seconds = time.perf_counter() - started
                page = scope.get("page", "none")
                _REQUESTS.labels(page, status).inc()
                _SECONDS.labels(page).observe(seconds)
                _log.info("page", page=page, method=scope["method"], status=status, milliseconds=round(seconds * 1000))
            await send(message)

        await self._app(scope, receive, send_and_look)
