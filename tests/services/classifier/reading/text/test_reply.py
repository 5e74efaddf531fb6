"""What a reply says itself, as mail clients write replies in their languages; nothing else is taken away."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.classifier.reading.text.html_document import HtmlDocument
from services.classifier.reading.text.lines import joined, text_lines
from services.classifier.reading.text.reply import said_lines


def _boxed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Html with `inner` in boxes that clients write."""
    tags = st.sampled_from(["div", "p", "span", "b", "table", "tr", "td", "blockquote", "ul", "li", "a"])
    boxes = st.tuples(tags, st.lists(inner, min_size=1, max_size=3))
    return boxes.map(lambda box: f"<{box[0]}>{''.join(box[1])}</{box[0]}>")


SAID = "Ja, dat is goed.\n\nGroet,\nSanne"


def said(text: str) -> str:
    lines = text_lines(text)
    kept = said_lines(lines)
    return "\n".join(line.text for line, keep in zip(lines, kept, strict=True) if keep).strip()


def said_in_html(html: str) -> tuple[str, str]:
    """What is said by the lines, and by the html that is left."""
    document = HtmlDocument(html)
    lines = document.lines()
    kept = said_lines(lines)
    document.keep(lines, kept)
    return joined([line for line, keep in zip(lines, kept, strict=True) if keep]), joined(document.lines())


@pytest.mark.parametrize(
    "attribution",
    [
        "Op di 3 mrt. 2026 om 10:00 schreef Servicedesk <ict@desk.example>:",
        "Citeren Servicedesk <ict@desk.example>:",
        "Zitat von Servicedesk <ict@desk.example>:",
        "Quoting Servicedesk (ict@desk.example):",
        "Missatge de Servicedesk <ict@desk.example> del dia dt., 3 de març 2026 a les 10:00:",
        "Op 3-3-2026 10:00 heeft Servicedesk <ict@desk.example> geschreven:",
        "Servicedesk <ict@desk.example> schreef op 3 maart 2026 10:00:",
        "On Tue, Mar 3, 2026 at 10:00 AM Servicedesk <ict@desk.example> wrote:",
        "On 3 Mar 2026, at 10:00, Servicedesk wrote:",
        "Am 03.03.26 um 10:00 schrieb Servicedesk:",
        "Servicedesk <ict@desk.example> schrieb am Di., 3. März 2026, 10:00:",
        "Le mar. 3 mars 2026 à 10:00, Servicedesk <ict@desk.example> a écrit :",
        "El mar, 3 mar 2026 a las 10:00, Servicedesk (<ict@desk.example>) escribió:",
        "Il giorno mar 3 mar 2026 alle ore 10:00 Servicedesk <ict@desk.example> ha scritto:",
        "Em ter., 3 de mar. de 2026 às 10:00, Servicedesk <ict@desk.example> escreveu:",
        "Den tis 3 mars 2026 kl 10:00 skrev Servicedesk <ict@desk.example>:",
        "tir. 3. mar. 2026 kl. 10:00 skrev Servicedesk <ict@desk.example>:",
        "ti 3. maalisk. 2026 klo 10.00 Servicedesk (ict@desk.example) kirjoitti:",
        "wt., 3 mar 2026 o 10:00 Servicedesk <ict@desk.example> napisał(a):",
        "út 3. 3. 2026 v 10:00 odesílatel Servicedesk <ict@desk.example> napsal:",
        "ut 3. 3. 2026 o 10:00 Servicedesk <ict@desk.example> napísal(a):",
        "Servicedesk <ict@desk.example> ezt írta (időpont: 2026. márc. 3., K, 10:00):",
        "mar., 3 mar. 2026, 10:00 Servicedesk <ict@desk.example> a scris:",
        "вт, 3 мар. 2026 г. в 10:00, Servicedesk <ict@desk.example>:",
        "3 марта 2026 г., в 10:00, Servicedesk <ict@desk.example> написал(а):",
        "вт, 3 бер. 2026 р. о 10:00 Servicedesk <ict@desk.example> пише:",
        "На вт, 3.03.2026 г. в 10:00 Servicedesk <ict@desk.example> написа:",
        "Στις Τρί 3 Μαρ 2026 στις 10:00 π.μ., ο χρήστης Servicedesk <ict@desk.example> έγραψε:",
        "Servicedesk <ict@desk.example>, 3 Mar 2026 Sal, 10:00 tarihinde şunu yazdı:",
        "2026年3月3日(火) 10:00 Servicedesk <ict@desk.example>:",
        "Servicedesk <ict@desk.example> 于2026年3月3日周二 10:00写道：",
        "2026년 3월 3일 (화) 오전 10:00, Servicedesk <ict@desk.example>님이 작성:",
        "في الثلاثاء، 3 مارس 2026 في 10:00 ص تمت كتابة ما يلي بواسطة Servicedesk <ict@desk.example>:",
        "בתאריך יום ג׳, 3 במרץ 2026 ב-10:00 מאת \u202aDesk\u202c\u200f <\u202aict@desk.example\u202c\u200f>:\u202c",
        "Vào Th 3, 3 thg 3, 2026 vào lúc 10:00 Servicedesk <ict@desk.example> đã viết:",
        "Pada Sel, 3 Mar 2026 pukul 10:00 Servicedesk <ict@desk.example> menulis:",
        "2026-03-03, an, 10:00 Servicedesk <ict@desk.example> rašė:",
        "otrd., 2026. g. 3. marts, plkst. 10:00 — lietotājs Servicedesk <ict@desk.example> rakstīja:",
        "Kuupäev T, 3. märts 2026 kell 10:00 kirjutas Servicedesk <ict@desk.example>:",
        "uto, 3. ožu 2026. u 10:00 Servicedesk <ict@desk.example> napisao je:",
        "Dana uto, 3. mar 2026. u 10:00 Servicedesk <ict@desk.example> je napisao/la:",
        "V V tor., 3. mar. 2026 ob 10:00 je oseba Servicedesk <ict@desk.example> napisala:",
        "El dt., 3 de març 2026, 10:00, Servicedesk <ict@desk.example> va escriure:",
        "Þann þri., 3. mar. 2026 kl. 10:00 skrifaði Servicedesk <ict@desk.example>:",
        "Op Di. 3 Mrt. 2026 om 10:00 het Servicedesk <ict@desk.example> geskryf:",
        "Op 3 maart 2026 om 10:00 schreef\nServicedesk <\nict@desk.example>:",
        "2026-03-03 10:00 GMT+01:00 Servicedesk <ict@desk.example>:",
    ],
)
@pytest.mark.parametrize("mark", ["> ", ""], ids=["marked", "unmarked"])
def test_an_attribution_begins_the_quote(attribution: str, mark: str) -> None:
    assert said(f"{SAID}\n\n{attribution}\n\n{mark}Schikt dinsdag?\n{mark}\n{mark}Servicedesk\n") == SAID


