"""Microsoft 365 end to end, set up from the command line alone: mail in by Graph, notifications out by Graph.

The four services run as processes; Entra and Exchange Online are the server of `tests/servers/graph_server.py`.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from tests.acceptance.desks import Desk, invite, open_desk
from tests.acceptance.installation import Installation
from tests.acceptance.pipeline import Pipeline, SupervisedPipeline, a_mail, eventually, running_pipeline
from tests.acceptance.test_mailbox import command
from tests.servers.graph_apps import app_certificate
from tests.servers.graph_entra import CLIENT_ID, SECRET, TENANT
from tests.servers.graph_faults import status
from tests.servers.graph_mailbox import GraphMailbox
from tests.servers.graph_requests import Submitted
from tests.servers.graph_server import GraphServer

_TENANT = ("--tenant", TENANT, "--username", CLIENT_ID)


@dataclass(frozen=True, slots=True)
class Cloud:
    """A helpdesk whose mailbox is in Exchange Online, and which sends from it."""

    pipeline: Pipeline
    server: GraphServer
    mailbox: GraphMailbox
    desk: Desk
    secrets: tuple[str, ...]

    async def left(self, subject: str) -> Submitted:
        """The notification with these words in its subject, once it left."""

        async def found() -> Submitted | None:
            return next((each for each in self.server.submitted if subject in str(read(each.content)["Subject"])), None)

        return await eventually(found, f"a mail about {subject}")


def read(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphServer]:
    with GraphServer(tmp_path_factory.mktemp("microsoft")) as server:
        yield server


@pytest.fixture(scope="module")
async def pipeline(
    own_installation: Installation, server: GraphServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SupervisedPipeline]:
    """The services, told where this cloud is."""
    told = replace(own_installation, environment={**own_installation.environment, **server.environment})
    async with running_pipeline(told, tmp_path_factory.mktemp("pipeline")) as running:
        yield running


@pytest.fixture(scope="module")
async def cloud(pipeline: SupervisedPipeline, server: GraphServer, tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    """As docs/exchange.md says: a certificate for reading, a secret for sending, both from the mailbox's address."""
    desk = await open_desk(pipeline, enabled=False)
    mailbox = server.add_mailbox(desk.address)
    pem, certificate = app_certificate()
    server.entra.apps[CLIENT_ID].certificates.append(certificate)
    key = tmp_path_factory.mktemp("key") / "importer.pem"
    key.write_text(pem.get_secret_value())
    helpdesk, trusted = str(desk.id), ("--ca-file", str(server.ca_file))
    settings = ("--kind", "graph", "--server", "", "--mailbox", desk.address, "--check-interval", "1")
    await command(pipeline, "importer", "set", helpdesk, *settings, *_TENANT, *trusted)
    await command(pipeline, "importer", "set-certificate", helpdesk, str(key))
    account = ("--name", "m365", "--kind", "graph", "--mailbox", desk.address)
    await command(pipeline, "accounts", "add", *account, *_TENANT, *trusted)
    await command(pipeline, "accounts", "set-password", "m365", given=SECRET + "\n")
    await command(pipeline, "helpdesks", "set", helpdesk, "--account", "m365")
    return Cloud(pipeline, server, mailbox, desk, (SECRET, pem.get_secret_value().splitlines()[1]))


async def test_S4_D9_a_mailbox_in_microsoft_365_is_set_up_and_checked_from_the_command_line(cloud: Cloud) -> None:
    waiting = cloud.mailbox.deliver(a_mail(subject="Eerste").as_bytes())
    said = await command(cloud.pipeline, "check-mailbox", str(cloud.desk.id))
    assert "Microsoft Graph" in said
    assert CLIENT_ID in said
    assert not waiting.is_read
    cloud.server.mail.grants[CLIENT_ID, cloud.desk.address].clear()
    said = await command(cloud.pipeline, "check-mailbox", str(cloud.desk.id), code=1)
    assert "Application Mail.ReadWrite" in " ".join(said.split())
    cloud.server.mail.grants[CLIENT_ID, cloud.desk.address] |= {"Mail.ReadWrite", "Mail.Send"}
    await command(cloud.pipeline, "importer", "set", str(cloud.desk.id), "--enabled")
    assert (await cloud.pipeline.outcome(waiting.immutable_id))["outcome"] == "ticket"
    await eventually(lambda: _true(waiting.is_read), "the mark «read»")


async def test_W1_M4_D6_mail_goes_in_and_out_and_what_comes_back_is_recognised(cloud: Cloud) -> None:
    cast = await invite(cloud.pipeline)
    question = a_mail(subject="De scanner piept", sender=cast.senders["contact"])
    ticket = await cloud.pipeline.outcome(cloud.mailbox.deliver(question.as_bytes()).immutable_id)
    assert ticket["outcome"] == "ticket"
    confirmation = await cloud.left(str(ticket["ticket_number"]))
    assert confirmation.mailbox == cloud.desk.address
    told = await cloud.pipeline.notifications(ticket["mail_id"])
    sent = told["ticket-added-customer"]
    assert (sent["state"], sent["server_reply"]) == ("sent", "202 Accepted (Microsoft Graph)")
    mail = read(next(each.content for each in cloud.server.submitted if sent["message_id"].encode() in each.content))

    answer = a_mail(
        subject=f"Re: {mail['Subject']}", sender=cast.senders["contact"], in_reply_to=str(mail["Message-ID"])
    )
    outcome = await cloud.pipeline.outcome(cloud.mailbox.deliver(answer.as_bytes()).immutable_id)
    assert (outcome["outcome"], outcome["ticket_id"]) == ("supplement", ticket["ticket_id"])

    returned = await cloud.pipeline.outcome(cloud.mailbox.deliver(mail.as_bytes()).immutable_id)
    assert (returned["outcome"], returned["ticket_id"]) == ("supplement", ticket["ticket_id"])
    assert all(row["state"] == "not-sent" for row in (await cloud.pipeline.notifications(returned["mail_id"])).values())


async def test_S8_D9_a_missing_right_is_shown_and_gone_once_it_is_there(cloud: Cloud) -> None:
    cloud.server.fault(r"GET /users/[^/]+/mailFolders/[^/]+/messages", status(403, "ErrorAccessDenied"))
    problem = await cloud.pipeline.row(
        "SELECT problem FROM helpdesk.mailbox_states WHERE helpdesk_id = $1 AND problem IS NOT NULL", cloud.desk.id
    )
    assert "Application Mail.ReadWrite" in problem["problem"]
    await cloud.pipeline.row(
        "SELECT 1 FROM helpdesk.mailbox_states WHERE helpdesk_id = $1 AND problem IS NULL", cloud.desk.id
    )


async def test_no_secret_and_no_token_stands_in_a_log(cloud: Cloud) -> None:
    logs = "".join(path.read_text() for path in Path(cloud.pipeline.mailboxes.parent).rglob("*.log"))
    assert re.search("mailbox_checked|mail_id", logs)
    for secret in (*cloud.secrets, *cloud.server.entra.given):
        assert secret not in logs
    shown = await command(cloud.pipeline, "importer", "show", str(cloud.desk.id), "--json")
    assert json.loads(shown)
    assert not any(secret in shown for secret in cloud.secrets)


async def _true(fact: bool) -> bool:  # noqa: FBT001 - the fact itself
    return fact
