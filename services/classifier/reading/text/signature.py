"""What a client or a server adds to what somebody says: signatures, «Sent from my iPhone», warnings.

A greeting with a name («Met vriendelijke groet, Jan») is part of what is said: it stays. What stands below goes only
where it is marked as a signature, or is nothing but contact details.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from services.classifier.reading.text.header_block import bare

_DELIMITER: Final = re.compile(r"^(?:--|—|––)[ \t\xa0]*$")
_RULE: Final = re.compile(r"^[_]{8,}[ \t\xa0]*$")
_OUTLOOK_RULE: Final = 32
_DEVICE: Final = (
    r"(?:iphon\w*|ipad\w*|ipod|i?mac(?:book)?|apple|ios|android|samsung|galaxy|huawei|xiaomi|redmi|oneplus|pixel|"
    r"nokia|sony|xperia|htc|lg|motorola|moto|blackberry|windows|outlook|outlook\.com|yahoo|gmail|hotmail|aol|"
    r"proton(?:mail)?|tutanota|mailbird|mailbox|spark|fairemail|k-9|thunderbird|e-?mail|mail|mobile|mobiel(?:tje)?|"
    r"mobil[aen]?|mobiltelefon|mobiilista|mobilny|móvil|móbil|telemóvel|celular|cellulare|cell(?:ulaire)?|smartphone|"
    r"smart\s?phone|phone|telefoon|telefon\w?|téléphone|teléfono|telefone|telefono|tablet|handheld|toestel|gerät|"
    r"device|appareil|dispositivo|boxer|workspace|verizon|t-mobile|vodafone|kpn|o2|bluemail|touchdown|polaris|nine|"
    r"airmail|typeapp|typemail|tuta|mailsuite|mailspring|mymail|canary|edison|em\s?client|shortwave|polymail|superhuman|aquamail|телефон\w*|почт\w+|устройств\w+|смартфон\w*)"
)
_SENT: Final = re.compile(
    r"^(?:(?:sent|verzonden|verstuurd|gestuurd|gesendet|von\s+meinem|envoyé|envoyée?|transmis|enviado|enviada|inviato|"
    r"inviata|scritto|skickat|skickades|sendt|sent:|lähetetty|wysłan[eoay]|odesláno|odoslané|poslano|poslato|trimis|"
    r"отправлено|надіслано|изпратено|gönderildi|saadetud|išsiųsta|nosūtīts|dikirim|στάλθηκε|dərc|enviat|escrito|"
    r"geschreven|written|posted|composed|typed)\b[^,;!?]{0,60}?\b"
    + _DEVICE
    + r"(?!\w)|von\s+mein\w++\s++"
    + _DEVICE
    + r"(?:\s\S+){0,3}\s+gesendet|"
    r"(?:\S++\s){0,3}(?=\S*(?:iphone|ipad|android))\S++(?:\s\S++){0,2}\s(?:küldve|gönderildi|lähetetty|gesendet|poslano)|"
    r"(?:(?:get|download|hol(?:en)?|obtenir|obtenez|télécharge[rz]|obtener|obtén|obter|scarica|ottieni|hämta|skaffa|"
    r"få|hent|hanki|pobierz|descarga|stáhnout|stáhněte|získat|získajte|letöltése|descărcați|obțineți|download\s+de|"
    r"скачать|загрузить|скачайте)\s+(?:\S+\s){0,2}outlook\b)|outlook\s+(?:voor|für|pour|for|para|per|til|till|pro|"
    r"dla|для)\s+(?:ios|android|mac)\b[^.,]{0,20}(?:downloaden|herunterladen|aan|beziehen)?|(?:von|from|van|via|de|"
    r"da|från|fra)\s+(?:my|mijn|meinem|mon|mi|il\s+mio|min|mit)\s++" + _DEVICE + r"\b"
    r"|via\s+(?:mobile|mobiel|phone)$)"
)
"""Of a line in small letters: so the alternatives that cannot begin at a place are passed over at once."""
_SENT_FROM_MY: Final = re.compile(
    r"^(?:(?:sent|written|posted)\s+(?:from|via|on)\s+my|(?:verstuurd|verzonden|gestuurd)\s+(?:vanaf|vanuit|via|met|"
    r"van)\s+mijn|gesendet\s+(?:von|mit)\s+meine[mr]|envoyé\s+(?:de(?:puis)?|à\s+partir\s+de|avec)\s+mon|"
    r"enviado\s+(?:desde|a\s+partir\s+de)\s+mi|enviado\s+(?:do|a\s+partir\s+do|pelo)\s+meu|inviato\s+(?:dal|"
    r"con\s+il)\s+mio|"
    r"skickat\s+från\s+min|sendt\s+fra\s+min)(?:\s+[^\s.,;!?]+){1,6}(?:\s?[,.;(–-]\s?(?:please\s|so\s|dus\s|graag\s)?"
    r"(?:excuse|forgive|pardon|sorry|apologies|excuses|mogelijke|entschuldig|veuillez)[^?]{0,60})?$",
    re.IGNORECASE,
)
_SENT_ELSEWHERE: Final = re.compile(
    r"^(?:diese\s+nachricht\s+wurde\s+von\s+mein\w{1,3}\s[^?]{3,60}\sgesendet|أُ?رسلت?\s+من|تم\s+الإرسال\s+من|נשלח\s+מ|发自我的|從我的.{1,20}(?:傳送|寄出)|从我的.{1,20}发送|發自我的|"
    r"iPhone\s?から送信|"
    r"(?:私の)?\w{0,20}から送信|나의\s+\w+에서\s+보냄|.{0,20}에서\s+보냄)",
    re.IGNORECASE,
)
_SENT_BY_APP: Final = re.compile(
    r"^(?:sent|verzonden|verstuurd|gesendet|envoyé|enviado|inviato|skickat|sendt)\s+(?:from|with|via|by|using|vanuit|"
    r"vanaf|met|mit|von|depuis|avec|de|desde|con|da|från|fra|med)\s+\S+(?:\s\S+){0,3}$",
    re.IGNORECASE,
)
"""An app whose name nobody here knows: its line links to it."""
_LONGEST_DEVICE: Final = 110
_MOST_WORDS: Final = 14
_LINK: Final = re.compile(r"<[^<>]{3,400}>|\(?https?://\S+|\[[^\[\]]{0,80}\]\([^()]{0,300}\)")
_IN_LINKS: Final = ("<", "://", "[")
"""What every link has: most lines have none."""

_GREETING: Final = re.compile(
    r"^(?:(?:met )?(?:vriendelijke?|hartelijke?|beste|warme|zonnige|collegiale) groet(?:en|jes)?|groet(?:en|jes)?|"
    r"mvg|hoogachtend|(?:with )?(?:kind|best|warm|many)(?:est)? (?:regards|wishes)|regards|(?:yours )?(?:sincerely|"
    r"faithfully|truly)(?: yours)?|cheers|all the best|many thanks|thanks|(?:mit )?(?:freundlichen?|besten?|vielen?|"
    r"herzlichen?|schöne) grü(?:ß|ss)en?|mfg|hochachtungsvoll|cordialement|bien (?:cordialement|à vous)|(?:sincères |"
    r"meilleures )?salutations|un (?:cordial )?saludo|saludos(?: cordiales)?|atentamente|cordiali saluti|"
    r"distinti saluti|atenciosamente|(?:com os melhores )?cumprimentos|(?:med )?vänlig(?:a)? hälsning(?:ar)?|mvh|"
    r"(?:med )?(?:venlig|vennlig) hilsen|ystävällisin terveisin|pozdrawiam|z poważaniem|s pozdravem|s pozdravom|"
    r"üdvözlettel|cu stimă|"
    r"с уважением|з повагою|saygılarımla|s poštovanjem|lep pozdrav)\s?[,.!]?$",
    re.IGNORECASE,
)
_CONTACT: Final = re.compile(
    r"(?<!\w)(?:\+|00|0)[0-9][0-9 ()./-]{6,18}[0-9]|(?<!\w)(?:tel|t|m|mob|mobiel|fax|f|e|kvk|btw|iban|vat)\s?[.:]\s?\S|"
    r"(?<!\w)(?:www\.|https?://)\S|[^\s@]@[^\s@]+\.\w|(?<!\w)[0-9]{4}\s?[a-z]{2}\s"
)
"""Of a line in small letters, as _SENT."""
_OF_LISTS: Final = (re.compile(r"\A[^\s@]{1,64}@[^\s@]{1,255}\Z"), re.compile(r"\Ahttps?://[^\s/]{1,255}/\S"))
"""Addresses alone, and pages alone: somebody wrote them down, as no signature does."""
_LONGEST_NAME: Final = 60
_MOST_NAMES: Final = 5
_WITHIN_NAMES: Final = frozenset(
    {"de", "den", "der", "het", "op", "ten", "ter", "van", "von", "zu", "da", "di", "la", "le"}
)
_LONGEST_DETAIL: Final = 100
_MOST_DETAILS: Final = 25
_LEAST_CONTACTS: Final = 2
_NOT_A_DETAIL: Final = re.compile(r"[?!]\s*$|^\s*p\.?\s?s\.?\b", re.IGNORECASE)
_WARNING: Final = re.compile(
    r"(?:caution|warning|attention|let op|waarschuwing|achtung|vorsicht|extern(?:al|e)?\b|\[ext(?:ern(?:al)?)?\])",
    re.IGNORECASE,
)
_FROM_OUTSIDE: Final = re.compile(
    r"external\s+(?:sender|e-?mail|source|message)|outside\s+(?:of\s+)?(?:the|your|our|this)\s+\w+|(?:buiten|"
    r"van buiten) (?:de|onze|uw) \w+|externe (?:afzender|absender|mail)|ursprung außerhalb|von (?:außerhalb|"
    r"einem externen)|"
    r"originated (?:from )?outside|expéditeur externe|extérieur",
    re.IGNORECASE,
)
_SELDOM: Final = re.compile(
    r"(?:don['’]t often get|do not often get) email from|niet vaak e-?mail(?:berichten)? van|"
    r"nicht (?:oft|häufig) (?:eine )?e-?mails? von|(?:obtenez|reçoivent|recevez|obtiennent) pas souvent d['’]e-?mail|"
    r"(?:no suelen?|suelen? no) recibir correos?|non si ricevono spesso (?:messaggi|e-?mail)|"
    r"não costumam? receber|får (?:inte ofta|ofte ikke|ikke ofte) (?:e-?post|e-?mail|mails)|nieczęsto otrzymuj|"
    r"et saa usein sähköpostia|aka\.ms/learnaboutsenderidentification",
    re.IGNORECASE,
)
"""Microsoft 365 says it above a mail of somebody new, with a link that html does not show."""
_LONGEST_WARNING: Final = 400


def is_signature_mark(text: str) -> bool:
    """The line `-- ` (RFC 3676 4.3) or a rule of underscores: what follows is no part of what is said."""
    line = text.strip("\r\n")
    return _DELIMITER.match(line.strip(" \t\xa0*")) is not None or _RULE.match(line.strip()) is not None


def is_rule(text: str) -> bool:
    """A line of underscores alone, of another length than Outlook's: it may part a text, or be of a table."""
    return _RULE.match(text.strip()) is not None and len(text.strip()) != _OUTLOOK_RULE