@pytest.mark.parametrize(
    "block",
    [
        "Van: Servicedesk <ict@desk.example>\nVerzonden: dinsdag 3 maart 2026 10:00\nAan: Sanne\nOnderwerp: Kassa",
        "From: Servicedesk <ict@desk.example>\nSent: Tuesday, March 3, 2026 10:00\nTo: Sanne\nSubject: Kassa",
        "*From:* Servicedesk <ict@desk.example>\n*Sent:* Tuesday, March 3, 2026 10:00\n*Subject:* Kassa",
        "**Von:** Servicedesk\n\n**Gesendet:** Dienstag, 3. März 2026 10:00\n\n**An:** Sanne\n\n**Betreff:** Kassa",
        "De : Servicedesk <ict@desk.example>\nEnvoyé : mardi 3 mars 2026 10:00\nÀ : Sanne\nObjet : Kassa",
        "De: Servicedesk <ict@desk.example>\nEnviado el: martes, 3 de marzo de 2026 10:00\nPara: Sanne\nAsunto: Kassa",
        "Da: Servicedesk <ict@desk.example>\nInviato: martedì 3 marzo 2026 10:00\nA: Sanne\nOggetto: Kassa",
        "Från: Servicedesk <ict@desk.example>\nSkickat: den 3 mars 2026 10:00\nTill: Sanne\nÄmne: Kassa",
        "Fra: Servicedesk <ict@desk.example>\nSendt: 3. marts 2026 10:00\nTil: Sanne\nEmne: Kassa",
        "Lähettäjä: Servicedesk <ict@desk.example>\nLähetetty: tiistai 3. maaliskuuta 2026\nAihe: Kassa",
        "Od: Servicedesk <ict@desk.example>\nWysłano: wtorek, 3 marca 2026 10:00\nDo: Sanne\nTemat: Kassa",
        "От: Servicedesk <ict@desk.example>\nОтправлено: 3 марта 2026 г. 10:00\nКому: Sanne\nТема: Kassa",
        "发件人: Servicedesk <ict@desk.example>\n发送时间: 2026年3月3日 10:00\n收件人: Sanne\n主题: Kassa",
        "差出人: Servicedesk <ict@desk.example>\n送信日時: 2026年3月3日 10:00\n宛先: Sanne\n件名: Kassa",
        "-----Oorspronkelijk bericht-----\nVan: Servicedesk <ict@desk.example>\nVerzonden: dinsdag 3 maart 2026 10:00",
        "-------- Original message --------",
        "‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐",
        "Saatja: Servicedesk\nSaatmisaeg: teisipäev, 3. märts 2026 10:00\nAdressaat: Sanne\nTeema: Kassa",
        "Од: Servicedesk\nПослато: уторак, 3. март 2026. 10:00\nЗа: Sanne\nТема: Kassa",
        "De: Servicedesk <ict@desk.example>\nEnviat: dimarts, 3 de març de 2026 10:00\nPer a: Sanne\nTema: Kassa",
        "-----Berjocht oarspronklik-----\nFan: Servicedesk\nFerstjoerd: tiisdei 3 maart 2026\nUnderwerp: Kassa",
        ">>> Servicedesk <ict@desk.example> 3-3-2026 10:00 >>>",
        "> Message du 03/03/26 10:00\n> De : ict@desk.example\n> A : Sanne\n> Copie à : \n> Objet : Kassa\n> ",
        "________________________________\nVan: Servicedesk\nVerzonden: dinsdag 3 maart 2026\nOnderwerp: Kassa",
        "Op 3 maart 2026 schreef Servicedesk\nVan: Servicedesk\nDatum: 3 maart 2026\nAan: Sanne",
        "----- Original Message ----- From: Servicedesk <ict@desk.example>To: SanneSent: 3 Mar 2026Subject: Kassa",
    ],
)
def test_header_lines_begin_the_quote(block: str) -> None:
    assert said(f"{SAID}\n\n{block}\n\nSchikt dinsdag?\n\nServicedesk") == SAID


