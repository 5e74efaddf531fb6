"""What lawyers and scanners add goes, of whatever shape; what a person wrote stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.reading.text.disclaimer import _IN_SIGNS, _SIGNS
from services.classifier.reading.text.lines import text_lines
from services.classifier.reading.text.reply import said_lines

SAID = "De kassa start niet op.\n\nGroet, Piet"
LEGAL = (
    "Deze e-mail en eventuele bijlagen zijn uitsluitend bestemd voor de geadresseerde en kunnen vertrouwelijke "
    "informatie bevatten. Bent u dat niet, verwijder het bericht dan."
)


def said(text: str) -> str:
    lines = text_lines(text)
    return "\n".join(line.text for line, keep in zip(lines, said_lines(lines), strict=True) if keep).strip()


@pytest.mark.parametrize(
    "added",
    [
        pytest.param(LEGAL, id="one-paragraph"),
        pytest.param(f"**********\n\n{LEGAL}\n\nWij scannen alle post op virussen.\n\n**********", id="between-stars"),
        pytest.param(f"----------\n{LEGAL}\n----------", id="between-dashes-without-blank-lines"),
        pytest.param(f"=====\n{LEGAL}\n\nBakkerij De Halm, Marktplein 1, Ede.\n=====", id="with-an-address-enclosed"),
        pytest.param(f"DISCLAIMER\n\n{LEGAL}", id="under-a-heading"),
        pytest.param(f"Disclaimer:\n{LEGAL}\n\nIngeschreven in het handelsregister onder 12345678.", id="register"),
        pytest.param(
            "Dit bericht kan gegevens bevatten die niet voor u bestemd zijn. Hebt u het abusievelijk ontvangen, meldt "
            "u dat dan aan de afzender. De gemeente is niet aansprakelijk voor schade door het gebruik van e-mail.\n\n"
            "This message may hold information that is not intended for you. If it was sent to you by mistake, please "
            "inform the sender. The municipality accepts no liability for damage caused by the use of e-mail.",
            id="government-in-two-languages",
        ),
        pytest.param(
            "This e-mail and its attachments are confidential and intended for the addressee only. Any disclosure or\n"
            "copying by others is not allowed.\n\n"
            "This footnote says that the message was swept for computer viruses.",
            id="scanned-afterwards",
        ),
        pytest.param(
            "Diese E-Mail ist vertraulich und nur für den Empfänger bestimmt. Haben Sie sie irrtümlich erhalten, "
            "informieren Sie bitte den Absender.",
            id="german",
        ),
        pytest.param(
            "Ce message est confidentiel et destiné à son seul destinataire. Si vous l'avez reçu par erreur, merci de "
            "le supprimer.",
            id="french",
        ),
        pytest.param("Deze e-mail is gecontroleerd op virussen door Avast.", id="scanned"),
        pytest.param(
            "This email has been scanned by the Symantec Email Security.cloud service.", id="scanned-for-security"
        ),
        pytest.param("This email has been checked for viruses by AVG antivirus software.\nwww.avg.com", id="checked"),
        pytest.param("Virusvrij.www.avast.com", id="virus-free"),
        pytest.param("Denk aan het milieu voordat u deze mail print.", id="printing"),
    ],
)
def test_a_disclaimer_goes(added: str) -> None:
    assert said(f"{SAID}\n\n{added}") == SAID


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(
            "Deze mail was niet voor mij bestemd en is vertrouwelijk; ik heb hem abusievelijk gekregen. Verwijderen?",
            id="a-mail-that-went-astray",
        ),
        pytest.param("Deze e-mail bevat een virus, zegt de scanner. Graag nakijken.", id="a-virus-reported"),
        pytest.param(
            "De informatie in dit bericht klopt niet: de ontvanger staat er verkeerd in en het artikel is al twee keer "
            "verspreid over de filialen.",
            id="a-report-about-a-message",
        ),
        pytest.param("Virusscanner staat uit.", id="a-virus-scanner"),
        pytest.param("-----\nMetingen:\n12 graden\n-----", id="own-lines-of-dashes"),
        pytest.param("Disclaimer\n\nDie pagina op de site is leeg.", id="a-page-called-disclaimer"),
        pytest.param(f"{LEGAL}\n\nPS: de code is 1234.", id="something-below-it"),
    ],
)
def test_what_a_person_wrote_stays(written: str) -> None:
    assert said(f"{SAID}\n\n{written}") == f"{SAID}\n\n{written}"


def test_a_disclaimer_that_is_all_of_the_mail_stays() -> None:
    assert said(LEGAL) == LEGAL


@given(found=st.one_of(*(st.tuples(st.just(place), st.from_regex(sign)) for place, sign in enumerate(_SIGNS))))
def test_all_that_is_a_sign_has_one_of_the_words_that_are_looked_for_first(found: tuple[int, str]) -> None:
    place, text = found
    assert any(word in text.lower().replace("\u0307", "") for word in _IN_SIGNS[place])


@pytest.mark.parametrize("words", _IN_SIGNS)
def test_no_word_that_is_looked_for_first_stands_for_another_too(words: tuple[str, ...]) -> None:
    assert [(one, other) for one in words for other in words if one != other and one in other] == []
