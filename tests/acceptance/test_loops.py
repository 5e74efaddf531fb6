"""Every loop ends (SPEC D6, D10): machines that answer each mail of ours, through the whole pipeline and a real socket.

What our mail server takes for such a machine comes back into the mailbox as its answer. The counts are those of
docs/operations.md.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from itertools import count

import pytest

from deploy.demo.smtp_server import Delivery, SmtpServer
from tests.acceptance.desks import Desk, open_desk
from tests.acceptance.installation import Installation
from tests.acceptance.pipeline import Pipeline, SupervisedPipeline, a_mail, running_pipeline
from tests.acceptance.story import facts_of

MARKS = ("Auto-Submitted", "X-Auto-Response-Suppress", "Precedence", "X-Loop", "In-Reply-To", "References")


@dataclass
class Machine:
    """What stands behind addresses of ours to write to, and answers each mail into `desk`'s mailbox."""

    pipeline: Pipeline
    desk: Desk
    dropped: list[str] = field(default_factory=list)

    def say(self, mail: EmailMessage) -> None:
        """Deliver a mail of the machine."""
        self.dropped.append(self.pipeline.drop(mail, self.desk.name))

    async def rests(self) -> None:
        """Return once each mail of the machine is dealt with, and so is each mail out: nothing is on its way then."""
        while True:
            known = len(self.dropped)
            await facts_of(self.pipeline, self.dropped)
            if known == len(self.dropped):
                return

    async def answered(self) -> dict[str, int]:
        """How many of its mails were answered, and why the others were not."""
        rows = await self.pipeline.connection.fetch(
            """SELECT CASE WHEN state = 'sent' THEN 'sent' ELSE reason END AS how, count(*) FROM helpdesk.notifications
               JOIN helpdesk.imported_mails AS mail USING (mail_id)
               WHERE mail.item_key = ANY($1) AND kind = 'ticket-added-customer' GROUP BY how""",
            self.dropped,
        )
        return {row["how"]: row["count"] for row in rows}


@contextmanager
def answering(server: SmtpServer, domain: str, answer: Callable[[str, Delivery], None]) -> Iterator[None]:
    """While it holds, `answer` gets each mail that the server takes for an address in `domain`."""
    earlier = server.on_delivery

    async def take(delivery: Delivery) -> None:
        if earlier is not None:
            await earlier(delivery)
        for recipient in delivery.recipients:
            if recipient.endswith(f"@{domain}"):
                answer(recipient, delivery)

    server.on_delivery = take
    try:
        yield
    finally:
        server.on_delivery = earlier


@pytest.fixture(scope="module")
async def desk(pipeline: Pipeline) -> Desk:
    """A helpdesk whose mailbox the machines write to."""
    return await open_desk(pipeline)


AUTORESPONDERS: dict[str, tuple[Callable[[int], tuple[str, str]], int, str]] = {
    "the same subject each time": (lambda _: ("robot", "Wij zijn gesloten"), 2, "over-limit-same-subject"),
    "a new subject each time": (lambda turn: ("robot", f"Uw bericht {turn} is ontvangen"), 10, "over-limit"),
    "another tag each time": (lambda turn: (f"robot+{turn}", f"Bericht {turn}"), 10, "over-limit"),
    "another address each time": (lambda turn: (f"robot{turn}", f"Bericht {turn}"), 30, "over-limit-in-domain"),
}


@pytest.mark.parametrize("kind", AUTORESPONDERS)
async def test_D10_an_autoresponder_that_marks_nothing(kind: str, pipeline: Pipeline, desk: Desk) -> None:
    writes, at_most, reason = AUTORESPONDERS[kind]
    domain = f"{uuid.uuid4().hex}.example"
    machine, turns = Machine(pipeline, desk), count(1)

    def say(*_: object) -> None:
        name, subject = writes(next(turns))
        machine.say(a_mail(sender=f"{name}@{domain}", subject=subject))

    with answering(pipeline.smtp, domain, say):
        for _ in range(min(at_most, 4)):  # as many conversations at once
            say()
        await machine.rests()
    assert await machine.answered() == {"sent": at_most, reason: min(at_most, 4)}


@pytest.fixture(scope="module")
async def other_pipeline(
    own_installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SupervisedPipeline]:
    """Another importer: a database, broker and services of its own."""
    async with running_pipeline(own_installation, tmp_path_factory.mktemp("other")) as running:
        await running.connection.execute("ALTER SEQUENCE helpdesk.ticket_number_seq RESTART WITH 7000001")
        yield running


def unmarked(content: bytes) -> EmailMessage:
    """The mail as a gateway hands it on that takes away all that tells a machine's mail."""
    mail = message_from_bytes(content, policy=SMTP)
    assert isinstance(mail, EmailMessage)
    for name in (*MARKS, "Message-ID"):
        del mail[name]
    mail["Message-ID"] = f"<{uuid.uuid4().hex}@gateway.example>"
    return mail


def as_it_is(content: bytes) -> EmailMessage:
    """The mail unchanged."""
    mail = message_from_bytes(content, policy=SMTP)
    assert isinstance(mail, EmailMessage)
    return mail


GATEWAYS: dict[str, tuple[Callable[[bytes], EmailMessage], dict[str, int], dict[str, int]]] = {
    "that hands on what it gets": (as_it_is, {"sent": 1}, {"automatic": 1}),
    "that takes every mark away": (unmarked, {"sent": 10, "over-limit": 1}, {"sent": 10}),
}


@pytest.mark.parametrize("gateway", GATEWAYS)
async def test_D10_two_importers_with_a_gateway_between(
    gateway: str, pipeline: Pipeline, other_pipeline: Pipeline
) -> None:
    hands_on, of_one, of_other = GATEWAYS[gateway]
    one, other = [
        Machine(each, await open_desk(each, templates={"ticket-added-customer": "Melding [ticketnummer] ontvangen"}))
        for each in (pipeline, other_pipeline)
    ]

    def between(to: Machine) -> Callable[[str, Delivery], None]:
        def hand_on(recipient: str, delivery: Delivery) -> None:
            if recipient == to.desk.address:
                to.say(hands_on(delivery.content))

        return hand_on

    domain = one.desk.address.partition("@")[2]
    with answering(pipeline.smtp, domain, between(other)), answering(other_pipeline.smtp, domain, between(one)):
        one.say(a_mail(sender=other.desk.address, subject="Begin"))
        async with asyncio.timeout(60):
            while True:
                said = len(one.dropped) + len(other.dropped)
                await one.rests()
                await other.rests()
                if said == len(one.dropped) + len(other.dropped):
                    break
    assert (await one.answered(), await other.answered()) == (of_one, of_other)
