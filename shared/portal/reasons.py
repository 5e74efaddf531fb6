"""Why a mail became what it became, and why a mail out was not sent, in words for staff («waarom»).

Each reason has an id, a Dutch sentence and, where a person can do something about it, a remedy. A new reason is a
line in `shared.messages.ReasonId` (or `NotSentReason`) and one here; a test fails where one has no sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared.messages import ClassifiedMail, Reason, ReasonId


class NotSentReason(StrEnum):
    """Why a notification was decided not to be sent (`notifications.reason`; SPEC D6, D10–D12, D18, M1)."""

    AUTOMATIC = "automatic"
    WITHOUT_MAILS = "without-mails"
    OLD_MAIL = "old-mail"
    MAILS_OFF = "mails-off"
    NO_RECIPIENT = "no-recipient"
    INACTIVE_RECIPIENT = "inactive-recipient"
    NO_ADDRESS = "no-address"
    WROTE_THE_MAIL = "wrote-the-mail"
    EMPLOYEE = "employee"
    FORWARDED_STRANGER = "forwarded-stranger"
    FORGED_SENDER = "forged-sender"
    RETURN_PATH_EMPTY = "return-path-empty"
    OWN_ADDRESS = "own-address"
    UNKNOWN_RECIPIENT = "unknown-recipient"
    OVER_LIMIT = "over-limit"
    OVER_LIMIT_SAME_SUBJECT = "over-limit-same-subject"
    OVER_LIMIT_IN_DOMAIN = "over-limit-in-domain"
    OVER_LIMIT_UNKNOWN_SENDERS = "over-limit-unknown-senders"
    IN_SUMMARY = "in-summary"
    DISCARDED_BY_PERSON = "discarded-by-person"


FOR_REVIEW: Final = frozenset({ReasonId.STRANGER, ReasonId.FORGED_SENDER, ReasonId.SAME_MESSAGE_ID_DIFFERS})
"""The reasons for which a person should look at a ticket or supplement («beoordelen»; SPEC D13, D20)."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reason in Dutch: what is the case, and what a person can do about it ('' where nothing is needed)."""

    sentence: str
    remedy: str = ""


def explanation_of(reason: Reason) -> Explanation:
    """Sentence and remedy of a reason; of one that only a newer version knows, its id."""
    if isinstance(reason.id, ReasonId):
        return EXPLANATIONS[reason.id]
    return Explanation(f"Een nieuwere versie van de importer geeft als reden «{reason.id}».")


def explain(reason: Reason) -> str:
    """The sentence of a reason, with what it says of this one mail between brackets."""
    sentence = explanation_of(reason).sentence
    return f"{sentence.removesuffix('.')} ({reason.detail})." if reason.detail else sentence


def explanation(
    mail: ClassifiedMail, *groups: Iterable[Reason], old: bool = False, marker: Reason | None = None
) -> tuple[Reason, ...]:
    """All reasons of a mail («waarom»): those of its outcome first, then the classifier's, each once (D7).

    What the classifier says of the marker counts only for a supplement, which alone heeds it: `marker`. `old`: the
    mail was old when it was taken in (D18).
    """
    reasons = [reason for group in groups for reason in group]
    if mail.forced:
        reasons.append(Reason(id=ReasonId.FORCED))
    if mail.automatic is not None:
        reasons.append(Reason(id=ReasonId.AUTOMATIC, detail=mail.automatic.value))
    if old:
        reasons.append(Reason(id=ReasonId.OLD_MAIL))
    if marker is not None:
        reasons.append(marker)
    said = {reason.id for reason in reasons}
    reasons += [reason for reason in mail.reasons if reason.id not in said and reason.id not in _OF_THE_MARKER]
    return tuple(dict.fromkeys(reasons))


_OF_THE_MARKER: Final = frozenset({ReasonId.ABOVE_MARKER, ReasonId.NOTHING_ABOVE_MARKER})

