"""SPEC D6, DESIGN 16: automatic mail, its kinds and their order; delivery reports and what they say."""

# ruff: noqa: RUF001 - words of languages whose letters resemble Latin ones

import uuid
from pathlib import Path

import pytest

from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings, ReadMail
from shared.messages import AutomaticKind

AUTOMATIC = Path(__file__).parents[4] / "mails" / "automatic"


def read(raw: bytes, own_list_ids: tuple[str, ...] = (), *, fed_by_rule: bool = False) -> ReadMail:
    return read_mail(raw, uuid.UUID(int=1), ReadingSettings(own_list_ids=own_list_ids, fed_by_rule=fed_by_rule))


def kind(raw: bytes, own_list_ids: tuple[str, ...] = (), *, fed_by_rule: bool = False) -> AutomaticKind | None:
    found = read(raw, own_list_ids, fed_by_rule=fed_by_rule).automatic
    return found.kind if found is not None else None


def mail(*head: str, subject: str = "Printer") -> bytes:
    return "\n".join(["From: jan@b.example", f"Subject: {subject}", *head, "", "Tekst"]).encode()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bounce-rfc3464", AutomaticKind.BOUNCE),
        ("bounce-delayed", AutomaticKind.BOUNCE),
        ("bounce-in-words", AutomaticKind.BOUNCE),
        ("calendar-reply", AutomaticKind.CALENDAR),
        ("out-of-office-exchange", AutomaticKind.OUT_OF_OFFICE),
        ("auto-reply-rfc3834", AutomaticKind.AUTO_REPLY),
        ("read-receipt", AutomaticKind.AUTO_REPLY),
        ("newsletter", AutomaticKind.LIST),
        ("person-through-outlook", None),
    ],
)
def test_D6_kinds(name: str, expected: AutomaticKind | None) -> None:
    assert kind((AUTOMATIC / f"{name}.eml").read_bytes()) is expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(mail("Auto-Submitted: auto-replied"), AutomaticKind.AUTO_REPLY, id="auto-replied"),
        pytest.param(mail("Auto-Submitted: auto-generated; x=y"), AutomaticKind.AUTO_REPLY, id="auto-generated"),
        pytest.param(mail("Auto-Submitted: auto-replied (vacation)"), AutomaticKind.OUT_OF_OFFICE, id="vacation"),
        pytest.param(mail("Auto-Submitted: NO"), None, id="not-automatic"),
        pytest.param(mail("Return-Path: <>"), AutomaticKind.AUTO_REPLY, id="empty-return-path"),
        pytest.param(mail("Precedence: bulk"), AutomaticKind.LIST, id="bulk"),
        pytest.param(mail("Precedence: junk"), AutomaticKind.LIST, id="junk"),
        pytest.param(mail("Precedence: auto_reply"), AutomaticKind.AUTO_REPLY, id="precedence-auto-reply"),
        pytest.param(mail("Precedence: normal"), None, id="precedence-normal"),
        pytest.param(mail("List-Unsubscribe: <mailto:x@b.example>"), AutomaticKind.LIST, id="unsubscribe"),
        pytest.param(mail("X-Loop: jan@b.example"), AutomaticKind.AUTO_REPLY, id="x-loop"),
        pytest.param(mail("X-Autoreply: yes"), AutomaticKind.AUTO_REPLY, id="x-autoreply"),
        pytest.param(mail("X-Autoreply: no"), None, id="x-autoreply-no"),
        pytest.param(mail("X-Auto-Response-Suppress: All"), None, id="suppress-alone-is-weak"),
        pytest.param(mail("X-Amazon-Mail-Relay-Type: notification"), AutomaticKind.AUTO_REPLY, id="amazon"),
        pytest.param(mail(subject="Automatisch antwoord: x"), AutomaticKind.OUT_OF_OFFICE, id="subject-nl"),
        pytest.param(mail(subject="Automatic reply: x"), AutomaticKind.OUT_OF_OFFICE, id="subject-en"),
        pytest.param(mail(subject="Abwesenheitsnotiz: x"), AutomaticKind.OUT_OF_OFFICE, id="subject-de"),
        pytest.param(mail(subject="Réponse automatique : x"), AutomaticKind.OUT_OF_OFFICE, id="subject-fr"),
        pytest.param(mail(subject="Re: Automatic reply: x"), None, id="a-person-who-answers-one"),
        pytest.param(
            mail("Precedence: bulk", subject="Re: Out of Office: x"),
            AutomaticKind.OUT_OF_OFFICE,
            id="behind-re-with-sign",
        ),
        pytest.param(mail(subject="Afwezig morgen"), None, id="a-person-who-will-be-away"),
        pytest.param(mail(subject="Vakantie: telefoon doorschakelen"), None, id="a-word-before-a-colon-alone"),
        pytest.param(mail("X-Auto-Response-Suppress: All", subject="Afwezig: do 3 dec"), None, id="outlook-and-a-word"),
        pytest.param(mail(subject="Automatisch antwoord instellen"), None, id="a-question-about-it"),
        pytest.param(
            mail("Auto-Submitted: auto-replied", subject="Afwezig t/m vrijdag"),
            AutomaticKind.AUTO_REPLY,
            id="no-word-alone",
        ),
        pytest.param(
            mail("Auto-Submitted: auto-replied", subject="Afwezig"), AutomaticKind.OUT_OF_OFFICE, id="word-and-sign"
        ),
        pytest.param(
            mail("Auto-submitted: auto-generated", subject="Jan Jansen is out of the office"),
            AutomaticKind.OUT_OF_OFFICE,
            id="notes",
        ),
        pytest.param(
            mail("Precedence: bulk", subject="away from my mail"), AutomaticKind.OUT_OF_OFFICE, id="vacation-1"
        ),
        pytest.param(
            mail("Precedence: bulk", "List-Unsubscribe: <mailto:a@b.example>", subject="Vakantie: boek nu"),
            AutomaticKind.LIST,
            id="holiday-offers",
        ),
        pytest.param(mail("X-Apple-Action: VACATION"), AutomaticKind.OUT_OF_OFFICE, id="icloud"),
        pytest.param(mail(subject="Out of office"), None, id="an-absence's-name-alone-may-be-a-question"),
        pytest.param(mail("Delivered-To: Autoresponder"), AutomaticKind.AUTO_REPLY, id="qmail-autoresponder"),
        pytest.param(
            mail("X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent"),
            AutomaticKind.AUTO_REPLY,
            id="exchange-rule",
        ),
        pytest.param(mail("Feedback-ID: 4711:pers:mailer"), None, id="feedback-id-is-on-ordinary-mail"),
        pytest.param(
            mail(
                "Auto-Submitted: auto-generated",
                "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent",
                "X-MS-Exchange-Inbox-Rules-Loop: verkoop@b.example",
            ),
            None,
            id="redirected-by-a-rule",
        ),
        pytest.param(
            mail("X-MS-Exchange-Inbox-Rules-Loop: verkoop@b.example", "X-Auto-Response-Suppress: All"),
            None,
            id="redirected-by-a-rule-and-suppressed",
        ),
        pytest.param(
            mail(
                "Auto-Submitted: auto-generated",
                "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent",
                "X-MS-Exchange-ForwardingLoop: verkoop@b.example",
                "Resent-From: <verkoop@b.example>",
            ),
            None,
            id="redirected-with-another-loop",
        ),
        pytest.param(
            mail("X-MS-Exchange-Inbox-Rules-Loop: jan@b.example", "X-Auto-Response-Suppress: All"),
            AutomaticKind.OUT_OF_OFFICE,
            id="an-absence-is-of-the-mailbox-whose-rule-wrote-it",
        ),
        pytest.param(
            mail(
                "Auto-Submitted: auto-replied",
                "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent",
                "X-MS-Exchange-Inbox-Rules-Loop: verkoop@b.example",
            ),
            AutomaticKind.AUTO_REPLY,
            id="an-automatic-reply-that-was-redirected",
        ),
        pytest.param(
            mail(subject="AUTO: Jan Smit is afwezig (terug op 5-1)"), AutomaticKind.OUT_OF_OFFICE, id="notes-dutch"
        ),
        pytest.param(
            mail(subject="AUTO: Jan Smit is niet op kantoor."), AutomaticKind.OUT_OF_OFFICE, id="notes-dutch-office"
        ),
        pytest.param(
            mail(subject="AUTO: Jan Smit is out of the office (returning 01/05)"),
            AutomaticKind.OUT_OF_OFFICE,
            id="notes-english",
        ),
        pytest.param(
            mail(subject="AUTO: Jan Smit ist außer Haus. (Rückkehr am 5.1.)"),
            AutomaticKind.OUT_OF_OFFICE,
            id="notes-german",
        ),
        pytest.param(mail(subject="AUTO: lekke band, ik ben afwezig"), None, id="a-person's-car"),
        pytest.param(mail("X-MS-Exchange-Inbox-Rules-Loop: a@b.example"), None, id="forwarded-by-a-rule"),
        pytest.param(mail(subject="Gelezen: offerte"), None, id="a-receipt's-word-alone"),
        pytest.param(mail("List-Id: <a.b>", "X-Loop: a@b.example"), AutomaticKind.LIST, id="list-with-x-loop"),
        pytest.param(
            mail("List-Id: <a.b>", "Auto-Submitted: auto-generated"), AutomaticKind.LIST, id="generated-for-a-list"
        ),
        pytest.param(mail(subject="Mijn automatisch antwoord werkt niet"), None, id="subject-that-only-speaks-of-it"),
        pytest.param(mail(subject="Mail delivery failed, help!"), None, id="a-person-who-complains"),
        pytest.param(mail("Content-Type: text/calendar; method=REQUEST"), None, id="an-invitation-is-a-person's"),
        pytest.param(
            mail("Content-Type: text/calendar; method=COUNTER"), AutomaticKind.CALENDAR, id="counter-proposal"
        ),
        pytest.param(mail("List-Id: <a.b>", "Auto-Submitted: auto-replied"), AutomaticKind.AUTO_REPLY, id="order"),
    ],
)
def test_D6_signs(raw: bytes, expected: AutomaticKind | None) -> None:
    assert kind(raw) is expected


