"""`mails` and `quarantine`: what became of the mails that were taken in, and what a person does about one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import typer

from services.console.commands.arguments import (
    Limit,
    MailIdArgument,
    OfHelpdesk,
    helpdesk_id_of,
    mail_id_of,
    mail_ids_of,
)
from services.console.commands.signatures import group
from services.console.explanations import of_mail_out, sentences, with_sentences
from services.console.fields import BadValue, Moment, Text
from services.console.labels import label
from services.console.output import Card, Json, done, moment, number, show_cards, show_json, show_one, show_rows
from services.console.repairs import mails
from services.console.repairs.mails import MailFilter, MailInList, NotRepaired, Refusal
from services.console.session import with_database, with_pool
from services.console.short_ids import short_ids
from services.console.texts import N_, _, ngettext
from shared.database.pool import Connection, Pool, transaction
from shared.errors import ImporterError
from shared.messages import MailId, Outcome, ReasonId
from shared.one_line import one_line
from shared.standing.quarantine import LISTED_ELSEWHERE

_SECTIONS: Final = ("notifications", "dead_letters", "earlier_outcomes", "forced_imports")

_FIRST: Final = ("outcome", "ticket", "reasons", "subject", "sender_name", "sender_address", "helpdesk")

_MOST_AT_ONCE: Final = 10_000
"""Mails that one command treats: each is a lock in one transaction."""

_ALREADY: Final = frozenset({Refusal.BEING_REPLAYED, Refusal.NOT_QUARANTINED})
"""What may have come about between the look and the deed."""

MailIds = Annotated[list[str] | None, typer.Argument(metavar="[MAIL_ID...]", help="ids of mails, or their beginnings")]
WithReason = Annotated[
    str | None, typer.Option("--reason", metavar="REASON", help="only with this reason's id, such as too-large")
]
All = Annotated[bool, typer.Option("--all", help="all of them, after a count and a question")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="only count, and change nothing")]
Yes = Annotated[bool, typer.Option("--yes", help="do it without a question, for scripts")]

_REFUSALS: Final = {
    Refusal.UNKNOWN: N_("There is no mail %(mail_id)s; `mails list` shows them."),
    Refusal.ON_ITS_WAY: N_("Mail %(mail_id)s is still on its way; force it once it has an outcome."),
    Refusal.QUARANTINED: N_(
        "Mail %(mail_id)s is quarantined: `quarantine replay` imports it, without making a second one."
    ),
    Refusal.NOT_QUARANTINED: N_("Mail %(mail_id)s is not quarantined: it %(became)s."),
    Refusal.REMOVED: N_("The bytes of mail %(mail_id)s are gone: nothing needed them any more (`retention show`)."),
    Refusal.BEING_REPLAYED: N_("Mail %(mail_id)s is being replayed already; wait for its outcome."),
}


class CannotExport(ImporterError):
    """The raw mail cannot be written there: choose another place."""


@contextmanager
def refusals_as_sentences(*, but: Collection[Refusal] = ()) -> Iterator[None]:
    """Turn what a repair refuses into BadValue, with a sentence for the command line; those in `but` stay."""
    try:
        yield
    except NotRepaired as refused:
        if refused.refusal in but:
            raise
        outcome = refused.outcome
        became = _("has no outcome yet") if outcome is None else _("ended as %(outcome)s") % {"outcome": outcome}
        raise BadValue(_(_REFUSALS[refused.refusal]) % {"mail_id": refused.mail_id, "became": became}) from None


def list_mails(
    helpdesk: OfHelpdesk = None,
    outcome: Annotated[Outcome | None, typer.Option(help="only with this outcome")] = None,
    since: Annotated[str | None, typer.Option(metavar="WHEN", help="only what arrived from then on")] = None,
    sender: Annotated[str | None, typer.Option(help="only with this in the sender's address")] = None,
    subject: Annotated[str | None, typer.Option(help="only with this in the subject")] = None,
    *,
    waiting: Annotated[bool, typer.Option("--waiting", help="only what awaits its outcome")] = False,
    reason: WithReason = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List mails, the newest first."""
    try:
        first = None if since is None else Moment().parse(since)
    except BadValue as error:
        raise BadValue(f"--since: {error}.") from None

    async def work(acquired: Connection) -> None:
        wanted = MailFilter(
            helpdesk_id=await helpdesk_id_of(acquired, helpdesk),
            outcome=outcome,
            since=first,
            sender=sender,
            subject=subject,
            waiting=True if waiting else None,
            reasons=() if reason is None else (reason,),
            limit=limit,
        )
        _show_list(_("mails"), await mails.mails(acquired, wanted), as_json=as_json)

    with_database(work)


