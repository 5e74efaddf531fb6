"""What a mail carries in wrappings is read as the mail, or named (SPEC W4, D4, D17)."""

import base64
import struct
import uuid
import zlib
from pathlib import Path

import pytest

from services.classifier.reading.images.decoding import NotStored
from services.classifier.reading.limits import DEFAULT_LIMITS, Limits
from services.classifier.reading.mime.encoded_blocks import split_blocks
from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings, ReadMail
from services.classifier.reading.wrappings.cms import EnvelopeKind, open_envelope
from services.classifier.reading.wrappings.rtf import decompressed, from_rtf
from services.classifier.reading.wrappings.tnef import read_tnef
from shared.messages import Crypto
from tests.services.classifier.wrappings import (
    ENVELOPED,
    PNG,
    mail,
    multipart,
    open_ended,
    properties,
    signed,
    signed_in_pieces,
    stored_rtf,
    tnef,
    winmail,
)

MAILS = Path(__file__).parents[4] / "mails"
TEXT = b"Content-Type: text/plain\n\nGoedemorgen."
NOTHING = b"Content-Type: text/plain\n\n \n"
SCREEN = b"Content-Type: image/png; name=scherm.png\nContent-Transfer-Encoding: base64\n\n" + base64.b64encode(PNG)
INNER = multipart(TEXT, SCREEN)
PLAIN_MAIL = b"From: Els <els@klant.example>\nTo: jan@klant.example\nSubject: Storing\n\nHet licht is uit.\n"


def read(raw: bytes, limits: Limits = DEFAULT_LIMITS) -> ReadMail:
    return read_mail(raw, uuid.UUID(int=3), ReadingSettings(), limits)


def names(mail: ReadMail) -> tuple[list[str], list[str]]:
    return [image.name for image in mail.images], [part.name for part in mail.left_out]


def attached(media_type: str, content: bytes, name: str = "") -> bytes:
    disposition = f'Content-Disposition: attachment; filename="{name}"\n' if name else ""
    head = f"Content-Type: {media_type}\n{disposition}Content-Transfer-Encoding: base64\n\n"
    return head.encode() + base64.encodebytes(content)


# ── winmail.dat ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_D4_files_of_a_winmail_are_the_mails_own() -> None:
    packed = winmail(("Schermafbeelding één.png", PNG), ("Offerte 2026.pdf", b"%PDF-1.7"))
    found = read(multipart(TEXT, attached("application/ms-tnef", packed, "winmail.dat")))
    assert names(found) == (["Schermafbeelding één.png"], ["Offerte 2026.pdf"])
    assert [(part.media_type, part.size, part.reason) for part in found.left_out] == [
        ("application/pdf", 8, NotStored.NO_IMAGE.value)
    ]
    assert found.whole.text == "Goedemorgen."
    assert [str(found.images[0].id)] == [str(each) for each in found.whole.attachment_ids]


@pytest.mark.parametrize(
    ("properties_of_body", "text"),
    [
        ([(0x1F, 0x1000, "Platte tekst: één.\x00".encode("utf-16-le"))], "Platte tekst: één."),
        ([(0x1E, 0x1000, "In één codepagina.\x00".encode("cp1252"))], "In één codepagina."),
        ([(0x102, 0x1013, b"<p>Een <b>html</b>-tekst.</p>")], "Een html-tekst."),
        ([(0x102, 0x1009, stored_rtf(rb"{\rtf1\ansi\ansicpg1252 Rijke tekst: caf\'e9.\par}"))], "Rijke tekst: café."),
    ],
    ids=["text", "codepage", "html", "rtf"],
)
def test_a_winmail_speaks_where_the_mail_says_nothing(
    properties_of_body: list[tuple[int, int, bytes]], text: str
) -> None:
    packed = winmail(body=properties_of_body)
    assert read(mail("application/ms-tnef; name=winmail.dat", packed)).whole.text == text
    assert read(multipart(NOTHING, attached("application/octet-stream", packed, "winmail.dat"))).whole.text == text
    assert read(multipart(TEXT, attached("application/ms-tnef", packed))).whole.text == "Goedemorgen."


