"""Mailboxes on servers, each set up by the command line alone and read by the whole importer (S2–S4, D9).

Dovecot is real; Exchange, Graph and Entra are servers of our own that speak their protocols (tests/servers).
"""

import json
import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.fetcher.mailboxes.protocol import MailboxAccess
from tests.acceptance.desks import Desk, open_desk
from tests.acceptance.installation import Installation
from tests.acceptance.pipeline import Pipeline, SupervisedPipeline, a_mail, eventually, running_pipeline
from tests.acceptance.test_mailbox import command
from tests.mailboxes.post_offices import POST_OFFICES, SERVERS, EwsPostOffice, GraphPostOffice, PostOffice

MOVED = int(os.environ.get("MOVED_MAILS", "60"))
"""Mails of a mailbox that moves; 10000 take a quarter of an hour."""
KINDS = sorted(POST_OFFICES.keys() - {"maildir"})


@pytest.fixture(scope="module")
def offices(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, PostOffice]]:
    """A mailbox of each kind that has a server."""
    opened = {
        kind: POST_OFFICES[kind](tmp_path_factory.mktemp(kind), *map(request.getfixturevalue, SERVERS.get(kind, ())))
        for kind in KINDS
    }
    yield opened
    for office in opened.values():
        office.close()


@pytest.fixture(scope="module")
async def pipeline(
    own_installation: Installation, offices: dict[str, PostOffice], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SupervisedPipeline]:
    """All four services, told where the Microsoft of the tests is."""
    graph = offices["graph"]
    assert isinstance(graph, GraphPostOffice)
    own_installation.environment.update(graph.server.environment)
    async with running_pipeline(own_installation, tmp_path_factory.mktemp("pipeline")) as running:
        yield running


async def set_up(pipeline: Pipeline, access: MailboxAccess, *, password: str) -> Desk:
    """A helpdesk whose mailbox was named on the command line, its kind left to «Server» and the login."""
    desk = await open_desk(pipeline, enabled=False)
    await point_at(pipeline, desk, access, password=password)
    return desk


async def point_at(pipeline: Pipeline, desk: Desk, access: MailboxAccess, *, password: str) -> None:
    """Let the helpdesk read this mailbox from now on."""
    server = f"imaps://{access.server}" if access.kind == "imap" else access.server
    given = {
        "kind": "",
        "server": server,
        "username": access.username,
        "mailbox": access.address,
        "tenant": access.tenant,
        "folder": access.folder,
        "ca-file": access.ca_file,
    }
    options = [word for name, value in given.items() for word in (f"--{name}", value or "")]
    await command(pipeline, "importer", "set", str(desk.id), "--with-password", *options, given=f"{password}\n")


async def refusals(pipeline: Pipeline) -> int:
    """How often the one login was refused since it was taken or changed."""
    return int((await pipeline.row("SELECT max(refused_logins) AS refused FROM helpdesk.login_states"))["refused"])


@pytest.mark.parametrize("kind", KINDS)
async def test_S2_S3_S4_D9_a_mailbox_on_a_server_is_read_once_its_login_is_right(
    kind: str, pipeline: Pipeline, offices: dict[str, PostOffice]
) -> None:
    office = offices[kind]
    assert office.access.password is not None
    right = office.access.password.get_secret_value()
    desk = await set_up(pipeline, office.access, password="Fout-wachtwoord-17")
    mail = a_mail(subject=f"Aan een mailbox van de soort {kind}")
    key = office.deliver(mail.as_bytes(), datetime.now(UTC).replace(microsecond=0))

    await command(pipeline, "importer", "set", str(desk.id), "--enabled")
    refused = await pipeline.row(
        "SELECT * FROM helpdesk.mailbox_states WHERE helpdesk_id = $1 AND problem IS NOT NULL", desk.id
    )
    assert refused["problem_kind"] == "login-refused"
    assert await refusals(pipeline) == 1
    said = await command(pipeline, "check-mailbox", str(desk.id), "--json", code=1)
    rests = json.loads(said[: said.rindex("}") + 1])
    assert (rests["kind"], rests["kind_is"], rests["trouble"]) == (kind, "derived", "LoginRests")

    await command(pipeline, "importer", "set-password", str(desk.id), given=f"{right}\n")
    assert (await pipeline.outcome(key))["outcome"] == "ticket"

    async def read() -> bool:
        return office.is_read(key)

    await eventually(read, "marked read")
    found = json.loads(await command(pipeline, "check-mailbox", str(desk.id), "--json"))
    assert (found["ok"], found["unread"], found["kind"]) == (True, 0, kind)
    state = await pipeline.row("SELECT * FROM helpdesk.mailbox_states WHERE helpdesk_id = $1", desk.id)
    assert (state["problem"], await refusals(pipeline)) == (None, 0)
    logs = [path.read_text() for path in Path(pipeline.mailboxes).parent.rglob("*.log")]
    assert not [log for log in logs if right in log or "Fout-wachtwoord-17" in log]


