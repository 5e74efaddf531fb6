"""How a notification reads (SPEC M2–M4, S7; DESIGN 9)."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from services.notifier.rules.addresses import UnusableAddress
from services.notifier.rules.compose import NoSender, compose, return_path
from shared.messages import NotificationKind
from shared.templates.facts import Body, OwnTemplate
from tests.services.notifier.examples import KEY, NOW, notification, sender, ticket

_MARKER = "===== vul boven deze regel uw reactie ====="


def _mail(**changes: object) -> EmailMessage:
    written = compose(notification(**changes), key=KEY, now=NOW).written
    mail = message_from_bytes(written.mime, policy=SMTP)
    assert isinstance(mail, EmailMessage)
    assert mail["Message-ID"] == f"<{written.message_id}>"
    assert mail["Subject"] == written.subject
    return mail


def _text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def _html(mail: EmailMessage) -> str:
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_M2_to_the_ticket_manager() -> None:
    mail = _mail(kind=NotificationKind.TICKET_ADDED_MANAGER, recipient_name="Sanne de Wit", answers=())
    assert mail["Subject"] == "ChainWise: Ticket 1000123 - Printer doet het niet toegevoegd via de importer"
    assert "Foutcode 79" in _text(mail)
    assert "<p>Foutcode 79</p>" in _html(mail)
    assert "https://helpdesk.example/tickets/1000123" in _text(mail)
    assert "In-Reply-To" not in mail


def test_M3_to_the_executor() -> None:
    mail = _mail(
        kind=NotificationKind.SUPPLEMENT_ADDED_EXECUTOR,
        ticket=ticket(supplement=Body("<p>Nog steeds</p>", "Nog steeds")),
        answers=("eerder@example.nl", "later@example.nl"),
    )
    assert (
        mail["Subject"] == "ChainWise: Ticket 1000123 - Printer doet het niet heeft een nieuwe aanvulling via portaal"
    )
    assert "Nog steeds" in _text(mail)
    assert mail["In-Reply-To"] == "<later@example.nl>"
    assert mail["References"] == "<eerder@example.nl> <later@example.nl>"


def test_M4_to_the_customer_answers_his_mail() -> None:
    mail = _mail()
    assert mail["Subject"] == "ChainWise: Ticket 1000123 - Printer doet het niet is geregistreerd"
    assert mail["To"] == "Piet Jansen <piet@klant.example>"
    assert mail["In-Reply-To"] == "<abc@klant.example>"
    assert "Beste Piet Jansen," in _text(mail)


@pytest.mark.parametrize("kind", NotificationKind)
def test_M2_M3_M4_have_no_line_for_what_is_not_there(kind: NotificationKind) -> None:
    nothing = ticket(priority="", executor="", deadline_at=None, url="", images=(), left_out=(), supplemented_at=NOW)
    bare = _mail(kind=kind, ticket=nothing)
    for reading in (_text(bare), _html(bare)):
        for label in ("Prioriteit", "Uitvoerder", "Deadline", "ijlagen", "Openen", "geen\n", "nog niemand", "–"):
            assert label not in reading
    assert "\n\n\n" not in _text(bare)
    assert "<td></td>" not in _html(bare)
    assert "<a" not in _html(bare)


def test_M2_has_a_line_for_what_is_there() -> None:
    full = _mail(kind=NotificationKind.TICKET_ADDED_MANAGER, ticket=ticket(images=("foto.jpg",)))
    for reading in (_text(full), _html(full)):
        for said in ("Prioriteit", "Normaal", "Uitvoerder", "Bijlagen", "foto.jpg", "Openen"):
            assert said in reading


def test_M2_an_empty_request_is_said_to_be_empty() -> None:
    assert "(geen tekst)" in _text(_mail(kind=NotificationKind.TICKET_ADDED_MANAGER, ticket=ticket(request=Body())))


@pytest.mark.parametrize("kind", [NotificationKind.TICKET_ADDED_MANAGER, NotificationKind.SUPPLEMENT_ADDED_EXECUTOR])
def test_M2_M3_keep_the_lines_of_a_plain_text_in_outlook(kind: NotificationKind) -> None:
    body = Body('<div style="white-space: pre-wrap">1. De kassa\n2.  De lade &lt;x&gt;\n\nGroet</div>', "anders")
    html = _html(_mail(kind=kind, ticket=ticket(request=body, supplement=body)))
    assert "<div>1. De kassa<br>\n2.&nbsp; De lade &lt;x&gt;<br>\n<br>\nGroet</div>" in html
    assert "pre-wrap" not in html


@pytest.mark.parametrize("kind", NotificationKind)
def test_S7_the_marker_line_heads_every_mail(kind: NotificationKind) -> None:
    mail = _mail(kind=kind)
    assert _text(mail).splitlines()[0] == _MARKER
    assert f'px">\n<p>{_MARKER}</p>\n' in _html(mail)


def test_S7_no_marker_no_line() -> None:
    mail = _mail(marker=" ")
    assert _text(mail).startswith("Beste Piet")
    assert 'px">\n<p>Beste' in _html(mail)


def test_S7_a_marker_cannot_inject() -> None:
    mail = _mail(marker="<script>1</script>\r\nBcc: x@y.nl [ticketnummer]")
    assert "<script>" not in _html(mail)
    assert "Bcc" not in mail
    assert _text(mail).splitlines()[0] == "<script>1</script> Bcc: x@y.nl [ticketnummer]"


@pytest.mark.parametrize(
    ("settings", "from_", "reply_to", "return_path_"),
    [
        pytest.param({}, "Servicedesk ICT <ict@example.nl>", None, "ict@example.nl", id="the mailbox by default"),
        pytest.param({"name": ""}, "ICT <ict@example.nl>", None, "ict@example.nl", id="the helpdesk's name by default"),
        pytest.param(
            {"address": "noreply@example.nl"},
            "Servicedesk ICT <noreply@example.nl>",
            "ict@example.nl",
            "ict@example.nl",
            id="an address of its own: answers go to the mailbox",
        ),
        pytest.param(
            {"reply_to": "hulp@example.nl"},
            "Servicedesk ICT <ict@example.nl>",
            "hulp@example.nl",
            "ict@example.nl",
            id="answers elsewhere: delivery failures still come to the mailbox (D6)",
        ),
        pytest.param(
            {"mailbox": None, "address": "ict@bücher.example"},
            "Servicedesk ICT <ict@xn--bcher-kva.example>",
            None,
            "ict@xn--bcher-kva.example",
            id="no mailbox address, an international domain",
        ),
        pytest.param(
            {"mailbox": "DOM\\ict"},
            None,
            None,
            None,
            id="a login is no address (D9)",
        ),
    ],
)
def test_sender_and_reply_to_are_the_helpdesks(
    settings: dict[str, str], from_: str | None, reply_to: str | None, return_path_: str | None
) -> None:
    if from_ is None:
        with pytest.raises(NoSender, match="ICT"):
            _mail(sender=sender(**settings))
        return
    mail = _mail(sender=sender(**settings))
    assert mail["From"] == from_
    assert mail["Reply-To"] == reply_to
    assert str(return_path(sender(**settings))) == return_path_


def test_a_recipient_that_is_no_address_is_refused() -> None:
    with pytest.raises(UnusableAddress):
        _mail(recipient_address="piet@klant.example\r\nBcc: x@y.nl")


def test_the_helpdesks_own_template_wins() -> None:
    own = OwnTemplate("Nummer [ticketnummer]", "<h1>[tickettitel]</h1>", "Titel: [tickettitel]")
    mail = _mail(template=own)
    assert mail["Subject"] == "Nummer 1000123"
    assert "Titel: Printer doet het niet" in _text(mail)
    assert "<h1>Printer doet het niet</h1>" in _html(mail)


@pytest.mark.parametrize(
    "own",
    [
        pytest.param(OwnTemplate(body_html="<p>Over <b>[tickettitel]</b></p>"), id="html only"),
        pytest.param(OwnTemplate(body_text="Over [tickettitel]"), id="text only"),
    ],
)
def test_one_body_makes_the_other(own: OwnTemplate) -> None:
    mail = _mail(template=own)
    assert "Over Printer doet het niet" in _text(mail)
    assert "Over" in _html(mail)
    assert "Bedankt" not in _text(mail) + _html(mail)


def test_an_unusable_template_gives_way_to_the_default_and_says_so() -> None:
    own = OwnTemplate("Zonder nummer", "<p>[onbekend]</p>")
    composed = compose(notification(template=own), key=KEY, now=NOW)
    assert "is geregistreerd" in composed.written.subject
    assert any("[onbekend] is unknown" in str(problem) for problem in composed.template_problems)
    assert any("[ticketnummer]" in str(problem) for problem in composed.template_problems)


def test_a_hostile_title_stays_a_title() -> None:
    title = "x\r\nBcc: y@z.nl <script>alert(1)</script> [contactpersoon] =?utf-8?q?a?="
    mail = _mail(ticket=ticket(title=title))
    assert mail["Subject"] == (
        "ChainWise: Ticket 1000123 - x Bcc: y@z.nl <script>alert(1)</script> [contactpersoon] =?utf-8?q?a?="
        " is geregistreerd"
    )
    assert "Bcc" not in mail
    assert "<script>" not in _html(mail)


def test_written_twice_it_is_the_same_to_the_byte() -> None:
    assert compose(notification(), key=KEY, now=NOW) == compose(notification(), key=KEY, now=NOW)