def test_a_message_in_a_winmail_gives_its_images() -> None:
    inner = winmail(("foto.png", PNG))
    packed = tnef(
        [
            (2, 0x00069002, bytes(14)),
            (2, 0x00018010, b"Doorgestuurd\x00"),
            (2, 0x00069005, properties([(0x0D, 0x3701, bytes(16) + inner)])),
        ]
    )
    found = read(multipart(TEXT, attached("application/ms-tnef", packed, "winmail.dat")))
    assert names(found) == (["foto.png"], ["Doorgestuurd.msg"])


def test_named_and_repeated_properties_are_stepped_over() -> None:
    named = struct.pack("<HH", 0x1F, 0x8001) + bytes(16) + struct.pack("<II", 1, 6) + b"a\x00b\x00\x00\x00\x00\x00"
    named += struct.pack("<II", 1, 2) + b"x\x00\x00\x00"
    several = struct.pack("<HHI", 0x1003, 0x6001, 2) + bytes(8)
    body = struct.pack("<HHII", 0x1E, 0x1000, 1, 4) + b"Kern"
    found = read_tnef(
        tnef([(1, 0x00069003, struct.pack("<I", 3) + named + several + body)]), most_files=1, longest_text=100
    )
    assert found is not None
    assert found.text == "Kern"


def test_D17_a_damaged_winmail_gives_what_was_read() -> None:
    whole = winmail(("foto.png", PNG), ("b.pdf", b"%PDF"))
    for end in range(4, len(whole), 7):
        assert read(mail("application/ms-tnef; name=winmail.dat", whole[:end])) is not None
    promised = whole[:200] + b"\xff" * 12
    assert read_tnef(promised, most_files=10, longest_text=10) is not None
    nothing = read(mail("application/ms-tnef; name=winmail.dat", whole[:6]))
    assert [(part.name, part.reason) for part in nothing.left_out] == [("winmail.dat", NotStored.WINMAIL.value)]


# ── rich text ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_compressed_rtf_of_the_specification() -> None:
    """The example of MS-OXRTFCP 4.1.1, and the run of 4.1.2, which refers to itself."""
    simple = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert decompressed(simple, longest=1000) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    crossing = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")
    assert decompressed(crossing, longest=1000) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
    assert decompressed(crossing, longest=5) == b"{\\rtf"
    assert decompressed(b"no rtf", longest=5) == b""


HTML_IN_RTF = (
    rb"{\rtf1\ansi\ansicpg1252\fromhtml1 {\fonttbl{\f0 Arial;}}{\*\htmltag84 <p>}\htmlrtf {\f0 \htmlrtf0 Hallo "
    rb"{\*\htmltag84 &amp;}\htmlrtf &\htmlrtf0  tot ziens\htmlrtf }\htmlrtf0 {\*\htmltag92 </p>}}"
)


@pytest.mark.parametrize(
    ("source", "html", "text"),
    [
        (
            HTML_IN_RTF,
            "<p>Hallo &amp; tot ziens</p>",
            "",
        ),
        (rb"{\rtf1\ansi\fromtext Regel een\par Regel twee\tab x}", "", "Regel een\nRegel twee\tx"),
        (rb"{\rtf1\ansi\uc1 Prijs: \u8364?5 en \u-10179?\u-8704?}", "", "Prijs: €5 en 😀"),
        (rb"{\rtf1\ansi{\fonttbl{\f1\fcharset204 Arial;}}\f1\'cf\'f0\'e8\'e2\'e5\'f2}", "", "Привет"),
        (rb"{\rtf1{\info{\author Jan}}{\*\onbekend weg}{\pict 010203}\{zichtbaar\}}", "", "{zichtbaar}"),
        (b"geen rtf", "", ""),
    ],
    ids=["html", "text", "unicode", "fonts", "hidden", "none"],
)
def test_what_rtf_says(source: bytes, html: str, text: str) -> None:
    document = from_rtf(source, longest=1000)
    assert (document.html, document.text) == (html, text)


