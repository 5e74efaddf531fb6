"""The classifier as it runs: its own process, real queues before and behind it, a real database with its own role."""

import asyncio
import base64
import hashlib
import io
import os
import re
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aio_pika
import PIL.Image
import pytest
from aio_pika.abc import AbstractChannel, AbstractQueueIterator

from services.classifier.flow import Classifier, TakesLong
from services.classifier.reading.images.decoding import NotStored
from services.classifier.reading.images.formats import FORMATS
from services.classifier.reading.pool import ReaderPool
from shared.blobs import claim_check
from shared.blobs.postgres import PostgresBlobs
from shared.broker.publish import Publisher
from shared.broker.topology import MAIL_CLASSIFIED, MAIL_RAW, dead_queue
from shared.broker.wire import Delivery, encode
from shared.database.pool import Pool, transaction
from shared.messages import (
    INLINE_LIMIT,
    AutomaticKind,
    BlobReference,
    Bodies,
    ClassifiedMail,
    Decoration,
    NumberIntroduction,
    RawMail,
    ReasonId,
    StoredBody,
)
from tests.bombs import with_many_pixels
from tests.databases import Database, Databases
from tests.servers.clamd import clamd
from tests.services.classifier.wrappings import multipart
from tests.vhosts import Vhost

ROOT = Path(__file__).parents[3]
MAILS = ROOT / "tests" / "mails"
PATIENCE = 60
"""Seconds in which a fact must show itself."""

DESK = """
    INSERT INTO organisations (id, name) VALUES (1, 'Bakkerij'), (2, 'Gemeente');
    INSERT INTO persons (id, organisation_id, name, active, created_at) VALUES
        (1, 1, 'Oud', false, '2020-01-01'), (2, 1, 'Jonger', true, '2024-01-01'), (3, 2, 'Ouder', true, '2022-01-01');
    INSERT INTO person_addresses (person_id, address) VALUES
        (1, 'sanne@bakkerij.example'), (2, 'Sanne@Bakkerij.example'), (3, 'SANNE@bakkerij.example');
    INSERT INTO employees (id, name) VALUES (1, 'Tom');
    INSERT INTO employee_addresses (employee_id, address) VALUES (1, 'tom@helpdesk.example');
    INSERT INTO calendars (id, name) VALUES (1, 'Kantooruren');
    INSERT INTO helpdesks (id, name, calendar_id) VALUES (1, 'ICT', 1), (2, 'Facilitair', 1);
    INSERT INTO statuses (id, helpdesk_id, name, flag) VALUES (1, 1, 'Nieuw', 'imported'), (2, 2, 'Nieuw', 'imported');
    INSERT INTO importer_settings (helpdesk_id, kind, server, mailbox_address, marker) VALUES
        (1, 'maildir', '/mail/ict', 'ict@helpdesk.example', '===== vul boven deze regel uw reactie ====='),
        (2, 'maildir', '/mail/fac', NULL, '## hier ##');
    INSERT INTO tickets (id, number, helpdesk_id, organisation_id, contact_id, created_by_employee_id,
                         changed_by_employee_id, reported_at, title, status_id) VALUES
        (1, '1000001', 1, 1, 2, 1, 1, now(), 'Kassa', 1), (2, '1000002', 1, 1, 2, 1, 1, now(), 'Nog eens', 1),
        (3, '1000003', 2, 1, 2, 1, 1, now(), 'Lamp', 2);
    UPDATE tickets SET merged_into_id = 1 WHERE id = 2;
    INSERT INTO ticket_numbers (number, ticket_id) VALUES ('2000417', 3);
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """A running classifier, with the ends of its queues in the test's hands."""

    publisher: Publisher
    results: AbstractQueueIterator
    vhost: Vhost
    pool: Pool
    blobs: PostgresBlobs

    async def put(self, raw: bytes, /, **envelope: Any) -> RawMail:
        """Store a mail and its row in the ledger, as the fetcher does, and publish it."""
        mail_id = uuid.uuid4()
        async with transaction(self.pool) as connection:
            reference = await self.blobs.put(connection, mail_id, raw)
            await connection.execute(
                """INSERT INTO imported_mails (mail_id, helpdesk_id, generation, folder, item_key, raw_sha256, raw_size,
                       full_size, received_at) VALUES ($1, 1, 1, 'INBOX', $2, $3, $4, $4, now())""",
                mail_id,
                str(mail_id),
                bytes.fromhex(reference.sha256),
                len(raw),
            )
        moment = datetime(2026, 11, 23, 9, tzinfo=UTC)
        fields = {"mail_id": mail_id, "helpdesk_id": 1, "received_at": moment, "fetched_at": moment}
        mail = RawMail.model_validate({"raw": reference, "full_size": len(raw)} | fields | envelope)
        await self.publish(mail, raw)
        return mail

    async def publish(self, mail: RawMail, raw: bytes) -> None:
        await self.publisher.publish(mail, payload=raw if len(raw) <= INLINE_LIMIT else None)

    async def classified(self) -> ClassifiedMail:
        """The next message behind the classifier."""
        async with asyncio.timeout(PATIENCE):
            message = await anext(self.results)
            await message.ack()
        return ClassifiedMail.model_validate_json(message.body)

    async def bodies(self, mail: ClassifiedMail) -> Bodies:
        return await claim_check.check_out(self.blobs, mail.bodies)