def is_contact(text: str) -> bool:
    """Whether a line tells how to reach somebody: a telephone number, an address, a website."""
    return _CONTACT.search(bare(text)[:_LONGEST_WARNING].lower()) is not None


def is_device_line(text: str) -> bool:
    """«Sent from my iPhone», «Verstuurd vanaf mijn mobiel», «Outlook voor iOS downloaden»: an advertisement."""
    text = text[: 4 * _LONGEST_DEVICE]
    line = bare(_without_links(text)).strip(" .-–—\"'“”*_[]()")
    if not line or len(line) > _LONGEST_DEVICE or len(line.split()) > _MOST_WORDS or "@" in line:
        return False
    if _LINK.search(text) and _SENT_BY_APP.match(line):
        return True
    if _SENT_ELSEWHERE.match(line) or _SENT_FROM_MY.match(line):
        return True
    return _SENT.match(line.lower()) is not None and "," not in line


def _without_links(text: str) -> str:
    return _LINK.sub(" ", text) if any(mark in text for mark in _IN_LINKS) else text


def is_closing(text: str) -> bool:
    """Whether a line is a greeting that ends a mail, with a name or without: «Met vriendelijke groet, Jan»."""
    greeting, _, name = bare(text[: 2 * _LONGEST_NAME]).partition(",")
    words = name.split()
    is_name = len(words) <= _MOST_NAMES and all(word[0].isupper() or word in _WITHIN_NAMES for word in words)
    return is_name and _GREETING.match(greeting.strip()) is not None


