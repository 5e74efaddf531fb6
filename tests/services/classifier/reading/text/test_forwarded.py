"""The original sender of a forwarded mail: attached, or named by a header that clients write; never a quote's."""

import uuid
from dataclasses import replace

import pytest

from services.classifier.reading.conclusions import Forwarded, How
from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.reader import read_mail
from services.classifier.reading.text.forwarded import find_quoted
from services.classifier.reading.text.subject_prefix import Prefix, prefix_of, without_forward_prefixes
from services.classifier.reading.values import ReadingSettings

JAN = Forwarded("Jan Smit", "jan@klant.example", "Vraag", How.QUOTED)


def forwarded(text: str, subject: str = "") -> Forwarded | None:
    return find_quoted(text.split("\n"), subject, DEFAULT_LIMITS)


@pytest.mark.parametrize(
    "text",
    [
        """---------- Forwarded message ---------
Van: Jan Smit <jan@klant.example>
Date: di 3 mrt. 2026 om 10:00
Subject: Vraag
To: <els@desk.example>

Hoi""",
        """Begin doorgestuurd bericht:

> Van: Jan Smit <jan@klant.example>
> Onderwerp: Vraag
> Datum: 3 maart 2026
> Aan: els@desk.example
>
> Hoi""",
        """-------- Doorgestuurd bericht --------
Onderwerp: 	Vraag
Datum: 	Tue, 3 Mar 2026 10:00:00 +0100
Van: 	Jan Smit <jan@klant.example>

Hoi""",
        "----- Doorgestuurd bericht ----- Van: Jan Smit <jan@klant.example>Aan: e@d.exampleDatum: 3-3Onderwerp: Vraag",
        """________________________________
Van: Jan Smit <jan@klant.example>
Verzonden: dinsdag 3 maart 2026 10:00
Aan: els@desk.example
Onderwerp: Vraag

Hoi""",
        """-------- Weitergeleitete Nachricht --------
Betreff: Vraag
Datum: 3 Mar 2026
Von: Jan Smit <jan@klant.example>""",
        """---------- Message transféré ----------
De : Jan Smit <jan@klant.example>
Date : 3 mars
Objet : Vraag""",
        """-------- 未知的语言 --------
发件人: Jan Smit <jan@klant.example>
日期: 2026年3月3日
主题: Vraag

Hoi""",
    ],
    ids=["gmail", "apple", "thunderbird", "yahoo", "outlook", "german", "french", "unknown separator"],
)
@pytest.mark.parametrize("own", ["", "Zie hieronder.\n\n"], ids=["nothing above", "own words above"])
def test_a_forwarded_mail_names_its_sender(text: str, own: str) -> None:
    assert forwarded(own + text, "Doorst: Vraag") == JAN


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("Jan Smit <jan@klant.example>", ("Jan Smit", "jan@klant.example")),
        ('"Smit, Jan" <jan@klant.example>', ("Smit, Jan", "jan@klant.example")),
        ("Jan Smit [mailto:jan@klant.example]", ("Jan Smit", "jan@klant.example")),
        ("Jan Smit <jan@klant.example<mailto:jan@klant.example>>", ("Jan Smit", "jan@klant.example")),
        ("jan@klant.example", ("", "jan@klant.example")),
        ("jan@klant.example <jan@klant.example>", ("", "jan@klant.example")),
        ("jan@klant.example (Jan Smit)", ("Jan Smit", "jan@klant.example")),
    ],
)
def test_the_sender_is_read_as_clients_write_him(sender: str, expected: tuple[str, str]) -> None:
    found = forwarded(f"Van: {sender}\nVerzonden: dinsdag 3 maart 2026\nOnderwerp: Vraag", "FW: Vraag")
    assert found is not None
    assert (found.name, found.address) == expected


@pytest.mark.parametrize(
    "attribution",
    [
        'On 28/10/2026 12:46, "Jan Smit" <jan@klant.example> wrote:',
        "Op 28/10/2026 12:46 heeft Jan Smit <jan@klant.example> geschreven:",
        "Jan Smit <jan@klant.example> kirjoitti 28/10/2026 12.46:",
        "Le 28/10/2026 12:46, « Jan Smit » <jan@klant.example> a écrit :",
    ],
)
def test_outlook_for_mac_forwards_below_an_attribution(attribution: str) -> None:
    assert forwarded(f"{attribution}\n\n    Hoi", "FW: Vraag") == JAN
    assert forwarded(f"{attribution}\n\n    Hoi", "Re: Vraag") is None


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Ja.\n\nVan: Jan <jan@b.example>\nVerzonden: 3 maart 2026\nOnderwerp: Vraag", "Re: Vraag"),
        ("Ja.\n\nVan: Jan <jan@b.example>\nVerzonden: 3 maart 2026\nOnderwerp: Vraag", "Vraag"),
        ("Van: Jan <jan@b.example>\nVerzonden: 3 maart 2026\nOnderwerp: Vraag\n\nGuten Tag", "Antw: Vraag"),
        ("Ja.\n\n-----Original Message-----\nFrom: Jan <jan@b.example>\nSent: 3 March\nSubject: x", "RE: FW: x"),
        ("Ja.\n\nOp 3 maart 2026 schreef Jan <jan@b.example>:\n> --- Forwarded message ---\n> From: c@d.e", "Re: x"),
        ("Van: Amsterdam\nAan: Utrecht\nDatum: morgen", "FW: Vraag"),
        ("Hallo, hoe gaat het?", "FW: Vraag"),
        ("", ""),
    ],
)  # fmt: skip
def test_an_answer_and_a_plain_mail_forward_nobody(text: str, subject: str) -> None:
    assert forwarded(text, subject) is None


