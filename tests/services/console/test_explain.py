"""`helpdesk-importer explain` as people and programs run it: a process without server, database or configuration."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.messages import Reason, ReasonId
from shared.portal import english
from shared.portal.reasons import explain as explain_in_dutch

ROOT = Path(__file__).parents[3]
MAILS = ROOT / "tests" / "mails"
MAIL = (
    b"From: Jan Smit <Jan@Klant.example>\r\nTo: desk@example.org\r\nSubject: %b\r\nMessage-ID: <%b@klant.example>\r\n"
    b"Date: Tue, 03 Mar 2026 10:00:00 +0100\r\n\r\n%b\r\n"
)
CONTEXT = """
marker: "## Antwoord boven deze regel ##"
numbers: [1000001, "1000002"]
number_pattern: "[1-9][0-9]{6}"
contacts:
  - {name: Jan Smit, address: jan@klant.example}
employees:
  - {name: Els, address: els@example.org}
mailbox: desk@example.org
trusted_authserv: mx.example.org
"""
FIELDS = [
    "file", "outcome", "reasons", "from", "sender", "subject", "message_id", "date", "text", "html", "reply_text",
    "ticket_numbers", "automatic", "bounce", "forwarded", "images", "left_out", "crypto",
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "context.yml").write_text(CONTEXT, encoding="utf-8")
    return tmp_path


def explain(*arguments: str, code: int = 0, given: bytes = b"", language: str = "") -> tuple[str, str]:
    """What it says on standard output and on standard error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "services.console", "explain", *arguments],
        input=given,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "COLUMNS": "200", "IMPORTER_LANGUAGE": language},
        capture_output=True,
        check=False,
    )
    assert done.returncode == code, done.stderr.decode()
    return done.stdout.decode(), done.stderr.decode()


def told(folder: Path, *mails: bytes, context: bool = True) -> list[dict[str, Any]]:
    """What it tells of these mails, in one call."""
    files = []
    for number, mail in enumerate(mails):
        (folder / f"{number}.eml").write_bytes(mail)
        files.append(str(folder / f"{number}.eml"))
    options = ["--context", str(folder / "context.yml")] if context else []
    said, _ = explain("--json", *options, "--", *files)
    return [json.loads(line) for line in said.splitlines()]


def test_every_field_of_the_contract_is_there_whatever_the_file(folder: Path) -> None:
    answers = told(folder, MAIL % (b"Vraag", b"1", b"Hallo"), b"", b"\x00\xff" * 900, b"From x\n\nFrom y\n\n")
    assert [list(answer) for answer in answers] == [FIELDS] * 4
    assert [answer["outcome"] for answer in answers] == ["ticket", "quarantine", "quarantine", "quarantine"]
    assert answers[1]["reasons"] == ["no-sender", "no-subject"]
    assert answers[1]["from"] == {"name": "", "address": ""}


def test_a_mail_is_told_as_it_says_itself(folder: Path) -> None:
    [answer] = told(folder, MAIL % (b"=?utf-8?q?Re=3A_caf=C3=A9_1000009?=", b"1", b"Hallo"), context=False)
    assert answer["from"] == {"name": "Jan Smit", "address": "Jan@Klant.example"}
    assert (answer["subject"], answer["message_id"]) == ("Re: café 1000009", "1@klant.example")
    assert answer["date"] == "2026-03-03T10:00:00+01:00"
    assert (answer["text"], answer["reply_text"]) == ("Hallo", "Hallo")
    assert answer["ticket_numbers"] == ["1000009"]
    assert (answer["outcome"], answer["reasons"]) == ("ticket", ["unknown-sender", "unknown-number"])
    assert (answer["automatic"], answer["forwarded"], answer["crypto"]) == (None, None, None)


def test_the_context_tells_what_a_database_would(folder: Path) -> None:
    above = b"Ja\r\n\r\nOp 3 maart 2026 schreef desk:\r\n> ## Antwoord boven deze regel ##\r\n> x"
    forged = b"Authentication-Results: mx.example.org; dmarc=fail\nFrom: els@example.org\nSubject: x\n\nHallo"
    known, unknown, marked, employee, own, faked = told(
        folder,
        MAIL % (b"Re: [Ticket 1000002]", b"1", b"Ja"),
        MAIL % (b"Ticket 7654321", b"2", b"Ja"),
        MAIL % (b"1000001", b"3", above),
        b"From: Els@example.org\n\nHallo",
        b"From: Desk@Example.org\nSubject: x\n\nHallo",
        forged,
    )
    assert outcome(known) == ("supplement", ["ticket-number", "contact-known"])
    assert outcome(unknown) == ("ticket", ["contact-known", "unknown-number"])
    assert outcome(marked) == ("supplement", ["ticket-number", "contact-known", "above-marker"])
    assert marked["reply_text"] == "Ja"
    assert outcome(employee) == ("ticket", ["no-ticket-number", "employee", "no-subject"])
    assert outcome(own) == ("quarantine", ["own-address"])
    assert outcome(faked) == ("ticket", ["no-ticket-number", "employee", "forged-sender"])