EXPLANATIONS: Final[Mapping[ReasonId, Explanation]] = MappingProxyType(
    {
        ReasonId.NO_TICKET_NUMBER: Explanation("Er staat geen ticketnummer in het onderwerp: nieuw ticket."),
        ReasonId.TICKET_NUMBER: Explanation("Het onderwerp noemt een bekend ticketnummer: aanvulling bij dat ticket."),
        ReasonId.TICKET_ALIAS: Explanation("Het nummer in het onderwerp is een oud nummer van dit ticket."),
        ReasonId.TICKET_MERGED: Explanation(
            "Het genoemde ticket is samengevoegd met een ander ticket, dat is gevolgd."
        ),
        ReasonId.TICKET_OF_THREAD: Explanation(
            "Het onderwerp noemt geen bekend ticketnummer, maar de mail is een antwoord op een eerdere van dit ticket."
        ),
        ReasonId.TICKET_GONE: Explanation(
            "Het genoemde ticket bestaat niet meer.", "Voeg het nieuwe ticket zo nodig samen met het juiste ticket."
        ),
        ReasonId.TICKET_CLOSED_TOO_LONG: Explanation(
            "Het genoemde ticket is langer gesloten dan de helpdesk wil heropenen: nieuw ticket dat ernaar verwijst.",
            "Voeg het nieuwe ticket zo nodig samen met het oude.",
        ),
        ReasonId.OTHER_HELPDESK: Explanation(
            "Het genoemde ticket hoort bij een andere helpdesk, die de regels bepaalt."
        ),
        ReasonId.THREAD_NOT_FOLLOWED: Explanation(
            "Zonder ticketnummer, maar een antwoord op een mail over dit ticket; de helpdesk volgt geen threads.",
            "Zet de instelling follow-threads aan om zulke mails aanvullingen te laten worden.",
        ),
        ReasonId.UNKNOWN_NUMBER: Explanation(
            "Het onderwerp bevat een getal als een ticketnummer, maar dat is niet bekend.",
            "Leg een oud nummer vast als alias van het ticket waar het bij hoort.",
        ),
        ReasonId.OWN_MESSAGE_BOUNCED: Explanation(
            "Een mail van ons is niet afgeleverd of kwam terug: aanvulling bij het ticket van die mail.",
            "Controleer het e-mailadres van de ontvanger.",
        ),
        ReasonId.CONTACT_KNOWN: Explanation("De afzender is een bekende contactpersoon."),
        ReasonId.CONTACT_INACTIVE: Explanation(
            "De contactpersoon met dit adres is niet actief.", "Maak hem weer actief of koppel het adres aan een ander."
        ),
        ReasonId.SEVERAL_CONTACTS: Explanation(
            "Meer dan één contactpersoon heeft dit adres; er is er één gekozen.",
            "Controleer de keuze en laat het adres bij één contactpersoon staan.",
        ),
        ReasonId.EMPLOYEE: Explanation("De afzender is een werknemer."),
        ReasonId.UNKNOWN_SENDER: Explanation(
            "De afzender is onbekend: de standaard contactpersoon staat op het ticket.",
            "Leg het adres vast bij een contactpersoon.",
        ),
        ReasonId.REPLY_TO_IS_SENDER: Explanation(
            "De mail kwam van ons eigen adres; het antwoordadres (Reply-To) is als afzender genomen."
        ),
        ReasonId.REPLY_TO_BY_SETTING: Explanation(
            "Het antwoordadres (Reply-To) is als afzender genomen, zoals de helpdesk heeft ingesteld."
        ),
        ReasonId.FORWARDED_BY_EMPLOYEE: Explanation(
            "Een werknemer heeft de mail doorgestuurd; de oorspronkelijke afzender is overgenomen.",
            "Pas op het ticket de aanmelder aan als een ander bedoeld is.",
        ),
        ReasonId.ADDRESS_WITHOUT_TAG: Explanation(
            "Het adres is alleen bekend zonder wat na het plusteken staat; dat is gevolgd."
        ),
        ReasonId.ORGANISATION_BY_DOMAIN: Explanation(
            "De afzender is onbekend, maar alleen contactpersonen van één organisatie hebben een adres in dit domein.",
            "Leg het adres vast bij een contactpersoon.",
        ),
        ReasonId.FORGED_SENDER: Explanation(
            "Een vertrouwde controle (DMARC) zegt dat de afzender vervalst is.",
            "Vertrouw de inhoud niet zonder de afzender langs een andere weg te vragen.",
        ),
        ReasonId.SENDER_ALLOWED: Explanation("De afzender is uitdrukkelijk toegelaten, ondanks een ruimere blokkade."),
        ReasonId.ABOVE_MARKER: Explanation("Alleen wat boven de markeerregel staat is overgenomen."),
        ReasonId.NOTHING_ABOVE_MARKER: Explanation("Boven de markeerregel staat niets: de hele mail is overgenomen."),
        ReasonId.REPLY_TRIMMED: Explanation(
            "Aangehaalde tekst en handtekening zijn niet getoond; de hele tekst is bij de aanvulling bewaard."
        ),
        ReasonId.NO_SUBJECT: Explanation("De mail heeft geen onderwerp."),
        ReasonId.ATTACHMENTS_LEFT_OUT: Explanation(
            "Bijlagen die geen plaatje zijn, zijn niet opgeslagen.",
            "Vraag ze zo nodig langs een veilige weg op; de oorspronkelijke mail is bewaard.",
        ),
        ReasonId.AUTOMATIC: Explanation("Dit is een automatische mail: er gaat geen mail uit en de status blijft."),
        ReasonId.AUTOMATIC_ALLOWED: Explanation(
            "De mail lijkt automatisch, maar een regel zegt dat mail van deze afzender van mensen is."
        ),
        ReasonId.STRANGER: Explanation(
            "De afzender hoort niet bij dit ticket.", "Beoordeel de aanvulling en accepteer of verplaats haar."
        ),
        ReasonId.SAME_MESSAGE_ID_DIFFERS: Explanation(
            "Een eerdere mail had hetzelfde Message-ID maar een andere inhoud; beide zijn ingelezen.",
            "Vergelijk de twee.",
        ),
        ReasonId.TOO_LARGE: Explanation(
            "De mail is te groot en is niet in zijn geheel gelezen.", "Lees de mail in de mailbox; daar staat hij nog."
        ),
        ReasonId.UNREADABLE: Explanation(
            "De mail kon niet volledig worden gelezen; wat leesbaar was is overgenomen.",
            "Bekijk de oorspronkelijke mail, die is bewaard.",
        ),
        ReasonId.OUR_ERROR: Explanation(
            "De importer kon deze mail door een eigen fout niet volledig lezen.",
            "Meld dit aan de beheerder, die de mail opnieuw kan laten inlezen.",
        ),
        ReasonId.ENCRYPTED: Explanation(
            "De mail is versleuteld; de importer heeft de sleutel niet en kon hem niet lezen.",
            "Lees de mail met de sleutel, of vraag de afzender hem zonder versleuteling te sturen.",
        ),
        ReasonId.TEXT_OF_ATTACHED_MESSAGE: Explanation(
            "De mail zegt zelf niets: de tekst van het bijgevoegde bericht is overgenomen."
        ),
        ReasonId.VIRUS_FOUND: Explanation(
            "De virusscanner keurt een afbeelding in deze mail af; die is niet opgeslagen.",
            "Open de oorspronkelijke mail niet; laat de afzender zijn computer nakijken.",
        ),
        ReasonId.OLD_MAIL: Explanation("De mail was bij het inlezen al oud: er gaan geen mails over uit."),
        ReasonId.FORCED: Explanation("Iemand heeft deze mail nogmaals laten inlezen."),
        ReasonId.DUPLICATE_CONTENT: Explanation("Deze mail is in deze mailbox al eerder ingelezen."),
        ReasonId.TICKET_HAS_CONTENT: Explanation("Dit ticket heeft deze mail al, via een andere mailbox."),
        ReasonId.NO_SENDER: Explanation(
            "De mail heeft geen bruikbare afzender.", "Bekijk de oorspronkelijke mail en maak zo nodig zelf een ticket."
        ),
        ReasonId.OWN_ADDRESS: Explanation(
            "De mail komt van het adres van de mailbox zelf, maar is niet door ons verstuurd.",
            "Bekijk de mail; een webformulier hoort de invuller als Reply-To te noemen.",
        ),
        ReasonId.DEAD_LETTER: Explanation(
            "De verwerking is meermaals mislukt en gestaakt.",
            "Laat de beheerder de oorzaak verhelpen en de mail hervatten.",
        ),
        ReasonId.MARKED_READ_BY_PERSON: Explanation(
            "Iemand heeft deze oude mail als gelezen laten markeren.", "Laat de mail zo nodig alsnog inlezen."
        ),
        ReasonId.DISCARDED_BY_PERSON: Explanation(
            "Iemand heeft besloten dat met deze mail niets hoeft te gebeuren.", "Laat de mail zo nodig alsnog inlezen."
        ),
        ReasonId.SENDER_BLOCKED: Explanation(
            "De afzender is geblokkeerd.", "Hef de blokkade op en laat de mail dan opnieuw inlezen."
        ),
        ReasonId.LIST_BLOCKED: Explanation(
            "De mailinglijst is geblokkeerd.", "Hef de blokkade op en laat de mail dan opnieuw inlezen."
        ),
    }
)

