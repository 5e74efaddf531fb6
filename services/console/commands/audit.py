"""`audit list`: who changed which setting, repaired what, looked at which raw mail, and what was removed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from services.console import audit
from services.console.audit import Entry, Filter, Kind
from services.console.commands.arguments import Limit, OfHelpdesk, helpdesk_id_of, mail_id_of
from services.console.commands.signatures import group
from services.console.fields import BadValue, Moment
from services.console.output import Json, show_rows
from services.console.session import with_database
from services.console.texts import _
from shared.database.pool import Connection

_SHOWN_BY_JSON_ALONE: Final = frozenset({"id", "role", "tool", "helpdesk", "mail_id"})


def list_entries(
    *,
    kind: Annotated[Kind | None, typer.Option(help="only this kind")] = None,
    since: Annotated[str | None, typer.Option(metavar="WHEN", help="only from then on")] = None,
    until: Annotated[str | None, typer.Option(metavar="WHEN", help="only before then")] = None,
    actor: Annotated[str | None, typer.Option(help="only of who has this in his name")] = None,
    thing: Annotated[str | None, typer.Option(help="only of this table, such as logins or imported_mails")] = None,
    helpdesk: OfHelpdesk = None,
    mail: Annotated[str | None, typer.Option(metavar="MAIL_ID", help="only about this mail")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List what people did, the newest first: settings, repairs, looks at raw mails, removals.

    Secrets stand in it as «changed», and so do the names and addresses of contacts. --json also tells the role of the
    database and the program.
    """
    begins, ends = _moment("since", since), _moment("until", until)

    async def work(connection: Connection) -> None:
        wanted = Filter(
            kind=kind,
            since=begins,
            until=ends,
            actor=actor,
            thing=thing,
            helpdesk_id=await helpdesk_id_of(connection, helpdesk),
            mail_id=None if mail is None else await mail_id_of(connection, mail),
            limit=limit,
        )
        listed = await audit.entries(connection, wanted)
        rows = [asdict(entry) if as_json else _readable(entry) for entry in listed]
        show_rows(_("entries of the audit log"), rows, hidden=_SHOWN_BY_JSON_ALONE, as_json=as_json)

    with_database(work)


def _moment(option: str, typed: str | None) -> Any:
    try:
        return None if typed is None else Moment().parse(typed)
    except BadValue as error:
        raise BadValue(f"--{option}: {error}.") from None


def _readable(entry: Entry) -> dict[str, Any]:
    row = asdict(entry)
    before, after = row.pop("before") or {}, row.pop("after") or {}
    row["actor"] = entry.actor or entry.role
    row["what"] = [_change(name, before.get(name), after.get(name)) for name in sorted({*before, *after})]
    return row


def _change(name: str, before: Any, after: Any) -> str:
    """What became of a column, in a line."""
    if before is None:
        return f"{name}: {_said(after)}"
    if before == after:  # a secret: it says «changed» on both sides
        return f"{name}: {_said(after)}"
    became = _("nothing") if after is None else _said(after)
    return f"{name}: {_said(before)} → {became}"


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


COMMANDS: Final = {
    "audit": group("audit", "Who changed, repaired and looked at what.", {"list": list_entries}),
}
