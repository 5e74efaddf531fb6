"""`mails` and `quarantine`: what became of the mails that were taken in, and what a person does about one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import typer

from services.console.commands.arguments import (
    Limit,
    MailIdArgument,
    MailIdArguments,
    OfHelpdesk,
    helpdesk_id_of,
    mail_id_of,
)
from services.console.commands.signatures import group
from services.console.fields import BadValue, Moment
from services.console.output import Json, done, show_json, show_one, show_rows
from services.console.repairs import mails
from services.console.repairs.mails import MailFilter, MailInList, NotRepaired, Refusal
from services.console.session import with_database, with_pool
from shared.database.pool import Connection, Pool, transaction
from shared.errors import ImporterError
from shared.messages import MailId, Outcome

_SECTIONS: Final = ("notifications", "dead_letters", "earlier_outcomes", "forced_imports")

_REFUSALS: Final = {
    Refusal.UNKNOWN: "There is no mail {mail_id}; `mails list` shows them.",
    Refusal.ON_ITS_WAY: "Mail {mail_id} is still on its way; force it once it has an outcome.",
    Refusal.QUARANTINED: "Mail {mail_id} is quarantined: `quarantine replay` imports it, without making a second one.",
    Refusal.NOT_QUARANTINED: "Mail {mail_id} is not quarantined: it {became}.",
    Refusal.BEING_REPLAYED: "Mail {mail_id} is being replayed already; wait for its outcome.",
}


class CannotExport(ImporterError):
    """The raw mail cannot be written there: choose another place."""


@contextmanager
def refusals_as_sentences() -> Iterator[None]:
    """Turn what a repair refuses into BadValue, with a sentence for the command line."""
    try:
        yield
    except NotRepaired as refused:
        became = "has no outcome yet" if refused.outcome is None else f"ended as {refused.outcome}"
        raise BadValue(_REFUSALS[refused.refusal].format(mail_id=refused.mail_id, became=became)) from None


def list_mails(
    helpdesk: OfHelpdesk = None,
    outcome: Annotated[Outcome | None, typer.Option(help="only with this outcome")] = None,
    since: Annotated[str | None, typer.Option(metavar="WHEN", help="only what arrived from then on")] = None,
    sender: Annotated[str | None, typer.Option(help="only with this in the sender's address")] = None,
    subject: Annotated[str | None, typer.Option(help="only with this in the subject")] = None,
    *,
    waiting: Annotated[bool, typer.Option("--waiting", help="only what awaits its outcome")] = False,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List mails, the newest first."""
    try:
        moment = None if since is None else Moment().parse(since)
    except BadValue as error:
        raise BadValue(f"--since: {error}.") from None

    async def work(acquired: Connection) -> None:
        wanted = MailFilter(
            helpdesk_id=await helpdesk_id_of(acquired, helpdesk),
            outcome=outcome,
            since=moment,
            sender=sender,
            subject=subject,
            waiting=True if waiting else None,
            limit=limit,
        )
        _show_list("mails", await mails.mails(acquired, wanted), frozenset({"waiting"}), as_json=as_json)

    with_database(work)