def contact_details_at(lines: Sequence[str]) -> int | None:
    """The line in which contact details begin that end `lines`, below a greeting and a name; None where none do.

    All of it must look like them, two lines or more must surely be, and nobody asks or adds anything there.
    """
    filled = [index for index, line in enumerate(lines) if bare(line)]
    greeting = next(
        (place for place in reversed(range(len(filled))) if _GREETING.match(bare(lines[filled[place]]))), None
    )
    if greeting is None or not greeting or len(filled) - greeting > _MOST_DETAILS:
        return None
    details = filled[greeting + 2 :]
    texts = [bare(lines[index]) for index in details]
    if not texts or len(lines[filled[greeting + 1]]) > _LONGEST_NAME:
        return None
    if any(len(_LINK.sub("", text)) > _LONGEST_DETAIL or _NOT_A_DETAIL.search(text) for text in texts):
        return None
    contacts = [text for text in texts if is_contact(text)]
    is_list = any(all(one.match(text) for text in contacts) for one in _OF_LISTS)
    return details[0] if len(contacts) >= _LEAST_CONTACTS and not is_list else None


def warning_ends_at(lines: Sequence[str]) -> int:
    """The line after a warning («this mail comes from outside») that a server put on top; 0 where there is none."""
    paragraph: list[str] = []
    for index, text in enumerate(lines):
        line = bare(text)
        if line:
            paragraph.append(line)
            if sum(map(len, paragraph)) > _LONGEST_WARNING:
                return 0
        elif paragraph:
            said = " ".join(paragraph)
            return index if _is_warning(said) else 0
    return 0


def _is_warning(said: str) -> bool:
    return ("@" in said and _SELDOM.search(said) is not None) or (
        _WARNING.search(said) is not None and _FROM_OUTSIDE.search(said) is not None
    )