_BY_RULE = ("Auto-Submitted: auto-generated", "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent")


@pytest.mark.parametrize(
    ("raw", "alone", "fed_by_rule"),
    [
        pytest.param(mail(_BY_RULE[0]), AutomaticKind.AUTO_REPLY, None, id="generated"),
        pytest.param(mail(*_BY_RULE), AutomaticKind.AUTO_REPLY, None, id="rules agent without a loop"),
        pytest.param(
            mail(*_BY_RULE, "X-Auto-Response-Suppress: All"), AutomaticKind.AUTO_REPLY, None, id="and suppressed"
        ),
        pytest.param(mail("X-Loop: verkoop@b.example"), AutomaticKind.AUTO_REPLY, None, id="procmail"),
        pytest.param(
            mail("X-MS-Exchange-Inbox-Rules-Loop: jan@b.example", "X-Auto-Response-Suppress: All"),
            AutomaticKind.OUT_OF_OFFICE,
            AutomaticKind.OUT_OF_OFFICE,
            id="absence of the mailbox in the loop",
        ),
        pytest.param(
            mail("Auto-Submitted: auto-replied"), AutomaticKind.AUTO_REPLY, AutomaticKind.AUTO_REPLY, id="a reply"
        ),
        pytest.param(
            mail(subject="Automatisch antwoord: Printer"),
            AutomaticKind.OUT_OF_OFFICE,
            AutomaticKind.OUT_OF_OFFICE,
            id="called an absence",
        ),
        pytest.param(mail("List-Id: <a.b>", _BY_RULE[0]), AutomaticKind.LIST, AutomaticKind.LIST, id="a list"),
    ],
)
def test_D6_what_a_redirecting_rule_adds_is_no_sign_in_a_mailbox_that_says_so(
    raw: bytes, alone: AutomaticKind | None, fed_by_rule: AutomaticKind | None
) -> None:
    assert (kind(raw), kind(raw, fed_by_rule=True)) == (alone, fed_by_rule)