def secret(office: PostOffice) -> str:
    """The right password."""
    assert office.access.password is not None
    return office.access.password.get_secret_value()


def redirected(raw: bytes) -> bytes:
    """As a server passes a mail on to the mailbox's new place."""
    return b"Received: from old.example by new.example; Mon, 23 Nov 2026 09:00:00 +0100\r\n" + raw


def with_a_warning(raw: bytes) -> bytes:
    """As a gateway passes a mail on that writes into it."""
    return raw.replace(b"\r\n\r\n", b"\r\n\r\nLet op: deze mail komt van buiten.\r\n\r\n", 1)


async def all_decided(pipeline: Pipeline, desk: Desk, count: int) -> dict[str, int]:
    """How many mails of the helpdesk had which outcome, once so many have one."""

    async def decided() -> dict[str, int] | None:
        rows = await pipeline.connection.fetch(
            "SELECT coalesce(outcome, 'none') AS outcome, count(*) FROM helpdesk.imported_mails"
            " WHERE helpdesk_id = $1 GROUP BY 1",
            desk.id,
        )
        outcomes = {row["outcome"]: row["count"] for row in rows}
        return outcomes if "none" not in outcomes and sum(outcomes.values()) >= count else None

    return await eventually(decided, f"{count} mails decided", seconds=60 + count / 5)


@pytest.mark.timeout(180 + MOVED)
@pytest.mark.parametrize(("old_kind", "new_kind"), [("imap", "ews"), ("ews", "graph"), ("graph", "imap")])
async def test_D13_a_mailbox_that_moves_to_a_server_of_another_kind_doubles_and_loses_nothing(
    old_kind: str, new_kind: str, pipeline: Pipeline, offices: dict[str, PostOffice]
) -> None:
    """Every id is new and every mail unread again; mail goes on arriving, and is passed on, while it moves."""
    old, new = offices[old_kind], offices[new_kind]
    now = datetime.now(UTC).replace(microsecond=0)
    for office in (old, new):
        if isinstance(office, EwsPostOffice):
            office.server.manners.most_items = 1000  # as Exchange has it; pages of four would be thousands of requests

    def mails(count: int, *, named: bool = True) -> list[bytes]:
        made = [a_mail(sender=f"Klant <klant{n}@elders{n}.example>", text=f"Vraag nummer {n}.") for n in range(count)]
        for mail in [] if named else made:
            del mail["Message-ID"]
        return [mail.as_bytes() for mail in made]

    few = max(2, MOVED // 100)
    moved = [*mails(MOVED - few), *mails(few, named=False)]
    before_the_move, during_it, after_it = mails(few), mails(few), mails(few)
    rewritten = [with_a_warning(raw) for raw in moved[:few]]
    copies = moved[few : few + MOVED // 20]

    await pipeline.connection.execute(  # one mailbox is one helpdesk's
        "UPDATE helpdesk.importer_settings SET enabled = false, folder = 'Eerder ' || helpdesk_id"
    )
    desk = await set_up(pipeline, old.access, password=secret(old))
    for raw in moved:
        old.deliver(raw, now)
    await command(pipeline, "importer", "set", str(desk.id), "--enabled")
    tickets = len(moved)
    assert await all_decided(pipeline, desk, tickets) == {"ticket": tickets}

    for raw in (*moved, *copies, *rewritten):
        new.deliver(raw, now)
    for raw in before_the_move:
        old.deliver(raw, now)
        new.deliver(redirected(raw), now)
    tickets += len(before_the_move)
    assert await all_decided(pipeline, desk, tickets) == {"ticket": tickets}
    for raw in during_it:
        new.deliver(redirected(raw), now)
    await point_at(pipeline, desk, new.access, password=secret(new))
    for raw in after_it:
        new.deliver(raw, now)

    tickets += len(during_it) + len(after_it) + len(rewritten)
    duplicates = len(moved) + len(copies) + len(before_the_move)
    assert await all_decided(pipeline, desk, tickets + duplicates) == {"ticket": tickets, "duplicate": duplicates}
    listed = json.loads(
        await command(pipeline, "review", "list", "--helpdesk", str(desk.id), "--limit", "10000", "--json")
    )
    assert len(listed) == len(rewritten)
