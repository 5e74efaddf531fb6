"""«Gebruikers»: who may use the console and for which helpdesks, links to choose a password, sessions to end.

For operators alone. Nobody shuts himself out: his own access and his being an operator another takes away.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import structlog
from starlette.datastructures import FormData

from services.console import users
from services.console.database import one_transaction
from services.console.web.addresses import number_in
from services.console.web.endpoint import Answer, page, see
from services.console.web.forms import N_
from services.console.web.pages.settings.place import for_operators
from services.console.web.pages.users import query
from services.console.web.pages.users.query import CHOICES, NOTHING, User
from services.console.web.rendering import Shown
from services.console.web.translations import LANGUAGES
from services.console.web.visit import Refusal, Visit
from shared.database.pool import Connection, connection

CALLED: Final = {
    NOTHING: N_("niets"),
    "viewer": N_("kijken, zonder persoonsgegevens"),
    "viewer-with-personal-data": N_("kijken"),
    "administrator": N_("beheren"),
}
"""What each choice is called."""
_NOT_THERE: Final = N_("Deze gebruiker is er niet.")
_NOT_YOURSELF: Final = N_("U sluit uzelf niet buiten: laat een ander dat doen die alles beheert.")
_LAST_OPERATOR: Final = N_(
    "Dit is de laatste die zelf alles beheert. Geef dat eerst aan een ander: wat groepen geven kan de aanmelddienst "
    "nemen."
)
_NO_NAME: Final = N_("Vul een naam in van hoogstens %(longest)s tekens, zoals een mailadres.")
_SAME_NAME: Final = N_("Er is al een gebruiker met deze naam.")

_log = structlog.get_logger(__name__)


async def show_all(visit: Visit) -> Answer:
    """The list, and the form for a new one."""
    for_operators(visit)
    return await _list(visit, name="", sentence="", status=HTTPStatus.OK)


async def add(visit: Visit, form: FormData) -> Answer:
    """A new user; answers with the link by which he chooses a password."""
    for_operators(visit)
    gettext = visit.texts.gettext
    name, language = str(form.get("name", "")).strip(), str(form.get("language", ""))
    if not 1 <= len(name) <= users.LONGEST_NAME or language not in LANGUAGES:
        sentence = gettext(_NO_NAME) % {"longest": users.LONGEST_NAME}
        return await _list(visit, name=name, sentence=sentence, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    async with one_transaction(visit.pool) as acquired:
        user_id = await users.add(acquired, name, language, operator=bool(form.get("operator")))
        token = None if user_id is None else await users.invite(acquired, user_id)
    if user_id is None or token is None:
        return await _list(visit, name=name, sentence=gettext(_SAME_NAME), status=HTTPStatus.CONFLICT)
    _log.info("user_added", added=user_id, user=visit.who.user_id)
    return await _link(visit, user_id, token)


async def show(visit: Visit) -> Answer:
    """One user, with what he may do for each helpdesk."""
    for_operators(visit)
    async with connection(visit.pool) as acquired:
        user = await _named(visit, acquired)
        rights = await query.rights(acquired, user.id)
        by_group = await query.rights_by_group(acquired, user.id)
    values: dict[str, Any] = {
        "user": user,
        "rights": rights,
        "by_group": by_group,
        "choices": {choice: visit.texts.gettext(words) for choice, words in CALLED.items()},
        "is_own": user.id == visit.who.user_id,
        "saved": "saved" in visit.request.query_params,
    }
    return Shown("users/user.html", values)


async def set_rights(visit: Visit, form: FormData) -> Answer:
    """Give and take what was changed; a helpdesk that the form does not name stays as it is."""
    for_operators(visit)
    async with one_transaction(visit.pool) as acquired:
        user = await _named(visit, acquired)
        for right in await query.rights(acquired, user.id):
            choice = str(form.get(f"helpdesk-{right.helpdesk_id}", right.choice))
            if choice == right.choice or choice not in CHOICES:
                continue
            given = CHOICES[choice]
            if given is None:
                await users.take(acquired, user.id, right.helpdesk_id)
            else:
                role, personal_data = given
                await users.give(acquired, user.id, right.helpdesk_id, role, personal_data=personal_data)
    return see(f"/users/{user.id}?saved")


async def set_access(visit: Visit, form: FormData) -> Answer:
    """Let him in or not any more, administer everything or not, forget who he is elsewhere: as the button says."""
    for_operators(visit)
    async with one_transaction(visit.pool) as acquired:
        user = await _named(visit, acquired)
        if user.id == visit.who.user_id:
            raise Refusal(HTTPStatus.CONFLICT, visit.texts.gettext(_NOT_YOURSELF))
        try:
            await _set_access(acquired, user.id, form.get("what"))
        except users.NoOperatorByHand:
            raise Refusal(HTTPStatus.CONFLICT, visit.texts.gettext(_LAST_OPERATOR)) from None
    return see(f"/users/{user.id}?saved")


async def _set_access(acquired: Connection, user_id: int, what: object) -> None:
    match what:
        case "lock" | "unlock":
            await users.set_active(acquired, user_id, active=what == "unlock")
        case "operator" | "no-operator":
            await users.set_operator(acquired, user_id, operator=what == "operator")
        case "unbind":
            await users.unbind(acquired, user_id)


async def end_sessions(visit: Visit, _: FormData) -> Answer:
    """End all that he has open, one's own too."""
    for_operators(visit)
    async with one_transaction(visit.pool) as acquired:
        user = await _named(visit, acquired)
        await users.end_sessions(acquired, user.id)
    _log.info("sessions_ended", of=user.id, user=visit.who.user_id)
    return see(f"/users/{user.id}?saved")


async def invite(visit: Visit, _: FormData) -> Answer:
    """A new link by which he chooses a password; earlier ones end."""
    for_operators(visit)
    async with one_transaction(visit.pool) as acquired:
        user = await _named(visit, acquired)
        token = await users.invite(acquired, user.id)
    _log.info("user_invited", invited=user.id, user=visit.who.user_id)
    return await _link(visit, user.id, token)


async def _list(visit: Visit, *, name: str, sentence: str, status: HTTPStatus) -> Answer:
    async with connection(visit.pool) as acquired:
        listed = await query.users(acquired)
    values = {"users": listed, "name": name, "sentence": sentence, "by_openid": visit.house.openid is not None}
    return Shown("users/users.html", values, status)


async def _link(visit: Visit, user_id: int, token: str) -> Answer:
    """The link, this once: what is kept of it is its digest. It is shown to nobody where it would be of no use."""
    if not visit.house.takes_passwords:
        return see(f"/users/{user_id}?saved")
    async with connection(visit.pool) as acquired:
        user = await query.user(acquired, user_id)
    own = visit.house.configuration.web_url or str(visit.request.base_url)
    link = f"{own.rstrip('/')}/welcome/{token}"
    return Shown("users/link.html", {"user": user, "link": link, "days": users.LINK_LASTS.days})


async def _named(visit: Visit, acquired: Connection) -> User:
    number = number_in(visit.request.path_params["user_id"])
    user = None if number is None else await query.user(acquired, number)
    if user is None:
        raise Refusal(HTTPStatus.NOT_FOUND, visit.texts.gettext(_NOT_THERE))
    return user


ROUTES: Final = (
    page("/users", show_all, add),
    page("/users/{user_id}", show, set_rights),
    page("/users/{user_id}/access", post=set_access),
    page("/users/{user_id}/sessions", post=end_sessions),
    page("/users/{user_id}/link", post=invite),
)