@pytest.mark.parametrize(
    "added",
    [
        "-- \nSanne Visser\nBakkerij",
        "--\nSanne",
        "________________________________\nSanne Visser",
        "____________________\nSanne Visser\nBakkerij\nT. 020 1234567",
        "_______________________________________________\nKassa mailing list\nhttps://lists.example/kassa",
        "Verstuurd vanaf mijn iPhone",
        "Verzonden vanuit Outlook voor iOS",
        "Sent from my Galaxy",
        "Sent from my Wiko RIDGE FAB 4G",
        "Get Outlook for Android<https://aka.example/x>",
        "Outlook voor iOS downloaden",
        "Von meinem iPad gesendet",
        "Envoyé de mon iPhone",
        "Odesláno z iPhonu",
        "Sent from my phone, please excuse typos",
        "Verzonden met Tuta",
        "Diese Nachricht wurde von meinem Android Mobiltelefon mit WEB.DE Mail gesendet.",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Skickat från min iPhone",
        "Lähetetty iPhonesta",
        "Wysłane z iPhone'a",
        "Отправлено с iPhone",
        "发自我的iPhone",
        "iPhoneから送信",
        "Dit bericht is vertrouwelijk en alleen bestemd voor de geadresseerde.\nIs het niet voor u, verwijder het dan.",
        """This e-mail is confidential and intended solely for the addressee; if you are not, please delete it at once.

Please consider the environment before printing this e-mail.""",
    ],
)
@pytest.mark.parametrize(
    "quote", ["", "\n\nOp 3 maart 2026 om 10:00 schreef Els <els@desk.example>:\n> Schikt dinsdag?"]
)
def test_what_a_client_adds_goes(added: str, quote: str) -> None:
    assert said(f"{SAID}\n\n{added}{quote}") == SAID


