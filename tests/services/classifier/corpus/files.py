"""The corpus: real mails of public test suites with what their sources expect, where it is (CORPUS).

Bodies and winmail.dat files are no mails: they get the head that a mail with them would have.
"""

import base64
import csv
import json
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

CORPUS = Path(os.environ.get("CORPUS", Path(__file__).parents[5] / "shared" / "corpus"))

Expectation = dict[str, Any]
Answer = tuple[str, bool]
"""The line of the table, and whether the expectation is met."""

_HEAD = "From: Somebody <somebody@customer.example>\nSubject: {}\nMIME-Version: 1.0\n"


def is_there() -> bool:
    return (CORPUS / "EXPECT.jsonl").is_file()


def mails() -> list[str]:
    with (CORPUS / "MANIFEST.tsv").open(encoding="utf-8", newline="") as manifest:
        return [row["file"] for row in csv.DictReader(manifest, delimiter="\t") if row["kind"] == "mail"]


def expectations() -> Iterator[Expectation]:
    with (CORPUS / "EXPECT.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


@cache
def content(file: str) -> bytes:
    return (CORPUS / file).read_bytes()


def body_of(expectation: Expectation) -> str:
    """The body that an expectation is about: a file's, or several files' joined."""
    expect = expectation["expect"]
    files = expect["join"] if expectation["kind"] == "compose" else [expectation["file"]]
    text: str = expect.get("with", "").join(content(file).decode("utf-8", "replace") for file in files)
    return text


def mail_of(expectation: Expectation) -> bytes:
    """The mail that an expectation is about."""
    file, kind = expectation["file"], expectation["kind"]
    if kind == "tnef":
        encoded = base64.encodebytes(content(file)).decode()
        head = _HEAD.format("tnef") + "Content-Type: application/ms-tnef; name=winmail.dat\n"
        return f"{head}Content-Transfer-Encoding: base64\n\n{encoded}".encode()
    if kind not in {"reply_trim", "reply_trim_partial", "reply_trim_html", "compose", "signature", "forward"}:
        return content(file)
    if file.endswith(".eml"):
        return content(file)
    html = kind == "reply_trim_html"
    subject = expectation["expect"].get("given_subject") or "Re: Question" * (kind != "forward")
    head = _HEAD.format(subject) + f"Content-Type: text/{'html' if html else 'plain'}; charset=utf-8\n"
    return f"{head}Content-Transfer-Encoding: 8bit\n\n{body_of(expectation)}".encode()


def squeezed(text: str | None) -> str:
    return re.sub(r"\s+", "", text or "")


def wanted_names(expect: dict[str, Any]) -> list[str] | None:
    if "attachments" in expect:
        return [attachment.get("filename") or "" for attachment in expect["attachments"]]
    names: list[str] | None = expect.get("attachment_names")
    return names


def has_names(wanted: list[str], names: list[str]) -> bool:
    found = [squeezed(name) for name in names]
    return all(any(name.startswith(squeezed(want)) for name in found) for want in wanted if want)


def judge_reply(expectation: Expectation, reply: str) -> Iterator[Answer]:
    """Whether a trimmed reply is what the source expects; some only say what must be in it, or how it ends."""
    kind, expect = expectation["kind"], expectation["expect"]
    if kind == "reply_trim_html":
        yield "reply of html", squeezed(reply) == squeezed(expect["reply_text"])
    elif kind in {"reply_trim", "compose"}:
        wanted = expect.get("reply", expect.get("reply_first_fragment"))
        yield ("reply" if kind == "reply_trim" else "reply and signature"), squeezed(reply) == squeezed(wanted)
    elif kind == "reply_trim_partial":
        conditions = [*expect.get("body_incl_signature", ()), *expect.get("reply", ())]
        if conditions:
            yield "reply in part", all(_holds(condition, squeezed(reply)) for condition in conditions)


def _holds(condition: dict[str, str], reply: str) -> bool:
    [(what, text)] = condition.items()
    wanted = squeezed(text)
    return {
        "contains": wanted in reply,
        "not_contains": wanted not in reply,
        "equals": reply == wanted,
        "startswith": reply.startswith(wanted),
        "endswith": reply.endswith(wanted),
    }[what]


def judge_sender(expectation: Expectation, name: str, address: str, subject: str) -> Iterator[Answer]:
    """Whether the original sender of a forwarded mail is the expected one."""
    expect = expectation["expect"]
    wanted = expect["from"]
    yield "forwarded sender", (name or None, address) == (wanted.get("name") or None, wanted["address"])
    if expect.get("subject"):
        yield "forwarded subject", squeezed(subject) == squeezed(expect["subject"])
