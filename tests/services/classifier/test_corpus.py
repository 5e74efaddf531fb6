"""Real mails of 33 public test suites, where they are (CORPUS, default ../shared/corpus beside the repository).

Each mail gives a result within the limits, and no mail a different one the second time. Where a source says what it
expects, the reader is scored against it: the table is printed, and each line must stay above what it reached. Beside it
stands what the standard library alone reaches.

Expectations that we leave on purpose, in each line's count of misses: attached messages are not flattened into body and
attachments (imap_tools); a soft hyphen in a subject goes; undeclared 8-bit bytes are windows-1252, not dropped (mikel);
automatic notifications of a ticket system are automatic (SPEC D6); an alert of a virus scanner is no bounce.
"""

import csv
import email
import email.message
import email.policy
import json
import os
import re
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings, ReadMail
from services.classifier.rules.limits import DEFAULT_LIMITS
from shared.messages import AutomaticKind

CORPUS = Path(os.environ.get("CORPUS", Path(__file__).parents[4] / "shared" / "corpus"))
FLOORS = {
    "subject": 0.95,
    "sender": 0.95,
    "date": 1.0,
    "text": 0.87,
    "attachment names": 0.91,
    "bounce": 0.985,
    "no bounce": 1.0,
    "bounce status class": 0.97,
    "automatic reply": 1.0,
    "no automatic reply": 0.95,
}
AUTO_REPLIES = {AutomaticKind.AUTO_REPLY, AutomaticKind.OUT_OF_OFFICE}

Answer = tuple[str, bool]
"""The line of the table, and whether the expectation is met."""
KINDS = {"parse", "parse_partial", "bounce", "auto"}


def corpus_is_there() -> bool:
    return (CORPUS / "EXPECT.jsonl").is_file()


def mails() -> list[str]:
    with (CORPUS / "MANIFEST.tsv").open(encoding="utf-8", newline="") as manifest:
        return [row["file"] for row in csv.DictReader(manifest, delimiter="\t") if row["kind"] == "mail"]


@cache
def read(file: str) -> ReadMail:
    return read_mail((CORPUS / file).read_bytes(), uuid.uuid5(uuid.NAMESPACE_URL, file), ReadingSettings())


def squeezed(text: str | None) -> str:
    return re.sub(r"\s+", "", text or "")


def ours(expectation: dict[str, Any]) -> Iterator[Answer]:
    kind, expect, mail = expectation["kind"], expectation["expect"], read(expectation["file"])
    automatic = mail.automatic.kind if mail.automatic is not None else None
    if kind in {"parse", "parse_partial"}:
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
    elif kind == "bounce":
        yield (
            "bounce" if expect["is_bounce"] else "no bounce",
            (automatic is AutomaticKind.BOUNCE) is expect["is_bounce"],
        )
        if recipients := expect.get("recipients"):
            classes = {recipient["status"][:1] for recipient in recipients}
            yield "bounce status class", classes == {recipient.status[:1] for recipient in mail.bounced}
    elif kind == "auto":
        line = "automatic reply" if expect["is_auto_reply"] else "no automatic reply"
        yield line, (automatic in AUTO_REPLIES) is expect["is_auto_reply"]


def standard_library(expectation: dict[str, Any]) -> Iterator[Answer]:
    kind, expect = expectation["kind"], expectation["expect"]
    if kind not in {"parse", "parse_partial"}:
        return
    message = email.message_from_bytes((CORPUS / expectation["file"]).read_bytes(), policy=email.policy.default)
    if "subject" in expect:
        yield "subject", squeezed(attempt(lambda: str(message["subject"] or ""))) == squeezed(expect["subject"])
    if expect.get("text"):
        yield "text", squeezed(attempt(lambda: plain_text(message))) == squeezed(expect["text"])
    if (wanted := wanted_names(expect)) is not None:
        names = attempt(lambda: [part.get_filename() or "" for part in message.iter_attachments()]) or []
        complete = "attachments" not in expect or len(wanted) == len(names)
        yield "attachment names", complete and has_names(wanted, names)


def plain_text(message: email.message.EmailMessage) -> str:
    body = message.get_body(("plain",))
    return str(body.get_content()) if body is not None else ""


def share(answers_met: list[bool]) -> float:
    return sum(answers_met) / len(answers_met)


def attempt(look: Callable[[], Any]) -> Any:
    try:
        return look()
    except Exception:  # noqa: BLE001 - that it fails is what is measured
        return None


def wanted_names(expect: dict[str, Any]) -> list[str] | None:
    if "attachments" in expect:
        return [attachment.get("filename") or "" for attachment in expect["attachments"]]
    names: list[str] | None = expect.get("attachment_names")
    return names


def has_names(wanted: list[str], names: list[str]) -> bool:
    found = [squeezed(name) for name in names]
    return all(any(name.startswith(squeezed(want)) for name in found) for want in wanted if want)


def test_every_mail_gives_one_bounded_result(capsys: pytest.CaptureFixture[str]) -> None:
    if not corpus_is_there():
        with capsys.disabled():
            print(f"\nno corpus at {CORPUS}: nothing to read")  # noqa: T201 - said where it is not
        return
    for file in mails():
        mail = read(file)
        assert len(mail.subject) <= DEFAULT_LIMITS.subject, file
        assert len(mail.whole.text) <= DEFAULT_LIMITS.text, file
        assert "\x00" not in mail.whole.text + mail.whole.html + mail.subject, file
        (mail.whole.text + mail.whole.html + mail.subject).encode()
    for file in mails()[::10]:
        again = read_mail((CORPUS / file).read_bytes(), uuid.uuid5(uuid.NAMESPACE_URL, file), ReadingSettings())
        assert again == read(file), file


def test_expectations_are_met_as_often_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    if not corpus_is_there():
        with capsys.disabled():
            print(f"\nno corpus at {CORPUS}: nothing to score")  # noqa: T201 - said where it is not
        return
    scores: dict[str, dict[str, list[bool]]] = {"ours": defaultdict(list), "standard library": defaultdict(list)}
    with (CORPUS / "EXPECT.jsonl").open(encoding="utf-8") as lines:
        for expectation in map(json.loads, lines):
            for reader, answers in (("ours", ours), ("standard library", standard_library)):
                for line, met in answers(expectation) if expectation["kind"] in KINDS else ():
                    scores[reader][line].append(bool(met))
    with capsys.disabled():
        print(f"\n{'':22}{'mails':>7}{'ours':>9}{'standard library':>19}")  # noqa: T201 - the table is the point
        for line, answers_met in scores["ours"].items():
            theirs = scores["standard library"].get(line)
            beside = f"{share(theirs):18.1%}" if theirs else f"{'–':>18}"
            print(f"{line:22}{len(answers_met):7}{share(answers_met):9.1%} {beside}")  # noqa: T201 - as above
    reached = {line: share(answers_met) for line, answers_met in scores["ours"].items()}
    assert {line: reached[line] for line in reached if reached[line] < FLOORS[line]} == {}
    assert set(reached) == set(FLOORS)