@pytest.mark.parametrize(
    "warning",
    [
        "CAUTION: This email originated from outside of the organization. Do not click links.",
        "You don't often get email from sanne@b.example. Learn why this is important<https://aka.example/x>",
        "U ontvangt niet vaak e-mail van sanne@b.example. Ontdek waarom dit belangrijk is",
        "Sommige personen die dit bericht hebben ontvangen, krijgen niet vaak e-mail van sanne@b.example.",
        "Sie erhalten nicht oft eine E-Mail von sanne@b.example. Erfahren Sie, warum dies wichtig ist",
        "Vous n'obtenez pas souvent d'e-mail à partir de sanne@b.example. Pourquoi c'est important",
    ],
)
def test_a_warning_that_a_server_puts_on_top_goes(warning: str) -> None:
    assert said(f"{warning}\n\n{SAID}") == SAID


@pytest.mark.parametrize(
    "text",
    [
        "Sent from my desk, is much easier than my mobile phone.",
        "On your remote host you can run:\n\ntelnet 127.0.0.1 52698\n\nThat should do it.",
        "Sent from my phone, please excuse me for asking: when does the till work again?",
        "Zie de regel:\n\n>>> import os\n\nDie geeft een fout.",
        "Ik kreeg dit:\n\n> Van: x@b.example\n> Verzonden: 3 maart 2026\n> Onderwerp: Kassa\n\nKlopt dat?",
        "Waarom krijgen klanten niet vaak e-mail van de kassa?\n\nDat zou wel moeten.",
        "Hij schreef: dat kan niet.\nEn zij schreef: dat kan wel.",
        "Van: Amsterdam\nNaar: Utrecht\n\nHoeveel kost dat?",
        "Lijst:\n- een\n- twee\n\nDatum: morgen\nTijd: 10:00",
        "Op 3 maart 2026 om 10:00 had ik gebeld.\nToen was er niemand.",
        "Op 3 maart 2026 schreef ik u:\n\nde kassa doet het niet.",
        "On 3 March 2026 I wrote to you:\n\nthe till is broken.",
        "Bericht van het formulier.\n\nVan: Jan <jan@b.example>\nOnderwerp: Kassa\nBericht: hij doet het niet.",
        "Er staat:\n\n> fout 42\n\nWat betekent dat?",
        "Ja.\n\nMet vriendelijke groet,\n\nSanne Visser\nBakkerij Visser",
        "Ja.\n\nMet vriendelijke groet,\n\nSanne Visser\n\nBelt u mij op 020 1234567?\nOf mail naar s@b.example",
        "Kijk.\n\nGroet,\nSanne\n\nhttps://b.example/fout1\nhttps://b.example/fout2",
        "Graag toegang.\n\nGroet,\n\nSanne\n\npiet@b.example\nkees@b.example\nmarie@b.example",
        "Ja.\n\nGroeten,\nSanne\n\nPS: ons nieuwe adres is Dorpsstraat 1, tel. 020 1234567\nen www.bakkerij.example",
        "Met vriendelijke groet,\n\nSanne Visser\n020 1234567\nwww.bakkerij.example",
        "Hallo,\n\nDatum: 2 maart\nVan: kantoor\nNaar: thuis\nAan: Sanne\n\nReiskosten graag vergoeden.",
        "Hallo,\n\nVerzonden: 3 pakketten\nAan: Sanne\nVan: magazijn\nOnderwerp: levering\n\nEr kwamen er twee!",
        "Het formulier vraagt:\nFrom:\nTo:\nSubject:\nWat moet ik daar invullen?",
        "Hallo,\n\nOp 12 maart om 10:00 uur schreef het systeem:\n\nFout 12\n\nKunt u helpen?",
        "Bitte prüfen.\n\nAm 3. März schrieb der Kunde:\nEs geht nicht.",
        "1. Kassa\n2. Lade\n___________\nSamen: twee\n\nGraag bestellen",
        "Zo ziet de tabel eruit:\n_______________\n|  A  |  B  |\n_______________\n|  1  |  2  |\n\nKlopt dat?",
    ],
)
def test_what_somebody_says_stays(text: str) -> None:
    assert said(text) == text