def outcome(answer: dict[str, Any]) -> tuple[str, list[str]]:
    return answer["outcome"], answer["reasons"]


def test_N2_the_sender_that_was_taken_is_named_beside_from(folder: Path) -> None:
    form, nobody = told(
        folder,
        b"From: desk@example.org\nReply-To: Piet <piet@bakkerij.example>\nSubject: x\n\nHallo",
        b"Subject: x\n\nHallo",
    )
    assert form["from"] == {"name": "", "address": "desk@example.org"}
    assert form["sender"] == {"name": "Piet", "address": "piet@bakkerij.example"}
    assert (nobody["from"], nobody["sender"]) == ({"name": "", "address": ""}, None)


def test_D13_the_same_content_twice_in_one_call_is_a_duplicate(folder: Path) -> None:
    mail = MAIL % (b"Vraag", b"1", b"Hallo")
    first, other, again = told(folder, mail, MAIL % (b"Vraag", b"2", b"Hallo"), b"X-Way: other\r\n" + mail)
    assert (first["outcome"], other["outcome"]) == ("ticket", "ticket")
    assert (again["outcome"], again["reasons"]) == ("duplicate", ["duplicate-content"])


def test_bounces_images_and_what_is_left_out_are_named(folder: Path) -> None:
    bounce, photo, disguised = told(
        folder,
        (MAILS / "automatic" / "bounce-rfc3464.eml").read_bytes(),
        (MAILS / "images" / "every-format.eml").read_bytes(),
        (MAILS / "images" / "not-what-they-say.eml").read_bytes(),
    )
    assert bounce["automatic"] == "bounce"
    assert [list(each) for each in bounce["bounce"]] == [
        ["recipient", "final_recipient", "status", "action", "diagnostic"]
    ]
    assert list(photo["images"][0]) == ["name", "type", "width", "height", "bytes", "inline"]
    assert list(disguised["left_out"][0]) == ["name", "type", "bytes", "reason"]


def test_a_file_that_cannot_be_read_is_said_and_the_others_are_answered(folder: Path) -> None:
    (folder / "mail.eml").write_bytes(MAIL % (b"Vraag", b"1", b"Hallo"))
    said, wrong = explain("--json", str(folder / "none.eml"), str(folder), str(folder / "mail.eml"), code=1)
    assert [json.loads(line)["outcome"] for line in said.splitlines()] == ["ticket"]
    assert "none.eml: cannot be read (No such file or directory)" in wrong
    assert f"{folder}: cannot be read (Is a directory)" in wrong


def test_without_its_context_nothing_is_answered(folder: Path) -> None:
    said, wrong = explain("--context", str(folder / "none.yml"), "-", code=1)
    assert (said, wrong) == ("", f"The context {folder / 'none.yml'} cannot be read (No such file or directory).\n")


def test_people_are_told_in_sentences_with_a_remedy() -> None:
    said, _ = explain("-", given=b"From: a@b.example\nSubject: Vraag [x]\n\nHallo")
    assert "ticket\n" in said
    assert "The sender is unknown" in said
    assert "→ Record the address with a contact." in said
    assert "Vraag [x]" in said


REASON_IN_ENGLISH = english.REASONS[ReasonId.NO_SENDER].sentence
REASON_IN_DUTCH = explain_in_dutch(Reason(id=ReasonId.NO_SENDER))


@pytest.mark.parametrize(
    ("language", "words", "others"),
    [
        ("en", ("quarantine", "subject ", REASON_IN_ENGLISH), ("quarantaine", "onderwerp", REASON_IN_DUTCH)),
        ("nl", ("quarantaine", "onderwerp", REASON_IN_DUTCH), ("quarantine", "subject ", REASON_IN_ENGLISH)),
    ],
)
def test_people_read_it_in_their_language_and_programs_in_one(
    folder: Path, language: str, words: tuple[str, ...], others: tuple[str, ...]
) -> None:
    file = folder / "mail.eml"
    file.write_bytes(b"Subject: van niemand\r\n\r\nHallo\r\n")
    said, _ = explain("--", str(file), language=language)
    assert [word for word in words if word not in said] == []
    assert [word for word in others if word in said] == []
    assert explain("--json", "--", str(file), language=language) == explain("--json", "--", str(file))


def test_in_dutch_what_cannot_be_read_is_told_in_dutch(folder: Path) -> None:
    _, complaint = explain("--", str(folder / "weg.eml"), code=1, language="nl")
    assert "weg.eml: kan niet worden gelezen (" in complaint
    (folder / "wrong.yml").write_text("kleur: rood\n", encoding="utf-8")
    _, complaint = explain("--context", str(folder / "wrong.yml"), "--", str(folder / "weg.eml"), code=1, language="nl")
    assert "wrong.yml is fout: kleur is hier niet bekend; bekend zijn marker, numbers," in complaint
