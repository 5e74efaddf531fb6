"""A connection to an IMAP server that has greeted us, in TLS unless the settings allow otherwise."""

from __future__ import annotations

import imaplib
import socket
import ssl

from services.fetcher.mailboxes.imap import answers, told
from services.fetcher.mailboxes.imap.server import ImapServer
from services.fetcher.mailboxes.imap.trouble import Lost
from services.fetcher.mailboxes.imap.wire import Client, open_socket, trouble
from services.fetcher.mailboxes.protocol import MailboxAccess, MailboxMissing
from services.fetcher.mailboxes.trusting import tls_context
from services.fetcher.rules.problem import ProblemKind
from shared import dialogue


def connect(server: ImapServer, access: MailboxAccess) -> Client:
    """Connect, begin TLS, read the greeting. Raises what `trouble.translating` translates."""
    context = tls_context(access.ca_file, "imap")
    if server.tls:
        try:
            return _greeted(server, open_socket(server.host, server.port, context), tls=True)
        except ssl.SSLError as error:
            if not server.guessed or error.reason != "WRONG_VERSION_NUMBER":
                raise
    client = _greeted(server, open_socket(server.host, server.port, None), tls=False)
    try:
        if client.wire.state == "NONAUTH" and client.has_capability("STARTTLS"):
            client.starttls(context)
        elif not access.allow_unencrypted:
            raise _in_the_clear(server)  # noqa: TRY301 - closes the connection as other trouble does
    except BaseException:
        client.wire.shutdown()
        raise
    return client


def _greeted(server: ImapServer, sock: socket.socket, *, tls: bool) -> Client:
    step = dialogue.ask("greeting")
    try:
        client = Client(sock, server.host, tls=tls)
    except imaplib.IMAP4.abort as error:
        step.end(trouble(error))
        sock.close()
        raise
    except imaplib.IMAP4.error as error:  # a greeting that is none, or BYE
        sock.close()
        said = error.args[0] if error.args and isinstance(error.args[0], bytes) else b""
        step.end(told.greeting(said))
        words = said.decode("utf-8", "replace").removeprefix("* BYE ")
        raise Lost(answers.goodbye_error(str(server), words)) from None
    except BaseException as error:
        step.end(dialogue.failure(error))
        sock.close()
        raise
    step.end(told.greeting(client.wire.welcome or b""))
    return client


def _in_the_clear(server: ImapServer) -> MailboxMissing:
    return MailboxMissing(
        f"{server} biedt op deze poort geen versleutelde verbinding (STARTTLS): vul bij «Server» imaps://… in, of sta "
        "uitdrukkelijk toe dat het wachtwoord onversleuteld over het netwerk gaat.",
        kind=ProblemKind.NOT_SECURE,
    )
