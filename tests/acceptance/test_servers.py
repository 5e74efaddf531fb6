"""Mailboxes on servers, each set up by the command line alone and read by the whole importer (S2–S4, D9).

Dovecot is real; Exchange, Graph and Entra are servers of our own that speak their protocols (tests/servers).
"""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.fetcher.mailboxes.protocol import MailboxAccess
from tests.acceptance.desks import Desk, open_desk
from tests.acceptance.installation import Installation
from tests.acceptance.pipeline import Pipeline, SupervisedPipeline, a_mail, eventually, running_pipeline
from tests.acceptance.test_mailbox import command
from tests.mailboxes.post_offices import POST_OFFICES, SERVERS, GraphPostOffice, PostOffice

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
    await command(pipeline, "importer", "set", str(desk.id), *options)
    await command(pipeline, "importer", "set-password", str(desk.id), given=f"{password}\n")
    return desk


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