@pytest.mark.parametrize(
    "greeting",
    ["Met vriendelijke groet,\n\nSanne Visser", "Kind regards,\nSanne", "Mit freundlichen Grüßen\n\nSanne Visser"],
)
def test_contact_details_below_a_greeting_go(greeting: str) -> None:
    details = "Bakkerij Visser B.V.\nDorpsstraat 1, 1234 AB Ons Dorp\n\nT: 020 - 123 45 67\nwww.bakkerij.example"
    assert said(f"Ja.\n\n{greeting}\n\n{details}") == f"Ja.\n\n{greeting}"


ATTRIBUTION: Final = "Op 3 maart 2026 om 10:00 schreef Els <els@desk.example>:\n"


@pytest.mark.parametrize(
    ("mail", "expected"),
    [
        pytest.param(
            f"Hallo,\n\n{ATTRIBUTION}> Schikt dinsdag?\n\nJa.\n\n> Hoe laat?\n\n10:00.",
            "Hallo,\n\n> Schikt dinsdag?\n\nJa.\n\n> Hoe laat?\n\n10:00.",
            id="below a greeting",
        ),
        pytest.param(
            f"{ATTRIBUTION}> Beste Jan,\n>\n> Schikt dinsdag?\nJa.\n> Hoe laat?\nTien uur.\n>\n> Groet,\n> Els",
            "> Schikt dinsdag?\nJa.\n> Hoe laat?\nTien uur.",
            id="the rest of the quote below",
        ),
        pytest.param(
            f"{ATTRIBUTION}> Schikt dinsdag?\nJa.\n> Tot dan,\n> Els\n\nGroet, Jan de Vries",
            "> Schikt dinsdag?\nJa.\n\nGroet, Jan de Vries",
            id="a greeting answers nothing",
        ),
        pytest.param(
            "> Schikt dinsdag?\nJa.\n> Hoe laat?\n10:00.\n> Groet, Els\n",
            "> Schikt dinsdag?\nJa.\n> Hoe laat?\n10:00.",
            id="announced by nothing",
        ),
        pytest.param(
            f"Zie mijn antwoord hieronder.\n\n{ATTRIBUTION}> Hoi,\n> Schikt dinsdag?\n\nJa.",
            "Zie mijn antwoord hieronder.\n\n> Schikt dinsdag?\n\nJa.",
            id="one answer that is announced",
        ),
        pytest.param(f"{ATTRIBUTION}> Schikt dinsdag?\n\nJa.", "Ja.", id="one answer below is an ordinary reply"),
        pytest.param(
            f"{ATTRIBUTION}> Beste Jan.\n> Kunt u mij laten weten of dinsdag of woensdag schikt voor een bezoek\n"
            "> van de monteur aan uw winkel?\n\nJa.\n\n> Hoe laat?\n\nTien uur.",
            "> Kunt u mij laten weten of dinsdag of woensdag schikt voor een bezoek\n"
            "> van de monteur aan uw winkel?\n\nJa.\n\n> Hoe laat?\n\nTien uur.",
            id="a line that was wrapped is one",
        ),
        pytest.param(
            f"{ATTRIBUTION}> > Schikt maandag of wordt dat een beetje te vroeg voor jullie allemaal\n"
            "> Nee, dinsdag?\nGoed.\n> En hoe laat?\nTien uur.",
            "> Nee, dinsdag?\nGoed.\n> En hoe laat?\nTien uur.",
            id="not what was quoted before",
        ),
        pytest.param(
            f"{ATTRIBUTION}> Kunt u mij laten weten of dinsdag of woensdag beter schikt voor u?\ndinsdag\n> Hoe laat?\n"
            "om tien uur",
            "> Kunt u mij laten weten of dinsdag of woensdag beter schikt voor u?\ndinsdag\n> Hoe laat?\nom tien uur",
            id="an answer of one word is no line that was wrapped",
        ),
        pytest.param(
            f"{ATTRIBUTION}> Schikt dinsdag?\nJa.\n> Hoe laat?\nTien uur.\n\n-- \nJan\n020 123 45 67",
            "> Schikt dinsdag?\nJa.\n> Hoe laat?\nTien uur.",
            id="above a signature",
        ),
        pytest.param(
            f"{ATTRIBUTION}> Hoi,\n> Schikt dinsdag?\n\nJa, dat is goed.\n\n>\n> -Els Smit\n> ______________\n> lijst",
            "Ja, dat is goed.",
            id="the quoted signature below",
        ),
        pytest.param(
            f"Ja.\n\n{ATTRIBUTION}> Schikt dinsdag?\n>\n> Op 2 maart 2026 om 9:00 schreef Jan:\n>> Wanneer?",
            "Ja.",
            id="quotes without an answer between them",
        ),
    ],
)
def test_an_answer_between_quotes_keeps_the_line_that_it_answers(mail: str, expected: str) -> None:
    assert said(mail) == expected