async def consumed(channel: AbstractChannel) -> None:
    """Returns as soon as the service takes mail."""
    async with asyncio.timeout(PATIENCE):
        while not (await channel.declare_queue(MAIL_RAW, passive=True)).declaration_result.consumer_count:
            await asyncio.sleep(0.05)


@asynccontextmanager
async def opened(database: Database, vhost: Vhost) -> AsyncIterator[Desk]:
    """The ends of the classifier's queues, and the database that it asks."""
    async with (
        database.pool("owner") as pool,
        Publisher(vhost.dsn("fetcher"), "test") as publisher,
        await aio_pika.connect(vhost.admin_dsn.get_secret_value()) as broker,
    ):
        async with transaction(pool) as connection:
            await connection.execute(DESK)
        queue = await (await broker.channel()).get_queue(MAIL_CLASSIFIED, ensure=False)
        async with queue.iterator() as results:
            yield Desk(publisher, results, vhost, pool, PostgresBlobs(pool))


@asynccontextmanager
async def running(database: Database, vhost: Vhost, **settings: str) -> AsyncIterator[Desk]:
    """The classifier as a process of its own; it must drain on SIGTERM."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "IMPORTER_DATABASE_URL": database.dsn("classifier").get_secret_value(),
        "IMPORTER_AMQP_URL": vhost.dsn("classifier").get_secret_value(),
        "IMPORTER_DATABASE_PASSWORD_CLASSIFIER": "in the address",
        "IMPORTER_SUSPECTS_AFTER_SECONDS": "0",
        "IMPORTER_AMQP_PASSWORD_CLASSIFIER": "in the address",
    }
    async with opened(database, vhost) as desk, await aio_pika.connect(vhost.admin_dsn.get_secret_value()) as broker:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.classifier", cwd=ROOT, env=environment | settings
        )
        try:
            await consumed(await broker.channel())
            yield desk
        finally:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENCE):
                code = await process.wait()
        assert code == os.EX_OK


@pytest.fixture(scope="module")
async def shared_desk(databases: Databases, module_vhost: Vhost) -> AsyncIterator[Desk]:
    """For tests that take every message behind the classifier, and change nothing that another one looks at."""
    async with databases.fresh() as database, running(database, module_vhost) as desk:
        yield desk


@pytest.fixture
async def desk(database: Database, vhost: Vhost) -> AsyncIterator[Desk]:
    """For tests that change settings, or look at all that there is; one child reads their few mails."""
    async with running(database, vhost, IMPORTER_READERS="1") as desk:
        yield desk


@pytest.fixture
async def desk_without_service(database: Database, vhost: Vhost) -> AsyncIterator[Desk]:
    """For tests that are the classifier themselves."""
    async with opened(database, vhost) as desk:
        yield desk


def mail(body: str = "Hallo", *, subject: str = "Printer", head: str = "") -> bytes:
    return (
        f"From: Sanne <sanne@bakkerij.example>\nTo: ict@helpdesk.example\nSubject: {subject}\n"
        "Message-ID: <een@bakkerij.example>\n"
        f"Date: Mon, 23 Nov 2026 09:00:00 +0100\n{head}\n{body}\n"
    ).encode()


async def test_a_mail_becomes_facts(shared_desk: Desk) -> None:
    """N2, D1, D12, S7: sender, ticket, both readings, in one message that bears the mail's own id."""
    raw = (MAILS / "clients" / "outlook-desktop.eml").read_bytes()
    envelope = await shared_desk.put(raw, forced=True)
    found = await shared_desk.classified()
    assert (found.mail_id, found.helpdesk_id, found.raw) == (envelope.mail_id, 1, envelope.raw)
    assert (found.received_at, found.forced) == (envelope.received_at, True)
    assert found.sender is not None
    assert [person.person_id for person in found.sender.persons] == [3, 2, 1]
    assert [(ticket.number, ticket.ticket_id) for ticket in found.candidates] == [("1000001", 1)]
    bodies = await shared_desk.bodies(found)
    assert bodies.above_marker is not None
    assert "De printer doet het weer" in bodies.above_marker.text
    assert "Van:" not in bodies.above_marker.text
    assert "Van:" in bodies.whole.text
    assert ReasonId.ABOVE_MARKER in {reason.id for reason in found.reasons}


