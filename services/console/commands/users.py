"""`users`: who may use the web console, and the links by which they choose their password."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Final

import typer

from services.console import groups, users
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
_COMES_IN: Final = N_(
    "%(name)s comes in without a password, with the account of work that the provider knows by this name: %(link)s"
)
FIRST: Final = "beheerder"
DEFAULT_ADDRESS: Final = "http://127.0.0.1:8025"

Name = Annotated[str, typer.Argument(help="the name by which he or she logs in, such as a mail address")]
Helpdesk = Annotated[str, typer.Argument(help="the helpdesk's name or id")]


Group = Annotated[
    str, typer.Argument(help="the group as the provider of OpenID Connect writes it; at Entra its object id")
]


def add(
    name: Name,
    *,
    operator: Annotated[bool, typer.Option("--operator", help="administers all helpdesks, users and servers")] = False,
    language: Annotated[str, typer.Option(metavar=LANGUAGES.metavar, help="of the pages")] = "nl",
) -> None:
    """Add a user of the web console; prints the link by which he or she chooses a password, once.

    Where everybody logs in by OpenID Connect (IMPORTER_WEB_OIDC_ONLY) it says in its place how the user comes in.
    """
    try:
        typed, spoken = Text(longest=254).parse(name), LANGUAGES.parse(language)
    except BadValue as error:
        raise BadValue(f"{error}.") from None

    async def work(connection: Connection) -> str | None:
        user_id = await users.add(connection, typed, spoken, operator=operator)
        if user_id is None:
            raise BadValue(_("There is a user %(name)s already: users invite makes a new link.") % {"name": typed})
        return None if _takes_no_password() else await users.invite(connection, user_id)

    token = with_database(work)
    if token is None:
        done(_(_COMES_IN) % {"name": typed, "link": f"{_address()}/login"})
    else:
        _say_link(typed, token)
    if not operator:
        done(_("%(name)s sees nothing yet: users grant gives rights for a helpdesk.") % {"name": typed})


def invite(name: Name) -> None:
    """Make a new link by which a user chooses a password, for one who has forgotten it; earlier links end."""
    if _takes_no_password():
        raise BadValue(_(_COMES_IN) % {"name": name, "link": f"{_address()}/login"})

    async def work(connection: Connection) -> str:
        return await users.invite(connection, await _user(connection, name))

    _say_link(name, with_database(work))


def first() -> None:
    """Print a link for the first administrator, as long as nobody can log in; adds the operator «beheerder»."""

    async def work(connection: Connection) -> str | None:
        if any(user.has_password and user.active for user in await users.users(connection)):
            return None
        if _takes_no_password():
            done(_("Nobody comes in by a password: users add NAME --operator adds the first administrator."))
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


def grant_group(
    group_name: Group,
    helpdesk: Annotated[str | None, typer.Argument(help="the helpdesk's name or id; without it all of them")] = None,
    *,
    operator: Annotated[bool, typer.Option("--operator", help="administers all helpdesks, users and servers")] = False,
    viewer: Annotated[bool, typer.Option("--viewer", help="may look, and change nothing")] = False,
    personal_data: Annotated[
        bool, typer.Option("--personal-data", help="a viewer sees senders, subjects and mails too")
    ] = False,
    called: Annotated[str, typer.Option(help="what people here call the group")] = "",
    issuer: Annotated[
        str, typer.Option(help="the provider whose group it is; without it that of IMPORTER_WEB_OIDC_ISSUER")
    ] = "",
) -> None:
    """Let the members of a provider's group administer helpdesks, or only look at them (--viewer)."""
    of = issuer or os.environ.get(variable_of("web_oidc_issuer"), "")
    if not of:
        raise BadValue(_("Whose group is it? Name the provider with --issuer, or set IMPORTER_WEB_OIDC_ISSUER."))
    if not groups.is_a_name(group_name) or (called and not groups.is_a_name(called)):
        raise BadValue(
            _("A group's name has at most %(longest)s characters, all of which can be seen.")
            % {"longest": groups.LONGEST}
        )
    if operator and (viewer or helpdesk is not None):
        raise BadValue(
            _("An operator administers all helpdesks: --operator goes with no helpdesk, and not with --viewer.")
        )
    role: groups.Role = "operator" if operator else "viewer" if viewer else "administrator"

    async def work(connection: Connection) -> None:
        helpdesk_id = await helpdesk_id_of(connection, helpdesk)
        given = groups.Given(of, group_name, called, helpdesk_id, role, personal_data=viewer and personal_data)
        await groups.give(connection, given)

    _by_hand_first(work)
    done(
        _("What %(group)s gives counts from the next login of its members; users groups shows it.")
        % {"group": group_name}
    )


def revoke_group(number: Annotated[int, typer.Argument(help="its number, as users groups shows it")]) -> None:
    """Take a right away from a provider's group, at once."""

    async def work(connection: Connection) -> bool:
        return await groups.take(connection, number)

    if not with_database(work):
        raise BadValue(_("No group has a right of number %(number)s; users groups shows them.") % {"number": number})
    done(_("The group does not give that any more."))


def list_groups(*, as_json: Json = False) -> None:
    """List what groups of the provider give their members, and how many users each has."""

    async def work(connection: Connection) -> None:
        rows = [asdict(right) for right in await groups.rights(connection)]
        show_rows(_("groups"), rows, as_json=as_json)

    with_database(work)


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

    _by_hand_first(work)


def _by_hand_first(work: Callable[[Connection], Awaitable[None]]) -> None:
    """Do the work where somebody administers everything by hand afterwards too."""
    try:
        with_database(work)
    except users.NoOperatorByHand:
        raise BadValue(
            _(
                "Nobody else administers everything by hand: add somebody first (users add --operator). What groups "
                "give, the provider can take, and then nobody could come in."
            )
        ) from None


def _takes_no_password() -> bool:
    """Whether people come in to the web console by OpenID Connect alone: its own settings say it."""
    return os.environ.get(variable_of("web_oidc_only"), "").strip().lower() in ("true", "1", "yes", "on")


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
            "grant-group": grant_group,
            "revoke-group": revoke_group,
            "groups": list_groups,
            "lock": lock,
            "unlock": unlock,
            "list": list_users,
        },
    )
}
