"""SPEC D6: acknowledgements of other ticket systems and receipts whose headers a gateway took away.

Two helpdesks that confirm each other's confirmations never end; but a person who says that he received something, or
who answers our confirmation, is never taken for one.
"""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.reading.automatic import acknowledgement
from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings
from shared.messages import AutomaticKind

MARKER = "===== vul boven deze regel uw reactie ====="


def kind(subject: str, text: str, *headers: str) -> AutomaticKind | None:
    head = "\n".join(["From: Support <support@leverancier.example>", f"Subject: {subject}", *headers])
    raw = f"{head}\nContent-Type: text/plain; charset=utf-8\n\n{text}".encode()
    found = read_mail(raw, uuid.UUID(int=1), ReadingSettings(markers=(MARKER,))).automatic
    return None if found is None else found.kind


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        pytest.param(
            "[Request received] Printer",
            "##- Please type your reply above this line -##\n\nYour request (12345) has been received and is being "
            "reviewed by our support staff.\n\nTo add additional comments, reply to this email.",
            id="zendesk",
        ),
        pytest.param(
            "[Leverancier] Aanvraag ontvangen: Printer",
            "##- Typ uw antwoord boven deze regel. -##\n\nBeste Jan,\n\nUw aanvraag (12345) is ontvangen en wordt "
            "beoordeeld door ons supportteam.",
            id="zendesk-nl",
        ),
        pytest.param(
            "Ticket Received - Printer",
            "Dear Jan,\n\nWe would like to acknowledge that we have received your request and a ticket has been "
            "created with Ticket ID - 4321.\nA support representative will be reviewing your request and will send you "
            "a personal response.",
            id="freshdesk",
        ),
        pytest.param(
            "HELP-123 Printer", "Just confirming that we got your request. We're on it.", id="jira-service-management"
        ),
        pytest.param(
            "Melding M2603 001 is aangemeld",
            "Beste Jan,\n\nWij hebben uw melding ontvangen. Deze is bij ons geregistreerd onder nummer M2603 001.",
            id="topdesk",
        ),
        pytest.param(
            "RE: Printer [Ticket#2026030310000012]",
            "This email was automatically created by a system.\n\nThank you for your email. A ticket with number "
            "2026030310000012 has been created.",
            id="otrs",
        ),
        pytest.param("RE: Printer", "Dies ist eine automatische Antwort.\n\nVielen Dank.", id="says-so-first"),
        pytest.param(
            "Re: Printer [#123456]",
            "Dear Jan,\n\nA request for support has been created and assigned #123456. A representative will follow-up "
            "with you as soon as possible.",
            id="osticket",
        ),
        pytest.param(
            "Incident INC0012345 has been opened on your behalf",
            "Incident INC0012345 has been opened on your behalf.\n\nShort description: Printer",
            id="servicenow",
        ),
        pytest.param(
            "[Request ID :##12345##] : Printer",
            "Dear Jan,\n\nThis is an acknowledgement mail for your request.\n\nYour request has been created with id : "
            "12345",
            id="manageengine",
        ),
        pytest.param(
            "Thanks for your inquiry (Printer)",
            "Your request (Ticket#45001) has been received and will be reviewed by our support staff.",
            id="zammad",
        ),
        pytest.param(
            "Ontvangstbevestiging",
            "Geachte heer, mevrouw,\n\nWij hebben uw e-mail in goede orde ontvangen. U ontvangt binnen vijf werkdagen "
            "een reactie.",
            id="in-good-order",
        ),
        pytest.param(
            "Eingangsbestätigung zu Ihrer Anfrage",
            "Sehr geehrter Herr Jansen,\n\nIhre Nachricht ist bei uns eingegangen und wird unter der Ticketnummer "
            "12345 bearbeitet. Bitte antworten Sie nicht auf diese E-Mail.",
            id="german",
        ),
        pytest.param(
            "Gelezen: Printer",
            "Uw bericht\n\n   Aan: Jan\n   Onderwerp: Printer\n   Verzonden: 3-3-2026\n\n is gelezen op 3-3-2026",
            id="receipt-of-outlook",
        ),
        pytest.param(
            "Return Receipt (displayed) - Printer",
            "This is a Return Receipt for the mail that you sent to jan@b.example.",
            id="receipt-of-thunderbird",
        ),
        pytest.param("[Auto-Reply] Printer", "We are open from nine to five.", id="name-in-brackets"),
        pytest.param(
            "Melding 00123456",
            "Beste melder,\n\nUw melding met nummer 00123456 is ontvangen.\nDit bericht is automatisch verzonden.",
            id="ultimo",
        ),
        pytest.param(
            "Bevestiging",
            "Uw melding met meldingsnummer 12345 is in goede orde ontvangen en wordt in behandeling genomen.\n\n"
            "U kunt niet op deze e-mail antwoorden.",
            id="number-with-its-own-name",
        ),
        pytest.param(
            "Serviceverzoek 12345",
            "Beste Jan,\n\nEr is een serviceverzoek aangemaakt met referentie 12345. Dit is een automatisch "
            "gegenereerd bericht.",
            id="axxerion",
        ),
        pytest.param(
            "Ticket T20260302.0012",
            "Hello Jan,\n\nA ticket has been created on your behalf. Ticket Number: T20260302.0012\n\nOne of our "
            "technicians will contact you soon.",
            id="autotask",
        ),
        pytest.param(
            "RE: Printer CRM:0012345",
            "Uw aanvraag is geregistreerd onder nummer CAS-12345-X1Y2. Wij streven ernaar binnen 2 dagen te reageren.",
            id="dynamics",
        ),
        pytest.param(
            "Ontvangst van uw bericht",
            "Wij hebben uw bericht in goede orde ontvangen. Uw bericht wordt zo spoedig mogelijk beantwoord.",
            id="says-so-in-its-subject",
        ),
        pytest.param(
            "Re: Printer",
            "Bedankt voor je e-mail. Je ontvangt zo spoedig mogelijk een reactie. Dit is een automatische reactie.",
            id="says-so-at-its-end",
        ),
        pytest.param(
            "Your email requires verification verify#abc123",
            "The message you sent requires that you verify that you are a real live human being and not a spam source."
            "\n\nTo complete this verification, simply reply to this message.",
            id="challenge-of-boxtrapper",
        ),
    ],
)
def test_D6_an_acknowledgement_without_headers_is_automatic(subject: str, text: str) -> None:
    assert kind(subject, text) is AutomaticKind.AUTO_REPLY