@pytest.mark.parametrize(
    "subject",
    [
        "Automatisch antwoord: Printer",
        "Automatic reply: Printer",
        "Automatische Antwort: Drucker",
        "Abwesenheitsnotiz: Drucker",
        "Réponse automatique : imprimante",
        "Respuesta automática: impresora",
        "Risposta automatica: stampante",
        "Resposta automática: impressora",
        "Autosvar: Skrivare",
        "Automatiskt svar: Skrivare",
        "Automatisk svar: Printer",
        "Automaattinen vastaus: Tulostin",
        "Odpowiedź automatyczna: Drukarka",
        "Automatická odpověď: Tiskárna",
        "Automatická odpoveď: Tlačiareň",
        "Automatikus válasz: Nyomtató",
        "Răspuns automat: Imprimantă",
        "Автоматичен отговор: Принтер",
        "Автоматический ответ: Принтер",
        "Автоответ: Принтер",
        "Автоматична відповідь: Принтер",
        "Αυτόματη απάντηση: Εκτυπωτής",
        "Otomatik yanıt: Yazıcı",
        "תשובה אוטומטית: מדפסת",
        "رد تلقائي: طابعة",
        "自動応答: プリンター",
        "自動返信：プリンター",
        "自动答复: 打印机",
        "自动回复:打印机",
        "자동 회신: 프린터",
        "Automaatvastus: Printer",
        "Automatinis atsakymas: Spausdintuvas",
        "Samodejni odgovor: Tiskalnik",
        "Automatski odgovor: Pisač",
        "Trả lời tự động: Máy in",
        "Out of Office AutoReply: Printer",
        "Out of office: Printer",
        "[EXTERN] Automatisch antwoord: Printer",
        "EXTERNAL: Automatic reply: Printer",
        "Extern: Automatisch antwoord: Printer",
        "(EXT) Automatische Antwort: Drucker",
        "*EXT* Automatic reply: Printer",
        "{Spam?} Automatic reply: Printer",
        "***SPAM*** [EXTERN] Automatic reply: Printer",
        "External sender | Automatic reply: Printer",
    ],
)
def test_D6_the_names_of_absences_in_many_languages(subject: str) -> None:
    assert kind(mail(subject=subject)) is AutomaticKind.OUT_OF_OFFICE


