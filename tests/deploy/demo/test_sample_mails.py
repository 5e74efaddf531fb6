"""The sample mails: what the demonstration promises to show is really in the folder."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest

from deploy.demo.sample_mails import HELPDESKS, MAILS, SAMPLE_MAILS, SampleMail
from shared.messages import Outcome

NOW = datetime(2026, 11, 23, 9, 14, tzinfo=UTC)


def test_the_table_names_every_file_once() -> None:
    files = sorted(str(path.relative_to(MAILS)) for path in MAILS.rglob("*.eml"))
    assert sorted(mail.file for mail in SAMPLE_MAILS) == files
    assert len(files) >= 25


def test_there_are_two_helpdesks_and_all_four_outcomes() -> None:
    assert {mail.helpdesk for mail in SAMPLE_MAILS} == set(HELPDESKS.values())
    assert {mail.outcome for mail in SAMPLE_MAILS} == set(Outcome)


@pytest.mark.parametrize("mail", SAMPLE_MAILS, ids=lambda mail: mail.file)
def test_every_blank_is_filled(mail: SampleMail) -> None:
    content = mail.content(NOW, lambda kind, file: f"<{kind} {file}>")
    assert b"{{" not in content
    assert b"Date: Mon, 23 Nov 2026 09:14:00 +0000" in content or mail.file == "ict/27-kapotte-mime.eml"


@pytest.mark.parametrize("mail", SAMPLE_MAILS, ids=lambda mail: mail.file)
def test_a_mail_waits_only_for_mails_before_it(mail: SampleMail) -> None:
    before = {earlier.file for earlier in SAMPLE_MAILS[: SAMPLE_MAILS.index(mail)]}
    assert mail.waits_for() <= before
    assert mail.needs_confirmation_of() <= mail.waits_for()


def test_an_answer_names_the_ticket_of_the_mail_that_it_follows() -> None:
    [answer] = [mail for mail in SAMPLE_MAILS if mail.file == "ict/26-antwoord-op-de-bevestiging.eml"]
    values = {"ticket-of": "1000420", "confirmation-of": "<sent-1@oosterdam-services.example>"}
    read = message_from_bytes(answer.content(NOW, lambda kind, _file: values[kind]), policy=default)
    assert "Ticket 1000420 -" in read["Subject"]
    assert read["In-Reply-To"] == values["confirmation-of"]
    assert answer.waits_for() == {"ict/02-schermafdruk-in-de-tekst.eml"}


def test_a_copy_has_the_header_fields_that_make_up_a_content_key() -> None:
    by_file = {mail.file: message_from_bytes(mail.content(NOW, lambda *_: ""), policy=default) for mail in SAMPLE_MAILS}
    for original, copy in [
        ("ict/01-nieuw.eml", "ict/11-dezelfde-mail-nog-eens.eml"),
        ("ict/29-aan-beide-helpdesks.eml", "facilitair/30-aan-beide-helpdesks.eml"),
    ]:
        for header in ("Message-ID", "From", "Date", "Subject"):
            assert by_file[original][header] == by_file[copy][header]