def test_D17_rtf_of_nothing_but_groups_ends() -> None:
    assert from_rtf(b"{\\rtf1 kop" + b"{" * 200_000, longest=1000).text == "kop"


# ── files in the text ────────────────────────────────────────────────────────────────────────────────────────────────

UUENCODED = b"begin 644 notitie.txt\n+2&%L;&\\@=V5R96QD\n`\nend\n".replace(b"+2&%L;&\\@=V5R96QD", b"#0V%T")


def test_uuencoded_files_leave_the_text() -> None:
    found = read(b"Subject: x\n\nZie hieronder.\n\n" + UUENCODED + b"\nGroet, Jan\n")
    assert found.whole.text == "Zie hieronder.\n\n\nGroet, Jan"
    assert [(part.name, part.media_type, part.size) for part in found.left_out] == [("notitie.txt", "text/plain", 3)]


def test_an_uuencoded_image_is_an_image() -> None:
    lines = b"".join(
        bytes((32 + len(PNG[at : at + 45]),))
        + b"".join(
            bytes(((value >> shift & 63) or 64) + 32 for shift in (18, 12, 6, 0))
            for value in (
                int.from_bytes(PNG[at : at + 45][step : step + 3].ljust(3, b"\x00"), "big")
                for step in range(0, len(PNG[at : at + 45]), 3)
            )
        )
        + b"\n"
        for at in range(0, len(PNG), 45)
    )
    found = read(b"Subject: x\n\nFoto:\nbegin 600 C:\\Foto's\\scherm.png\n" + lines + b"`\nend\n")
    assert names(found) == (["scherm.png"], [])
    assert found.images[0].content == PNG


def test_a_part_that_is_uuencoded_as_transfer_encoding() -> None:
    part = b"Content-Type: application/x-doc; name=a.doc\nContent-Transfer-Encoding: x-uuencode\n\n" + UUENCODED
    assert [(left.name, left.size) for left in read(multipart(TEXT, part)).left_out] == [("a.doc", 3)]


def test_yenc() -> None:
    content = bytes(range(256))
    coded = b"".join(
        b"=" + bytes(((byte + 42 + 64) % 256,)) if (byte + 42) % 256 in b"\x00\n\r=" else bytes(((byte + 42) % 256,))
        for byte in content
    )
    text, files = split_blocks(
        b"Voor\n=ybegin line=128 size=256 name=alle bytes.bin\n" + coded + b"\n=yend size=256\nNa\n", most=5
    )
    assert text == b"Voor\nNa\n"
    assert [(file.name, file.content) for file in files] == [(b"alle bytes.bin", content)]


@pytest.mark.parametrize(
    "text",
    [
        b"begin 644 met de cijfers\nen dit is gewone tekst, met \xc3\xa9\nend\n",
        b"begin 644 zonder einde\n#0V%T\n",
        b"=ybegin line=128 name=x\nzonder einde\n",
        b"begin 644 a\nbegin 644 b\nend of story\n",
    ],
)
def test_text_that_looks_like_a_file_stays(text: bytes) -> None:
    assert split_blocks(text, most=5) == (text, ())


def test_D17_a_text_of_beginnings_takes_linear_time() -> None:
    text = b"begin 644 x\n" * 200_000
    assert split_blocks(text, most=5) == (text, ())


# ── S/MIME ───────────────────────────────────────────────────────────────────────────────────────────────────────────


PEM = b"-----BEGIN PKCS7-----\n" + base64.encodebytes(signed(INNER)) + b"-----END PKCS7-----\n"