async def test_a_mail_delivered_twice_gives_the_same_message(shared_desk: Desk) -> None:
    raw = (MAILS / "images" / "inline-and-attached.eml").read_bytes()
    envelope = await shared_desk.put(raw)
    await shared_desk.publish(envelope, raw)
    first, second = await shared_desk.classified(), await shared_desk.classified()
    assert first == second
    assert first.images


async def test_W4_images_are_stored_and_named_by_part(shared_desk: Desk) -> None:
    await shared_desk.put((MAILS / "images" / "inline-and-attached.eml").read_bytes())
    found = await shared_desk.classified()
    for image in found.images:
        content = await shared_desk.blobs.read(image.blob, limit=10_000_000)
        assert content.startswith(b"\x89PNG" if image.media_type == "image/png" else b"\xff\xd8\xff")
    assert [part.name for part in found.left_out] == ["offerte.pdf"]


async def test_D17_an_image_that_the_limit_on_mails_cut_off_is_left_out_for_that(shared_desk: Desk) -> None:
    whole = (MAILS / "images" / "heic.eml").read_bytes()
    await shared_desk.put(whole[: len(whole) * 3 // 4], complete=False, full_size=len(whole))
    found = await shared_desk.classified()
    assert [part.reason for part in found.left_out] == [NotStored.MAIL_TOO_LARGE]
    assert found.images == ()


async def test_D4_a_photograph_that_browsers_do_not_show_has_copies_that_they_do(shared_desk: Desk) -> None:
    await shared_desk.put((MAILS / "images" / "heic.eml").read_bytes())
    (image,) = (await shared_desk.classified()).images
    assert image.media_type == "image/heic"
    assert image.rendition is not None
    assert image.thumbnail is not None
    assert (await shared_desk.blobs.read(image.rendition.blob, limit=10**6)).startswith(b"\xff\xd8\xff")
    assert image.thumbnail.width <= image.rendition.width


async def test_D4_the_schema_takes_every_format_that_is_stored(desk_without_service: Desk) -> None:
    async with transaction(desk_without_service.pool) as connection:
        rules = await connection.fetchval(
            "SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint WHERE conname = 'stored_is_an_image'"
        )
    assert {row.media_type for row in FORMATS} <= set(re.findall(r"image/\w+", rules))


async def test_D4_positions_leave_a_photograph_unless_the_helpdesk_keeps_them(desk: Desk) -> None:
    photograph = io.BytesIO()
    exif = PIL.Image.Exif()
    exif[0x010F] = "Camerafabriek"
    PIL.Image.new("RGB", (40, 30)).save(photograph, "JPEG", exif=exif)
    raw = multipart(
        b"Content-Type: image/jpeg; name=foto.jpg\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(photograph.getvalue())
    )
    await desk.put(raw)
    (image,) = (await desk.classified()).images
    assert b"Camerafabriek" not in await desk.blobs.read(image.blob, limit=10**6)
    async with transaction(desk.pool) as connection:
        await connection.execute("UPDATE importer_settings SET strip_image_metadata = false")
    await desk.put(raw)
    (image,) = (await desk.classified()).images
    assert b"Camerafabriek" in await desk.blobs.read(image.blob, limit=10**6)


async def test_D4_what_comes_with_the_mails_of_other_tickets_is_a_logo(shared_desk: Desk) -> None:
    """Once seen it is none yet, so that a thread that quotes it in each mail makes none of it."""

    async def put(colour: int) -> Decoration | None:
        picture = io.BytesIO()
        PIL.Image.new("L", (120, 40), colour).save(picture, "PNG")
        shown = b'Content-Type: text/html\n\n<p>Groet</p><img src="cid:logo">'
        part = b"Content-Type: image/png\nContent-ID: <logo>\nContent-Transfer-Encoding: base64\n\n"
        envelope = await shared_desk.put(
            multipart(shown, part + base64.encodebytes(picture.getvalue()), kind="related")
        )
        (image,) = (await shared_desk.classified()).images
        async with transaction(shared_desk.pool) as connection:
            await connection.execute(
                """WITH made AS (
                    INSERT INTO tickets (id, helpdesk_id, organisation_id, contact_id, created_by_employee_id,
                        changed_by_employee_id, reported_at, title, status_id, sender_address, mail_id)
                    SELECT max(id) + 1, 1, 1, 2, 1, 1, now(), 'Vraag', 1, 'jan@klant.example', $1 FROM tickets
                    RETURNING id)
                UPDATE imported_mails SET outcome = 'ticket', outcome_at = now(), ticket_id = made.id
                FROM made WHERE imported_mails.mail_id = $1""",
                envelope.mail_id,
            )
        return image.decoration

    assert [await put(10) for _ in range(3)] == [None, None, Decoration.LOGO]
    assert [await put(20) for _ in range(2)] == [None, None]


async def test_D4_a_tracking_pixel_is_told(shared_desk: Desk) -> None:
    picture = io.BytesIO()
    PIL.Image.new("L", (1, 1)).save(picture, "GIF")
    source = "data:image/gif;base64," + base64.b64encode(picture.getvalue()).decode()
    await shared_desk.put(multipart(f'Content-Type: text/html\n\n<p>Actie!</p><img src="{source}">'.encode()))
    (image,) = (await shared_desk.classified()).images
    assert image.decoration is Decoration.TRACKING


async def test_D4_an_infected_image_is_named_and_not_stored(database: Database, vhost: Vhost) -> None:
    raw = (MAILS / "images" / "inline-and-attached.eml").read_bytes()
    async with clamd() as scanner, running(database, vhost, IMPORTER_CLAMD_URL=scanner.url) as desk:
        scanner.signatures[b"\xff\xd8\xff"] = "Test.Proef-1"
        await desk.put(raw)
        found = await desk.classified()
        assert [image.media_type for image in found.images] == ["image/png"]
        assert [part.name for part in found.left_out] == ["foto.jpg", "offerte.pdf"]
        assert found.left_out[0].reason == "de virusscanner vond «Test.Proef-1»"
        assert ReasonId.VIRUS_FOUND in {reason.id for reason in found.reasons}
        assert len(scanner.scanned) == 2


async def test_D4_while_the_scanner_is_away_mail_waits(database: Database, vhost: Vhost, tmp_path: Path) -> None:
    path = str(tmp_path / "clamd.ctl")
    async with AsyncExitStack() as stack, AsyncExitStack() as until_away:
        await until_away.enter_async_context(clamd(path))
        desk = await stack.enter_async_context(running(database, vhost, IMPORTER_CLAMD_URL=f"unix://{path}"))
        await until_away.aclose()
        await desk.put((MAILS / "images" / "inline-and-attached.eml").read_bytes())
        broker = await aio_pika.connect(vhost.admin_dsn.get_secret_value())
        async with broker, asyncio.timeout(PATIENCE):
            channel = await broker.channel()
            while (await channel.declare_queue(MAIL_RAW, passive=True)).declaration_result.consumer_count:
                await asyncio.sleep(0.05)  # until the consumer gave the mail back and left
            waiting = (await channel.declare_queue(MAIL_RAW, passive=True)).declaration_result.message_count
        async with clamd(path) as scanner:
            found = await desk.classified()
        assert waiting == 1
        assert len(found.images) == len(scanner.scanned) == 2


async def test_large_mail_and_large_bodies_travel_by_claim_check(shared_desk: Desk) -> None:
    text = "De printer op de tweede verdieping doet het niet.\n" * 8_000
    await shared_desk.put(mail(text))
    found = await shared_desk.classified()
    assert isinstance(found.bodies, StoredBody)
    assert (await shared_desk.bodies(found)).whole.text.strip() == text.strip()


@pytest.mark.parametrize(
    ("subject", "number", "ticket_id", "alias"),
    [
        pytest.param("Re: Ticket 1000003 lamp", "1000003", 3, False, id="D15-other-helpdesk"),
        pytest.param("Oude melding 2000417", "2000417", 3, True, id="D1-alias"),
        pytest.param("Ticket 1000002", "1000002", 1, False, id="D1-merged-leads-to-its-target"),
    ],
)
async def test_D1_numbers_lead_to_tickets(
    shared_desk: Desk,
    subject: str,
    number: str,
    ticket_id: int,
    alias: bool,  # noqa: FBT001 - a table's column
) -> None:
    await shared_desk.put(mail(subject=subject))
    (candidate,) = (await shared_desk.classified()).candidates
    assert (candidate.number, candidate.ticket_id, candidate.is_alias) == (number, ticket_id, alias)


async def test_D1_numbers_of_a_group_only(desk: Desk) -> None:
    """*Setting* numbers_of: a number of a helpdesk outside the group is not known here."""
    async with transaction(desk.pool) as connection:
        await connection.execute("UPDATE importer_settings SET numbers_of = 'group' WHERE helpdesk_id = 1")
    await desk.put(mail(subject="Ticket 1000003"))
    found = await desk.classified()
    assert found.candidates == ()
    assert [reason.id for reason in found.reasons] == [ReasonId.UNKNOWN_NUMBER]


async def test_D15_the_marker_of_the_tickets_helpdesk_counts(shared_desk: Desk) -> None:
    body = "Antwoord\n\n> ## hier ##\n> Vraag"
    await shared_desk.put(mail(body, subject="Ticket 1000003"))
    await shared_desk.put(mail(body, subject="Ticket 1000001"))
    of_theirs, of_ours = await shared_desk.classified(), await shared_desk.classified()
    if of_theirs.subject != "Ticket 1000003":
        of_theirs, of_ours = of_ours, of_theirs
    above = (await shared_desk.bodies(of_theirs)).above_marker
    assert above is not None
    assert above.text == "Antwoord"
    assert (await shared_desk.bodies(of_ours)).above_marker is None


async def test_D6_a_bounce_of_our_own_mail_leads_to_its_ticket(shared_desk: Desk) -> None:
    notified = await shared_desk.put(mail(subject="eerste"))
    await shared_desk.classified()
    async with transaction(shared_desk.pool) as connection:
        await connection.execute(
            """INSERT INTO notifications (id, mail_id, kind, helpdesk_id, ticket_id, recipient_address, state,
                   message_id, sent_at) VALUES
                   (gen_random_uuid(), $1, 'ticket-added-customer', 2, 3, 'weg@elders.example', 'sent',
                   'ons.0f3a@helpdesk.example', now())""",
            notified.mail_id,
        )
    await shared_desk.put((MAILS / "automatic" / "bounce-rfc3464.eml").read_bytes())
    found = await shared_desk.classified()
    assert found.automatic is AutomaticKind.BOUNCE
    assert found.own_message_id == "ons.0f3a@helpdesk.example"
    assert [ticket.ticket_id for ticket in found.candidates] == [3]
    assert [(each.recipient, each.status, each.action) for each in found.bounced] == [
        ("weg@elders.example", "5.1.1", "failed")
    ]
    await shared_desk.put(mail(head="X-Any: 1\n").replace(b"een@bakkerij.example", b"ons.0f3a@helpdesk.example"))
    assert (await shared_desk.classified()).automatic is AutomaticKind.OWN


async def test_D8_threads_are_followed_where_the_helpdesk_wants_it(desk: Desk) -> None:
    """Ours and customers' Message-IDs, the nearest first, of this helpdesk and its group; never before a number."""
    asked = await desk.put(mail(subject="eerste"))
    await desk.classified()
    async with transaction(desk.pool) as connection:
        await connection.execute(
            "UPDATE tickets SET mail_id = $1, sender_address = 'een@x.example' WHERE id = 1", asked.mail_id
        )
        await connection.execute(
            """UPDATE imported_mails SET outcome = 'ticket', outcome_at = now(), ticket_id = 1,
                   message_id_header = 'vraag@bakkerij.example' WHERE mail_id = $1""",
            asked.mail_id,
        )
        await connection.execute(
            """INSERT INTO notifications (id, mail_id, kind, helpdesk_id, ticket_id, recipient_address, state,
                   message_id, sent_at) VALUES
                   (gen_random_uuid(), $1, 'ticket-added-customer', 2, 3, 'a@elders.example', 'sent',
                   'ons@fac', now())""",
            asked.mail_id,
        )
    answer = mail(head="In-Reply-To: <vraag@bakkerij.example>\nReferences: <ons@fac> <vraag@bakkerij.example>\n")

    await desk.put(answer)
    unfollowed = await desk.classified()
    assert unfollowed.candidates == ()
    assert [reason.detail for reason in unfollowed.reasons if reason.id is ReasonId.THREAD_NOT_FOLLOWED] == ["1000001"]

    async with transaction(desk.pool) as connection:
        await connection.execute("UPDATE importer_settings SET follow_threads = true WHERE helpdesk_id = 1")
    await desk.put(answer)
    (candidate,) = (await desk.classified()).candidates
    assert (candidate.number, candidate.introduction) == ("1000001", NumberIntroduction.THREAD)
    await desk.put(mail(subject="Ticket 1000003", head="In-Reply-To: <vraag@bakkerij.example>\n"))
    (candidate,) = (await desk.classified()).candidates
    assert (candidate.number, candidate.introduction) == ("1000003", NumberIntroduction.INTRODUCED)
    other_helpdesk = mail(head="In-Reply-To: <ons@fac>\n")
    await desk.put(other_helpdesk)
    assert (await desk.classified()).candidates == ()

    async with transaction(desk.pool) as connection:
        await connection.execute("INSERT INTO helpdesk_groups (id, name) VALUES (1, 'Samen')")
        await connection.execute("UPDATE helpdesks SET group_id = 1")
    await desk.put(other_helpdesk)
    (candidate,) = (await desk.classified()).candidates
    assert candidate.number == "1000003"

    async with transaction(desk.pool) as connection:  # a summary is of many tickets, and an answer to it of none
        await connection.execute(
            "UPDATE notifications SET kind = 'ticket-added-manager', collects_until = now()"
            " WHERE message_id = 'ons@fac'"
        )
    await desk.put(other_helpdesk)
    assert (await desk.classified()).candidates == ()


async def test_D17_a_mail_that_kills_its_reader_goes_on_and_so_do_others(database: Database, vhost: Vhost) -> None:
    """One takes too long, one takes too much memory; both go on from their heads, and the next is read whole."""
    limits = {"IMPORTER_READERS": "1", "IMPORTER_READING_SECONDS": "1", "IMPORTER_READING_MEMORY_MB": "512"}
    async with running(database, vhost, **limits) as desk:
        await desk.put(mail("x" * 240_000_000, subject="groot"))  # first: on a busy machine putting it takes long
        await desk.put(slow("traag"))
        await desk.put(mail("Gewoon", subject="gewoon"))
        found = {each.subject: each for each in [await desk.classified() for _ in range(3)]}
        assert next(iter(found)) == "gewoon", "the others wait for those that take long"
        for subject in ("traag", "groot"):
            assert [reason.id for reason in found[subject].reasons][-1] is ReasonId.UNREADABLE, subject
            assert found[subject].sender is not None
        assert (await desk.bodies(found["traag"])).whole.text.startswith("Te traag")
        assert found["gewoon"].reasons == ()


async def test_D17_a_sender_whose_mail_took_too_long_waits_behind_the_others(desk_without_service: Desk) -> None:
    """So does nobody whose address a forger writes: who is not vouched for is not remembered, and not taken for him."""
    async with transaction(desk_without_service.pool) as connection:
        await connection.execute("UPDATE importer_settings SET trusted_authserv_ids = '{mx.example}'")
    async with (
        ReaderPool(readers=1, memory_bytes=1024**3) as readers,
        Publisher(desk_without_service.vhost.dsn("classifier"), "test") as publisher,
    ):
        classifier = Classifier(
            pool=desk_without_service.pool,
            blobs=desk_without_service.blobs,
            readers=readers,
            publisher=publisher,
            number_pattern="[1-9][0-9]{6,9}",
            large_at_once=1,
            alone_seconds=1,
        )
        with pytest.raises(TakesLong):
            await classifier.handle(delivered(slow("vervalst")))
        await classifier.handle(delivered(VOUCHED + mail("Echt", subject="echt")))
        for raw in (slow("traag"), mail("Nog een", subject="daarna")):
            with pytest.raises(TakesLong):
                await classifier.handle(delivered(VOUCHED + raw))
        await classifier.handle(replace(delivered(VOUCHED + mail("Alleen", subject="alleen")), suspect=True))
        await classifier.handle(delivered(VOUCHED + mail("Ander", subject="ander").replace(b"sanne@", b"els@")))
        await classifier.handle(delivered(mail("Vervalst", subject="vervalst, maar kort")))
    assert [(await desk_without_service.classified()).subject for _ in range(4)] == [
        "echt",
        "alleen",
        "ander",
        "vervalst, maar kort",
    ]


VOUCHED = b"Authentication-Results: mx.example; dmarc=pass header.from=bakkerij.example\n"


def slow(subject: str) -> bytes:
    """A mail that takes a reader longer than others may wait for, by its pixels."""
    bomb = EmailMessage()
    bomb["From"], bomb["Subject"] = "Sanne <sanne@bakkerij.example>", subject
    bomb.set_content("Te traag")
    return with_many_pixels(bomb).as_bytes()


def delivered(raw: bytes) -> Delivery:
    """A mail as the queue gives it."""
    moment = datetime(2026, 11, 23, 9, tzinfo=UTC)
    reference = BlobReference(sha256=hashlib.sha256(raw).hexdigest(), size=len(raw))
    envelope = RawMail(
        mail_id=uuid.uuid4(), helpdesk_id=1, received_at=moment, fetched_at=moment, raw=reference, full_size=len(raw)
    )
    return Delivery(
        queue=MAIL_RAW,
        body=raw,
        headers=encode(envelope, raw).headers,
        content_type="message/rfc822",
        message_type=RawMail.type,
        message_id="een",
        correlation_id=str(envelope.mail_id),
        app_id="test",
        timestamp=None,
        redelivered=True,
    )


async def test_D17_a_mail_that_shows_a_bug_of_ours_is_handed_on_from_its_head(desk_without_service: Desk) -> None:
    """The last try of a poison mail (DESIGN 5): the mail goes on, and says that we failed."""
    delivery = delivered(mail("Tekst", subject="Ticket 1000001"))
    async with (
        ReaderPool(readers=1, memory_bytes=1024**3) as readers,
        Publisher(desk_without_service.vhost.dsn("classifier"), "test") as publisher,
    ):
        classifier = Classifier(
            pool=desk_without_service.pool,
            blobs=desk_without_service.blobs,
            readers=readers,
            publisher=publisher,
            number_pattern="[1-9][0-9]{6,9}",
            large_at_once=1,
            alone_seconds=30,
        )
        await classifier.hand_on(delivery, ZeroDivisionError("x"))
    found = await desk_without_service.classified()
    assert (found.mail_id, found.subject) == (delivery.mail_id, "Ticket 1000001")
    assert [ticket.ticket_id for ticket in found.candidates] == [1]
    assert [(reason.id, reason.detail) for reason in found.reasons] == [
        (ReasonId.OUR_ERROR, "ZeroDivisionError"),
        (ReasonId.UNREADABLE, ""),
    ]


async def test_a_message_that_is_no_envelope_is_parked(desk: Desk) -> None:
    raw = mail()
    reference = BlobReference(sha256="0" * 64, size=len(raw))
    await desk.put(raw, raw=reference)
    await desk.put(raw)
    assert (await desk.classified()).subject == "Printer"
    broker = await aio_pika.connect(desk.vhost.admin_dsn.get_secret_value())
    queue = await (await broker.channel()).get_queue(dead_queue(MAIL_RAW), ensure=False)
    async with asyncio.timeout(PATIENCE), queue.iterator() as parked:
        message = await anext(parked)
        await message.ack()
    await broker.close()
    assert "not those of blob" in str(message.headers["reason"])
    async with transaction(desk.pool) as connection:
        assert await connection.fetchval("SELECT count(*) FROM dead_letters WHERE queue = $1", MAIL_RAW) == 1
