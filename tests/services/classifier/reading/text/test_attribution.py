"""The line above a quote, wrapped as clients wrap it: known without a marker, and above one."""

import html
import uuid

import pytest

from services.classifier.reading.reader import read_mail
from services.classifier.reading.text.attribution import attribution_begin, attribution_end
from services.classifier.reading.values import ReadingSettings
from shared.messages import Body

MARKER = "===== vul boven deze regel uw reactie ====="
SAID = "Dat werkt, dank."

ATTRIBUTIONS = {
    "gmail-before-the-address": "On Tue, Mar 3, 2026 at 10:00 AM Servicedesk of the Northern Bakeries <\n"
    "ict@desk.example> wrote:",
    "gmail-within-the-address": "Op di 3 mrt 2026 om 10:00 schreef Servicedesk <ict@desk.example\n>:",
    "gmail-german-after-a-day": "Servicedesk <ict@desk.example> schrieb am Di., 3.\nMärz 2026 um 10:00 Uhr:",
    "german-day-first": "Am Mo., 30.\nMärz 2026 um 10:00 Uhr schrieb Servicedesk <ict@desk.example>:",
    "french-day-first": "Le lun. 30\nmars 2026 à 10:00, Servicedesk <ict@desk.example> a écrit :",
    "a-name-with-a-full-stop": "Op di 3 mrt 2026 om 10:00 schreef Halm Automatisering B.V.\n<ict@desk.example>:",
    "a-name-of-initials": "On Tue, Mar 3, 2026 at 10:00 AM J. P.\nde Vries <ict@desk.example> wrote:",
    "a-long-name-first": "Servicedesk Automatisering van de Vereniging te\n"
    "Ede <ict@desk.example> schreef op 3 maart 2026\nom 10:00:",
    "zoho": "---- On Tue, 03 Mar 2026 10:00:00 +0100 Servicedesk <ict@desk.example> wrote ----",
    "zoho-wrapped": "---- On Tue, 03 Mar 2026 10:00:00 +0100 Servicedesk\n<ict@desk.example> wrote ----",
    "zoho-dutch": "---- Op di, 03 mrt 2026 10:00:00 +0100 Servicedesk <ict@desk.example> schreef ----",
    "without-a-verb": "2026-03-03 10:00 GMT+01:00 Servicedesk <ict@desk.example>:",
    "french-wrapped": "Le mar. 3 mars 2026 à 10:00, Servicedesk <\nict@desk.example> a écrit :",
    "italian-block": "Da: Servicedesk\nRisposta: Servicedesk / Vragen\nData: martedì 3 marzo 2026 10:00\nA: Piet\n"
    "Oggetto: Kassa",
    "a-block-of-paragraphs": "Van: ICT\n\nVerzonden: dinsdag 3 maart 2026 10:00\n\nAan: Piet\n\nOnderwerp: Kassa",
    "unknown-label-in-a-block": "Van: Servicedesk\nGevoeligheid: normaal\nVerzonden: dinsdag 3 maart 2026 10:00\n"
    "Aan: Piet\nOnderwerp: Kassa",
}
QUOTES = {"marked": "> {}\n> Beste Piet,", "unmarked": "{}\nBeste Piet,"}


def body_of(text: str, kind: str, markers: tuple[str, ...], line_end: str) -> Body:
    if kind == "html":
        text = "<br>".join(html.escape(line) for line in text.split("\n"))
    raw = f"From: piet@halm.example\nContent-Type: text/{kind}; charset=utf-8\n\n{text}\n".replace("\n", line_end)
    mail = read_mail(raw.encode(), uuid.UUID(int=1), ReadingSettings(markers=markers))
    body = mail.above[0].body if mail.above else mail.reply
    assert body is not None
    return body


@pytest.mark.parametrize("line_end", [pytest.param("\n", id="lf"), pytest.param("\r\n", id="crlf")])
@pytest.mark.parametrize("kind", ["plain", "html"])
@pytest.mark.parametrize("quote", QUOTES.values(), ids=QUOTES)
@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_D16_an_attribution_belongs_to_the_quote(attribution: str, quote: str, kind: str, line_end: str) -> None:
    for markers, first in (((MARKER,), MARKER), ((), "Uw melding is ontvangen.")):
        mail = f"{SAID}\n\n{attribution}\n\n{quote.format(first)}"
        assert body_of(mail, kind, markers, line_end).text == SAID


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["Ik heb op 3 maart om 10:00 gebeld.", "Jan schreef mij daarna:"], id="two-sentences"),
        pytest.param(["Op 3 maart schreef ik u:"], id="own-letter"),
        pytest.param(["De volgende nummers doen het niet:"], id="a-list-announced"),
    ],
)
def test_a_sentence_is_no_attribution(lines: list[str]) -> None:
    assert attribution_end(lines, 0) is None