@pytest.mark.parametrize(
    ("content_type", "envelope"),
    [
        ("application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", signed(INNER)),
        ("application/x-pkcs7-mime; name=smime.p7m", signed_in_pieces(INNER[:100], INNER[100:])),
        ("application/octet-stream; name=smime.p7m", signed(INNER)),
        ("application/pkcs7-mime", PEM),
        ("application/pkcs7-mime", signed(mail("application/pkcs7-mime", signed(INNER)))),
    ],
    ids=["der", "ber", "by name", "pem", "signed twice"],
)  # fmt: skip
def test_an_opaque_signed_mail_is_read(content_type: str, envelope: bytes) -> None:
    found = read(mail(content_type, envelope))
    assert found.crypto is Crypto.SIGNED
    assert found.subject == "Vraag"
    assert found.whole.text == "Goedemorgen."
    assert names(found) == (["scherm.png"], [])


def test_a_signed_text_keeps_its_own_encoding() -> None:
    inner = b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\ncaf=C3=A9"
    found = read(mail("application/pkcs7-mime", signed(inner)))
    assert (found.whole.text, found.from_[0].address) == ("café", "jan@klant.example")


def test_a_mail_signed_beside_its_text_is_signed() -> None:
    signature = attached("application/pkcs7-signature", b"0\x03\x02\x01\x01", "smime.p7s")
    found = read(multipart(TEXT, signature, kind="signed"))
    assert (found.crypto, found.whole.text) == (Crypto.SIGNED, "Goedemorgen.")
    assert [part.reason for part in found.left_out] == [NotStored.SIGNATURE.value]


@pytest.mark.parametrize(
    "raw",
    [
        mail("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", ENVELOPED),
        mail("application/octet-stream; name=smime.p7m", ENVELOPED),
        mail("application/pkcs7-mime", b"onleesbaar"),
        mail("application/pkcs7-mime", signed(mail("application/pkcs7-mime", ENVELOPED))),
        multipart(
            attached("application/pgp-encrypted", b"Version: 1"),
            attached("application/octet-stream", b"-----BEGIN PGP MESSAGE-----", "encrypted.asc"),
            kind="encrypted",
        ),
    ],
    ids=["enveloped", "by name", "unreadable", "signed around", "pgp"],
)
def test_an_encrypted_mail_is_said_to_be_so(raw: bytes) -> None:
    found = read(raw)
    assert found.crypto is Crypto.ENCRYPTED
    assert found.left_out


def test_a_compressed_mail_is_read_within_the_budget() -> None:
    def der(tag: int, content: bytes) -> bytes:
        return bytes((tag, 0x84)) + len(content).to_bytes(4, "big") + content

    def compressed(content: bytes) -> bytes:
        held = der(0x30, bytes.fromhex("06092a864886f70d010701") + der(0xA0, der(4, zlib.compress(content))))
        data = der(0x30, b"\x02\x01\x00" + der(0x30, bytes.fromhex("060b2a864886f70d0109100308")) + held)
        return der(0x30, bytes.fromhex("060b2a864886f70d0109100109") + der(0xA0, data))

    assert read(mail("application/pkcs7-mime; name=smime.p7z", compressed(INNER))).whole.text == "Goedemorgen."
    bomb = open_envelope(compressed(bytes(10_000_000)), longest=1000)
    assert bomb is not None
    assert bomb.kind is EnvelopeKind.COMPRESSED
    assert bomb.content is not None
    assert len(bomb.content) == 1000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"0",
        b"0\x80",
        b"MIAG",
        b"MI!",
        open_ended(0x30) * 3,
        b"\x30\x89" + bytes(9),
        b"\x1f\x1f\x1f",
        ENVELOPED[:9],
    ],
)
def test_what_is_no_envelope_is_none(content: bytes) -> None:
    assert open_envelope(content, longest=100) is None