ANNOUNCEMENTS = [
    "Zie mijn antwoorden hieronder in rood.",
    "See my answers inline.",
    "Siehe rot.",
    "Zie onder",
    "See below.",
    "Siehe unten",
    "Voir ci-dessous",
    "Hieronder mijn antwoorden.",
    "In rood mijn antwoorden",
    "Ik heb hieronder gereageerd.",
    "Ik heb je vragen beantwoord, zie de rode tekst.",
    "Mijn reactie staat tussen de tekst.",
    "Graag oppakken, zie onderstaande mail van de leverancier.",
    "Onderstaande klopt niet.",
    "Is the message below a fraud?",
    "Graag deze mail blokkeren:",
]


@pytest.mark.parametrize("said_above", ANNOUNCEMENTS)
def test_a_quote_that_is_said_to_hold_answers_stays(said_above: str) -> None:
    block = "Van: Desk <a@b.example>\nVerzonden: dinsdag 3 maart 2026\nOnderwerp: Kassa"
    mail = f"{said_above}\n\n{block}\n\nSchikt dinsdag?\n\nJa."
    assert said(mail) == mail


@pytest.mark.parametrize(
    "quote",
    [
        (
            '<div class="gmail_quote"><div class="gmail_attr">Op 3 maart 2026 schreef Els &lt;els@b.example&gt;:</div>'
            '<blockquote class="gmail_quote">{}</blockquote></div>'
        ),
        (
            "<div>Op 3 maart 2026 om 10:00 heeft Els &lt;els@b.example&gt; het volgende geschreven:</div>"
            '<blockquote type="cite">{}</blockquote>'
        ),
        (
            "<div>Verzonden vanaf mijn Galaxy</div><div>-------- Oorspronkelijk bericht --------</div>"
            "<div>Van: Els &lt;els@b.example&gt;</div><div>Datum: 3-3-2026 10:00</div><div>Aan: Jan</div>{}"
        ),
        (
            "<div>________________________________</div><div>Van: Els &lt;els@b.example&gt;</div>"
            "<div>Verzonden: 3 maart 2026 10:00</div><div>Aan: Jan</div>{}"
        ),
        (
            '<div style="border:none;border-top:solid #E1E1E1 1.0pt"><b>Van:</b> Els &lt;els@b.example&gt;<br>'
            "<b>Verzonden:</b> 3 maart 2026 10:00<br><b>Aan:</b> Jan</div>{}"
        ),
    ],
    ids=["gmail", "apple", "samsung", "outlook-in-text", "outlook"],
)
@pytest.mark.parametrize("said_above", ANNOUNCEMENTS)
def test_answers_within_a_quote_that_html_marks_stay_where_they_are_announced(said_above: str, quote: str) -> None:
    answered = '<p>Schikt dinsdag?</p><p style="color:red">Nee, woensdag.</p><p>Groet, Els</p>'
    assert "Nee, woensdag." in said_in_html(f"<p>{said_above}</p>{quote.format(answered)}")[0]
    assert said_in_html(f"<p>Dinsdag.</p>{quote.format(answered)}")[0] == "Dinsdag."


@pytest.mark.parametrize("last", ["Mijn adres is sanne@b.example, bel 4 maart", "sanne@b.example: 454 4.4.4 no MX"])
def test_the_line_above_a_quote_that_names_its_writer_itself_is_no_attribution(last: str) -> None:
    quote = "Op 3-3-2026 10:00 CET schreef Els &lt;els@b.example&gt;:<br>Schikt dinsdag?"
    said = said_in_html(f'<p>Dinsdag.</p><p>{last}</p><blockquote type="cite">{quote}</blockquote>')[0]
    assert said.split("\n\n") == ["Dinsdag.", last]