def test_D6_our_own_groups_are_no_lists() -> None:
    raw = mail("List-Id: Collega's <ict.helpdesk.example>", "Precedence: list")
    assert kind(raw) is AutomaticKind.LIST
    assert kind(raw, own_list_ids=("<ICT.helpdesk.example>",)) is None


@pytest.mark.parametrize(
    ("name", "recipient", "status", "action", "returned"),
    [
        ("bounce-rfc3464", "weg@elders.example", "5.1.1", "failed", "ons.0f3a@helpdesk.example"),
        ("bounce-delayed", "traag@elders.example", "4.4.1", "delayed", "ons.0f3b@helpdesk.example"),
        ("bounce-in-words", "weg@elders.example", "5.1.1", "failed", "ons.0f3c@helpdesk.example"),
    ],
)
def test_D6_delivery_reports_are_read(name: str, recipient: str, status: str, action: str, returned: str) -> None:
    mail = read((AUTOMATIC / f"{name}.eml").read_bytes())
    (bounced,) = mail.bounced
    assert (bounced.recipient, bounced.status, bounced.action) == (recipient, status, action)
    assert mail.returned_message_ids == (returned,)


def test_a_report_with_several_recipients_names_each() -> None:
    raw = (AUTOMATIC / "bounce-rfc3464.eml").read_bytes()
    group = b"Final-Recipient: rfc822; ook@elders.example\nAction: relayed\nStatus: 2.0.0\n"
    second = b"\n" + group + b"--b\nContent-Type: message/rfc822"
    mail = read(raw.replace(b"--b\nContent-Type: message/rfc822", second))
    assert [(each.recipient, each.action) for each in mail.bounced] == [
        ("weg@elders.example", "failed"),
        ("ook@elders.example", "relayed"),
    ]


