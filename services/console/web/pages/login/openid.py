"""Coming in by OpenID Connect: to the provider, and back with a code (authorization code flow with PKCE)."""

from __future__ import annotations

import hmac
import time
from http import HTTPStatus
from typing import Final

import structlog
from starlette.responses import RedirectResponse, Response

from services.console.web import sessions
from services.console.web.addresses import own_path
from services.console.web.endpoint import Answer, is_https, page, see, set_cookie
from services.console.web.forms import N_
from services.console.web.openid.binding import Person, Stays, come_in, groups_matter, person_of
from services.console.web.openid.groups import NONE, Groups, Unknown, groups_of
from services.console.web.openid.id_token import NotBelieved
from services.console.web.openid.login import LASTS, new_login, opened, sealed, way_to
from services.console.web.openid.provider import Metadata, Provider
from services.console.web.openid.settings import BACK, OpenIdSettings
from services.console.web.rendering import Shown
from services.console.web.visit import SESSION_COOKIE, House, Refusal, Visit
from shared.database.pool import connection, transaction

GROUPS_UNKNOWN: Final = "groups-unknown"
"""Of the page that tells a user who came in that what his groups give him does not count."""
_LONGEST_CODE: Final = 4096
_STAYS: Final = {
    Stays.NO_USER: N_(
        "De aanmelddienst kent u, maar u bent hier geen gebruiker. Vraag wie de console beheert om toegang."
    ),
    Stays.NO_RIGHTS: N_(
        "De aanmelddienst kent u, maar u hebt hier geen rechten: u zit er in geen groep die ze geeft, en niemand gaf "
        "ze u zelf. Vraag wie de console beheert om toegang."
    ),
    Stays.TOO_MANY_GROUPS: N_(
        "U zit bij de aanmelddienst in meer groepen dan hij noemt, en dus is niet bekend wat u hier mag. Vraag wie de "
        "aanmelddienst beheert om alleen de groepen te laten noemen die aan deze toepassing zijn toegewezen."
    ),
    Stays.UNREADABLE_GROUPS: N_(
        "De aanmelddienst noemt uw groepen niet zoals het moet, en dus is niet bekend wat u hier mag. Vraag wie de "
        "console beheert: welk gegeven wordt gelezen staat in de instellingen."
    ),
}

_log = structlog.get_logger(__name__)


async def leave(visit: Visit) -> Answer:
    """Send the browser to the provider; it holds meanwhile what makes the login its own."""
    provider = _provider(visit)
    settings, login = provider.settings, new_login(own_path(visit.request.query_params.get("next", "/")), time.time())
    try:
        metadata = await provider.metadata()
    except NotBelieved as error:
        return _away(visit, login.wanted, error)
    scope = _scope(settings, metadata)
    way = way_to(metadata.authorization_endpoint, settings.client_id, scope, _redirect_uri(visit), login)
    response = RedirectResponse(way, HTTPStatus.SEE_OTHER)
    cookie = sealed(login, settings.client_secret.get_secret_value())
    set_cookie(response, visit, _cookie_name(visit.house), cookie, seconds=LASTS)
    return response


async def come_back(visit: Visit) -> Answer:
    """Begin a session for the person who logged in there, where he is a user here."""
    answer = await _came_back(visit)
    if isinstance(answer, Response):
        answer.delete_cookie(
            _cookie_name(visit.house), path="/", secure=is_https(visit.house), httponly=True, samesite="lax"
        )
    return answer