def test_D17_a_cut_envelope_holds_what_is_there() -> None:
    whole = signed(INNER)
    for end in range(0, len(whole), 11):
        envelope = open_envelope(whole[:end], longest=10**6)
        assert envelope is None or INNER.startswith(envelope.content or b"")


# ── PGP in the text ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_clear_signed_text_is_read_without_its_armour() -> None:
    found = read(
        b"Subject: x\n\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHallo,\n- -- \nJan\n"
        b"-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----\n\nVoet van de lijst\n"
    )
    assert (found.crypto, found.whole.text) == (Crypto.SIGNED, "Hallo,\n-- \nJan\n\nVoet van de lijst")


def test_an_encrypted_text_is_said_to_be_so() -> None:
    found = read(b"Subject: x\n\nLees dit:\n-----BEGIN PGP MESSAGE-----\n\nhQEM\n=ab\n-----END PGP MESSAGE-----\nJan\n")
    assert found.crypto is Crypto.ENCRYPTED
    assert found.whole.text == "Lees dit:\n[Versleuteld bericht: de inhoud kan niet worden gelezen.]\nJan"


# ── attached messages ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (b"Content-Type: message/rfc822\n\n" + INNER, "Vraag.eml"),
        (attached("message/rfc822", INNER), "Vraag.eml"),
        (attached("application/octet-stream", INNER, "klacht.eml"), "klacht.eml"),
    ],
    ids=["plain", "base64", "by name"],
)
def test_D4_an_attached_message_is_named_and_its_images_are_stored(part: bytes, name: str) -> None:
    if name == "klacht.eml":
        part = attached("application/octet-stream", b"To: x@y.example\nDate: now\n" + INNER, name)
    found = read(multipart(b"Content-Type: text/plain\n\nZie bijlage.", part))
    assert found.whole.text == "Zie bijlage."
    assert names(found) == (["scherm.png"], [name])
    assert found.text_of == ""


def test_D4_files_of_an_attached_message_are_named_too() -> None:
    inner = multipart(TEXT, attached("application/pdf", b"%PDF", "a.pdf"))
    found = read(multipart(TEXT, b"Content-Type: message/rfc822\n\n" + inner))
    assert [(part.name, part.size) for part in found.left_out] == [("Vraag.eml", len(inner)), ("a.pdf", 4)]


def test_an_attached_message_speaks_for_a_mail_that_says_nothing() -> None:
    found = read(multipart(NOTHING, b"Content-Type: message/rfc822\n\n" + PLAIN_MAIL))
    assert (found.whole.text, found.text_of, found.subject) == ("Het licht is uit.", "Storing.eml", "Vraag")


def test_D6_a_returned_mail_is_not_what_was_said() -> None:
    returned = b"Content-Type: message/rfc822\n\n" + INNER
    found = read(multipart(NOTHING, returned, kind="report; report-type=delivery-status"))
    assert (found.whole.text, names(found)) == ("", ([], ["Vraag.eml"]))


def test_a_signature_of_an_attached_message_is_not_the_mails() -> None:
    inner = mail("application/pkcs7-mime", signed(TEXT))
    found = read(multipart(TEXT, b"Content-Type: message/rfc822\n\n" + inner))
    assert found.crypto is None


def test_the_first_piece_of_a_message_in_pieces_is_read() -> None:
    first = mail('message/partial; id="1"; number=1; total=2', PLAIN_MAIL, encoding="7bit")
    assert read(first).whole.text == "Het licht is uit."
    second = read(mail('message/partial; id="1"; number=2; total=2', b"en donker", encoding="7bit"))
    assert [part.reason for part in second.left_out] == [NotStored.PARTIAL.value]


def test_what_lies_elsewhere_is_named_and_never_fetched() -> None:
    elsewhere = 'message/external-body; access-type=URL; URL="https://kwaad.example/x"; name=rapport.txt'
    raw = mail(elsewhere, b"", encoding="7bit")
    assert [(part.name, part.reason) for part in read(raw).left_out] == [("rapport.txt", NotStored.ELSEWHERE.value)]


