"""`users`: who may use the web console, and the links by which they choose their password."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Annotated, Final

import typer

from services.console import users
from services.console.commands.arguments import helpdesk_id_of
from services.console.commands.signatures import group
from services.console.fields import BadValue, Choice, Text
from services.console.output import Json, done, show_rows
from services.console.session import with_database
from services.console.texts import N_, _
from services.console.users import LINK_LASTS
from shared.configuration import variable_of
from shared.database.pool import Connection

LANGUAGES: Final = Choice(("nl", "en"))
FIRST: Final = "beheerder"
DEFAULT_ADDRESS: Final = "http://127.0.0.1:8025"

Name = Annotated[str, typer.Argument(help="the name by which he or she logs in, such as a mail address")]
Helpdesk = Annotated[str, typer.Argument(help="the helpdesk's name or id")]


def add(
    name: Name,
    *,
    operator: Annotated[bool, typer.Option("--operator", help="administers all helpdesks, users and servers")] = False,
    language: Annotated[str, typer.Option(metavar=LANGUAGES.metavar, help="of the pages")] = "nl",
) -> None:
    """Add a user of the web console; prints the link by which he or she chooses a password, once."""
    try:
        typed, spoken = Text(longest=254).parse(name), LANGUAGES.parse(language)
    except BadValue as error:
        raise BadValue(f"{error}.") from None

    async def work(connection: Connection) -> str:
        user_id = await users.add(connection, typed, spoken, operator=operator)
        if user_id is None:
            raise BadValue(_("There is a user %(name)s already: users invite makes a new link.") % {"name": typed})
        return await users.invite(connection, user_id)

    _say_link(typed, with_database(work))
    if not operator:
        done(_("%(name)s sees nothing yet: users grant gives rights for a helpdesk.") % {"name": typed})


def invite(name: Name) -> None:
    """Make a new link by which a user chooses a password, for one who has forgotten it; earlier links end."""

    async def work(connection: Connection) -> str:
        return await users.invite(connection, await _user(connection, name))

    _say_link(name, with_database(work))


def first() -> None:
    """Print a link for the first administrator, as long as nobody can log in; adds the operator «beheerder»."""

    async def work(connection: Connection) -> str | None:
        if any(user.has_password and user.active for user in await users.users(connection)):
            return None
        user_id = await users.add(connection, FIRST, "nl", operator=True)
        return await users.invite(connection, user_id or await _user(connection, FIRST))

    token = with_database(work)
    if token is not None:
        done(f"{_address()}/welcome/{token}")


def grant(
    name: Name,
    helpdesk: Helpdesk,
    *,
    viewer: Annotated[bool, typer.Option("--viewer", help="may look, and change nothing")] = False,
    personal_data: Annotated[
        bool, typer.Option("--personal-data", help="a viewer sees senders, subjects and mails too")
    ] = False,
) -> None:
    """Let a user administer a helpdesk, or only look at it (--viewer)."""

    async def work(connection: Connection) -> None:
        user_id, helpdesk_id = await _user(connection, name), await helpdesk_id_of(connection, helpdesk)
        assert helpdesk_id is not None  # noqa: S101 - it was typed
        role: users.Role = "viewer" if viewer else "administrator"
        await users.give(connection, user_id, helpdesk_id, role, personal_data=personal_data)

    with_database(work)
    sentence = (
        _("%(name)s is a viewer of %(helpdesk)s.") if viewer else _("%(name)s is an administrator of %(helpdesk)s.")
    )
    done(sentence % {"name": name, "helpdesk": helpdesk})


def revoke(name: Name, helpdesk: Helpdesk) -> None:
    """Take a user's right for a helpdesk away."""

    async def work(connection: Connection) -> bool:
        helpdesk_id = await helpdesk_id_of(connection, helpdesk)
        assert helpdesk_id is not None  # noqa: S101 - it was typed
        return await users.take(connection, await _user(connection, name), helpdesk_id)

    if not with_database(work):
        sentence = _("%(name)s has no right for %(helpdesk)s; users list shows them.")
        raise BadValue(sentence % {"name": name, "helpdesk": helpdesk})
    done(_("%(name)s has no right for %(helpdesk)s any more.") % {"name": name, "helpdesk": helpdesk})


def lock(name: Name) -> None:
    """Let a user in no more: sessions and links end at once."""
    _set_active(name, active=False)
    done(_("%(name)s can log in no more.") % {"name": name})


def unlock(name: Name) -> None:
    """Let a user in again."""
    _set_active(name, active=True)
    done(_("%(name)s can log in again.") % {"name": name})


def list_users(*, as_json: Json = False) -> None:
    """List the users of the web console and their rights."""

    async def work(connection: Connection) -> None:
        rows = [asdict(user) for user in await users.users(connection)]
        if not as_json:
            rows = [{**row, "rights": list(map(_right, row["rights"]))} for row in rows]
        show_rows(_("users"), rows, as_json=as_json)

    with_database(work)


def _set_active(name: str, *, active: bool) -> None:
    async def work(connection: Connection) -> None:
        await users.set_active(connection, await _user(connection, name), active=active)

    with_database(work)


_ROLES: Final = {
    "administrator": N_("administrator"),
    "viewer": N_("viewer"),
    "viewer with personal data": N_("viewer with personal data"),
}


def _right(right: str) -> str:
    """A helpdesk and what may be done there, in words."""
    helpdesk, _colon, role = right.rpartition(": ")
    return f"{helpdesk}: {_(_ROLES[role])}"


async def _user(connection: Connection, name: str) -> int:
    user_id = await users.find(connection, name.strip())
    if user_id is None:
        raise BadValue(_("There is no user %(name)s; users list shows them.") % {"name": name})
    return user_id


def _say_link(name: str, token: str) -> None:
    sentence = _("%(name)s chooses a password here, once, within %(days)s days: %(link)s")
    done(sentence % {"name": name, "days": LINK_LASTS.days, "link": f"{_address()}/welcome/{token}"})


def _address() -> str:
    """Under which address people know the web console: its own settings say it."""
    if known_as := os.environ.get(variable_of("web_url")):
        return known_as.rstrip("/")
    port = os.environ.get(variable_of("web_port"))
    return f"http://127.0.0.1:{port}" if port else DEFAULT_ADDRESS


COMMANDS: Final = {
    "users": group(
        "users",
        "Who may use the web console.",
        {
            "add": add,
            "invite": invite,
            "first": first,
            "grant": grant,
            "revoke": revoke,
            "lock": lock,
            "unlock": unlock,
            "list": list_users,
        },
    )
}
