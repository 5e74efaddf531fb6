"""Senders, and who is mailed (S5, S6, M1–M5, N2, A5, A11, D6, D10–D12, D18, D20)."""

from datetime import UTC, datetime, timedelta
from typing import Final

from tests.acceptance.story import Mail, Story, picture, says

TO_MANAGER: Final = "sent to marieke.de.boer@oosterdam-services.example"
TO_EXECUTOR: Final = "sent to tom.jansen@oosterdam-services.example"
TO_CONTACT: Final = "sent to klant{n}@bedrijf{n}.example"
SUPPLEMENT: Final = "Ticket {ticket}"
LAST_MONTH: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
FORGED: Final = {"Authentication-Results": "mx.oosterdam.example; dmarc=fail header.from=bedrijf.example"}
OUT_OF_OFFICE: Final = {"Auto-Submitted": "auto-replied (vacation)"}
FORWARDED: Final = """Ter info.

-----Oorspronkelijk bericht-----
Van: {contact}
Verzonden: maandag 23 november 2026 09:30
Aan: {employee}
Onderwerp: Kassa

De kassa is stuk.
"""
WAITING: Final = {"status": "Wacht op klant", "priority": "Hoog", "recalculate_deadline": True}

PEOPLE: Final = {
    "S5 N2 an unknown sender: the default contact and his organisation": Story(
        mail=Mail(sender="{stranger}"),
        then={
            "contact": "Onbekende afzender (ICT)",
            "organisation": "Onbekende afzenders",
            "sender_address": "vreemde{n}@elders{n}.example",
            "reasons": says("unknown-sender"),
        },
    ),
    "S5 a contact of any organisation is known at every helpdesk": Story(
        mail=Mail(sender="{colleague}"), then={"contact": "Collega {n}", "organisation": "Bedrijf {n}"}
    ),
    "S5 A5 A11 an unknown sender of a supplement: the default contact": Story(
        ticket={},
        mail=Mail(sender="{stranger}", subject=SUPPLEMENT),
        then={"informant": "Onbekende afzender (ICT)", "contact": "Klant {n}", "known_sender": None},
    ),
    "S6 N18 the default employee creates the ticket": Story(
        settings={"default_employee": "Fatima el Amrani"}, then={"changed_by": "Fatima el Amrani"}
    ),
    "S6 A12 the default employee supplements the ticket": Story(
        settings={"default_employee": "Fatima el Amrani"},
        ticket={},
        mail=Mail(subject=SUPPLEMENT),
        then={"changed_by": "Fatima el Amrani", "informant": "Klant {n}"},
    ),
    "M1 M2 M4 yes by default: ticket manager and customer are mailed": Story(
        then={"manager": TO_MANAGER, "customer": TO_CONTACT, "executor": None}
    ),
    "M1 M3 yes by default: the executor is mailed about a supplement": Story(
        ticket={},
        mail=Mail(subject=SUPPLEMENT),
        then={"executor": TO_EXECUTOR, "manager": None, "customer": None},
    ),
    "M3 the executor is mailed about an attachment alone": Story(
        ticket={},
        mail=Mail(subject=SUPPLEMENT, text="", attached={"foto.png": picture()}),
        then={"executor": TO_EXECUTOR, "images": ["foto.png"]},
    ),
    "M1 no: M2 is not sent, M4 is": Story(
        settings={"send_import_mails": False}, then={"manager": "not-sent: mails-off", "customer": TO_CONTACT}
    ),
    "M1 no: M3 is not sent": Story(
        settings={"send_import_mails": False},
        ticket={},
        mail=Mail(subject=SUPPLEMENT),
        then={"executor": "not-sent: mails-off"},
    ),
    "M5 N15 the status bound to the flag «geïmporteerd», whatever its name": Story(
        settings={"imported_status": "Nieuw uit de mail"}, then={"status": "Nieuw uit de mail"}
    ),
    "D6 automatic mail becomes a ticket, marked, and no mail goes out": Story(
        mail=Mail(headers={"Auto-Submitted": "auto-generated"}),
        then={
            "outcome": "ticket",
            "automatic": "auto-reply",
            "manager": "not-sent: automatic",
            "customer": "not-sent: automatic",
            "status": "E-mail Geïmporteerd",
            "reasons": says("automatic"),
        },
    ),
    "D6 an automatic supplement leaves status and deadline, and no mail goes out": Story(
        ticket=WAITING,
        mail=Mail(subject="Automatisch antwoord: Ticket {ticket}", headers=OUT_OF_OFFICE),
        then={
            "outcome": "supplement",
            "automatic": "out-of-office",
            "status": "Wacht op klant",
            "deadline": None,
            "executor": "not-sent: automatic",
        },
    ),
    "D6 an answer to an invitation is automatic": Story(
        mail=Mail(file="automatic/calendar-reply.eml"), then={"automatic": "calendar", "manager": "not-sent: automatic"}
    ),
    "D6 a read receipt is automatic": Story(
        mail=Mail(file="automatic/read-receipt.eml"), then={"automatic": "auto-reply"}
    ),
    "D6 a person's mail through Outlook is not automatic": Story(
        mail=Mail(file="automatic/person-through-outlook.eml"), then={"automatic": None, "manager": TO_MANAGER}
    ),
    "D6 mail of a list is automatic": Story(
        mail=Mail(headers={"List-Id": "Nieuws <nieuws.elders.example>"}), then={"automatic": "list"}
    ),
    "D6 setting: a List-Id of our own group is no sign of a list": Story(
        settings={"own_list_ids": ["storing.oosterdam-services.example"]},
        mail=Mail(headers={"List-Id": "Storing <storing.oosterdam-services.example>"}),
        then={"automatic": None, "customer": TO_CONTACT},
    ),
    "D6 setting: in a mailbox that a redirecting rule feeds its marks are no sign of automatic mail": Story(
        settings={"fed_by_rule": True},
        mail=Mail(
            headers={
                "Auto-Submitted": "auto-generated",
                "X-MS-Exchange-Generated-Message-Source": "Mailbox Rules Agent",
            }
        ),
        then={"automatic": None, "customer": TO_CONTACT},
    ),
    "D6 a delivery failure of a mail of ours is a supplement to its ticket, whatever its subject": Story(
        mail=(
            Mail(subject="Vraag van iemand die weg is", sender="{stranger}"),
            Mail(
                file="automatic/bounce-rfc3464.eml",
                replaced={"ons.0f3a@helpdesk.example": "{confirmation}", "bounce.1@": "bounce.1.{n}@"},
            ),
        ),
        then={
            "outcome": "supplement",
            "title": "Vraag van iemand die weg is",
            "automatic": "bounce",
            "status": "E-mail Geïmporteerd",
            "executor": "not-sent: automatic",
            "reasons": says("own-message-bounced"),
        },
    ),
    "D10 M4 goes to the address that sent the mail, for an unknown sender too": Story(
        mail=Mail(sender="{stranger}"), then={"customer": "sent to vreemde{n}@elders{n}.example"}
    ),
    "D10 not when a trusted check says that the sender is forged": Story(
        settings={"trusted_authserv_ids": ["mx.oosterdam.example"]},
        mail=Mail(headers=FORGED),
        then={"outcome": "ticket", "customer": "not-sent: forged-sender", "review": True},
    ),
    "D10 a check that nobody trusts says nothing": Story(mail=Mail(headers=FORGED), then={"customer": TO_CONTACT}),
    "D10 not when the return path is empty": Story(
        mail=Mail(headers={"Return-Path": "<>"}), then={"outcome": "ticket", "customer": "not-sent: automatic"}
    ),
    "D10 not to an address of our own": Story(
        mail=Mail(sender="facilitair@oosterdam-services.example"),
        then={"outcome": "ticket", "customer": "not-sent: own-address"},
    ),
    "D10 the sender's real name and address, To and Cc are stored on a ticket": Story(
        mail=Mail(sender="{stranger}", headers={"Cc": "{contact}, Nog iemand <nog.iemand@elders.example>"}),
        then={
            "sender_name": "Vreemde {n}",
            "sender_address": "vreemde{n}@elders{n}.example",
            "sent_to": ["servicedesk@oosterdam-services.example"],
            "sent_cc": says("nog.iemand@elders.example"),
        },
    ),
    "D10 the sender's real name and address, To and Cc are stored on a supplement": Story(
        ticket={},
        mail=Mail(sender="{stranger}", subject=SUPPLEMENT, headers={"Cc": "nog.iemand@elders.example"}),
        then={"sender_name": "Vreemde {n}", "sent_cc": ["nog.iemand@elders.example"]},
    ),
    "D11 no ticket manager: not sent, with that reason": Story(
        settings={"default_ticket_manager": None}, then={"manager": "not-sent: no-recipient", "customer": TO_CONTACT}
    ),
    "D11 no executor: not sent, with that reason": Story(
        ticket={"executor": None},
        mail=Mail(subject=SUPPLEMENT),
        then={"executor": "not-sent: no-recipient"},
    ),
    "D11 an inactive ticket manager: not sent, with that reason": Story(
        settings={"default_ticket_manager": "Kees Vermeulen"}, then={"manager": "not-sent: inactive-recipient"}
    ),
    "D11 an inactive executor: not sent, with that reason": Story(
        ticket={"executor": "Kees Vermeulen"},
        mail=Mail(subject=SUPPLEMENT),
        then={"executor": "not-sent: inactive-recipient"},
    ),
    "D11 setting: an address gets M2 when it has no recipient": Story(
        settings={"default_ticket_manager": None, "fallback_recipient": "balie@oosterdam-services.example"},
        then={"manager": "sent to balie@oosterdam-services.example"},
    ),
    "D11 setting: an address gets M3 when it has no recipient": Story(
        settings={"fallback_recipient": "balie@oosterdam-services.example"},
        ticket={"executor": None},
        mail=Mail(subject=SUPPLEMENT),
        then={"executor": "sent to balie@oosterdam-services.example"},
    ),
    "D11 M2 is not sent to the person who wrote the mail": Story(
        mail=Mail(sender="{manager}"), then={"manager": "not-sent: wrote-the-mail"}
    ),
    "D11 M3 is not sent to the person who wrote the mail": Story(
        ticket={}, mail=Mail(sender="{executor}", subject=SUPPLEMENT), then={"executor": "not-sent: wrote-the-mail"}
    ),
    "D12 an employee's new ticket: he is the sender, the default contact the contact, no M4": Story(
        mail=Mail(sender="{employee}"),
        then={
            "contact": "Onbekende afzender (ICT)",
            "known_sender": "Medewerker {n}",
            "customer": "not-sent: employee",
            "reasons": says("employee", but_not=("unknown-sender",)),
        },
    ),
    "D12 setting: M4 to an employee": Story(
        settings={"confirm_to_employees": True},
        mail=Mail(sender="{employee}"),
        then={"customer": "sent to medewerker{n}@oosterdam-services.example"},
    ),
    "D12 an employee's supplement: he is the informant, customers do not see it, status and deadline stay": Story(
        ticket=WAITING,
        mail=Mail(sender="{employee}", subject=SUPPLEMENT),
        then={
            "informant": "Medewerker {n}",
            "visible": False,
            "status": "Wacht op klant",
            "deadline": None,
            "review": False,
            "executor": TO_EXECUTOR,
        },
    ),
    "D12 setting: an employee is treated as a customer": Story(
        settings={"treat_employee_as_customer": True},
        ticket={"status": "Wacht op klant"},
        mail=Mail(sender="{employee}", subject=SUPPLEMENT),
        then={"informant": "Medewerker {n}", "visible": True, "status": "Reactie van klant"},
    ),
    "D12 an address with a tag is that of who has it without": Story(
        mail=Mail(sender="Klant {n} <Klant{n}+kassa@Bedrijf{n}.example>"),
        then={
            "contact": "Klant {n}",
            "sender_address": "Klant{n}+kassa@Bedrijf{n}.example",
            "reasons": says("contact-known", "address-without-tag"),
        },
    ),
    "D12 off by default: what an employee forwards is his own": Story(
        mail=Mail(sender="{employee}", attached={"kassa.eml": b"{contact}"}),
        then={"contact": "Onbekende afzender (ICT)", "known_sender": "Medewerker {n}"},
    ),
    "D12 setting: what an employee forwards is its first sender's, who is answered": Story(
        settings={"forwarded_sender": True},
        mail=Mail(sender="{employee}", attached={"kassa.eml": b"{contact}"}),
        then={
            "contact": "Klant {n}",
            "known_sender": "Klant {n}",
            "organisation": "Bedrijf {n}",
            "customer": TO_CONTACT,
            "reasons": says("contact-known", "forwarded-by-employee"),
            "history": says("Een werknemer heeft de mail doorgestuurd", "medewerker{n}@oosterdam-services.example"),
        },
    ),
    "D12 setting: what an employee forwards in the text is its first sender's too": Story(
        settings={"forwarded_sender": True},
        mail=Mail(sender="{employee}", subject="FW: Kassa", text=FORWARDED),
        then={"contact": "Klant {n}", "customer": TO_CONTACT, "reasons": says("forwarded-by-employee")},
    ),
    "D12 setting: an unknown first sender of what an employee forwards is not answered": Story(
        settings={"forwarded_sender": True},
        mail=Mail(sender="{employee}", attached={"phishing.eml": b"{stranger}"}),
        then={
            "contact": "Onbekende afzender (ICT)",
            "sender_address": "vreemde{n}@elders{n}.example",
            "customer": "not-sent: forwarded-stranger",
        },
    ),
    "D12 setting: a forwarded supplement is of its first sender, and not shown to the customer": Story(
        settings={"forwarded_sender": True},
        ticket=WAITING,
        mail=Mail(sender="{employee}", subject=SUPPLEMENT, attached={"kassa.eml": b"{contact}"}),
        then={"informant": "Klant {n}", "visible": False, "status": "Wacht op klant", "executor": TO_EXECUTOR},
    ),
    "D12 setting: what a stranger forwards is his own": Story(
        settings={"forwarded_sender": True},
        mail=Mail(sender="{stranger}", attached={"kassa.eml": b"{contact}"}),
        then={"sender_address": "vreemde{n}@elders{n}.example", "contact": "Onbekende afzender (ICT)"},
    ),
    "S5 off by default: an unknown sender of a known domain": Story(
        mail=Mail(sender="Nieuw {n} <nieuw{n}@bedrijf{n}.example>"), then={"organisation": "Onbekende afzenders"}
    ),
    "S5 setting: an unknown sender is of the organisation that uses his domain": Story(
        settings={"organisation_by_domain": True},
        mail=Mail(sender="Nieuw {n} <nieuw{n}@Bedrijf{n}.example>"),
        then={
            "organisation": "Bedrijf {n}",
            "contact": "Onbekende afzender (ICT)",
            "known_sender": None,
            "customer": "sent to nieuw{n}@Bedrijf{n}.example",
            "reasons": says("unknown-sender", "organisation-by-domain"),
        },
    ),
    "S5 setting: a domain of no organisation": Story(
        settings={"organisation_by_domain": True},
        mail=Mail(sender="{stranger}"),
        then={"organisation": "Onbekende afzenders", "reasons": says(but_not=("organisation-by-domain",))},
    ),
    "D20 setting: an unknown sender of the ticket's organisation by his domain is no stranger": Story(
        settings={"organisation_by_domain": True, "hold_strangers": True},
        ticket={},
        mail=Mail(sender="nieuw{n}@bedrijf{n}.example", subject=SUPPLEMENT),
        then={"review": False, "held": False, "informant": "Onbekende afzender (ICT)"},
    ),
    "D19 setting: the Reply-To is the sender": Story(
        settings={"reply_to_is_sender": True},
        mail=Mail(sender="Formulier <formulier@elders{n}.example>", headers={"Reply-To": "{contact}"}),
        then={"contact": "Klant {n}", "customer": TO_CONTACT, "reasons": says("reply-to-by-setting")},
    ),
    "D19 off by default: the Reply-To is no sender": Story(
        mail=Mail(sender="{stranger}", headers={"Reply-To": "{contact}"}),
        then={"contact": "Onbekende afzender (ICT)", "customer": "sent to vreemde{n}@elders{n}.example"},
    ),
    "D18 mail older than seven days never sends M2 or M4": Story(
        mail=Mail(arrived=LAST_MONTH),
        then={
            "outcome": "ticket",
            "manager": "not-sent: old-mail",
            "customer": "not-sent: old-mail",
            "reasons": says("old-mail"),
        },
    ),
    "D18 mail older than seven days never sends M3": Story(
        ticket={}, mail=Mail(subject=SUPPLEMENT, arrived=LAST_MONTH), then={"executor": "not-sent: old-mail"}
    ),
    "D18 setting: the number of days": Story(
        settings={"old_mail_days": 60}, mail=Mail(arrived=LAST_MONTH), then={"customer": TO_CONTACT}
    ),
    "D20 a stranger's supplement is imported as any other, and marked for review": Story(
        ticket={"status": "Wacht op klant"},
        mail=Mail(sender="{stranger}", subject=SUPPLEMENT),
        then={
            "outcome": "supplement",
            "review": True,
            "held": False,
            "visible": True,
            "status": "Reactie van klant",
            "executor": TO_EXECUTOR,
            "reasons": says("stranger"),
        },
    ),
    "D20 setting: until accepted it is hidden from the customer and changes neither status nor deadline": Story(
        settings={"hold_strangers": True},
        ticket=WAITING,
        mail=Mail(sender="{stranger}", subject=SUPPLEMENT),
        then={
            "outcome": "supplement",
            "review": True,
            "held": True,
            "visible": False,
            "status": "Wacht op klant",
            "deadline": None,
        },
    ),
    "D20 the ticket's contact is no stranger": Story(
        settings={"hold_strangers": True}, ticket={}, mail=Mail(subject=SUPPLEMENT), then={"review": False}
    ),
    "D20 somebody of its organisation is no stranger": Story(
        settings={"hold_strangers": True},
        ticket={},
        mail=Mail(sender="{colleague}", subject=SUPPLEMENT),
        then={"review": False, "held": False, "visible": True},
    ),
    "D20 an employee is no stranger": Story(
        settings={"hold_strangers": True},
        ticket={},
        mail=Mail(sender="{employee}", subject=SUPPLEMENT),
        then={"review": False},
    ),
    "D20 a participant, who stood in Cc, is no stranger": Story(
        settings={"hold_strangers": True},
        mail=(Mail(headers={"Cc": "{stranger}"}), Mail(sender="{stranger}", subject="Ticket {number}")),
        then={"outcome": "supplement", "review": False, "held": False},
    ),
}
