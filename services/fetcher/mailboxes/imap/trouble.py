"""What goes wrong with a connection to an IMAP server, as our errors."""

from __future__ import annotations

import imaplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from services.fetcher.mailboxes.imap import answers
from services.fetcher.mailboxes.imap.server import ImapServer
from services.fetcher.mailboxes.protocol import AccessDenied, MailboxError, MailboxMissing, MailGone, MailUnreadable
from shared.connecting import ForbiddenAddress

PARSING: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, RecursionError)
"""What the library raises over an answer that is none, besides errors of its own."""


class Lost(Exception):
    """The connection is of no use any more; another one may be. `sentence` is for the settings screen, `why` a part."""

    def __init__(self, sentence: MailboxError, why: str = "") -> None:
        super().__init__(str(sentence))
        self.sentence = sentence
        self.why = why or str(sentence)


class Refusal(Exception):
    """NO or BAD to a FETCH, or an answer that is none."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@contextmanager
def translating(server: ImapServer) -> Iterator[None]:
    """Our errors for what goes wrong with a connection; the library's own may hold what was sent, so none is kept."""
    try:
        yield
    except (Lost, MailboxError, MailGone, MailUnreadable):
        raise
    except ForbiddenAddress as error:
        raise MailboxMissing(error.sentence) from None
    except socket.gaierror:
        raise MailboxMissing(
            f"De naam {server.host} is in DNS niet te vinden: controleer de instelling «Server»."
        ) from None
    except ssl.SSLError as error:
        raise Lost(answers.certificate_error(error, str(server))) from None
    except imaplib.IMAP4.readonly:
        raise AccessDenied(
            "De map is voor deze login alleen te lezen: geef de login schrijfrechten op die map."
        ) from None
    except (OSError, imaplib.IMAP4.error, Refusal, *PARSING) as error:
        raise Lost(answers.unreachable(str(server), error), answers.why(error)) from None