NOT_SENT: Final[Mapping[NotSentReason, Explanation]] = MappingProxyType(
    {
        NotSentReason.AUTOMATIC: Explanation("Op automatische mail volgt nooit een mail."),
        NotSentReason.WITHOUT_MAILS: Explanation("Bij het inlezen is gekozen voor «zonder mails»."),
        NotSentReason.OLD_MAIL: Explanation("De ingelezen mail was al oud."),
        NotSentReason.MAILS_OFF: Explanation(
            "De helpdesk verstuurt geen mail bij toevoegen uit de e-mail importer.",
            "Zet «Mail versturen bij toevoegen uit e-mail importer» op ja.",
        ),
        NotSentReason.NO_RECIPIENT: Explanation(
            "Het ticket heeft geen ticketmanager of uitvoerder.",
            "Vul hem op het ticket in, of geef de helpdesk een adres voor mail zonder ontvanger.",
        ),
        NotSentReason.INACTIVE_RECIPIENT: Explanation(
            "De ticketmanager of uitvoerder is niet actief.", "Kies op het ticket een actieve werknemer."
        ),
        NotSentReason.NO_ADDRESS: Explanation(
            "De ticketmanager of uitvoerder heeft geen e-mailadres.", "Leg een e-mailadres bij de werknemer vast."
        ),
        NotSentReason.WROTE_THE_MAIL: Explanation("De ontvanger heeft de mail zelf geschreven."),
        NotSentReason.EMPLOYEE: Explanation("De afzender is een werknemer en krijgt geen bevestiging."),
        NotSentReason.FORWARDED_STRANGER: Explanation(
            "Een werknemer stuurde de mail door, en de oorspronkelijke afzender is geen bekende contactpersoon."
        ),
        NotSentReason.FORGED_SENDER: Explanation("De afzender is volgens een vertrouwde controle (DMARC) vervalst."),
        NotSentReason.RETURN_PATH_EMPTY: Explanation("De mail noemt geen adres voor antwoorden (leeg Return-Path)."),
        NotSentReason.OWN_ADDRESS: Explanation("Het adres is van een helpdesk zelf."),
        NotSentReason.UNKNOWN_RECIPIENT: Explanation(
            "Een mailserver meldde onlangs dat dit adres niet bestaat.", "Controleer het adres van de contactpersoon."
        ),
        NotSentReason.OVER_LIMIT: Explanation("Aan dit adres zijn kort na elkaar al te veel mails gestuurd."),
        NotSentReason.OVER_LIMIT_SAME_SUBJECT: Explanation(
            "Dit adres stuurde kort na elkaar meer mails met hetzelfde onderwerp; de eerdere zijn beantwoord."
        ),
        NotSentReason.OVER_LIMIT_IN_DOMAIN: Explanation(
            "Aan onbekende adressen in dit domein zijn kort na elkaar al te veel mails gestuurd.",
            "Leg de adressen vast bij contactpersonen als het om mensen gaat.",
        ),
        NotSentReason.OVER_LIMIT_UNKNOWN_SENDERS: Explanation(
            "De helpdesk stuurde het afgelopen uur al te veel mails aan onbekende afzenders.",
            "Kijk of de afzenders echt zijn; vervalste mail hoort al bij de mailserver te stoppen.",
        ),
        NotSentReason.DISCARDED_BY_PERSON: Explanation("Een beheerder heeft de mail tegengehouden en weggegooid."),
        NotSentReason.IN_SUMMARY: Explanation(
            "Er kwamen kort na elkaar veel mails voor deze medewerker: dit staat in een verzamelmail."
        ),
    }
)