@pytest.mark.parametrize(
    "style", ["margin:0 0 0 40px;border:none;padding:0px", "margin: 0px 0px 0px 40px; border: none"]
)
def test_a_paragraph_that_somebody_indented_is_no_quote(style: str) -> None:
    text = said_in_html(f'<blockquote style="{style}"><div>Ingesprongen</div></blockquote><p>Klaar</p>')[0]
    assert text.split() == ["Ingesprongen", "Klaar"]


def test_an_answer_below_the_header_of_its_quote_stays() -> None:
    block = "Von: Desk <a@b.example>\nGesendet: Dienstag, 3. März 2026\nBetreff: Kassa"
    assert said(f"{block}\n\nGuten Tag,\n\nso geht es.") == "Guten Tag,\n\nso geht es."


def test_a_quoted_line_that_a_client_wrapped_is_quoted() -> None:
    long = "> " + "lange regel " * 6
    attribution = "Op 3 maart 2026 om 10:00 schreef Els <els@desk.example>:"
    assert said(f"{SAID}\n\n{attribution}\n{long}\ndie doorloopt\n> tot hier") == SAID


def test_a_mail_that_only_quotes_stays_whole() -> None:
    mail = "Op 3 maart 2026 om 10:00 schreef Els <els@desk.example>:\n> Schikt dinsdag?"
    assert said(mail) == mail


@pytest.mark.parametrize(
    "forward",
    [
        "---------- Forwarded message ---------\nFrom: Jan <jan@b.example>\nDate: 3 Mar 2026\nSubject: Vraag\n\nHallo",
        "Begin doorgestuurd bericht:\n\n> Van: Jan <jan@b.example>\n> Onderwerp: Vraag\n> Datum: 3 maart\n>\n> Hallo",
    ],
)
def test_what_is_forwarded_is_no_quote(forward: str) -> None:
    mail = f"Zie hieronder.\n\n{forward}\n\nGroet,\n\n-- \nJan\ntel. 020 1234567"
    assert said(mail) == mail


@pytest.mark.parametrize(
    "quote",
    [
        '<div class="gmail_quote"><div class="gmail_attr">3 mars, Els:</div><blockquote>Hoi<br>Els</blockquote></div>',
        '<div class="moz-cite-prefix">Els, gisteren:</div><blockquote type="cite"><p>Hoi</p></blockquote>',
        '<hr id="stopSpelling"><div id="divRplyFwdMsg"><b>Mistä:</b> Els</div><div>Hoi</div>',
        '<div id="appendonsend"></div><hr><div>Els</div><p>Hoi</p>',
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p>Els</p></div><p>Hoi</p>',
        '<div class="yahoo_quoted" id="yahoo_quoted_1"><div>Els</div><div>Hoi</div></div>',
        '<div class="protonmail_quote">Els<br><blockquote>Hoi</blockquote></div>',
        '<div id="mail-editor-reference-message-container"><div>Els</div><div>Hoi</div></div>',
        '<div class="OutlookMessageHeader"><b>Els</b></div><div>Hoi</div>',
        "<blockquote>Hoi<br>Els</blockquote>",
        "<div>Op 3 maart 2026 om 10:00 schreef Els &lt;els@desk.example&gt;:</div><div>Hoi</div>",
    ],
)
def test_a_quote_that_html_marks_goes_with_its_markup(quote: str) -> None:
    by_lines, left = said_in_html(f"<div>Ja, <b>dat</b> is goed.</div><div>Sanne</div>{quote}")
    assert by_lines == left == "Ja, dat is goed.\nSanne"


def test_the_end_of_preformatted_text_goes_though_lines_above_begin_in_it() -> None:
    """Found by trimming real mails at random: the text node above was another one after the cut."""
    document = HtmlDocument("<p>een</p><p>twee</p><pre>-- \ndrie\nvier</pre>")
    lines = document.lines()
    document.keep(lines, [line.text not in {"een", "vier"} for line in lines])
    assert joined(document.lines()) == "twee\n\n--\ndrie"


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(st.sampled_from(["een", "twee ", "<br>", "<img src=x>", "&nbsp;", "drie<br>vier"]), _boxed), st.data()
)
def test_html_keeps_the_lines_that_are_kept_and_no_others(html: str, data: st.DataObject) -> None:
    document = HtmlDocument(html)
    lines = document.lines()
    kept = data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines)))
    wanted = "".join(line.text for line, keep in zip(lines, kept, strict=True) if keep)
    document.keep(lines, kept)
    left = "".join(line.text for line in document.lines())
    assert [sign for sign in left if sign.isalnum()] == [sign for sign in wanted if sign.isalnum()]


