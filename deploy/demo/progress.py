"""Shows the demonstration while it runs: a line for every mail that ends; on a terminal, bars below them."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.demo.ledger import MailRecord
from deploy.demo.sample_mails import SampleMail
from shared.messages import Outcome

COLOURS: Final = {
    Outcome.TICKET: "green",
    Outcome.SUPPLEMENT: "cyan",
    Outcome.DUPLICATE: "yellow",
    Outcome.QUARANTINE: "magenta",
}


class LiveProgress:
    """A `deploy.demo.flow.Progress` on a console; without a terminal, lines alone."""

    def __init__(self, console: Console, mails: int) -> None:
        self._console = console
        self._bars = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._delivered = self._bars.add_task("mails delivered", total=mails)
        self._ended = self._bars.add_task("mails with an outcome", total=mails)
        self._notified = self._bars.add_task("notifications received", total=None)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bars.stop()

    def delivered(self, _mail: SampleMail) -> None:
        """One more mail lies in its mailbox."""
        self._bars.advance(self._delivered)

    def ended(self, mail: SampleMail, record: MailRecord, seconds: float) -> None:
        """Say what became of a mail."""
        self._bars.advance(self._ended)
        if record.outcome is None:
            return
        became = f"{record.outcome.value:<10} {record.ticket_number or '':<8}"
        self._console.print(
            f"{seconds:6.2f} s  [{COLOURS[record.outcome]}]{became}[/] {mail.file:<48} [dim]{escape(mail.shows)}[/]",
            highlight=False,
            soft_wrap=True,
        )

    def notified(self, received: int) -> None:
        """The mail server holds so many notifications."""
        self._bars.update(self._notified, completed=received)