def list_quarantined(
    helpdesk: OfHelpdesk = None,
    *,
    discarded: Annotated[bool, typer.Option("--discarded", help="those that a person discarded instead")] = False,
    reason: WithReason = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List quarantined mails that wait for a person: those that `status` counts.

    Those of blocked senders, say, are listed with their --reason.
    """
    reasons = [reason, ReasonId.DISCARDED_BY_PERSON if discarded else None]

    async def work(acquired: Connection) -> None:
        wanted = _quarantined(await helpdesk_id_of(acquired, helpdesk), reasons, limit)
        _show_list(_("quarantined mails"), await mails.mails(acquired, wanted), as_json=as_json)

    with_database(work)


def _quarantined(helpdesk_id: int | None, reasons: Sequence[str | None], limit: int) -> MailFilter:
    """Those that wait for a person; with a reason by which they wait for nobody, all that have it."""
    given = tuple(reason for reason in reasons if reason)
    return MailFilter(
        helpdesk_id=helpdesk_id,
        outcome=Outcome.QUARANTINE,
        undecided=LISTED_ELSEWHERE.isdisjoint(given),
        reasons=given,
        limit=limit,
    )


def show(mail_id: MailIdArgument, *, as_json: Json = False) -> None:
    """Show what became of a mail and why, its times, its notifications, its dead letters, its earlier outcomes."""

    async def work(acquired: Connection) -> None:
        with refusals_as_sentences():
            mail = asdict(await mails.mail(acquired, await mail_id_of(acquired, mail_id)))
        if as_json:
            show_json(mail)
            return
        show_one(_in_order(mail), as_json=False, without_empty=True)
        for name in _SECTIONS:
            if mail[name]:
                typer.echo("")
                show_rows(label(name), [_in_words(name, row) for row in mail[name]], as_json=False)

    with_database(work)


def _in_words(section: str, row: Mapping[str, Any]) -> dict[str, Any]:
    told = with_sentences(row)
    return {**told, "reason": of_mail_out(told["reason"])} if section == "notifications" else told


def _in_order(mail: Mapping[str, Any]) -> dict[str, Any]:
    """What became of it and why first, then who wrote what, then the rest; without what says nothing."""
    told = with_sentences(mail)
    if mail["full_size"] == mail["raw_size"]:
        told |= {"full_size": None, "complete": None}
    told |= {name: None for name in ("replays", "republish_count", "waiting") if not mail[name]}
    rest = [name for name in mail if name not in _SECTIONS and name not in _FIRST]
    return {name: told[name] for name in (*_FIRST, *rest)}


def export(
    mail_id: MailIdArgument,
    file: Annotated[Path | None, typer.Argument(help="a new file; without one, to standard output")] = None,
) -> None:
    """Write the raw bytes of a mail as they left the mailbox, to a new file or to a pipe.

    `audit list --kind raw-mail` tells who did so.
    """
    if file is None and sys.stdout.isatty():
        raise BadValue(_("A raw mail is no text for a terminal: name a file, or send it into a pipe."))

    async def work(pool: Pool) -> None:
        async with transaction(pool) as acquired:
            with refusals_as_sentences():
                raw = await mails.raw(acquired, await mail_id_of(acquired, mail_id))
            chunks = mails.chunks(acquired, raw)
            if file is None:
                await _write_to_pipe(chunks)
            else:
                await _write_new(chunks, file)
        if not raw.complete:
            sentence = _(
                "Only the first %(size)s of its %(full_size)s bytes were taken in (too large); "
                "the whole mail is in the mailbox."
            )
            typer.echo(sentence % {"size": raw.blob.size, "full_size": raw.full_size}, err=True)

    with_pool(work)


def force(
    mail_id: MailIdArgument,
    *,
    without_mails: Annotated[bool, typer.Option("--without-mails", help="send no mail about it")] = False,
) -> None:
    """Import a mail once more, although it was imported before: a second ticket or supplement.

    The mails about it are sent, however old it is, unless --without-mails.
    """

    async def work(acquired: Connection) -> None:
        wanted = await mail_id_of(acquired, mail_id)
        with refusals_as_sentences():
            forced = await mails.force(acquired, wanted, without_mails=without_mails)
        done(_("Mail %(mail)s will be imported once more, as mail %(forced)s.") % {"mail": wanted, "forced": forced})

    with_database(work)


def release(
    helpdesk: OfHelpdesk = None,
    sender: Annotated[str | None, typer.Option(help="only of this address")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="of all helpdesks and senders")] = False,
) -> None:
    """Let mails go on at once that wait since their sender sends more than his helpdesk takes in within an hour.

    `importer set --mails-per-sender-per-hour` says how many that are; `senders allow` counts a sender nowhere.
    """
    if everything == bool(helpdesk or sender):
        raise BadValue(_("Say whose: --helpdesk, --sender or both; or --all."))

    async def work(acquired: Connection) -> None:
        released = await mails.release(acquired, await helpdesk_id_of(acquired, helpdesk), sender)
        sentence = ngettext(
            "%(count)s mail goes on, within seconds.", "%(count)s mails go on, within seconds.", released
        )
        done(sentence % {"count": number(released)})

    with_database(work)


def replay(
    mail_ids: MailIds = None,
    helpdesk: OfHelpdesk = None,
    reason: WithReason = None,
    *,
    everything: All = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Send quarantined mails through the pipeline again, once what kept them from becoming a ticket is mended.

    Name mails, or say --all: then all that wait for a person, of a --helpdesk or with a --reason where that is given
    (`--reason sender-blocked` once a sender is allowed again). What is being replayed already is passed over.
    """
    chosen = Chosen(mail_ids or [], helpdesk, reason, everything)
    _treat(chosen, mails.replay, _REPLAYING, dry_run=dry_run, yes=yes)


def discard(
    mail_ids: MailIds = None,
    helpdesk: OfHelpdesk = None,
    reason: WithReason = None,
    because: Annotated[
        str, typer.Option(metavar="TEXT", help="why nothing needs to be done; it is kept with the mail")
    ] = "",
    *,
    everything: All = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Decide that nothing needs to be done about quarantined mails; their bytes are kept, a replay brings them back.

    Name mails, or say --all, as with `quarantine replay`.
    """
    said = Text(longest=500).parse(because)
    chosen = Chosen(mail_ids or [], helpdesk, reason, everything)
    _treat(chosen, partial(mails.discard, because=said), _DISCARDING, dry_run=dry_run, yes=yes)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which quarantined mails a person means: those he named, or all that a filter leaves."""

    named: list[str]
    helpdesk: str | None
    reason: str | None
    everything: bool

    def __post_init__(self) -> None:
        if bool(self.named) == self.everything:
            raise BadValue(_("Name mails by id, or say --all; `quarantine list` shows them."))
        if self.named and (self.helpdesk or self.reason):
            raise BadValue(_("--helpdesk and --reason choose among --all; mails that are named need neither."))

    async def ids(self, acquired: Connection) -> list[MailId]:
        """Their ids; of --all the oldest first, so that tickets are numbered as the mails came."""
        if self.named:
            return await mail_ids_of(acquired, self.named)
        wanted = _quarantined(await helpdesk_id_of(acquired, self.helpdesk), [self.reason], _MOST_AT_ONCE)
        return await mails.ids(acquired, wanted)


@dataclass(frozen=True, slots=True)
class _Said:
    """What is said of a repair: of some mails beforehand, asked, and afterwards, and of one."""

    would: Callable[[int], str]
    will: Callable[[int], str]
    were: Callable[[int], str]
    one: str


_REPLAYING: Final = _Said(
    would=lambda count: ngettext(
        "%(count)s mail would be replayed; nothing was changed.",
        "%(count)s mails would be replayed; nothing was changed.",
        count,
    ),
    will=lambda count: ngettext(
        "%(count)s quarantined mail will be replayed.", "%(count)s quarantined mails will be replayed.", count
    ),
    were=lambda count: ngettext("%(count)s mail replayed.", "%(count)s mails replayed.", count),
    one=N_("Mail %(mail_id)s is replayed."),
)
_DISCARDING: Final = _Said(
    would=lambda count: ngettext(
        "%(count)s mail would be discarded; nothing was changed.",
        "%(count)s mails would be discarded; nothing was changed.",
        count,
    ),
    will=lambda count: ngettext(
        "%(count)s quarantined mail will be discarded.", "%(count)s quarantined mails will be discarded.", count
    ),
    were=lambda count: ngettext("%(count)s mail discarded.", "%(count)s mails discarded.", count),
    one=N_("Mail %(mail_id)s is discarded."),
)


def _of_so_many(text: Callable[[int], str], count: int) -> str:
    return text(count) % {"count": number(count)}


def _treat(
    chosen: Chosen,
    repair: Callable[[Connection, MailId], Awaitable[None]],
    said: _Said,
    *,
    dry_run: bool,
    yes: bool,
) -> None:
    """Repair the chosen mails, all or none; those of a filter only after a count and a person's yes."""

    async def work(pool: Pool) -> None:
        async with transaction(pool) as acquired:
            wanted = await chosen.ids(acquired)
        if dry_run:
            done(_of_so_many(said.would, len(wanted)))
            return
        if chosen.everything and wanted and not yes:
            _confirm(_of_so_many(said.will, len(wanted)))
        passed_over = 0
        async with transaction(pool) as acquired:
            for mail_id in wanted:
                try:
                    with refusals_as_sentences(but=_ALREADY if chosen.everything else frozenset()):
                        await repair(acquired, mail_id)
                except NotRepaired:
                    passed_over += 1
        if not chosen.everything:
            for mail_id in wanted:
                done(_(said.one) % {"mail_id": mail_id})
            return
        done(" ".join([_of_so_many(said.were, len(wanted) - passed_over), *_passed_over(passed_over)]))
        if len(wanted) == _MOST_AT_ONCE:
            done(_("There may be more: say it again."))

    with_pool(work)


def _passed_over(count: int) -> list[str]:
    if not count:
        return []
    sentence = ngettext(
        "%(count)s mail had been decided about in the meantime.",
        "%(count)s mails had been decided about in the meantime.",
        count,
    )
    return [sentence % {"count": number(count)}]


def _confirm(sentence: str) -> None:
    """Ask whether to go on with what the sentence says."""
    if not sys.stdin.isatty():
        raise BadValue(" ".join([sentence, _("Say --yes to do it without a question, or --dry-run.")]))
    typer.confirm(" ".join([sentence, _("Go on?")]), abort=True)


def _show_list(title: str, listed: list[MailInList], *, as_json: bool) -> None:
    if as_json:
        show_json([asdict(one) for one in listed])
        return
    ids = short_ids([one.mail_id for one in listed])
    show_cards(title, [_card(one, short) for one, short in zip(listed, ids, strict=True)])


def _card(mail: MailInList, short_id: str) -> Card:
    became = " ".join(filter(None, (mail.outcome or _("on its way"), mail.ticket)))
    replayed = _("being replayed") if mail.waiting and mail.outcome is not None else ""
    return Card(
        (short_id, moment(mail.received_at), became, one_line(mail.subject or _("(no subject)"))),
        (mail.helpdesk, one_line(mail.sender or _("(no sender)")), replayed),
        sentences(mail.reasons) if mail.outcome == Outcome.QUARANTINE else (),
    )


async def _write(chunks: AsyncIterator[bytes], into: BinaryIO) -> None:
    async for chunk in chunks:
        await asyncio.to_thread(into.write, chunk)
    into.flush()


async def _write_to_pipe(chunks: AsyncIterator[bytes]) -> None:
    try:
        await _write(chunks, sys.stdout.buffer)
    except OSError as error:
        sentence = _("The mail could not be written into the pipe (%(why)s).")
        raise CannotExport(sentence % {"why": error.strerror}) from None


async def _write_new(chunks: AsyncIterator[bytes], path: Path) -> None:
    try:
        with path.open("xb") as file:
            try:
                await _write(chunks, file)
            except BaseException:
                await asyncio.to_thread(path.unlink)
                raise
    except FileExistsError:
        raise CannotExport(_("%(file)s exists already; choose another name.") % {"file": path}) from None
    except OSError as error:
        told = {"file": path, "why": error.strerror}
        raise CannotExport(_("%(file)s cannot be written (%(why)s).") % told) from None


COMMANDS: Final = {
    "mails": group(
        "mails",
        "The mails that were taken in, and what became of them.",
        {"list": list_mails, "show": show, "export": export, "force": force, "release": release},
    ),
    "quarantine": group(
        "quarantine",
        "Mails that could not become a ticket.",
        {"list": list_quarantined, "show": show, "replay": replay, "discard": discard},
    ),
}
