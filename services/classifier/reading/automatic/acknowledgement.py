"""Acknowledgements of other ticket systems and receipts, told by their words: gateways take their headers away.

Two helpdesks that confirm each other's confirmations never end; the limits on mails out would stop them, late. But a
person writes «wij hebben uw mail ontvangen» too, so no sentence tells by itself. Of these, a system's mail has two:

    it says that a request came in          «Your request (12345) has been received»
    it promises what happens next           «will be reviewed by our support staff»
    it says that a machine wrote it         «this is an automated response»
    it asks to be answered in its own way   «Reply above this line»
    its subject says it                     «[Request received] Printer»

and the first is among them, with a number or a second one more. Nobody asks anything there, or speaks of himself.
"""

from __future__ import annotations

import re
from typing import Final

BEGINNING: Final = 700
"""Characters of a text that are looked at: an acknowledgement says first what it is."""
_FIRST: Final = 250
"""Of these, so many may stand before what tells: a salutation, thanks."""
_WHOLE: Final = BEGINNING - 100
"""Characters of a text that is looked at up to its end, links and line ends in it gone."""
_LONGEST_LINES: Final = 4 * BEGINNING

_REQUEST: Final = (
    r"(?:(?:support |service |help )?(?:request|ticket|case|incident|inquiry|enquiry|issue|e-?mail|message|question)|"
    r"(?:aan)?vraag|(?:service|hulp)?verzoek|melding|ticket|bericht|incident|case|(?:service)?call|anfrage|nachricht|meldung|anliegen|"
    r"vorgang|störung|demande|requête|message|courriel|solicitud|consulta|mensaje|incidencia|richiesta|segnalazione|"
    r"messaggio|pedido|solicitação|mensagem|zgłoszenie|wiadomość|ärende|förfrågan|meddelande|henvendelse|sag|sak|"
    r"pyyntö(?:nne|si)?|viesti(?:nne|si)?)"
)
_NUMBER: Final = (
    r"(?:(?: (?:met|with|mit|onder|unter)(?= ))?[\s(\[]{0,3}(?:ticket|case|request|reference|ref|tracking)?[\s-]?"
    r"(?:id|no|nr|number|[a-z]{0,20}nummer|kenmerk|referentie)?\.?\s?[:=]?\s?"
    r"[\[(]?#{0,2}(?:[a-z]{1,10}[-#]?)?[0-9][0-9 .-]{2,20}[\])#]{0,3})"
)
_YOURS: Final = (
    r"(?:your|uw|jouw|je|jullie|ihre[nmrs]?|ihr|deine[nr]?|votre|su|tu|la sua|sua|il suo|seu|twoje|ditt|din|dit)"
)
# Those that are searched in all of a text are for small letters: with IGNORECASE each costs twice as much or more.
_CAME_IN: Final = re.compile(
    # your request (12345) has been received; uw melding is geregistreerd onder nummer 12345
    rf"(?<!\w){_YOURS} (?:\w{{1,20}} ){{0,2}}{_REQUEST}(?:{_NUMBER})?,? (?:for support )?(?:\w{{1,12}} ){{0,2}}?"
    r"(?:has been|have been|was|is|wurde|werd|ist|a (?:bien )?été|ha sido|è stat[ao]|foi|został[ao]?|har|er|on) "
    r"(?:[\w-]{1,20} ){0,4}?(?:received|created|logged|opened|registered|submitted|recorded|assigned|ontvangen|"
    r"geregistreerd|aangemaakt|aangemeld|vastgelegd|binnengekomen|in goede orde|eingegangen|erfasst|registriert|"
    r"erstellt|angelegt|enregistrée?|reçue?|créée?|recibid[oa]|registrad[oa]|cread[oa]|ricevut[oa]|registrat[oa]|"
    r"recebid[oa]|criad[oa]|zarejestrowan[aey]|przyjęt[aey]|mottagits|registrerats|modtaget|oprettet|mottatt|"
    r"registrert|vastaanotettu)(?!\w)|"
    # we have received your request; wij hebben uw bericht in goede orde ontvangen
    rf"(?<!\w)(?:we|wij|wir|nous|hemos|abbiamo|recebemos|otrzymaliśmy|vi) (?:[\w']{{1,12}} ){{0,4}}?"
    rf"(?:received|got|reçu|recibido|ricevuto|mottagit|modtaget|mottatt) {_YOURS} (?:\w{{1,20}} ){{0,2}}?{_REQUEST}|"
    rf"(?<!\w)(?:we|wij|wir) (?:hebben|haben) {_YOURS} (?:\w{{1,20}} ){{0,2}}?{_REQUEST}{_NUMBER}? ?"
    r"(?:\w{1,12} ){0,4}?(?:ontvangen|geregistreerd|erhalten)(?!\w)|"
    # a ticket with number 12345 has been created; Ticket #12345 has been opened for you
    rf"(?<!\w){_REQUEST} has been (?:created|opened|logged) (?:on your behalf|for you)(?!\w)|"
    rf"(?<!\w){_REQUEST}(?: with)?{_NUMBER} (?:has been|is|wurde|werd) (?:[\w-]{{1,20}} ){{0,2}}?"
    r"(?:created|opened|logged|registered|received|aangemaakt|geregistreerd|ontvangen|erstellt|angelegt)(?!\w)|"
    rf"(?<!\w)er is (?:een|uw) (?:nieuwe? )?{_REQUEST} (?:voor u )?(?:aangemaakt|geregistreerd)(?!\w)|"
    rf"(?:acknowledge\w{{0,4}}|confirm\w{{0,3}}) (?:\w{{1,12}} ){{0,6}}?(?:received|receipt of|mail for|got) "
    rf"(?:\w{{1,12}} ){{0,2}}?{_REQUEST}|"
    rf"(?:request|ticket)s? (?:for \w{{1,12}} )?(?:has|have) been (?:created and assigned|created with|assigned)",
)
_TAKEN_IN: Final = (
    *"""received created logged opened registered submitted recorded assigned got ontvangen geregistreerd aangemaakt
    aangemeld vastgelegd binnengekomen eingegangen erfasst registriert erstellt angelegt erhalten enregistré reçu créé
    recibid registrad cread ricevut registrat recebid criad zarejestrowan przyjęt mottagit modtaget oprettet mottatt
    registrert registrerats vastaanotettu""".split(),  # noqa: SIM905 - a list of words reads better in lines than in quotes
    "in goede orde", "receipt of", "mail for",
)  # fmt: skip
"""One of these is in whatever `_CAME_IN` finds: most texts have none, and these cost a fiftieth."""
_NUMBERED: Final = re.compile(
    rf"(?:{_REQUEST}|nummer|number|numéro|número|numero|id|assigned|toegewezen|referentie|reference|kenmerk|onder|unter|"
    rf"with|met|created with){_NUMBER}",
)
_PROMISES: Final = re.compile(
    r"(?:will|shall) (?:\w{1,12} ){0,3}?(?:review|respond|reply|contact|follow|get back|be (?:in touch|reviewed|"
    r"handled))|"
    r"(?:is|are) (?:now )?being (?:reviewed|processed|handled)|"
    r"(?:opened|created|logged) (?:for you|on your behalf)|representative will|"
    r"to (?:add|provide) (?:additional|further|more) (?:comments?|information)|"
    r"(?:nemen|neemt|wordt|zullen) (?:[\w()]{1,20} ){0,8}?(?:in behandeling|contact (?:met|op)|beoordeeld|"
    r"beantwoord(?!\w))|streven (?:[\w()]{1,20} ){0,8}?(?:reageren|antwoorden|beantwoorden|nemen)|"
    r"(?:ontvangt|reageren|antwoorden|beantwoorden) (?:\w{1,20} ){0,4}?(?:zo (?:spoedig|snel) mogelijk|binnen)|"
    r"(?:om|voor) (?:extra|aanvullende|meer) (?:opmerkingen|informatie)|antwoord op deze e-?mail om|"
    r"(?:werden|wird|setzen) (?:\w{1,20} ){0,8}?(?:bearbeitet|bearbeiten|in verbindung|beantworten|melden|"
    r"kontaktieren)|"
    r"(?:sera|allons|reviendrons|répondrons|mettrons) (?:\w{1,20} ){0,6}?(?:traitée?|vous|dans les)|"
    r"(?:responderemos|contactaremos|atenderemos|pondremos en contacto)|(?:risponderemo|contatteremo|"
    r"prenderemo in carico)|"
    r"(?:återkommer|vender tilbage|kommer tilbake)",
)
_BY_MACHINE: Final = re.compile(
    r"this (?:e-?mail|message|is|notification) (?:\w{1,12} ){0,3}?auto(?:matic|mated|matically|-)|"
    r"auto(?:matically|-)[- ]?(?:generated|created)|automated (?:response|reply|message|e-?mail|notification)|"
    r"automatic (?:reply|response|message|notification)|"
    r"(?:do not|don't) (?:reply|respond) to this|no need to reply|"
    r"dit is een automatisch|automatisch (?:gegenereerd|verzonden|verstuurd|aangemaakt|bericht)|"
    r"niet (?:te|(?:op dit bericht|op deze e-?mail|op deze mail|hierop)(?: te)?) (?:antwoorden|beantwoorden|reageren)|"
    r"hierop niet (?:antwoorden|reageren)|"
    r"(?:dies|das) ist eine automatisch|automatisch (?:generiert|erstellt|versendet|erzeugt)|"
    r"antworten sie (?:bitte )?nicht auf diese|"
    r"(?:message|réponse|e-?mail|courriel) automatique|généré automatiquement|ne pas (?:y )?répondre|"
    r"(?:respuesta|mensaje|correo) automátic|no responda a este|(?:risposta|messaggio) automatic|"
    r"non rispondere a quest|(?:resposta|mensagem) automátic|não responda|wiadomość (?:\w{1,20} )?automatyczn|"
    r"automatiskt (?:svar|meddelande)|automatisk (?:svar|besked|melding)|automaattinen",
)
_ABOVE_THE_LINE: Final = re.compile(
    r"[-#=*_—–]{2}[^\n]{0,10}(?:reply|type your reply|write your reply|antwoord|typ uw antwoord|reageer|antwort|répond|"
    r"responda|rispondi)[^\n]{0,40}(?:above this line|boven deze (?:regel|lijn)|über dieser zeile|au-dessus de cette|"
    r"por encima de esta|sopra questa)|"
    r"^\s*(?:reply above this line|please type your reply above this line|antwoord boven deze (?:regel|lijn))",
    re.MULTILINE,
)
_SUBJECT: Final = re.compile(
    r"(?:request|ticket|case|incident|message|e-?mail|inquiry)[^:]{0,40} (?:received|created|opened|logged|registered)"
    r"(?!\w)|"
    r"(?:we (?:have )?received|thanks? (?:you )?for) your (?:request|inquiry|enquiry|e-?mail|message|ticket)|"
    r"(?:acknowledge?ment|confirmation) of (?:your )?(?:request|receipt|ticket|e-?mail)|"
    r"(?:aanvraag|verzoek|melding|ticket|vraag|bericht)[^:]{0,40} (?:ontvangen|aangemaakt|aangemeld|geregistreerd)"
    r"(?!\w)|"
    r"ontvangst van (?:uw|je|jouw)|"
    r"(?:ontvangst)?bevestiging (?:van (?:ontvangst|uw|je|jouw)|uw|melding|aanvraag|ticket)|ontvangstbevestiging|"
    r"bedankt voor (?:uw|je|jouw) (?:bericht|e-?mail|mail|vraag|aanvraag|melding)|"
    r"eingangsbestätigung|empfangsbestätigung|(?:anfrage|ticket|nachricht)[^:]{0,40} (?:eingegangen|erhalten|erstellt)|"
    r"accusé de réception|(?:demande|ticket)[^:]{0,40} (?:reçue?|enregistrée?|créée?)|acuse de recibo|"
    r"(?:solicitud|ticket)[^:]{0,40} (?:recibid|cread)[oa]|(?:richiesta|ticket)[^:]{0,40} (?:ricevut|apert|creat)[oa]|"
    r"auto-?reply",
    re.IGNORECASE,
)
_IS_ONE: Final = re.compile(
    r"(?:this is an? (?:automat\w{1,5} |system )?(?:generated )?(?:acknowledge?ment|"
    r"confirmation (?:of (?:the )?receipt|that we))|just confirming that we got your request|"
    r"dit is een automatisch\w? (?:\w{1,20} )?(?:ontvangst)?bevestiging|"
    r"dies ist eine automatisch\w{0,2} (?:\w{1,20} )?(?:eingangs|empfangs)?bestätigung|"
    r"ceci est un accusé de réception automatique|"
    # a challenge (BoxTrapper), to whom an answer of ours would be a mail to challenge
    r"the message you sent requires that you verify)(?!\w)",
)
_SAYS_IT_IS_ONE: Final = (
    r"(?:this is an (?:automat\w{1,5}|auto-?) ?(?:generated )?(?:e-?mail )?(?:response|reply)|"
    r"dit is een automatische? (?:gegenereerde? |verzonden |e-?mail ?)?(?:antwoord|reactie|antwoordbericht)|"
    r"dies ist eine automatische? (?:generierte |erstellte )?antwort|"
    r"ceci est une réponse automatique|questa è una risposta automatica|esta es una respuesta automática|"
    r"(?:esta|isto) é uma resposta automática|detta är ett automatiskt svar|dette er et automatisk svar|"
    r"tämä on automaattinen vastaus|to jest automatyczna odpowiedź)"
)
_BEGINS_AS_ONE: Final = re.compile(rf"\W{{0,9}}{_SAYS_IT_IS_ONE}\s{{0,3}}(?:[.!,:;–—-]|\n|$)", re.IGNORECASE)
"""What says so first of all, and in a sentence of its own."""
_ENDS_AS_ONE: Final = re.compile(rf"[.!] ?{_SAYS_IT_IS_ONE}[.!]?$")
"""What says so last of all, and in a sentence of its own."""
_A_PERSON: Final = re.compile(
    r"(?<![\w'])(?:i|i'm|i've|i'll|my|me|ik|mij|mijn|ich|mir|mich|mein\w{0,2}|je suis|j'ai|mon|ma|jag|jeg|min)(?!\w)"
)
"""Dutch «je» is anybody's."""
_OTHERS: Final = re.compile(r"(?<!\w)(?:they|their|he|she|zij|ze|hun|hij|ils?|elles?)(?!\w)")
"""A system promises what we or our staff will do; what others will do, a person tells."""
_ASKS: Final = re.compile(
    r"(?<!\w)(?:graag|gelieve|kun(?:t|nen)?|zou(?:den)?|wijzig\w{0,3}|tekst|please|change|text|bitte|ändern|merci de|"
    r"veuillez|por favor|per favore)(?!\w)",
)
"""Who stands above the words asks to have them changed."""
_LINK: Final = re.compile(r"https?://[^\s<>]{1,400}")
_RECEIPT: Final = re.compile(
    r"\s{0,9}(?:this is a return receipt for the mail that you sent|"
    r"dit is een ontvangstbevestiging voor (?:de|het) (?:e-?mail|bericht)|"
    r"dies ist eine empfangsbestätigung für (?:die|ihre)|"
    r"ceci est un accusé de réception (?:pour|du)|questa è una ricevuta di ritorno|este es un acuse de recibo|"
    r"(?:uw bericht|your message|ihre nachricht|votre message|su mensaje|el mensaje|il messaggio|"
    r"a sua mensagem|sua mensagem|ditt meddelande|din meddelelse|meldingen|viestisi)\s{1,9}"
    r"(?:aan|to|an|à|para|a|till|til|vastaanottaja)\s?:[^\n]{0,300}\n\s{0,9}"
    r"(?:onderwerp|subject|betreff|objet|asunto|oggetto|assunto|ämne|emne|aihe)\s?:)",
    re.IGNORECASE,
)


