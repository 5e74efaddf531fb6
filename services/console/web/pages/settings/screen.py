"""A screen of settings: fields of one row of a helpdesk, saved as one; a secret is given and never shown (S3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import structlog
from pydantic import SecretStr
from starlette.datastructures import FormData

from services.console import changes, mailbox_log, repository
from services.console.database import Refused, one_transaction
from services.console.fields import BadValue
from services.console.resources import IMPORTER
from services.console.web import refusals
from services.console.web.endpoint import Answer, see
from services.console.web.forms import N_, Form, Read, options_of, typed_in
from services.console.web.pages.settings import query
from services.console.web.pages.settings.place import helpdesk, surroundings
from services.console.web.pages.settings.screens import IMPORTER_SCREEN, READING_SCREEN, Screen
from services.console.web.rendering import Shown
from services.console.web.visit import Visit
from services.console.web.visitors import Right
from shared.database.pool import Connection, connection
from shared.database.sealing_keys import published_key
from shared.standing import recorded

LARGEST_CERTIFICATE: Final = 256 * 1024
_MEANWHILE: Final = N_(
    "Iemand anders veranderde dit intussen. Hieronder staat wat u typte; bewaart u nog eens, dan geldt dat."
)
_TYPE_AGAIN: Final = N_("Er is niets bewaard. Typ ook het wachtwoord opnieuw.")
_TOO_LONG: Final = N_("Dit wachtwoord is te lang.")
_BAD_CERTIFICATE: Final = N_(
    "Dit is geen geldige sleutel met certificaat. Nodig is een PEM met één RSA-sleutel zonder wachtwoordzin en het "
    "certificaat dat erbij hoort, dat nog niet verlopen is."
)
_MANY_MAILBOXES: Final = N_(
    "Deze aanmelding mag misschien meer postvakken lezen. Typ het wachtwoord of geheim opnieuw, of vraag wie alles "
    "beheert."
)
_FOLDERS: Final = N_("Een map op de server kiest alleen wie alles beheert.")
_OWNER: Final = frozenset({"mailbox_address", "username", "folder"})

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Standing:
    """The row as it is, and the form that changes it."""

    right: Right
    row: Mapping[str, Any]
    version: int | None
    form: Form

    @property
    def place(self) -> dict[str, Any]:
        return {"helpdesk_id": self.right.helpdesk_id}


async def show(screen: Screen, visit: Visit) -> Answer:
    """The page."""
    async with connection(visit.pool) as acquired:
        standing = await _standing(acquired, screen, visit)
        return await _shown(acquired, screen, visit, standing, NOTHING_TRIED)


async def save(screen: Screen, visit: Visit, form: FormData) -> Answer:
    """Save what was changed, all or nothing; else the page again with what was typed, and sentences beside it."""
    right = helpdesk(visit)
    typed = typed_in(form, screen.asked)
    try:
        async with one_transaction(visit.pool) as acquired:
            await _save(acquired, screen, visit, form, typed)
    except _Problems as wrong:
        problems = wrong.problems
    except Refused as refused:
        problems = dict([refusals.beside(refused, visit.texts)])
    else:
        _log.info("settings_saved", screen=screen.key, helpdesk_id=right.helpdesk_id, user=visit.who.user_id)
        return see(f"/helpdesks/{right.helpdesk_id}/{screen.key}?saved")
    if form.get("password"):
        problems.setdefault("password", visit.texts.gettext(_TYPE_AGAIN))
    async with connection(visit.pool) as acquired:
        standing = await _standing(acquired, screen, visit)
        return await _shown(acquired, screen, visit, standing, Tried(typed, problems))


async def _save(acquired: Connection, screen: Screen, visit: Visit, form: FormData, typed: Mapping[str, str]) -> None:
    """Raises _Problems, or Refused by the database."""
    standing = await _standing(acquired, screen, visit, lock=True)
    read = await standing.form.read(acquired, typed, standing.right.helpdesk_id)
    secret = await _secret(acquired, visit, form, read) if screen is IMPORTER_SCREEN else {}
    _refuse_others_mailboxes(visit, standing, read, secret)
    if str(form.get("version", "")) not in ("", str(standing.version or 0)):
        read.problems[refusals.WHOLE_FORM] = visit.texts.gettext(_MEANWHILE)
    if not read.problems and (read.columns or secret):
        await _write(acquired, screen, standing, read.columns, secret)
        await _refuse_folders(acquired, visit, screen, read)
    if read.problems:
        raise _Problems(read.problems)


@dataclass(frozen=True, slots=True)
class Tried:
    """What was typed in vain, and the sentences about it, by the name of the input."""

    typed: Mapping[str, str]
    problems: Mapping[str, str]


NOTHING_TRIED: Final = Tried({}, {})


class _Problems(Exception):
    """Leaves the transaction: nothing is written."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__()
        self.problems = problems


