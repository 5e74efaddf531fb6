"""What the demonstration leaves: tables on the screen, and in its folder report.json and the notifications as .eml."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.demo.flow import Demonstration
from deploy.demo.ledger import NotificationRecord, TicketRecord
from deploy.demo.progress import COLOURS
from deploy.demo.smtp_server import Delivery
from shared.portal.reasons import explain


@dataclass(frozen=True, slots=True)
class ReceivedNotification:
    """A notification as the mail server got it; `file` is its place in the folder of the demonstration."""

    to: str
    subject: str
    file: str
    message_id: str


@dataclass(frozen=True, slots=True)
class MailOutcome:
    """A sample mail and what became of it; `seconds` from its delivery to the commit of its outcome.

    `reasons` are their ids, for programs; `why` has their sentences, for people.
    """

    file: str
    helpdesk: str
    outcome: str
    reasons: list[str]
    why: str
    ticket_number: str | None
    seconds: float


def keep_notifications(folder: Path, deliveries: Sequence[Delivery]) -> list[ReceivedNotification]:
    """Write each mail that the server got to `folder`/notifications, numbered in the order of arrival."""
    kept = []
    (folder / "notifications").mkdir(parents=True, exist_ok=True)
    for number, delivery in enumerate(deliveries, start=1):
        mail = message_from_bytes(delivery.content, _class=EmailMessage, policy=default)
        to = ", ".join(delivery.recipients)
        file = f"notifications/{number:02}-{to.partition('@')[0]}.eml"
        (folder / file).write_bytes(delivery.content)
        kept.append(ReceivedNotification(to, str(mail["Subject"]), file, str(mail["Message-ID"])))
    return kept


def mail_outcomes(demonstration: Demonstration) -> list[MailOutcome]:
    """Every mail that has an outcome, with the reasons that say why."""
    return [
        MailOutcome(
            file=mail.file,
            helpdesk=mail.helpdesk,
            outcome=record.outcome or "",
            reasons=[reason.id for reason in record.reasons],
            why=" ".join(explain(reason) for reason in record.reasons),
            ticket_number=record.ticket_number,
            seconds=round(demonstration.seconds(mail.file), 3),
        )
        for mail in demonstration.mails
        if (record := demonstration.records.get(mail.file)) is not None
    ]


def write_report(file: Path, mails: Sequence[MailOutcome], notifications: Sequence[ReceivedNotification]) -> None:
    """Write report.json."""
    content = {
        "mails": [asdict(mail) for mail in mails],
        "notifications": [
            {"to": received.to, "subject": received.subject, "file": received.file} for received in notifications
        ],
    }
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def show_mails(console: Console, mails: Sequence[MailOutcome]) -> None:
    """The table of mails: what each became, and why."""
    table = _table("What became of every mail, and why", "mail", "outcome", "ticket", "s", "why")
    for mail in mails:
        outcome = Text(mail.outcome, style=next((c for o, c in COLOURS.items() if o == mail.outcome), ""))
        table.add_row(mail.file, outcome, mail.ticket_number or "", f"{mail.seconds:.2f}", mail.why)
    console.print(table)


def show_tickets(console: Console, tickets: Sequence[TicketRecord]) -> None:
    """The table of tickets, those of before the importer included."""
    table = _table(
        "The tickets", "number", "helpdesk", "title", "contact", "status", "priority", "supplements", "images"
    )
    for ticket in tickets:
        table.add_row(
            ticket.number,
            ticket.helpdesk,
            ticket.title,
            ticket.contact,
            ticket.status,
            ticket.priority or "",
            str(ticket.supplements or ""),
            str(ticket.images or ""),
        )
    console.print(table)


def show_notifications(
    console: Console, received: Sequence[ReceivedNotification], decided: Sequence[NotificationRecord]
) -> None:
    """The table of notifications that were received, and the reasons of those that were not sent."""
    table = _table("The notifications that the mail server received", "to", "subject", "file")
    for notification in received:
        table.add_row(notification.to, notification.subject, notification.file)
    console.print(table)
    not_sent = Counter(record.reason for record in decided if record.state in {"not-sent", "failed"})
    if not_sent:
        counted = ", ".join(f"{reason} ({count})" for reason, count in not_sent.most_common())
        console.print(f"Not sent, on purpose: {counted}.", highlight=False)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", expand=False)
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column == "s" else "left")
    return table