def is_acknowledgement(subject: str, text: str) -> bool:
    """Whether a ticket system confirms here that it took something in."""
    said = _LINK.sub(" ", _own(text))
    if _BEGINS_AS_ONE.match(said) is not None:
        return True
    said = said.lower()
    if "?" in said or _A_PERSON.search(said.replace("’", "'")):
        return False
    above_line = _ABOVE_THE_LINE.search(said)
    said = " ".join((said if above_line is None else said[above_line.end() :]).split())
    if _IS_ONE.search(said) is not None or (len(said) < _WHOLE and _ENDS_AS_ONE.search(said) is not None):
        return True
    came_in = _CAME_IN.search(said) if any(word in said for word in _TAKEN_IN) else None
    if came_in is None or came_in.start() > _FIRST or _ASKS.search(said, 0, came_in.start()):
        return False
    if above_line is not None or _BY_MACHINE.search(said):
        return True
    numbered = _NUMBERED.search(said) is not None
    promises = _PROMISES.search(said) is not None
    called_so = _SUBJECT.search(subject) is not None
    of_others = _OTHERS.search(said) is not None
    return (numbered and promises and not of_others) or (called_so and (numbered or promises))


def is_receipt(text: str) -> bool:
    """Whether a text is what Outlook or Thunderbird writes into a read receipt, which lost its structure."""
    return _RECEIPT.match(text[:BEGINNING]) is not None


def _own(text: str) -> str:
    """The beginning of a text, without what it quotes."""
    lines = (line for line in text[:_LONGEST_LINES].splitlines() if not line.lstrip().startswith((">", "|")))
    return "\n".join(lines)[:BEGINNING]