def list_quarantined(
    helpdesk: OfHelpdesk = None,
    *,
    discarded: Annotated[bool, typer.Option("--discarded", help="those that a person discarded instead")] = False,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List quarantined mails that nobody has decided about."""

    async def work(acquired: Connection) -> None:
        wanted = MailFilter(
            helpdesk_id=await helpdesk_id_of(acquired, helpdesk),
            outcome=Outcome.QUARANTINE,
            discarded=discarded,
            limit=limit,
        )
        hidden = frozenset({"outcome", "waiting", "ticket"})
        _show_list("quarantined mails", await mails.mails(acquired, wanted), hidden, as_json=as_json)

    with_database(work)


def show(mail_id: MailIdArgument, *, as_json: Json = False) -> None:
    """Show what became of a mail and why, its times, its notifications, its dead letters, its earlier outcomes."""
    wanted = mail_id_of(mail_id)

    async def work(acquired: Connection) -> None:
        with refusals_as_sentences():
            mail = asdict(await mails.mail(acquired, wanted))
        if as_json:
            show_json(mail)
            return
        show_one(readable({name: mail[name] for name in mail if name not in _SECTIONS}), as_json=False)
        for name in _SECTIONS:
            if rows := [readable(row) for row in mail[name]]:
                show_rows(name.replace("_", " "), rows, as_json=False)

    with_database(work)


def export(
    mail_id: MailIdArgument,
    file: Annotated[Path | None, typer.Argument(help="a new file; without one, to standard output")] = None,
) -> None:
    """Write the raw bytes of a mail as they left the mailbox, to a new file or to a pipe.

    `audit list --kind raw-mail` tells who did so.
    """
    wanted = mail_id_of(mail_id)
    if file is None and sys.stdout.isatty():
        raise BadValue("A raw mail is no text for a terminal: name a file, or send it into a pipe.")

    async def work(pool: Pool) -> None:
        async with transaction(pool) as acquired:
            with refusals_as_sentences():
                raw = await mails.raw(acquired, wanted)
            chunks = mails.chunks(acquired, raw)
            if file is None:
                await _write_to_pipe(chunks)
            else:
                await _write_new(chunks, file)
        if not raw.complete:
            typer.echo(
                f"Only the first {raw.blob.size} of its {raw.full_size} bytes were taken in (too large); "
                "the whole mail is in the mailbox.",
                err=True,
            )

    with_pool(work)


def force(
    mail_id: MailIdArgument,
    *,
    without_mails: Annotated[bool, typer.Option("--without-mails", help="send no mail about it")] = False,
) -> None:
    """Import a mail once more, although it was imported before: a second ticket or supplement.

    The mails about it are sent, however old it is, unless --without-mails.
    """
    wanted = mail_id_of(mail_id)

    async def work(acquired: Connection) -> None:
        with refusals_as_sentences():
            forced = await mails.force(acquired, wanted, without_mails=without_mails)
        done(f"Mail {wanted} will be imported once more, as mail {forced}.")

    with_database(work)


def replay(mail_ids: MailIdArguments) -> None:
    """Send quarantined mails through the pipeline again, once what kept them from becoming a ticket is mended."""
    _each(mail_ids, mails.replay, "Mail {} is being replayed.")


def discard(mail_ids: MailIdArguments) -> None:
    """Decide that nothing needs to be done about quarantined mails; their bytes are kept, a replay brings them back."""
    _each(mail_ids, mails.discard, "Mail {} is discarded; it stays in quarantine.")


def _each(typed: list[str], repair: Callable[[Connection, MailId], Any], sentence: str) -> None:
    wanted = [mail_id_of(each) for each in dict.fromkeys(typed)]

    async def work(acquired: Connection) -> None:
        for mail_id in wanted:
            with refusals_as_sentences():
                await repair(acquired, mail_id)

    with_database(work)
    for mail_id in wanted:
        done(sentence.format(mail_id))


def _show_list(title: str, listed: list[MailInList], hidden: frozenset[str], *, as_json: bool) -> None:
    rows = [asdict(one) if as_json else readable(asdict(one)) for one in listed]
    show_rows(title, rows, hidden=hidden, as_json=as_json)


def readable(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its reasons as sentences, each with what a person can do about it."""
    if "reasons" not in row:
        return dict(row)
    sentences = [" → ".join(filter(None, (reason["sentence"], reason["remedy"]))) for reason in row["reasons"]]
    return {**row, "reasons": sentences}


async def _write(chunks: AsyncIterator[bytes], into: BinaryIO) -> None:
    async for chunk in chunks:
        await asyncio.to_thread(into.write, chunk)
    into.flush()


async def _write_to_pipe(chunks: AsyncIterator[bytes]) -> None:
    try:
        await _write(chunks, sys.stdout.buffer)
    except OSError as error:
        raise CannotExport(f"The mail could not be written into the pipe ({error.strerror}).") from None


async def _write_new(chunks: AsyncIterator[bytes], path: Path) -> None:
    try:
        with path.open("xb") as file:
            try:
                await _write(chunks, file)
            except BaseException:
                await asyncio.to_thread(path.unlink)
                raise
    except FileExistsError:
        raise CannotExport(f"{path} exists already; choose another name.") from None
    except OSError as error:
        raise CannotExport(f"{path} cannot be written ({error.strerror}).") from None


COMMANDS: Final = {
    "mails": group(
        "mails",
        "The mails that were taken in, and what became of them.",
        {"list": list_mails, "show": show, "export": export, "force": force},
    ),
    "quarantine": group(
        "quarantine",
        "Mails that could not become a ticket.",
        {"list": list_quarantined, "show": show, "replay": replay, "discard": discard},
    ),
}