def test_of_nested_forwards_the_outermost_counts() -> None:
    block = "---------- Forwarded message ---------\nFrom: {}\nDate: 3 Mar 2026\nSubject: Vraag\n\n"
    mail = block.format("Jan Smit <jan@klant.example>") + "Zie ook.\n\n" + block.format("Piet <piet@ander.example>")
    assert forwarded(mail, "Fwd: Fwd: Vraag") == replace(JAN, alone=False)
    quoted = (
        block.format("Jan Smit <jan@klant.example>") + "> Van: Els <els@desk.example>\n> Datum: 2 maart\n> Aan: Jan"
    )
    assert forwarded(quoted, "Fwd: Vraag") == JAN


def test_an_attached_message_goes_before_what_the_text_says() -> None:
    raw = (
        b"From: els@desk.example\nSubject: FW: Vraag\nContent-Type: multipart/mixed; boundary=g\n\n--g\n\n"
        b"Van: Piet <piet@b.example>\nVerzonden: 3 maart 2026\nOnderwerp: X\n\n--g\nContent-Type: message/rfc822\n\n"
        b"From: =?utf-8?q?Jan_Sm=C3=AFt?= <jan@klant.example>\nSubject: Vraag\n\nHoi\n--g--\n"
    )
    mail = read_mail(raw, uuid.uuid4(), ReadingSettings())
    assert mail.forwarded == Forwarded("Jan Smït", "jan@klant.example", "Vraag", How.ATTACHED)


def test_html_alone_is_read_too_and_a_report_forwards_nobody() -> None:
    html = "<b>Van:</b> Jan Smit &lt;jan@klant.example&gt;<br><b>Verzonden:</b> 3 maart<br><b>Onderwerp:</b> Vraag"
    raw = f"From: els@desk.example\nSubject: FW: Vraag\nContent-Type: text/html\n\n<p>Zie onder</p><div>{html}</div>"
    assert read_mail(raw.encode(), uuid.uuid4(), ReadingSettings()).forwarded == JAN
    digest = raw.replace("text/html", 'multipart/digest; boundary="g"') + "\n--g\n\nFrom: a@b.example\n\nx\n--g--"
    assert read_mail(digest.encode(), uuid.uuid4(), ReadingSettings()).forwarded is None


@pytest.mark.parametrize(
    ("subject", "prefix"),
    [
        ("FW: Vraag", Prefix.FORWARD), ("Fwd: Re: Vraag", Prefix.FORWARD), ("Doorst: x", Prefix.FORWARD),
        ("WG: x", Prefix.FORWARD), ("TR : x", Prefix.FORWARD), ("RV: x", Prefix.FORWARD), ("I: x", Prefix.FORWARD),
        ("ENC: x", Prefix.FORWARD),
        ("VB: x", Prefix.FORWARD), ("İLT: x", Prefix.FORWARD), ("转发：x", Prefix.FORWARD),
        ("Re: FW: Vraag", Prefix.ANSWER), ("AW: x", Prefix.ANSWER), ("Antw: x", Prefix.ANSWER),
        ("RE[2]: x", Prefix.ANSWER),
        ("SV: x", Prefix.ANSWER), ("回复：x", Prefix.ANSWER), ("[Extern] Re: x", Prefix.ANSWER),
        ("Vraag: re", None), ("Ref 12: x", None), ("VS: x", None), ("Regen: x", None), ("", None),
    ],
)  # fmt: skip
def test_the_outermost_prefix_counts(subject: str, prefix: Prefix | None) -> None:
    assert prefix_of(subject) is prefix


def test_what_forwarding_put_before_a_subject_goes_and_no_more() -> None:
    assert without_forward_prefixes("FW: Fwd: Re: Vraag") == "Re: Vraag"
    assert without_forward_prefixes("VS: Vraag") == "Vraag"
