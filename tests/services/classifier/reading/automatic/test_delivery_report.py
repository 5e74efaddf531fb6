"""SPEC D6: delivery reports as servers write them, with what each says; and mail that merely looks like one."""

# ruff: noqa: RUF001 - words of languages whose letters resemble Latin ones

import json
import uuid

import pytest

from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings, ReadMail
from shared.messages import AutomaticKind

US = "helpdesk@ons.example"


def read(raw: str) -> ReadMail:
    return read_mail(raw.encode(), uuid.UUID(int=1), ReadingSettings())


def mail(sender: str, subject: str, text: str, *head: str) -> str:
    fields = [f"From: {sender}", f"To: {US}", f"Subject: {subject}", *head]
    return "\n".join([*fields, "Content-Type: text/plain; charset=utf-8", "", text])


def report(
    fields: str, text: str = "Sorry.", data_type: str = "message/delivery-status", subject: str = "Report"
) -> str:
    return "\n".join(
        [
            "From: MAILER-DAEMON@mx.example",
            f"To: {US}",
            f"Subject: {subject}",
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
            "",
            f"--b\nContent-Type: text/plain\n\n{text}\n--b\nContent-Type: {data_type}\n",
            f"{fields}\n--b--\n",
        ]
    )


RETURNED = (
    "Received: from pc.ons.example by mx.example\nMessage-ID: <a1@ons.example>\nTo: jan@klant.example\nSubject: Printer"
)