def said(from_: str, subject: str, text: str, *head: str) -> bytes:
    return "\n".join([f"From: {from_}", f"Subject: {subject}", *head, "", text]).encode()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(
            said("jan@b.example", "Afwezig", "Ik ben op vakantie. Dit is een automatisch verzonden bericht."),
            AutomaticKind.OUT_OF_OFFICE,
            id="dutch",
        ),
        pytest.param(
            said("jan@b.example", "Out of office", "This is an automated response. I am away until Monday."),
            AutomaticKind.OUT_OF_OFFICE,
            id="english",
        ),
        pytest.param(said("jan@b.example", "Afwezig", "Ik ben morgen afwezig, wie neemt waar?"), None, id="a-person"),
        pytest.param(
            said("jan@b.example", "Afwezig tot 9 maart Re: Printer", "Ik ben tot 9 maart afwezig."),
            AutomaticKind.OUT_OF_OFFICE,
            id="a-word-before-the-answer's",
        ),
        pytest.param(
            said("jan@b.example", "Abwesend: AW: Drucker", "Ich bin bis 5. Mai nicht im Haus."),
            AutomaticKind.OUT_OF_OFFICE,
            id="a-word-and-a-colon-before-the-answer's",
        ),
        pytest.param(
            said("jan@b.example", "[EXTERN] Out of Office Re: Printer", "I am out of the office until 9 March."),
            AutomaticKind.OUT_OF_OFFICE,
            id="english-before-the-answer's",
        ),
        pytest.param(
            said("jan@b.example", "Afwezig Re: Printer", "De printer doet het weer niet."),
            None,
            id="no-text-of-absence",
        ),
        pytest.param(said("jan@b.example", "Re: Afwezig", "Ik ben morgen afwezig."), None, id="an-answer-by-hand"),
        pytest.param(
            said("jan@b.example", "Vakantie: wie doet FW: printer", "Ik ben afwezig."), None, id="a-person-who-forwards"
        ),
        pytest.param(
            said("jan@b.example", "(vraag) Automatic reply: uitzetten?", "Hoe?"), None, id="a-person's-own-brackets"
        ),
    ],
)
def test_D6_two_weak_signs_in_words_suffice(raw: bytes, expected: AutomaticKind | None) -> None:
    assert kind(raw) is expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param((), None, id="a-person"),
        pytest.param(("Return-Path: <>",), AutomaticKind.AUTO_REPLY, id="empty-path"),
        pytest.param(("Auto-Submitted: auto-replied",), AutomaticKind.AUTO_REPLY, id="auto-replied"),
    ],
)
def test_D6_a_person_at_postmaster_who_answers(head: tuple[str, ...], expected: AutomaticKind | None) -> None:
    assert kind(said("Els Beheer <postmaster@b.example>", "Antw: Printer", "Dat hielp niet.", *head)) is expected


REPORT = """{}

<weg@elders.example>: 550 5.1.1 no such user here

--- Original message ---

From: help@desk.example
To: weg@elders.example
Message-ID: <ons.1@desk.example>
"""


@pytest.mark.parametrize(
    ("from_", "subject", "first", "head"),
    [
        ("beheer@elders.example", "Delivery failure", "Unable to deliver your message to:", ()),
        ("mailhub-7@elders.example", "Undeliverable: Ticket", "Your message could not be delivered.", ()),
        ("Mail <noc@elders.example>", "Mail could not be delivered", "Hello,\n\nYour mail was not delivered.", ()),
        ("Noc <noc@elders.example>", "Onbestelbaar: Ticket", "Geachte heer Jans,\n\nHet bericht is niet bezorgd.", ()),
        ("Systeembeheer <sys@elders.example>", "Onbestelbaar: Ticket", "Uw bericht is niet bezorgd.", ()),
        ("Post <x@elders.example>", "Returned mail", "Failed recipients", ("Return-Path: <mailer-daemon@x.example>",)),
        (
            "MAILER-DAEMON@elders.example",
            "Undelivered Mail Returned to Sender",
            "Your message could not be delivered.",
            ("List-Id: <groep.desk.example>", "List-Unsubscribe: <mailto:x@desk.example>", "Precedence: list"),
        ),
    ],
)  # fmt: skip
def test_D6_an_unmistakable_report_from_anybody(from_: str, subject: str, first: str, head: tuple[str, ...]) -> None:
    mail = read(said(from_, subject, REPORT.format(first), *head))
    assert mail.automatic is not None
    assert mail.automatic.kind is AutomaticKind.BOUNCE
    assert [each.recipient for each in mail.bounced] == ["weg@elders.example"]