async def _standing(acquired: Connection, screen: Screen, visit: Visit, *, lock: bool = False) -> _Standing:
    right = helpdesk(visit)
    if screen.resource is IMPORTER:
        place = {"helpdesk_id": right.helpdesk_id}
        row = await repository.importer_settings(acquired, right.helpdesk_id)
    else:
        place = {"id": right.helpdesk_id}
        row = await repository.row(acquired, screen.resource, place)
    version = await repository.version(acquired, screen.resource, place, lock=lock)
    form = Form(
        asked=screen.asked,
        row=row if version is not None else {},
        options=await options_of(acquired, screen.asked, right.helpdesk_id),
        defaults=await repository.defaults(acquired, screen.resource),
        texts=visit.texts,
        zone=visit.who.time_zone,
        operator=visit.who.operator,
    )
    return _Standing(right, row, version, form)


async def _shown(
    acquired: Connection,
    screen: Screen,
    visit: Visit,
    standing: _Standing,
    tried: Tried,
) -> Answer:
    gettext, problems = visit.texts.gettext, tried.problems
    inputs = standing.form.inputs(tried.typed, problems)
    groups = [
        {
            "title": gettext(group.title),
            "inputs": [inputs[one.name] for one in group.asked],
            "folded": group.folded and not any(one.name in problems for one in group.asked),
        }
        for group in screen.groups
    ]
    values: dict[str, Any] = {
        **surroundings(visit, standing.right),
        "screen": {"key": screen.key, "title": gettext(screen.title)},
        "groups": groups,
        "version": standing.version or 0,
        "problems": dict(problems),
    }
    if screen is READING_SCREEN:
        values["threads"] = (await recorded.tickets_of_threads(acquired)).get(standing.right.helpdesk, 0)
    if screen is IMPORTER_SCREEN:
        row = standing.row
        values["mailbox"] = {
            name: row[name]
            for name in (
                "mailbox_kind", "password_is_set", "certificate_is_set", "certificate_expires_at",
                "last_successful_check_at", "problem", "problem_since", "login_refused_since", "login_rests_until",
            )
        }  # fmt: skip
        stands = await mailbox_log.stands(acquired, standing.right.helpdesk_id)
        values["mailbox"]["problem_kind"] = stands and stands.problem_kind
        values["paused"] = await repository.pause_of(acquired, standing.right.helpdesk_id)
        values["hold"] = await query.hold_of(acquired, standing.right.helpdesk_id)
        values["asked"] = await query.last_asked(acquired, standing.right.helpdesk_id)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    return Shown("settings/importer.html" if screen is IMPORTER_SCREEN else "settings/screen.html", values, status)


async def _secret(acquired: Connection, visit: Visit, form: FormData, read: Read) -> dict[str, Any]:
    """The columns of the secret that was given, sealed; none where none was."""
    gettext = visit.texts.gettext
    password, certificate = str(form.get("password", "")), str(form.get("certificate", "")).strip()
    if form.get("forget") == "yes":
        return dict(changes.FORGOTTEN)
    if len(password) > changes.LONGEST_PASSWORD:
        read.problems["password"] = gettext(_TOO_LONG)
    elif password:
        return await changes.password_columns(acquired, SecretStr(password))
    if certificate:
        from services.console.certificate import app_certificate  # noqa: PLC0415 - X.509, for the few who have one

        try:
            given = app_certificate(certificate.encode()[:LARGEST_CERTIFICATE], datetime.now(UTC))
        except BadValue:
            read.problems["certificate"] = gettext(_BAD_CERTIFICATE)
            return {}
        sealed = (await published_key(acquired)).seal(given.pem)
        return {**changes.FORGOTTEN, "certificate_encrypted": sealed, "certificate_expires_at": given.expires_at}
    return {}


def _refuse_others_mailboxes(visit: Visit, standing: _Standing, read: Read, secret: Mapping[str, Any]) -> None:
    """An app, or who acts for others, may open many mailboxes: for another one the secret is given again."""
    row = standing.row
    reaches_many = row.get("tenant") or row.get("impersonate")
    if (
        visit.who.operator
        or not reaches_many
        or secret.get("password_encrypted")
        or secret.get("certificate_encrypted")
    ):
        return
    for one in standing.form.asked:
        if one.field.target in _OWNER & read.columns.keys() and one.name != "folder":
            read.problems[one.name] = visit.texts.gettext(_MANY_MAILBOXES)


async def _refuse_folders(acquired: Connection, visit: Visit, screen: Screen, read: Read) -> None:
    """A folder of the machine is not the helpdesk's to choose: another's Maildir may lie beside it."""
    if screen.resource is not IMPORTER or visit.who.operator or not {"server", "kind", "folder"} & read.columns.keys():
        return
    if (await repository.importer_settings(acquired, helpdesk(visit).helpdesk_id))["mailbox_kind"] == "maildir":
        read.problems["server"] = visit.texts.gettext(_FOLDERS)


async def _write(
    acquired: Connection,
    screen: Screen,
    standing: _Standing,
    columns: Mapping[str, Any],
    secret: Mapping[str, Any],
) -> None:
    if screen.resource is IMPORTER:
        await changes.change_importer(acquired, standing.right.helpdesk_id, columns, secret)
        return
    place = {"id": standing.right.helpdesk_id}
    await changes.change(acquired, screen.resource, place, columns, {}, secret={}, key=standing.right.helpdesk)