@pytest.mark.parametrize(
    ("raw", "recipient", "status", "action"),
    [
        pytest.param(
            mail(
                "MAILER-DAEMON@mx.example",
                "failure notice",
                "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message "
                "to the"
                " following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
                "<jan@klant.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
                f"--- Below this line is a copy of the message.\n\n{RETURNED}",
            ),
            "jan@klant.example",
            "5.1.1",
            "failed",
            id="qmail",
        ),
        pytest.param(
            mail(
                "Mail Delivery System <Mailer-Daemon@mx.example>",
                "Warning: message 1abc-23 delayed 24 hours",
                "This message was created automatically by mail delivery software.\nA message that you sent has not "
                "yet been"
                " delivered to one or more of its\nrecipients after more than 24 hours on the queue on mx.example.\n\n"
                "The address to which the message has not yet been delivered is:\n\n  jan@klant.example\n"
                "    host mx.klant.example [192.0.2.1]: 451 greylisted\n\nNo action is required on your part. Delivery"
                " attempts will continue for\nsome time, and this warning may be repeated.",
                "Return-Path: <>",
            ),
            "jan@klant.example",
            "4.0.0",
            "delayed",
            id="exim-warning",
        ),
        pytest.param(
            mail(
                "Mail Delivery System <Mailer-Daemon@mx.example>",
                "Mail delivery failed: returning message to sender",
                "This message was created automatically by mail delivery software.\n\nA message that you sent could "
                "not be"
                " delivered to one or more of its\nrecipients. This is a permanent error. The following address(es)"
                " failed:\n\n  jan@klant.example\n    Unrouteable address\n  piet@vol.example\n    host mx.vol.example"
                " [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:<piet@vol.example>:\n"
                "    552 5.2.2 Mailbox full\n\n------ This is a copy of the message, including all the headers. "
                "------\n\n"
                f"{RETURNED}",
            ),
            "jan@klant.example piet@vol.example",
            "5.1.1 5.2.2",
            "failed failed",
            id="exim-two-recipients",
        ),
        pytest.param(
            mail(
                "System Administrator <postmaster@klant.example>",
                "Undeliverable: Printer",
                "Your message\n\n  To:      Jan\n  Subject: Printer\n  Sent:    Mon, 1 Dec 2025 10:00:00 +0100\n\n"
                "did not reach the following recipient(s):\n\njan@klant.example on Mon, 1 Dec 2025 10:00:05 +0100\n"
                "    The e-mail account does not exist at the organization this message was sent to.\n"
                "    <mx.klant.example #5.1.1>",
            ),
            "jan@klant.example",
            "5.1.1",
            "failed",
            id="exchange-2003",
        ),
        pytest.param(
            mail(
                "Systeembeheerder <postmaster@klant.example>",
                "Onbestelbaar: Printer",
                "Uw bericht is niet bezorgd bij de volgende geadresseerden:\n\njan@klant.example\n"
                "   De ontvanger is onbekend.  <mx.klant.example #5.1.1 smtp;550 5.1.1 onbekend>",
            ),
            "jan@klant.example",
            "5.1.1",
            "failed",
            id="exchange-dutch",
        ),
        pytest.param(
            mail(
                "postmaster@klant.example",
                "Unzustellbar: Drucker",
                "Ihre Nachricht wurde an folgende Empfänger nicht zugestellt:\n\nEmpfänger: jan@klant.example\n"
                "Grund: 550 Benutzer unbekannt",
            ),
            "jan@klant.example",
            "5.1.1",
            "failed",
            id="german",
        ),
        pytest.param(
            mail(
                "Postmaster@klant.example",
                "DELIVERY FAILURE: User jan (jan@klant.example) not listed in Domino Directory",
                "Your message\n\n  Subject: Printer\n\nwas not delivered to:\n\n  jan@klant.example\n\nbecause:\n\n"
                "  User jan (jan@klant.example) not listed in Domino Directory",
            ),
            "jan@klant.example",
            "5.1.1",
            "failed",
            id="domino",
        ),
        pytest.param(
            mail(
                "Mailer-Daemon@klant.example",
                "Message status - undeliverable",
                "The message that you sent was undeliverable to the following:\n\tjan@klant.example (user not found)\n",
            ),
            "jan@klant.example",
            "5.1.1",
            "failed",
            id="groupwise",
        ),
        pytest.param(
            mail(
                "Mail Delivery Subsystem <MAILER-DAEMON@klant.example>",
                "Returned mail: Service unavailable",
                "   ----- Transcript of session follows -----\n... while talking to mx.klant.example.:\n>>> RCPT"
                " To:<jan@klant.example>\n<<< 554 5.7.1 <jan@klant.example>... Relaying denied\n554"
                f" <jan@klant.example>... Service unavailable\n\n   ----- Unsent message follows -----\n{RETURNED}",
            ),
            "jan@klant.example",
            "5.7.1",
            "failed",
            id="sendmail-transcript",
        ),
        pytest.param(
            mail(
                "MDaemon@klant.example",
                "Permanent Delivery Failure",
                "Failed address: jan@klant.example\n\n--- Session Transcript ---\n Mon 10:00: <-- 550 No such user "
                "here\n"
                " --- End Transcript ---",
            ),
            "jan@klant.example",
            "5.1.1",
            "failed",
            id="mdaemon",
        ),
        pytest.param(
            mail(
                '"Barracuda Spam Firewall" <postmaster@gate.example>',
                "**Message you sent blocked by our bulk email filter**",
                "Your message to: jan@klant.example\nwas blocked by our Spam Firewall. The email you sent with the"
                " following subject has NOT BEEN DELIVERED:\n\nSubject: Printer",
                "Return-Path: <>",
            ),
            "jan@klant.example",
            "5.7.1",
            "failed",
            id="spam-filter",
        ),
        pytest.param(
            mail(
                "no-reply@carrier.example",
                "メールエラー通知",
                "送信できませんでした。\n宛先不明です。\n jan@klant.example\n\n"
                f"----- Original message -----\n{RETURNED}",
            ),
            "jan@klant.example",
            "5.1.1",
            "failed",
            id="japanese-carrier",
        ),
        pytest.param(
            mail(
                "Symantec_Mail_Security@gate.example",
                "Undeliverable: blocked",
                "Your message to jan@klant.example was blocked because it contains a virus.",
                "Return-Path: <>",
            ),
            "jan@klant.example",
            "5.7.1",
            "failed",
            id="filter-with-a-name-of-its-own",
        ),
        pytest.param(
            mail(
                "postmaster@klant.example", "Недоставленное сообщение", "Не доставлено:\n<jan@klant.example>: не найден"
            ),
            "jan@klant.example",
            "5.1.1",
            "failed",
            id="russian",
        ),
        pytest.param(
            mail(
                "MAILER-DAEMON@mx.example",
                "Returned mail",
                "Delivery problems:\nThe message is larger than the recipient's server accepts: <jan@klant.example>",
                "Return-Path: <>",
            ),
            "jan@klant.example",
            "5.3.4",
            "failed",
            id="too-big",
        ),
        pytest.param(
            mail(
                "MAILER-DAEMON@mx.example",
                "Undelivered Mail",
                "<jan@klant.example>: Host or domain name not found. Name service error for name=klant.example",
                "Return-Path: <>",
            ),
            "jan@klant.example",
            "5.1.2",
            "failed",
            id="host-unknown",
        ),
        pytest.param(
            mail(
                "MAILER-DAEMON@mx.example",
                "Undelivered Mail",
                f"Nobody is named here, but the mail could not be delivered.\n\nOriginal message follows.\n\n"
                f"{RETURNED}",
                "Return-Path: <>",
            ),
            "jan@klant.example",
            "5.0.0",
            "failed",
            id="recipient-of-the-returned-mail",
        ),
        pytest.param(
            mail(
                "laatste-nieuws-owner@lijst.example",
                "Your message to laatste-nieuws",
                "You are not a member of this mailing list <laatste-nieuws@lijst.example>.",
            ),
            "laatste-nieuws@lijst.example",
            "5.7.1",
            "failed",
            id="list-refuses",
        ),
        pytest.param(
            mail(
                "no-reply@sns.example",
                "AWS Notification Message",
                json.dumps(
                    {
                        "notificationType": "Bounce",
                        "bounce": {
                            "bounceType": "Permanent",
                            "bouncedRecipients": [
                                {
                                    "emailAddress": "jan@klant.example",
                                    "status": "5.1.1",
                                    "action": "failed",
                                    "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                                }
                            ],
                        },
                    }
                ),
            ),
            "jan@klant.example",
            "5.1.1",
            "failed",
            id="amazon-ses",
        ),
        pytest.param(
            report(
                "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; jan@klant.example\nAction: relayed\n"
                "Status: 2.0.0"
            ),
            "jan@klant.example",
            "2.0.0",
            "relayed",
            id="relayed",
        ),
        pytest.param(
            report("Final-Recipient: rfc822; lijst@klant.example\nAction: expanded\nStatus: 2.1.5"),
            "lijst@klant.example",
            "2.1.5",
            "expanded",
            id="expanded",
        ),
        pytest.param(
            report(
                "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: utf-8; j\\x{F6}rg@klant.example\nAction: failed\n"
                "Status: 5.1.1",
                data_type="message/global-delivery-status",
            ),
            "jörg@klant.example",
            "5.1.1",
            "failed",
            id="rfc6533",
        ),
        pytest.param(
            report(
                "Original-Recipient: rfc822;jan@klant.example\nAction: failed\nDiagnostic-Code: smtp; 550 no\n such "
                "user\n"
                "Original-Recipient: rfc822;piet@klant.example\nAction: delayed\nStatus: 4.2.2"
            ),
            "jan@klant.example piet@klant.example",
            "5.1.1 4.2.2",
            "failed delayed",
            id="no-blank-line-no-status",
        ),
        pytest.param(
            report(
                "Final-Recipient: rfc822; jan@klant.example\n\nAction: failed (no such user)\n\nStatus: 5.0.0 "
                "(mailbox full)"
            ),
            "jan@klant.example",
            "5.2.2",
            "failed",
            id="blank-lines-within-a-group",
        ),
        pytest.param(
            report("Reporting-MTA: dns; mx.example\n", "Delivery failed permanently:\n\n   * jan@klant.example\n"),
            "jan@klant.example",
            "5.0.0",
            "failed",
            id="recipient-in-words-only",
        ),
    ],
)
def test_D6_reports_of_many_servers(raw: str, recipient: str, status: str, action: str) -> None:
    found = read(raw)
    assert found.automatic is not None
    assert found.automatic.kind is AutomaticKind.BOUNCE
    assert [each.recipient for each in found.bounced] == recipient.split()
    assert [each.status for each in found.bounced] == status.split()
    assert [each.action for each in found.bounced] == action.split()


def test_a_diagnostic_of_several_lines_is_one() -> None:
    raw = report(
        "Final-Recipient: rfc822; jan@klant.example\nAction: failed\nStatus: 5.0.0\n"
        "Diagnostic-Code: smtp; 550-5.7.26 Unauthenticated mail\n 550 5.7.26 is not accepted"
    )
    (bounced,) = read(raw).bounced
    assert bounced.status == "5.7.26"
    assert bounced.diagnostic == "550-5.7.26 Unauthenticated mail 550 5.7.26 is not accepted"


FORWARDED = (
    "Kunnen jullie hiernaar kijken?\n\n-----Original Message-----\nFrom: Mail Delivery System "
    "<MAILER-DAEMON@mx.example>\n"
    "Subject: Undelivered Mail Returned to Sender\n\n<piet@klant.example>: 550 5.1.1 User unknown\n\n"
    "--- Below this line is a copy of the message.\n\nReceived: from pc\n"
)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(
            mail("Jan <jan@klant.example>", "Fwd: Undelivered Mail Returned to Sender", FORWARDED), id="forwarded"
        ),
        pytest.param(
            mail("Jan <jan@klant.example>", "Undelivered Mail Returned to Sender", FORWARDED), id="redirected"
        ),
        pytest.param(
            mail(
                "Postmaster <postmaster@klant.example>", "Re: Undelivered Mail", FORWARDED, "In-Reply-To: <a@b.example>"
            ),
            id="a-postmaster-who-answers",
        ),
        pytest.param(
            mail("jan@klant.example", "Mail delivery failed", "My mails could not be delivered: mailbox unavailable"),
            id="a-person-who-complains",
        ),
        pytest.param(
            report(
                "Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1", subject="FW: Undeliverable"
            ).replace("MAILER-DAEMON@mx.example", "jan@klant.example"),
            id="a-report-passed-on-whole",
        ),
        pytest.param(
            mail(
                "nieuws@winkel.example",
                "Returned mail? 50% off",
                "Delivery failed before? Never again.",
                "List-Id: <n.w>",
            ),
            id="newsletter",
        ),
        pytest.param(
            mail(
                "no-reply@desk.example",
                "[Ticket 5] Mail delivery failed",
                "We received your question about a mail that could not be delivered.",
                "Auto-Submitted: auto-replied",
                "Return-Path: <>",
            ),
            id="confirmation-of-a-ticket-about-it",
        ),
        pytest.param(
            mail("Postmaster <postmaster@klant.example>", "Vraag", "De mailbox van Jan zegt steeds vol (5.2.2)."),
            id="a-postmaster-with-a-question",
        ),
        pytest.param(
            mail("admin@klant.example", "Delivery failed here", "They got <piet@klant.example>: 550 5.7.1 rejected"),
            id="an-administrator-with-a-question",
        ),
        pytest.param(
            mail(
                "noreply@desk.example", "[#12] Undeliverable", "Ja.\n\n> 550 5.1.1 x", "Auto-Submitted: auto-generated"
            ),
            id="confirmation-that-quotes-a-report",
        ),
        pytest.param(
            mail(
                "postmaster@klant.example",
                "Content filter",
                f"No viruses were found. The message WILL BE relayed to:\n<jan@klant.example>\n\n{RETURNED}",
            ),
            id="notice-of-a-filter-that-lets-pass",
        ),
        pytest.param(
            report("Feedback-Type: abuse", "It was rejected as spam.", "message/feedback-report").replace(
                "report-type=delivery-status", "report-type=feedback-report"
            ),
            id="feedback-report",
        ),
    ],
)
def test_D6_what_is_no_report(raw: str) -> None:
    found = read(raw)
    assert found.automatic is None or found.automatic.kind is not AutomaticKind.BOUNCE
    assert found.bounced == ()
