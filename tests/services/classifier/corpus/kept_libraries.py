"""What kept libraries reach when they are glued together, each used as its manual says.

The standard library, mail-parser-reply, flufl.bounce, inscriptis and tnefparse.
"""

import email
import email.message
import email.policy
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import inscriptis
from flufl.bounce import scan_message
from mailparser_reply import EmailReplyParser
from tnefparse import TNEF

from tests.services.classifier.corpus.files import (
    Answer,
    Expectation,
    body_of,
    content,
    has_names,
    judge_reply,
    judge_sender,
    mail_of,
    squeezed,
    wanted_names,
)

_LANGUAGES = ["en", "de", "nl", "fr", "it", "es", "pl", "da", "sv", "cs", "he", "ja", "ko", "zh"]


def kept_libraries(expectation: Expectation) -> Iterator[Answer]:
    """The lines of the table that an expectation is scored in; a kind that is not scored has none."""
    return _SCORED.get(expectation["kind"], _unscored)(expectation)


def _unscored(_: Expectation) -> Iterator[Answer]:
    return iter(())


def _message(expectation: Expectation) -> email.message.EmailMessage:
    return email.message_from_bytes(mail_of(expectation), policy=email.policy.default)


def _parts(expectation: Expectation) -> Iterator[Answer]:
    expect, message = expectation["expect"], _message(expectation)
    if "subject" in expect:
        yield "subject", squeezed(_attempt(lambda: str(message["subject"] or ""))) == squeezed(expect["subject"])
    if expect.get("text"):
        yield "text", squeezed(_attempt(lambda: _plain_text(message))) == squeezed(expect["text"])
    if (wanted := wanted_names(expect)) is not None:
        names = _attempt(lambda: [part.get_filename() or "" for part in message.iter_attachments()]) or []
        complete = "attachments" not in expect or len(wanted) == len(names)
        yield "attachment names", complete and has_names(wanted, names)


def _plain_text(message: email.message.EmailMessage) -> str:
    body = message.get_body(("plain", "html"))
    text = str(body.get_content()) if body is not None else ""
    return inscriptis.get_text(text) if body is not None and body.get_content_subtype() == "html" else text


def _bounce(expectation: Expectation) -> Iterator[Answer]:
    expect = expectation["expect"]
    if "is_bounce" not in expect:
        return
    message = email.message_from_bytes(content(expectation["file"]))
    found = bool(_attempt(lambda: scan_message(message)))
    yield "bounce" if expect["is_bounce"] else "no bounce", found is expect["is_bounce"]
    if recipients := expect.get("recipients"):
        classes = {recipient["status"][:1] for recipient in recipients}
        yield "bounce status class", classes == _attempt(lambda: _status_classes(message))


def _status_classes(message: email.message.Message) -> set[str]:
    blocks = (part for part in message.walk() if part.get_content_type() == "message/delivery-status")
    fields = (field for block in blocks for field in block.walk())
    return {str(field["Status"]).strip()[:1] for field in fields if field["Status"]}


def _automatic(expectation: Expectation) -> Iterator[Answer]:
    message = _message(expectation)
    submitted = str(_attempt(lambda: message["Auto-Submitted"]) or "no").strip().lower()
    expected = expectation["expect"]["is_auto_reply"]
    yield "automatic reply" if expected else "no automatic reply", submitted.startswith("auto-replied") is expected


@cache
def _parser() -> EmailReplyParser:
    return EmailReplyParser(languages=_LANGUAGES)


def _reply(expectation: Expectation) -> Iterator[Answer]:
    return judge_reply(expectation, _attempt(lambda: _reply_of(expectation)) or "")


def _reply_of(expectation: Expectation) -> str:
    text = _plain_text(_message(expectation)) if expectation["file"].endswith(".eml") else body_of(expectation)
    if expectation["kind"] == "reply_trim_html":
        text = inscriptis.get_text(text)
    return str(_parser().parse_reply(text) or "")


def _forwarded(expectation: Expectation) -> Iterator[Answer]:
    return judge_sender(expectation, *_attached_sender(expectation))


def _attached_sender(expectation: Expectation) -> tuple[str, str, str]:
    """An attached message; none of them reads a header within a text."""
    for part in _message(expectation).walk():
        if part.get_content_type() == "message/rfc822":
            sender = part.get_content()["from"].addresses[0]
            return sender.display_name, sender.addr_spec, str(part.get_content()["subject"])
    return "", "", ""


def _tnef(expectation: Expectation) -> Iterator[Answer]:
    wanted = [name for name in expectation["expect"]["attachment_names"] if not name.startswith("body.")]
    names = _attempt(lambda: [str(each.long_filename()) for each in TNEF(content(expectation["file"])).attachments])
    yield "files in winmail.dat", names is not None and has_names(wanted, names)


def _attempt(look: Callable[[], Any]) -> Any:
    try:
        return look()
    except Exception:  # noqa: BLE001 - that it fails is what is measured
        return None


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