@pytest.mark.parametrize(
    ("subject", "first"),
    [
        ("Unzustellbar: Ticket", "Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:"),
        ("Unzustellbar: Ticket", "Ihre Nachricht konnte nicht zugestellt werden."),
        ("Non remis : Ticket", "La remise a échoué pour ces destinataires ou groupes :"),
        ("Non remis : Ticket", "Votre message n'a pas pu être remis à :"),
        ("No se puede entregar: Ticket", "Error en la entrega a los siguientes destinatarios o grupos:"),
        ("Non recapitabile: Ticket", "Recapito non riuscito per i seguenti destinatari o gruppi:"),
        ("Não entregue: Ticket", "Falha na entrega para estes destinatários ou grupos:"),
        ("Onbestelbaar: Ticket", "Bezorging mislukt voor deze geadresseerden of groepen:"),
        ("Niedostarczalne: Ticket", "Nie można dostarczyć wiadomości do następujących odbiorców:"),
        ("**Message you sent blocked by our bulk email filter**", "The email you sent has NOT BEEN DELIVERED:"),
    ],
)  # fmt: skip
def test_D6_a_server_that_sends_no_fields_reports_in_its_own_language(subject: str, first: str) -> None:
    """A gateway has made plain text of Exchange's report."""
    mail = read(said("postmaster@elders.example", subject, f"{first}\n\nweg@elders.example\n"))
    assert mail.automatic is not None
    assert mail.automatic.kind is AutomaticKind.BOUNCE
    assert [each.recipient for each in mail.bounced] == ["weg@elders.example"]


@pytest.mark.parametrize(
    ("from_", "subject", "text"),
    [
        ("els@b.example", "Fehler bei der Zustellung", "Ihre Nachricht konnte nicht zugestellt werden, sagt Outlook."),
        ("els@b.example", "Non remis", "La remise a échoué, que faire ?"),
        ("postmaster@b.example", "Drucker", "Das Paket konnte nicht zugestellt werden, wann kommt es?"),
    ],
)
def test_D6_a_person_who_speaks_of_a_delivery_is_no_report(from_: str, subject: str, text: str) -> None:
    mail = read(said(from_, subject, text))
    assert mail.automatic is None or mail.automatic.kind is not AutomaticKind.BOUNCE


def test_D6_a_person_who_complains_of_a_report_is_a_person() -> None:
    text = REPORT.format("Hallo, wat betekent dit?\n\nYour message could not be delivered.")
    assert kind(said("jan@b.example", "Mail delivery failed, help", text)) is None


STATUS = """Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.elders.example

Original-Recipient: rfc822; info@elders.example
Final-Recipient: rfc822; els@binnen.example
Action: failed
Status: 5.1.1

--b--
"""


def test_D6_the_recipient_of_a_report_is_the_one_we_wrote_to() -> None:
    (bounced,) = read(f"From: mailer-daemon@elders.example\nSubject: x\n{STATUS}".encode()).bounced
    assert (bounced.recipient, bounced.final_recipient) == ("info@elders.example", "els@binnen.example")


def test_D6_a_report_that_was_passed_on_as_an_attached_message() -> None:
    inner = f"From: mailer-daemon@elders.example\nTo: help@desk.example\nSubject: Undeliverable\n{STATUS}"
    outer = (
        "From: postmaster@b.example\nTo: help@desk.example\nSubject: Delivery failure\n"
        'Content-Type: multipart/mixed; boundary="o"\n\n--o\nContent-Type: message/rfc822\n\n' + inner + "\n--o--\n"
    )
    mail = read(outer.encode())
    assert [each.recipient for each in mail.bounced] == ["info@elders.example"]


def test_D13_two_reports_without_message_id_about_different_recipients_are_two() -> None:
    one = f"From: mailer-daemon@elders.example\nSubject: x\nDate: Mon, 2 Nov 2026 10:00:00 +0100\n{STATUS}"
    other = one.replace("info@", "verkoop@")
    assert read(one.encode()).content_key.key != read(other.encode()).content_key.key
    assert read(one.encode()).content_key == read(one.encode()).content_key
