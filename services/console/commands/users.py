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
            raise BadValue(f"There is a user {typed} already: users invite makes a new link.")
        return await users.invite(connection, user_id)

    _say_link(typed, with_database(work))
    if not operator:
        done(f"{typed} sees nothing yet: users grant gives rights for a helpdesk.")


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
    done(f"{name} is {'a viewer' if viewer else 'an administrator'} of {helpdesk}.")


def revoke(name: Name, helpdesk: Helpdesk) -> None:
    """Take a user's right for a helpdesk away."""

    async def work(connection: Connection) -> bool:
        helpdesk_id = await helpdesk_id_of(connection, helpdesk)
        assert helpdesk_id is not None  # noqa: S101 - it was typed
        return await users.take(connection, await _user(connection, name), helpdesk_id)

    if not with_database(work):
        raise BadValue(f"{name} has no right for {helpdesk}; users list shows them.")
    done(f"{name} has no right for {helpdesk} any more.")


def lock(name: Name) -> None:
    """Let a user in no more: sessions and links end at once."""
    _set_active(name, active=False)
    done(f"{name} can log in no more.")


def unlock(name: Name) -> None:
    """Let a user in again."""
    _set_active(name, active=True)
    done(f"{name} can log in again.")


def list_users(*, as_json: Json = False) -> None:
    """List the users of the web console and their rights."""

    async def work(connection: Connection) -> None:
        show_rows("users", [asdict(user) for user in await users.users(connection)], as_json=as_json)

    with_database(work)


def _set_active(name: str, *, active: bool) -> None:
    async def work(connection: Connection) -> None:
        await users.set_active(connection, await _user(connection, name), active=active)

    with_database(work)


async def _user(connection: Connection, name: str) -> int:
    user_id = await users.find(connection, name.strip())
    if user_id is None:
        raise BadValue(f"There is no user {name}; users list shows them.")
    return user_id


def _say_link(name: str, token: str) -> None:
    done(f"{name} chooses a password here, once, within {LINK_LASTS.days} days: {_address()}/welcome/{token}")


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
