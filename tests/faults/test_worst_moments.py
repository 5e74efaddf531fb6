"""Issue 4: each service is killed with SIGKILL at its worst moments, and every mail ends as if nothing had happened.

Four mails that go different ways are brought to the very same moment (`wires`), then the service dies and is started
again. What they leave is compared, row by row and mail by mail, with what such mails leave undisturbed.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Literal

import pytest

from tests.acceptance.pipeline import DEADLINE, eventually
from tests.faults.importer import Importer
from tests.faults.mails import Kind
from tests.faults.protocols import What
from tests.faults.wires import naming

KINDS = (Kind.IMAGE, Kind.SUPPLEMENT, Kind.LARGE, Kind.TOO_LARGE)
MAIL_RAW, MAIL_CLASSIFIED, TICKET_EVENT = "mail.raw", "mail.classified", "ticket.event"


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in the life of `service`, seen on its wire.

    `each`: what comes by. A batch is of as many of the four mails as waited for it; the others wait behind it.
    """

    service: str
    when: str
    what: What
    marker: str = ""
    each: Literal["mail", "batch"] = "mail"
    may_repeat: bool = False
    """The only moment that may send a Message-ID once more."""


MOMENTS = (
    Moment("fetcher", "stored, not published", What.PUBLISH, MAIL_RAW),
    Moment("fetcher", "published, not recorded", What.CONFIRM),
    Moment("fetcher", "recorded, not marked read", What.DONE, "SET published_at", "batch"),
    Moment("fetcher", "marked read, not recorded", What.ASK, "SET marked_read_at", "batch"),
    Moment("classifier", "images stored, not published", What.PUBLISH, MAIL_CLASSIFIED),
    Moment("classifier", "published and confirmed, not acknowledged", What.ACKNOWLEDGE),
    Moment("ticket_writer", "written, not committed", What.COMMIT, "INSERT INTO notifications", "batch"),
    Moment("ticket_writer", "committed, not published", What.DONE, "INSERT INTO notifications", "batch"),
    Moment("ticket_writer", "published, not confirmed", What.CONFIRM),
    Moment("ticket_writer", "recorded as published, not acknowledged", What.ACKNOWLEDGE),
    Moment("notifier", "read, not written", What.DONE, "id = ANY($1::uuid[]) AND tries = 0", "batch"),
    Moment("notifier", "written, not claimed", What.ASK, "SET message_id", "batch"),
    Moment("notifier", "claimed with its mail in one commit, not sent", What.DONE, "SET message_id", "batch"),
    Moment(
        "notifier",
        "taken (250), not committed",
        What.ASK,
        "SET state = CASE report_action",
        "batch",
        may_repeat=True,
    ),
    Moment("notifier", "sent and committed, not acknowledged", What.ACKNOWLEDGE),
)


@pytest.mark.parametrize("moment", MOMENTS, ids=[f"{moment.service}: {moment.when}" for moment in MOMENTS])
async def test_killed_at_its_worst_moment_each_mail_ends_as_if_undisturbed(importer: Importer, moment: Moment) -> None:
    wire = (importer.amqp if moment.what in ON_AMQP else importer.database)[moment.service]
    count = {"mail": len(KINDS), "batch": 1}[moment.each]
    smtp = importer.pipeline.smtp
    before = len(smtp.deliveries)
    doomed = await importer.the_only(moment.service)
    fetcher = await importer.the_only("fetcher")
    with wire.trap(moment.what, naming(moment.marker), count=count) as trap:
        # The fetcher itself meets the four in one check; the other services meet them as they come.
        with fetcher.suspended() if moment.service == "fetcher" else nullcontext():
            batch = importer.deliver(KINDS)
        await eventually(trap.is_reached, f"{count} mails at: {moment.when}", seconds=DEADLINE)
        if moment.may_repeat:  # what is taken meanwhile waits for its own batch to be recorded
            await smtp.wait_for(before + importer.sent_of(KINDS), seconds=DEADLINE)
        await importer.kill(doomed)
    sent_before = [delivery.content for delivery in smtp.deliveries]
    if moment.may_repeat:
        importer.may_repeat |= await importer.unrecorded(batch)
    await importer.start(moment.service)
    await importer.as_if_undisturbed(batch)
    again = [each for each in smtp.deliveries[len(sent_before) :] if each.content in sent_before]
    assert len(again) == (importer.sent_of(KINDS) if moment.may_repeat else 0)


ON_AMQP = {What.PUBLISH, What.CONFIRM, What.DELIVER, What.ACKNOWLEDGE}