LAST_LINES = [
    "Mijn adres is piet@halm.example",
    "Bel mij op 3 maart om 10:00 uur",
    "Tot dinsdag 3 maart 2026",
    "T. 020-1234567",
    "<piet@halm.example>: 550 5.1.1",
    "Datum: 3 maart 2026 10:00",
    "=== einde log ===",
    "for <a@b.example>; Wed, 3 Mar 2026 14:51:58 +0100",
]
ONE_LINE = {
    "dutch": "Op 3 maart 2026 10:00:01 CET schreef Servicedesk <ict@desk.example>:",
    "apple": "Op 3 mrt 2026, om 10:00 heeft Servicedesk <ict@desk.example> het volgende geschreven:",
    "apple-wrapped": "Op 3 mrt 2026, om 10:00 heeft Servicedesk van Halm\n<ict@desk.example> het volgende geschreven:",
    "english": "On Tue, Mar 3, 2026 at 10:00 AM Servicedesk <ict@desk.example> wrote:",
    "german": "Am 03.03.2026 um 10:00 schrieb Servicedesk:",
}


@pytest.mark.parametrize("between", ["\n", "\n\n"], ids=["straight-above", "a-blank-line-between"])
@pytest.mark.parametrize("attribution", ONE_LINE.values(), ids=ONE_LINE)
@pytest.mark.parametrize("last", LAST_LINES)
def test_D16_the_last_line_that_somebody_wrote_is_no_part_of_the_attribution(
    last: str, attribution: str, between: str
) -> None:
    """Though it names a moment or an address, and does not end in a full stop."""
    said = f"Hallo,\n\n{last}"
    raw = f"Content-Type: text/plain; charset=utf-8\n\n{said}{between}{attribution}\n\n> {MARKER}\n> Beste Piet,"
    mail = read_mail(raw.encode(), uuid.UUID(int=1), ReadingSettings(markers=(MARKER,)))
    assert mail.above[0].body is not None
    assert mail.above[0].body.text == said
    assert mail.reply is not None
    assert mail.reply.text == said


BLOCKS = {
    "outlook": "Van: ICT <ict@desk.example>\nVerzonden: dinsdag 3 maart 2026 10:00\nAan: Piet\nOnderwerp: Kassa",
    "notes": "From:   ICT <ict@desk.example>\nTo:     <piet@halm.example>\nDate:   03-03-2026 10:00\nSubject: Kassa",
    "gmx": "Gesendet: Dienstag, 3. März 2026 um 10:00 Uhr\nVon: ICT <ict@desk.example>\nAn: Piet\nBetreff: Kassa",
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
@pytest.mark.parametrize(
    "last", ["Bijlage: foto.png", "Datum: 3 maart 2026 10:00", "Aan: Piet", "Re: de offerte", "Van: kantoor Utrecht"]
)
def test_D16_a_line_that_begins_like_a_header_field_is_no_part_of_the_block_below(last: str, block: str) -> None:
    said = f"Hallo,\n\nDe kassa doet het niet.\n\n{last}"
    raw = f"Content-Type: text/plain; charset=utf-8\n\n{said}\n\n{block}\n\n{MARKER}\nBeste Piet,"
    mail = read_mail(raw.encode(), uuid.UUID(int=1), ReadingSettings(markers=(MARKER,)))
    assert mail.above[0].body is not None
    assert mail.above[0].body.text == said
    assert mail.reply is not None
    assert mail.reply.text == said


def test_an_attribution_is_found_upwards_from_its_quote() -> None:
    lines = ["Ja.", "", *ATTRIBUTIONS["gmail-german-after-a-day"].split("\n")]
    assert attribution_begin(lines, len(lines)) == 2
    assert attribution_begin(["Ja."], 1) is None
