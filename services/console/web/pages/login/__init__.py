"""Coming in and going out: a password, the link that sets it, OpenID Connect, and what a user sets for himself."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from zoneinfo import available_timezones

import structlog
from starlette.datastructures import FormData

from services.console.web import passwords, sessions
from services.console.web.addresses import own_path
from services.console.web.endpoint import Answer, page, see, set_cookie
from services.console.web.pages.login import openid
from services.console.web.pages.login.openid import login_page
from services.console.web.rendering import Shown
from services.console.web.translations import LANGUAGES
from services.console.web.visit import SESSION_COOKIE, Refusal, Visit
from shared.database.pool import connection, transaction

_SET_OWN: Final = "UPDATE web_users SET language = $2, time_zone = $3 WHERE id = $1"

_log = structlog.get_logger(__name__)


async def show_login(visit: Visit) -> Answer:
    """The form; whoever is in already goes on."""
    wanted = own_path(visit.request.query_params.get("next", "/"))
    return see(wanted) if visit.visitor else login_page(visit, wanted, "", "")


async def log_in(visit: Visit, form: FormData) -> Answer:
    """Begin a session. A wrong name and a wrong password have one answer, which takes as long."""
    _require_passwords(visit)
    name, password = str(form.get("name", "")).strip(), str(form.get("password", ""))
    wanted = own_path(str(form.get("next", "/")))
    address = visit.request.client.host if visit.request.client else ""
    async with connection(visit.pool) as acquired:
        may_try = await sessions.may_try(acquired, name, address)
        user = await sessions.user_named(acquired, name)
    if not may_try or not await passwords.is_right(password, user.password_hash if user else None) or user is None:
        async with transaction(visit.pool) as acquired:
            if may_try:
                await sessions.note_failure(acquired, name, address)
        _log.warning("login_refused", address=address, rested=not may_try)
        return login_page(visit, wanted, _refusal(visit, may_try=may_try), name, HTTPStatus.UNAUTHORIZED)
    _log.info("login", user=user.id)
    return await _begin(visit, user.id, wanted)


def _refusal(visit: Visit, *, may_try: bool) -> str:
    _ = visit.texts.gettext
    return (
        _("De gebruikersnaam of het wachtwoord is niet juist.")
        if may_try
        else _("Er is te vaak geprobeerd in te loggen. Probeer het over een kwartier opnieuw.")
    )


def _require_passwords(visit: Visit) -> None:
    if not visit.house.takes_passwords:
        sentence = visit.texts.gettext("Hier logt niemand in met een wachtwoord: gebruik de knop van de aanmelddienst.")
        raise Refusal(HTTPStatus.FORBIDDEN, sentence)


async def _begin(visit: Visit, user_id: int, wanted: str) -> Answer:
    async with transaction(visit.pool) as acquired:
        token = await sessions.begin(acquired, user_id, visit.request.cookies.get(SESSION_COOKIE))
    response = see(wanted)
    set_cookie(response, visit, SESSION_COOKIE, token)
    return response


async def log_out(visit: Visit, _: FormData) -> Answer:
    """End the session."""
    async with transaction(visit.pool) as acquired:
        await sessions.end(acquired, visit.cookie)
    response = see("/login")
    response.delete_cookie(SESSION_COOKIE, path="/")
    return response


async def show_invitation(visit: Visit) -> Answer:
    """Ask for a password; the link stays good until one is chosen."""
    return Shown("login/invitation.html", {"name": await _invited(visit), "sentence": ""})


async def accept_invitation(visit: Visit, form: FormData) -> Answer:
    """Set the password, and begin a session."""
    _ = visit.texts.gettext
    name, password = await _invited(visit), str(form.get("password", ""))
    if not passwords.SHORTEST <= len(password) <= passwords.LONGEST:
        sentence = _("Kies een wachtwoord van %(shortest)s tot %(longest)s tekens.") % {
            "shortest": passwords.SHORTEST,
            "longest": passwords.LONGEST,
        }
        values = {"name": name, "sentence": sentence}
        return Shown("login/invitation.html", values, HTTPStatus.UNPROCESSABLE_ENTITY)
    hashed = await passwords.hashed(password)
    async with transaction(visit.pool) as acquired:
        user_id = await sessions.use_invitation(acquired, visit.request.path_params["token"], hashed)
    if user_id is None:
        raise _unusable(visit)
    return await _begin(visit, user_id, "/")


async def _invited(visit: Visit) -> str:
    _require_passwords(visit)
    async with connection(visit.pool) as acquired:
        invited = await sessions.invited(acquired, visit.request.path_params["token"])
    if invited is None:
        raise _unusable(visit)
    return invited.name


def _unusable(visit: Visit) -> Refusal:
    return Refusal(
        HTTPStatus.NOT_FOUND,
        visit.texts.gettext("Deze koppeling is al gebruikt of verlopen. Vraag uw beheerder om een nieuwe."),
    )


async def show_own(visit: Visit) -> Answer:
    """What the user sets for himself."""
    values = {
        "zones": sorted(available_timezones()),
        "zone": visit.who.time_zone,
        "groups_unknown": openid.GROUPS_UNKNOWN in visit.request.query_params,
    }
    return Shown("login/own.html", values)


async def set_own(visit: Visit, form: FormData) -> Answer:
    """Language and time zone."""
    language, zone = str(form.get("language", "")), str(form.get("zone", ""))
    if language not in LANGUAGES or zone not in available_timezones():
        raise Refusal(
            HTTPStatus.UNPROCESSABLE_ENTITY, visit.texts.gettext("Kies een taal en een tijdzone uit de lijst.")
        )
    async with transaction(visit.pool) as acquired:
        await acquired.execute(_SET_OWN, visit.who.user_id, language, zone)
    return see("/own")


ROUTES: Final = (
    page("/login", show_login, log_in, everybody=True),
    *openid.ROUTES,
    page("/logout", post=log_out),
    page("/welcome/{token}", show_invitation, accept_invitation, everybody=True),
    page("/own", show_own, set_own),
)
