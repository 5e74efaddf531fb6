"""What the two processes of `explain` say to each other: a mail in a file with its facts, one JSON object a line.

    python -m services.classifier facts FILE… | python -m services.ticket_writer explain

The classifier reads the mails and finds their facts, ticket_writer decides on them: each by its own rules (DESIGN 19).
The same goes from one to the other where a person tries a mail in the web console, by way of `service_questions`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from shared.messages import Body, ClassifiedMail, MailAddress

NO_SETTINGS: Final = "no-settings"
"""Why a mail that a person tries has no outcome: its helpdesk lacks settings that every ticket needs."""


class ForwardedMail(BaseModel):
    """The mail that somebody passed on: who sent it first, its subject, and by which form it was recognised."""

    model_config = ConfigDict(frozen=True)

    name: str
    address: str
    subject: str
    how: str


class MailInFile(BaseModel):
    """A mail in a file, as the classifier would hand it on; its bodies are in the message, however large.

    `stated_sender` is the From of the mail, or who counts as its sender where that names nobody; `date` is its Date
    header, with its own offset; `whole` is what it says itself, without notes of ours. `numbers` are those of its
    subject in the order in which they are tried (D1), known or not. `automatic_sign` says by what it was recognised as
    automatic.
    """

    model_config = ConfigDict(frozen=True)

    file: str
    mail: ClassifiedMail
    stated_sender: MailAddress
    whole: Body
    date: datetime | None = None
    numbers: tuple[str, ...] = ()
    forwarded: ForwardedMail | None = None
    automatic_sign: str | None = None