def test_answers_between_quotes_of_html_stay() -> None:
    quoted = '<blockquote type="cite"><p>{}</p></blockquote>'
    mail = (
        "<p>Hallo</p><div class=moz-cite-prefix>On 3 March 2026 10:00, Els wrote:</div>"
        f"{quoted.format('een?')}<p>ja <b>hoor</b></p>{quoted.format('twee?')}<ul><li>nee</li></ul>"
    )
    by_lines, left = said_in_html(mail)
    assert by_lines.split() == left.split() == ["Hallo", "een?", "ja", "hoor", "twee?", "-", "nee"]


@pytest.mark.parametrize("box", ["gmail_quote gmail_quote_container", "protonmail_quote", "yahoo_quoted"])
def test_answers_in_a_clients_box_of_the_quote_are_no_quote(box: str) -> None:
    """As Gmail writes them: the box goes on to the end of the mail, the blocks in it end at each answer."""
    quoted = '<blockquote class="gmail_quote">{}</blockquote>'
    mail = (
        f'<div>Dag Els,</div><div class="{box}"><div class="gmail_attr">On 3 March 2026 10:00, Els wrote:</div>'
        f"{quoted.format('Beste Jan,<br>Schikt dinsdag?')}<div><br></div><div>Ja.</div>"
        f"{quoted.format('Hoe laat?<div class=gmail_quote><blockquote>eerder</blockquote>nog eerder</div>')}"
        f"<div>Tien uur.</div>{quoted.format('Groet, Els')}</div>"
    )
    by_lines, left = said_in_html(mail)
    assert by_lines == left
    assert [line for line in left.split("\n") if line] == [
        *("Dag Els,", "Schikt dinsdag?", "Ja.", "nog eerder", "Tien uur.")
    ]


def test_a_mark_of_apples_above_a_quote_leaves_no_line() -> None:
    attribution = "Op 3 mrt 2026 om 10:00 heeft Els &lt;e@b.example&gt; het volgende geschreven:<br>"
    quote = '<blockquote type="cite"><div dir="ltr">\ufeff<p>Schikt dinsdag?</p></div></blockquote>'
    html = f'Ja.<br><blockquote type="cite">{attribution}</blockquote>{quote}'
    assert said_in_html(html) == ("Ja.", "Ja.")


def test_a_quote_in_a_clients_box_goes_with_all_that_stands_above_its_block() -> None:
    quote = '<div class="gmail_quote">Els, eergisteren om tien uur<br><blockquote>Hoi</blockquote></div>'
    assert said_in_html(f"<div>Ja</div>{quote}") == ("Ja", "Ja")


def test_a_signature_that_html_marks_goes_above_a_quote_and_below() -> None:
    signature = '<div class="gmail_signature"><b>Sanne</b><br><img src="attachment:1"></div>'
    quote = "<div>On 3 March 2026 10:00, Els wrote:</div><blockquote>x</blockquote>"
    assert said_in_html(f"<div>Ja</div>{signature}{quote}")[1] == "Ja"
    assert said_in_html(f"<div>Ja</div>{quote}<div>nee</div>{signature}")[1] == "Ja\nnee"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("> > >" * 100_000, id="marks in one line"),
        pytest.param("> > >\n" * 80_000, id="marks"),
        pytest.param("On 3-3-2026 10:00 a@b.nl x\n" * 18_000, id="attributions that do not end"),
        pytest.param("-" * 500_000, id="dashes"),
        pytest.param("a@" * 250_000, id="at signs"),
        pytest.param("van:" * 120_000, id="labels in one line"),
        pytest.param(" \t" * 250_000 + "x", id="white space"),
        pytest.param(
            "See my answers inline\n" + "From: a@b.nl\nDate: 1-1\nTo: x\n\ntext\n" * 8_000, id="answers announced"
        ),
    ],
)
def test_a_hostile_text_takes_time_in_proportion_to_its_length(text: str) -> None:
    """A quadratic rule takes minutes here, and fails by the suite's own limit."""
    assert len(said_lines(text_lines(text))) == text.count("\n") + 1
