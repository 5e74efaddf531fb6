"""What our reader answers to each expectation of the corpus."""

import uuid
from collections.abc import Iterator
from datetime import UTC
from functools import cache
from typing import Final

from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings, ReadMail
from shared.messages import AutomaticKind
from tests.services.classifier.corpus.files import (
    Answer,
    Expectation,
    content,
    has_names,
    judge_reply,
    judge_sender,
    mail_of,
    squeezed,
    wanted_names,
)

_AUTO_REPLIES = {AutomaticKind.AUTO_REPLY, AutomaticKind.OUT_OF_OFFICE}


@cache
def read(file: str) -> ReadMail:
    return read_mail(content(file), mail_id_of(file), ReadingSettings())


def mail_id_of(file: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, file)


def ours(expectation: Expectation) -> Iterator[Answer]:
    """The lines of the table that an expectation is scored in; a kind that is not scored has none."""
    return _SCORED.get(expectation["kind"], _unscored)(expectation)


def _unscored(_: Expectation) -> Iterator[Answer]:
    return iter(())


def _read(expectation: Expectation) -> ReadMail:
    return read_mail(mail_of(expectation), uuid.NAMESPACE_URL, ReadingSettings())


def _parts(expectation: Expectation) -> Iterator[Answer]:
    expect, mail = expectation["expect"], read(expectation["file"])
    names = [image.name for image in mail.images] + [part.name for part in mail.left_out]
    if "subject" in expect:
        yield "subject", squeezed(mail.subject) == squeezed(expect["subject"])
    if wanted := expect.get("from_values"):
        sender = mail.from_[0] if mail.from_ else None
        yield "sender", sender is not None and (sender.name, sender.address) == (wanted["name"], wanted["email"])
    if wanted := expect.get("date_utc"):
        yield "date", mail.sent_at is not None and f"{mail.sent_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" == wanted
    if expect.get("text"):
        yield "text", squeezed(mail.whole.text) == squeezed(expect["text"])
    if (wanted := wanted_names(expect)) is not None:
        complete = "attachments" not in expect or len(wanted) == len(names)
        yield "attachment names", complete and has_names(wanted, names)


def _bounce(expectation: Expectation) -> Iterator[Answer]:
    expect, mail = expectation["expect"], read(expectation["file"])
    automatic = mail.automatic.kind if mail.automatic is not None else None
    if "is_bounce" not in expect:
        return
    line = "bounce" if expect["is_bounce"] else "no bounce"
    yield line, (automatic is AutomaticKind.BOUNCE) is expect["is_bounce"]
    if recipients := expect.get("recipients"):
        classes = {recipient["status"][:1] for recipient in recipients}
        yield "bounce status class", classes == {recipient.status[:1] for recipient in mail.bounced}


def _automatic(expectation: Expectation) -> Iterator[Answer]:
    expected = expectation["expect"]["is_auto_reply"]
    told = read(expectation["file"]).automatic
    line = "automatic reply" if expected else "no automatic reply"
    yield line, (told is not None and told.kind in _AUTO_REPLIES) is expected


def _tnef(expectation: Expectation) -> Iterator[Answer]:
    """Names of the files in winmail.dat; its body is the mail's text, so that it is no file here."""
    mail = _read(expectation)
    names = [image.name for image in mail.images] + [part.name for part in mail.left_out]
    wanted = [name for name in expectation["expect"]["attachment_names"] if not name.startswith("body.")]
    yield "files in winmail.dat", has_names(wanted, names)


def _reply(expectation: Expectation) -> Iterator[Answer]:
    mail = _read(expectation)
    return judge_reply(expectation, (mail.reply or mail.whole).text)


def _forwarded(expectation: Expectation) -> Iterator[Answer]:
    found = _read(expectation).forwarded
    return judge_sender(expectation, *((found.name, found.address, found.subject) if found else ("", "", "")))


_SCORED: Final = {
    "parse": _parts,
    "parse_partial": _parts,
    "bounce": _bounce,
    "auto": _automatic,
    "reply_trim": _reply,
    "reply_trim_partial": _reply,
    "reply_trim_html": _reply,
    "compose": _reply,
    "forward": _forwarded,
    "tnef": _tnef,
}
"""Not `dsn` (a report of success is a bounce here, with its action), nor `signature` (only marked ones go)."""