CONFIRMED = "Uw melding is geregistreerd onder nummer 1000001. Wij nemen deze zo spoedig mogelijk in behandeling."


@pytest.mark.parametrize(
    ("subject", "text", "headers"),
    [
        pytest.param(
            "Re: Ticket 1000001",
            "De printer doet het weer.\n\nVan: ICT <ict@helpdesk.example>\nVerzonden: maandag 23 november 2026 08:50\n"
            f"Aan: Jan <jan@b.example>\nOnderwerp: Ticket 1000001\n\n{CONFIRMED}",
            (),
            id="answers-our-confirmation",
        ),
        pytest.param(
            "Re: Ticket 1000001",
            f"De printer doet het weer.\n\n{MARKER}\n\n{CONFIRMED}",
            (),
            id="answers-above-the-marker",
        ),
        pytest.param("Re: Ticket 1000001", f"Dank, ik wacht af.\n\n{CONFIRMED}", (), id="quotes-without-marks"),
        pytest.param("FW: Ticket 1000001", CONFIRMED, (), id="forwards-our-confirmation"),
        pytest.param("Melding", f"Wat betekent dit?\n\n{CONFIRMED}", (), id="asks"),
        pytest.param("Bevestigingsmail", f"Graag de tekst wijzigen in:\n\n{CONFIRMED}", (), id="wants-it-changed"),
        pytest.param(
            "Re: Printer", "Wij hebben uw e-mail ontvangen en de printer herstart, maar hij doet het niet.", (),
            id="received-it",
        ),
        pytest.param(
            "Re: Printer", "Uw ticket 4521 is bij ons aangemaakt. Voor de reparatie is het serienummer nodig.", (),
            id="a-number-alone",
        ),
        pytest.param(
            "Ticket", "Er is een ticket aangemaakt met nummer 1000004, maar dat is een dubbele van 1000003.", (),
            id="a-ticket-of-ours",
        ),
        pytest.param(
            "Nieuw bericht via de website",
            "Er is een nieuw bericht ontvangen. Niet op dit bericht antwoorden.\n\nNaam: Jan\nVraag: printer stuk", (),
            id="web-form",
        ),
        pytest.param("Contact", CONFIRMED, ("Reply-To: jan@b.example",), id="answers-go-elsewhere"),
        pytest.param("Gelezen: handleiding", "Uw bericht aan ons team is duidelijk.", (), id="read-something"),
        pytest.param(
            "Re: Printer",
            "A ticket has been opened with the vendor, number 4455. Their engineer will contact you about access.", (),
            id="ticket-at-a-vendor",
        ),
        pytest.param(
            "Serviceverzoek", "Er is een verzoek aangemaakt door Piet, maar dat moet een melding zijn.", (),
            id="a-request-of-a-colleague",
        ),
        pytest.param(
            "Tekst", "Onder onze mails staat: dit is een automatische reactie. Kan die zin weg, graag vandaag.", (),
            id="speaks-of-such-a-sentence",
        ),
        pytest.param(
            "Re: Contract",
            "Your request 5544 has been received by our legal team. They will contact you about clause 4.", (),
            id="others-will-do-it",
        ),
        pytest.param(
            "Contract",
            "Uw aanvraag 5544 is ontvangen door onze jurist. Zij zal contact met u opnemen over artikel 4.", (),
            id="another-will-do-it",
        ),
        pytest.param("Automatisch antwoord", "Graag aanzetten voor Jan.", (), id="asks-for-one"),
        pytest.param(
            "Uitzetten", "Dit is een automatisch antwoord dat klanten krijgen. Kan dat uit?", (), id="speaks-of-one"
        ),
    ],
)  # fmt: skip
def test_D6_a_person_who_uses_such_words_is_none(subject: str, text: str, headers: tuple[str, ...]) -> None:
    assert kind(subject, text, *headers) is None


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        pytest.param(
            "Jan Jansen is out of the office.",
            "I will be out of the office starting  03/01/2026 and will not return until 03/12/2026.",
            id="notes",
        ),
        pytest.param("Abwesenheitsnotiz", "Ich bin bis zum 9. März nicht im Büro.", id="name-and-nothing-else"),
        pytest.param("(Automatisch antwoord) Printer", "Ik ben afwezig.", id="in-parentheses"),
        pytest.param("[Automatisch antwoord] Re: Printer", "Ik ben afwezig.", id="in-brackets"),
        pytest.param(
            "Re: Printer", "Dit is een automatisch antwoord.\n\nIk ben tot 12 maart op vakantie.", id="says-so-first"
        ),
    ],
)
def test_D6_an_absence_without_headers_is_told(subject: str, text: str) -> None:
    assert kind(subject, text) is AutomaticKind.OUT_OF_OFFICE


def test_D6_a_journal_report_is_automatic_and_shows_the_mail_that_it_carries() -> None:
    raw = (
        b"From: Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@b.example>\nSubject: Printer\n"
        b"X-MS-Journal-Report:\nContent-Type: multipart/mixed; boundary=q\n\n"
        b"--q\n\nSender: jan@b.example\nMessage-Id: <a@b.example>\nTo: ict@helpdesk.example\n"
        b"--q\nContent-Type: message/rfc822\n\nFrom: jan@b.example\nSubject: Printer\n\nDe printer is stuk.\n--q--\n"
    )
    mail = read_mail(raw, uuid.UUID(int=1), ReadingSettings())
    assert mail.automatic is not None
    assert (mail.automatic.kind, mail.whole.text) == (AutomaticKind.AUTO_REPLY, "De printer is stuk.")


@given(st.from_regex(acknowledgement._CAME_IN, fullmatch=True))
def test_no_sentence_that_says_so_is_without_the_words_that_are_looked_for_first(said: str) -> None:
    assert any(word in said for word in acknowledgement._TAKEN_IN)