# ── invitations ──────────────────────────────────────────────────────────────────────────────────────────────────────

INVITATION = b"""BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:Europe/Amsterdam
END:VTIMEZONE
BEGIN:VEVENT
SUMMARY:Overleg\\, week 12
DTSTART;TZID=Europe/Amsterdam:20260316T090000
DTEND;TZID="Europe/Amsterdam":20260316T100000
LOCATION:Kamer 3\\; boven
ORGANIZER;CN="Jansen, Els":MAILTO:els@klant.example
DESCRIPTION:Neem de cijfers
  mee.\\nTot dan!
END:VEVENT
END:VCALENDAR
"""


def test_an_invitation_speaks_for_a_mail_that_says_nothing() -> None:
    found = read(mail("text/calendar; method=REQUEST; charset=utf-8", INVITATION))
    assert found.whole.text.split("\n") == [
        "Uitnodiging: Overleg, week 12",
        "Wanneer: 16-03-2026 09:00 (Europe/Amsterdam) – 16-03-2026 10:00 (Europe/Amsterdam)",
        "Waar: Kamer 3; boven",
        "Organisator: Jansen, Els <els@klant.example>",
        "",
        "Neem de cijfers mee.",
        "Tot dan!",
    ]
    assert names(found) == ([], ["naamloos.ics"])
    said = multipart(TEXT, attached("text/calendar", INVITATION, "invite.ics"), kind="alternative")
    assert read(said).whole.text == "Goedemorgen."


@pytest.mark.parametrize("content", [b"", b"BEGIN:VCALENDAR\nEND:VCALENDAR", b"\xff\xfe", b"SUMMARY:los", b":" * 1000])
def test_a_calendar_without_an_event_says_nothing(content: bytes) -> None:
    assert read(mail("text/calendar", content)).whole.text == ""


# ── bounds ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_D17_wrappings_within_wrappings_share_one_budget() -> None:
    raw = INNER
    for layer in range(40):
        if layer % 3 == 0:
            raw = mail("application/pkcs7-mime", signed_in_pieces(raw))
        elif layer % 3 == 1:
            raw = multipart(NOTHING, b"Content-Type: message/rfc822\n\n" + raw)
        else:
            raw = mail("application/ms-tnef", winmail(("verder.eml", raw)))
        if len(raw) > 60_000:
            break
    found = read(raw)
    assert len(found.left_out) <= DEFAULT_LIMITS.left_out
    assert names(found)[0] == []


def test_D17_many_parts_in_many_attached_messages_stay_bounded() -> None:
    few = Limits(parts=100)
    inner = multipart(*[TEXT] * 400)
    found = read(multipart(*[b"Content-Type: message/rfc822\n\n" + inner] * 50), few)
    assert len(found.left_out) <= few.parts
    assert read(multipart(TEXT, attached("application/ms-tnef", winmail(*[("a.bin", b"x")] * 500))), few).left_out


def test_D17_the_budget_of_bytes_leaves_the_rest_wrapped() -> None:
    part = attached("application/ms-tnef", winmail(("foto.png", PNG)), "winmail.dat")
    found = read(multipart(TEXT, part, part, part), Limits(unwrapped_bytes=500))
    assert len(found.images) == 1  # the same picture, however often it was unwrapped
    assert {left.name for left in found.left_out} == {"winmail.dat"}


def test_plain_text_goes_before_other_text_that_says_the_same() -> None:
    enriched = b"Content-Type: text/enriched\n\n<bold>Goedemorgen</bold>!"
    assert read(multipart(TEXT, enriched, kind="alternative")).whole.text == "Goedemorgen."
    assert read(multipart(enriched, kind="alternative")).whole.text == "Goedemorgen!"