async def _came_back(visit: Visit) -> Answer:
    provider, said, _ = _provider(visit), visit.request.query_params, visit.texts.gettext
    settings = provider.settings
    cookie = visit.request.cookies.get(_cookie_name(visit.house), "")
    login = opened(cookie, settings.client_secret.get_secret_value(), time.time())
    if login is None or not hmac.compare_digest(said.get("state", "").encode(), login.state.encode()):
        _log.warning(
            "login_refused", address=_address(visit), problem="the browser did not begin this login, or long ago"
        )
        sentence = _("Deze poging om in te loggen is verlopen of begon in een andere browser. Probeer het opnieuw.")
        return login_page(visit, "/", sentence, "", HTTPStatus.BAD_REQUEST)
    try:
        metadata = await provider.metadata()
        if said.get("iss", settings.issuer if not metadata.names_itself else None) != settings.issuer:
            return _away(visit, login.wanted, NotBelieved("the answer is of another issuer"))
        code = said.get("code", "")
        if "error" in said or not 1 <= len(code) <= _LONGEST_CODE:
            _log.warning(
                "login_refused", address=_address(visit), problem=f"the provider: {said.get('error', '')[:100]}"
            )
            sentence = _("De aanmelddienst liet u niet binnen. Probeer het opnieuw.")
            return login_page(visit, login.wanted, sentence, "", HTTPStatus.FORBIDDEN)
        async with connection(visit.pool) as acquired:
            wanted = settings.groups_claim if await groups_matter(acquired, settings.issuer) else None
        claims = await provider.claims(code, login.verifier, _redirect_uri(visit), login.nonce, wanted)
    except NotBelieved as error:
        return _away(visit, login.wanted, error)
    groups = NONE if wanted is None else groups_of(claims, wanted)
    return await _begin(visit, person_of(claims, settings.claim), groups, login.wanted)


async def _begin(visit: Visit, person: Person, groups: Groups, wanted: str) -> Answer:
    makes_users = _provider(visit).settings.makes_users
    async with transaction(visit.pool) as acquired:
        user_id = await come_in(acquired, person, groups, makes_users=makes_users, language=visit.language)
        if not isinstance(user_id, Stays):
            earlier = visit.request.cookies.get(SESSION_COOKIE)
            token = await sessions.begin(acquired, user_id, earlier, by_groups=True)
    if isinstance(user_id, Stays):
        _log.warning("login_refused", address=_address(visit), problem=user_id.value)
        sentence = visit.texts.gettext(_STAYS[user_id])
        return login_page(visit, wanted, sentence, "", HTTPStatus.FORBIDDEN)
    unknown = isinstance(groups, Unknown)
    _log.info("login", user=user_id, by="openid", groups_unknown=unknown)
    response = see(f"/own?{GROUPS_UNKNOWN}" if unknown else own_path(wanted))
    set_cookie(response, visit, SESSION_COOKIE, token)
    return response


def _scope(settings: OpenIdSettings, metadata: Metadata) -> str:
    """What is asked of the provider: the scope for its groups too, where it has one of that name (Okta, Dex)."""
    scope = {"email": "openid email"}.get(settings.claim, "openid profile email")
    return f"{scope} {settings.groups_claim}" if settings.groups_claim in metadata.scopes else scope


def login_page(visit: Visit, wanted: str, sentence: str, name: str, status: HTTPStatus = HTTPStatus.OK) -> Shown:
    """The page with what there is to log in by."""
    values = {
        "next": wanted,
        "name": name,
        "sentence": sentence,
        "by_password": visit.house.takes_passwords,
        "by_openid": visit.house.openid is not None,
    }
    return Shown("login/login.html", values, status)


def _provider(visit: Visit) -> Provider:
    if visit.house.openid is None:
        sentence = visit.texts.gettext("Inloggen met een aanmelddienst is hier niet ingesteld.")
        raise Refusal(HTTPStatus.NOT_FOUND, sentence)
    return visit.house.openid


def _away(visit: Visit, wanted: str, error: NotBelieved) -> Shown:
    _log.warning("login_provider_not_believed", address=_address(visit), problem=str(error))
    sentence = visit.texts.gettext(
        "Inloggen via de aanmelddienst lukt nu niet. Probeer het over een minuut nog eens, of vraag wie de console "
        "beheert: wat er mis is staat in het log."
    )
    return login_page(visit, wanted, sentence, "", HTTPStatus.BAD_GATEWAY)


def _address(visit: Visit) -> str:
    return visit.request.client.host if visit.request.client else ""


def _redirect_uri(visit: Visit) -> str:
    """Where the provider sends the browser back to; the host was looked at before (`endpoint`)."""
    return f"{(visit.house.configuration.web_url or str(visit.request.base_url)).rstrip('/')}{BACK}"


def _cookie_name(house: House) -> str:
    """Over https no neighbour's host can set it (`__Host-`)."""
    return "__Host-helpdesk_login" if is_https(house) else "helpdesk_login"


ROUTES: Final = (page("/login/openid", leave, everybody=True), page(BACK, come_back, everybody=True))
