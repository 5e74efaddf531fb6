"""What of a mail is stored: marker, html, images, too large, no subject (S7, W4, N9, A6, D4, D5, D16, D17, D19)."""

from typing import Any, Final

from tests.acceptance.story import Mail, Says, Story, picture, says

MARKER: Final = "===== vul boven deze regel uw reactie ====="
QUOTED: Final = f"> {MARKER}\n> Beste klant, wat ziet u op het scherm?"
ABOVE: Final = says("above-marker", but_not=("nothing-above-marker",))
NOTHING: Final = says("nothing-above-marker", but_not=("above-marker",))


def reply(text: str, body: Says, *, reasons: Says, html: str | None = None, **more: Any) -> Story:
    """An answer to a ticket: what of it is shown. The whole text is kept behind it."""
    then = {"outcome": "supplement", "body": body, "reasons": reasons, **more.pop("then", {})}
    return Story(ticket={}, mail=Mail(subject="RE: Ticket {ticket}", text=text, html=html, **more), then=then)


BODIES: Final = {
    "S7 A6 of a supplement only what stands above the marker is imported": reply(
        f"Een blauw scherm.\n\n{QUOTED}",
        says("Een blauw scherm.", but_not=("Beste klant", "vul boven")),
        reasons=ABOVE,
        then={"whole_text": says("Een blauw scherm.", "Beste klant")},
    ),
    "S7 N9 of a new ticket everything is imported": Story(
        mail=Mail(text=f"Een blauw scherm.\n\n{QUOTED}"),
        then={"outcome": "ticket", "body": says("Een blauw scherm.", "Beste klant"), "reasons": says()},
    ),
    "S7 without a marker the whole body is imported": Story(
        settings={"marker": ""},
        ticket={},
        mail=Mail(subject="Ticket {ticket}", text=f"Een blauw scherm.\n\n{QUOTED}"),
        then={"body": says("Een blauw scherm.", "Beste klant"), "reasons": says(but_not=("above-marker",))},
    ),
    "A6 setting: quotes and signatures are not shown, and kept": Story(
        settings={"trim_replies": True, "marker": ""},
        ticket={},
        mail=Mail(
            subject="RE: Ticket {ticket}",
            text="Een blauw scherm.\n\nOp 23 nov 2026 om 09:30 schreef ICT:\n> Wat ziet u?\n\n-- \nJan\n",
        ),
        then={
            "body": says("Een blauw scherm.", but_not=("Wat ziet u?", "schreef ICT", "Jan")),
            "whole_text": says("Een blauw scherm.", "Wat ziet u?", "Jan"),
            "reasons": says("reply-trimmed"),
        },
    ),
    "A6 off by default: quotes are shown": Story(
        settings={"marker": ""},
        ticket={},
        mail=Mail(
            subject="RE: Ticket {ticket}", text="Een blauw scherm.\n\nOp 23 nov 2026 schreef ICT:\n> Wat ziet u?\n"
        ),
        then={"body": says("Een blauw scherm.", "Wat ziet u?"), "reasons": says(but_not=("reply-trimmed",))},
    ),
    "S7 A6 setting: of what stands above the marker the signature is not shown": Story(
        settings={"trim_replies": True},
        ticket={},
        mail=Mail(subject="RE: Ticket {ticket}", text=f"Een blauw scherm.\n\n-- \nJan\n\n{QUOTED}"),
        then={
            "body": says("Een blauw scherm.", but_not=("Jan", "Beste klant")),
            "whole_text": says("Jan", "Beste klant"),
            "reasons": says("above-marker", "reply-trimmed"),
        },
    ),
    "S7 D16 in html, with entities and wrapped by the mail client": reply(
        "Een blauw scherm.",
        says("Een blauw scherm.", but_not=("Beste klant",)),
        reasons=ABOVE,
        html="<p>Een blauw scherm.</p><blockquote><p>&#61;&#61;&#61;&#61;&#61; vul boven deze<br>\n regel&nbsp;uw"
        " reactie =====</p><p>Beste klant</p></blockquote>",
    ),
    "S7 D16 in text, wrapped and quoted by the mail client": reply(
        "Een blauw scherm.\n\n> > ===== vul boven deze\n> > regel uw reactie =====\n> > Beste klant",
        says("Een blauw scherm.", but_not=("Beste klant", "vul boven")),
        reasons=ABOVE,
    ),
    "S7 D16 in a table of an html mail, in bold": reply(
        "",
        says("Een blauw scherm.", but_not=("Beste klant", "vul boven")),
        reasons=ABOVE,
        html="<div>Een blauw scherm.</div><div><table><tr><td><p><b>===== vul boven <span>deze regel</span> uw"
        " reactie =====</b></p></td></tr><tr><td>Beste klant</td></tr></table></div>",
    ),
    "S7 a marker with the signs of html": Story(
        settings={"marker": "<<< antwoord & groet hierboven >>>"},
        ticket={},
        mail=Mail(
            subject="Ticket {ticket}",
            html="<p>Een blauw scherm.</p><p>&lt;&lt;&lt; antwoord &amp; groet hierboven &gt;&gt;&gt;</p>"
            "<p>Beste klant</p>",
        ),
        then={"body": says("Een blauw scherm.", but_not=("Beste klant",)), "reasons": ABOVE},
    ),
    "D16 the first marker counts": reply(
        f"Nieuw.\n\n{QUOTED}\n> Eerder antwoord\n> > {MARKER}\n> > Nog ouder",
        says("Nieuw.", but_not=("Eerder antwoord", "Nog ouder")),
        reasons=ABOVE,
    ),
    "D16 a marker in the middle of a line is none": reply(
        f"U schreef {MARKER} maar wat is dat?", says("U schreef", "maar wat is dat?"), reasons=says()
    ),
    "D16 nothing above the marker: the customer wrote below it": reply(
        f"{QUOTED}\n\nEen blauw scherm.", says("Een blauw scherm."), reasons=NOTHING
    ),
    "D16 nothing above the marker: the customer wrote inside the quote": reply(
        f"> {MARKER}\n> Wat ziet u op het scherm?\nEen blauw scherm.\n> Groet, de helpdesk",
        says("Een blauw scherm."),
        reasons=NOTHING,
    ),
    "D16 only quote marks and white space above the marker is nothing": reply(
        f"> \n>\n\n{QUOTED}\n\nEronder dan.", says("Eronder dan."), reasons=NOTHING
    ),
    "D16 only an image above the marker is something": reply(
        "",
        says("attachment:", but_not=("Beste klant",)),
        reasons=ABOVE,
        html=f'<p><img src="cid:scherm"></p><blockquote><p>{MARKER}</p><p>Beste klant</p></blockquote>',
        inline={"scherm": picture()},
        then={"images": ["scherm.png"]},
    ),
    "D16 an image that stands only below the marker is not stored, an attached one is": reply(
        "Zie foto.",
        says("Zie foto.", but_not=("Beste klant",)),
        reasons=ABOVE,
        html=f'<p>Zie foto.</p><blockquote><p>{MARKER}</p><p>Beste klant <img src="cid:logo"></p></blockquote>',
        inline={"logo": picture()},
        attached={"foto.jpg": picture("JPEG")},
        then={"images": ["foto.jpg"]},
    ),
    "D16 the header block above the quoted marker belongs to the quote (Outlook)": reply(
        "Een blauw scherm.\n\nVan: ICT-servicedesk <servicedesk@oosterdam-services.example>\n"
        "Verzonden: maandag 23 november 2026 09:12\nAan: Klant\nOnderwerp: Ticket\n\n" + QUOTED,
        says("Een blauw scherm.", but_not=("Verzonden:", "Van:")),
        reasons=ABOVE,
    ),
    "D16 the header block above the quoted marker belongs to the quote (schreef)": reply(
        "Een blauw scherm.\n\nOp ma 23 nov 2026 om 09:12 schreef ICT-servicedesk <desk@x.example>:\n" + QUOTED,
        says("Een blauw scherm.", but_not=("schreef",)),
        reasons=ABOVE,
    ),
    "D16 a header block alone above the marker is nothing": reply(
        f"Op ma 23 nov 2026 om 09:12 schreef ICT <desk@x.example>:\n{QUOTED}\n\nOnderaan getypt.",
        says("Onderaan getypt."),
        reasons=NOTHING,
    ),
    "W4 images of a supplement are stored, other attachments are not": reply(
        "Zie bijlagen.",
        says("Zie bijlagen."),
        reasons=says("attachments-left-out"),
        attached={"foto.jpg": picture("JPEG"), "factuur.pdf": b"%PDF-1.4"},
        then={"images": ["foto.jpg"], "left_out": ["factuur.pdf"]},
    ),
    "W4 D4 every raster format on the list is an image": Story(
        mail=Mail(file="images/every-format.eml"),
        then={"outcome": "ticket", "images": ["a.png", "b.jpg", "c.gif", "d.webp", "e.bmp", "f.tif"]},
    ),
    "W4 D4 a HEIC photo of a telephone is an image": Story(
        mail=Mail(file="images/heic.eml"), then={"outcome": "ticket", "images": ["IMG_0417.HEIC"], "left_out": []}
    ),
    "D4 an image is what decodes as one, whatever the mail claims; SVG is none": Story(
        mail=Mail(
            attached={
                "echt.pdf": picture(),
                "nep.png": b"MZ\x90\x00 geen plaatje",
                "tekening.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            }
        ),
        then={
            "images": ["echt.pdf.png"],
            "left_out": ["nep.png", "tekening.svg"],
            "history": says("2 bijlagen zijn niet opgeslagen", "nep.png (image/png, ", "tekening.svg (image/svg+xml, "),
        },
    ),
    "W4 D4 images in a winmail.dat are the mail's own, and its body speaks where the mail says nothing": Story(
        mail=Mail(file="carried/winmail.eml"),
        then={
            "outcome": "ticket",
            "body": says("De kassa start niet"),
            "images": ["Schermafbeelding.png"],
            "left_out": ["Kassabon.pdf"],
            "history": says("Kassabon.pdf (application/pdf, 12 bytes)"),
        },
    ),
    "W4 D4 a signed mail is read, in its wrapping too": Story(
        mail=Mail(file="carried/smime-signed.eml"),
        then={"outcome": "ticket", "body": says("graag een nieuw account"), "images": ["pasfoto.png"], "left_out": []},
    ),
    "D17 an encrypted mail is a ticket that says so": Story(
        mail=Mail(file="carried/smime-encrypted.eml"),
        then={
            "outcome": "ticket",
            "body": says("Versleuteld bericht"),
            "reasons": says("encrypted"),
            "left_out": ["smime.p7m"],
        },
    ),
    "W4 D4 an image that stands in the text (uuencode) is an image": Story(
        mail=Mail(file="carried/uuencode.eml"),
        then={"body": says("Zie het scherm", but_not=("begin 644",)), "images": ["scherm.png"], "left_out": []},
    ),
    "W4 D4 images of an attached message are stored, its files are named": Story(
        mail=Mail(file="carried/attached-message.eml"),
        then={
            "body": says("Kunnen jullie dit oppakken?", but_not=("Het licht in de winkel",)),
            "images": ["winkel.png"],
            "left_out": ["Storing bij ons.eml", "plattegrond.pdf"],
        },
    ),
    "N9 an attached message speaks for a mail that says nothing": Story(
        mail=Mail(file="carried/attached-message-alone.eml"),
        then={"body": says("Het licht in de winkel is uit."), "reasons": says("text-of-attached-message")},
    ),
    "N9 an invitation is readable": Story(
        mail=Mail(file="carried/invitation.eml"),
        then={"body": says("Overleg kassa's", "01-12-2026 10:00", "Winkel, achter"), "left_out": ["invite.ics"]},
    ),
    "D5 inline images are shown from the stored attachments": Story(
        mail=Mail(html='<p>Zie <img src="cid:scherm" alt="scherm"></p>', inline={"scherm": picture()}),
        then={"body": says('src="attachment:', but_not=("cid:",)), "images": ["scherm.png"]},
    ),
    "D5 nothing that a browser would execute or load from elsewhere survives": Story(
        mail=Mail(file="hostile/html.eml"),
        then={
            "outcome": "ticket",
            "body": says(
                "rood",
                but_not=("<script", "<img src=x", 'href="javascript:', 'src="http', "url(", "<iframe", "<form", "<svg"),
            ),
        },
    ),
    "D5 plain text is kept beside the html": Story(
        mail=Mail(text="Gewone tekst.", html="<p>Opgemaakte <b>tekst</b>.</p>"),
        then={"body": says("<b>tekst</b>"), "whole_text": says("Gewone tekst.")},
    ),
    "D17 mail above the limit is a ticket from its headers, which says so": Story(
        settings={"max_mail_bytes": 20_000},
        mail=Mail(subject="Veel te groot", text="a" * 70 + "\n" + ("b" * 70 + "\n") * 2_000),
        then={
            "outcome": "ticket",
            "title": "Veel te groot",
            "reasons": says("too-large"),
            "history": says("te groot"),
            "known_sender": "Klant {n}",
        },
    ),
    "D17 a supplement above the limit says so too": Story(
        settings={"max_mail_bytes": 20_000},
        ticket={},
        mail=Mail(subject="Ticket {ticket}", text=("b" * 70 + "\n") * 2_000),
        then={"outcome": "supplement", "reasons": says("too-large"), "history": says("te groot")},
    ),
    "D17 an image that the limit cut off is left out since the mail is too large, and not called damaged": Story(
        settings={"max_mail_bytes": 20_000},
        mail=Mail(attached={"foto.png": picture() + bytes(60_000)}),
        then={
            "outcome": "ticket",
            "images": [],
            "left_out": ["foto.png"],
            "history": says("foto.png", "de mail is te groot", but_not=("beschadigd",)),
        },
    ),
    "D17 mail whose parts never end is read as far as it goes": Story(
        mail=Mail(file="broken/no-closing-boundary.eml"), then={"outcome": "ticket"}
    ),
    "D17 mail whose header is cut short is imported all the same": Story(
        mail=Mail(file="broken/header-cut-short.eml"), then={"outcome": "ticket"}
    ),
    "D17 mail that is nested too deep is read as far as it goes": Story(
        mail=Mail(file="hostile/deep.eml"), then={"outcome": "ticket"}
    ),
    "D17 mail without any usable sender is quarantined": Story(
        mail=Mail(file="broken/no-sender.eml"),
        then={"outcome": "quarantine", "reasons": says("no-sender"), "number": None},
    ),
    "D19 mail without a subject": Story(
        mail=Mail(subject=""),
        then={"outcome": "ticket", "title": "(geen onderwerp)", "subject": "", "reasons": says("no-subject")},
    ),
    "D19 mail from the mailbox's own address without a number is quarantined": Story(
        mail=Mail(sender="{desk}"), then={"outcome": "quarantine", "reasons": says("own-address")}
    ),
    "D19 mail from the mailbox's own address with a number is a supplement": Story(
        ticket={},
        mail=Mail(sender="{desk}", subject="Ticket {ticket}"),
        then={"outcome": "supplement", "number": "{ticket}"},
    ),
    "D19 a web form: the Reply-To is the sender": Story(
        mail=Mail(sender="Webformulier <{desk}>", headers={"Reply-To": "{contact}"}),
        then={
            "outcome": "ticket",
            "contact": "Klant {n}",
            "customer": "sent to klant{n}@bedrijf{n}.example",
            "reasons": says("reply-to-is-sender"),
        },
    ),
}