def test_renderings_for_watches_are_no_files() -> None:
    watch = b"Content-Type: text/watch-html\n\n<b>Goedemorgen</b>"
    assert read(multipart(TEXT, watch, kind="alternative")).left_out == ()


NESTED_MESSAGE = b"Content-Type: message/rfc822\n\nFrom: a@b.example\nSubject: x\n\nHallo"
SIGNED_BEGIN = b"\x30\x80\x06\x09" + bytes.fromhex("2a864886f70d010702") + b"\xa0\x80\x30\x80\x02\x01\x01"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(multipart(*[TEXT] * 10_000), id="parts"),
        pytest.param(multipart(*[NESTED_MESSAGE] * 10_000), id="attached messages"),
        pytest.param(
            mail("application/ms-tnef", tnef([(2, 0x00069002, bytes(14)), (2, 0x0006800F, b"x")] * 10_000)),
            id="tnef files",
        ),
        pytest.param(
            mail("application/ms-tnef", tnef([(1, 0x00069003, b"\xff\xff\xff\x7f" + b"\x03\x10\x01\x00" * 90_000)])),
            id="tnef properties",
        ),
        pytest.param(mail("application/pkcs7-mime", SIGNED_BEGIN + b"\x31\x80" * 100_000), id="open lengths"),
        pytest.param(
            mail(
                "application/ms-tnef",
                winmail(
                    body=[(0x102, 0x1009, struct.pack("<IIII", 10**8, 10**9, 0x75465A4C, 0) + b"\xff\x0c\xf0" * 90_000)]
                ),
            ),
            id="rtf that grows",
        ),
        pytest.param(
            mail("image/jpeg", b"\xff\xd8\xff\xe0\x00\x02" + b"\xff\xe0\x00\x02" * 100_000), id="jpeg segments"
        ),
    ],
)
def test_D17_a_hostile_mail_gives_a_bounded_result(raw: bytes) -> None:
    found = read(raw)
    assert len(found.left_out) <= DEFAULT_LIMITS.left_out
    assert len(found.images) <= DEFAULT_LIMITS.images
    assert len(found.whole.text) <= DEFAULT_LIMITS.text


# ── whole mails ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "crypto", "begin", "images", "left_out"),
    [
        ("winmail", None, "De kassa start niet", ["Schermafbeelding.png"], ["Kassabon.pdf"]),
        ("smime-signed", Crypto.SIGNED, "Ondertekend:", ["pasfoto.png"], []),
        ("smime-encrypted", Crypto.ENCRYPTED, "", [], ["smime.p7m"]),
        ("pgp-signed", Crypto.SIGNED, "De sleutel van het magazijn", [], []),
        ("pgp-encrypted", Crypto.ENCRYPTED, "", [], ["naamloos", "encrypted.asc"]),
        ("uuencode", None, "Zie het scherm hieronder.", ["scherm.png"], []),
        ("attached-message", None, "Kunnen jullie", ["winkel.png"], ["Storing bij ons.eml", "plattegrond.pdf"]),
        ("attached-message-alone", None, "Het licht", ["winkel.png"], ["Storing bij ons.eml", "plattegrond.pdf"]),
        ("invitation", None, "Uitnodiging: Overleg kassa's", [], ["invite.ics"]),
        ("polyglot", None, "Zie de foto.", ["foto.jpg"], []),
        ("elsewhere", None, "Het rapport staat op", ["logo.png"], ["rapport.pdf", "logo.png"]),
    ],
)
def test_every_kind_in_a_whole_mail(
    name: str, crypto: Crypto | None, begin: str, images: list[str], left_out: list[str]
) -> None:
    found = read((MAILS / "carried" / f"{name}.eml").read_bytes())
    assert found.crypto is crypto
    assert found.whole.text.startswith(begin)
    assert names(found) == (images, left_out)
    assert not any(b"<?php" in image.content for image in found.images)
