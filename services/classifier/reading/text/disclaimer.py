"""What lawyers and virus scanners add below a mail: disclaimers of one paragraph or more, in many languages.

A paragraph is known by what it does, not by its words alone: it speaks of this message, and names two or more of the
addressee, confidence, a mistake, what to do with the message then, liability, and passing it on. Around it go the
lines of stars or dashes that enclose it (with all that stands between them), its heading, and what scanners and
registers say beside it. Nobody speaks of himself there: a paragraph with «ik», or one that ends in a question, is a
person's. The first paragraph of a mail is never a disclaimer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property
from typing import Final

from services.classifier.reading.text.header_block import bare

_SIGNS: Final = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        # to whom it is addressed
        (
            r"intended|addressee|geadresseerde|(?:niet|alleen|uitsluitend|slechts) (?:\w+ ){0,3}bestemd|"
            r"bestemd voor|gericht aan|empfänger|bestimmt|destinat|mottagare|modtager|mottaker|vastaanottaj|"
            r"adresat|příjemc|címzett|al\u0131c\u0131|получател|адресат|παραλήπτ|individual or entity"
        ),
        # that it is confidential
        (
            r"confidential|vertrouwelijk|vertraulich|confidentiel|confidencial|riservat|luottamuksell|konfidentiell|"
            r"fortrolig|poufn|důvěrn|dôvern|bizalmas|gizli|конфиденциал|конфіденц|εμπιστευτικ|privileged|privacy|"
            r"geheimhouding|geheim"
        ),
        # that it may have come by mistake
        (
            r"in error|by mistake|erroneously|par erreur|irrtümlich|versehentlich|por error|per errore|bij vergissing|"
            r"ten onrechte|abusievelijk|onbevoegd|unauthorized|unbefugt|av misstag|ved en feil|ved en fejl"
        ),
        # what to do with it then
        (
            r"(?:notify|inform|contact|advise)\w{0,20} (?:\w+ ){0,3}(?:sender|us|manager)|(?:delete|destroy|erase)\w*|"
            r"(?:afzender|ons) (?:\w+ ){0,4}(?:melden|informeren|waarschuwen|op de hoogte)|te verwijderen|"
            r"(?:verwijder|vernietig)\w*|löschen|vernichten|informieren sie|supprimer|détrui|eliminar|borr[ae]|"
            r"cancellar|"
            r"distrugg|radera|slett|poista|usunąć|smazat"
        ),
        # liability
        (
            r"aansprakelijk|liab(?:le|ility)|responsib|geen rechten|no rights|haftung|haftet|responsabilit|"
            r"responsabilid|"
            r"ansvar\b|odpowiedzialno|\bwarrant"
        ),
        # passing it on
        (
            r"disclos|\bcop(?:y|ied|ying)\b|distribut|disseminat|openbaarmaking|vermenigvuldig|verveelvoudig|verspreid|"
            r"verstrekking|weitergabe|vervielfältig|diffusion|divulg|reproduc|diffusione|spridning"
        ),
    )
)
_IN_SIGNS: Final = (
    (
        "intended", "addressee", "geadresseerde", "bestemd", "gericht aan", "empfänger", "bestimmt", "destinat",
        "mottag", "modtag", "mottak", "vastaanottaj", "adresat", "příjemc", "címzett", "al\u0131c", "alic", "получател",
        "адресат", "παραλήπτ", "individual or entity",
    ),
    (
        "confiden", "vertrouwelijk", "vertraulich", "riservat", "luottamuksell", "konfidentiell", "fortrolig", "poufn",
        "důvěrn", "dôvern", "bizalmas", "gizli", "конфіденц", "конфиденц", "εμπιστευτικ", "privileged", "privacy",
        "geheim",
    ),
    (
        "in error", "by mistake", "erroneously", "par erreur", "irrtümlich", "versehentlich", "por error",
        "per errore", "bij vergissing", "ten onrechte", "abusievelijk", "onbevoegd", "unauthorized", "unbefugt",
        "av misstag", "ved en fe",
    ),
    (
        "notify", "inform", "contact", "advise", "delete", "destroy", "erase", "afzender", "ons ", "verwijder",
        "vernietig", "löschen", "vernichten", "supprimer", "détrui", "eliminar", "borr", "cancellar", "distrugg",
        "radera", "slett", "poista", "usunąć", "smazat",
    ),
    (
        "aansprakelijk", "liab", "responsab", "responsib", "geen rechten", "no rights", "haft", "ansvar",
        "odpowiedzialno", "warrant",
    ),
    (
        "disclos", "cop", "distribut", "disseminat", "openbaarmaking", "vermenigvuldig", "verveelvoudig", "verspreid",
        "verstrekking", "weitergabe", "vervielfältig", "diffusion", "divulg", "reproduc", "spridning",
    ),
)  # fmt: skip
"""Of each sign what is in all that it finds, one or another, in small letters: most paragraphs have few of them."""
_CERTAIN: Final = 4
"""So many signs tell a disclaimer that begins with other words too."""
_AFTER_OPENING: Final = 2
"""So many tell one that begins as they do."""
_OPENS: Final = re.compile(
    r"^[\W_]{0,9}(?:(?:e-?mail )?disclaimer\b|(?:confidentiality|privacy|legal) (?:notice|note|disclaimer)|"
    r"(?:the )?(?:contents? of )?(?:this|any|the) (?:\w+ )?(?:e-?mail|message|communication|transmission)|"
    r"(?:the )?information (?:contained |transmitted |in )|(?:de (?:informatie|inhoud) (?:in|van) )?(?:dit|deze) "
    r"(?:\w+ )?(?:e-?mail|mail|bericht)|(?:aan )?de (?:informatie|inhoud)\b|aan (?:dit|deze) (?:e-?mail|bericht)|"
    r"(?:diese|der inhalt dieser) (?:e-?mail|nachricht|mitteilung)|(?:ce|cet|le présent) (?:message|e-?mail|courriel|"
    r"courrier)|(?:este|el presente) (?:mensaje|correo)|esta (?:mensagem|comunicación)|le informazioni contenute|"
    r"(?:questo|il presente) messaggio|detta (?:meddelande|mejl)|denne (?:e-?mail|e-?post|meddelelse)|tämä (?:viesti|"
    r"sähköposti)|(?:niniejsza|ta) wiadomość|if you (?:are not|have received)|(?:indien|als|wanneer) u (?:niet|dit|"
    r"deze)|op (?:al )?onze)",
    re.IGNORECASE,
)
_SHORTEST: Final = 100
_HEADING: Final = re.compile(
    r"[\W_]{0,9}(?:e-?mail ?)?(?:disclaimer|proclaimer|(?:confidentiality|legal|privacy) (?:notice|note|statement)|"
    r"vertrouwelijkheid(?:sverklaring)?|privacyverklaring|important notice|belangrijke? (?:mededeling|informatie)|"
    r"haftungsausschluss|vertraulichkeitshinweis|rechtlicher hinweis|avertissement|aviso legal|avvertenza|"
    r"(?:for )?english (?:version|translation|text)?(?: ?(?:see )?below)?|english|nederlands)[\W_]{0,9}",
    re.IGNORECASE,
)
_PRINTING: Final = re.compile(
    r"^[\W_]{0,9}(?:p\s)?(?:please (?:consider|think)|think before you print|save a tree|denk aan het milieu|"
    r"avant d'imprimer|bitte denken sie an die umwelt)",
    re.IGNORECASE,
)
_SCANNED: Final = re.compile(
    r"^[\W_]{0,9}(?:(?:virus-?free|virusvrij|virenfrei|garanti sans virus|sans virus|libre de virus|privo di virus)"
    r"\b[^?!]{0,80}$|(?:this|deze|dit|diese|ce|cet|este|questo|detta|denne|the)\b[^?!]{0,120}?(?:scanned|"
    r"checked|swept|gescand|gecontroleerd|gescannt|geprüft|überprüft|analysé|vérifié|analizado|controllat|kontroll|"
    r"skann)[^?!]{0,160}?(?:virus|viren|malware|mailscanner|\bsecurity\b|\bspam|messagelabs|mimecast|proofpoint|"
    r"barracuda|sophos)|[^?!]{0,60}\b(?:controleert|scant|checks|scans)\b"
    r"[^?!]{0,80}\b(?:virus|malware)|(?:this|deze|dit|diese)\b[^?!]{0,60}?(?:virus|viren|malware)[^?!]{0,80}?"
    r"(?:scanned|checked|swept|gescand|gecontroleerd|gescannt|geprüft|überprüft))",
    re.IGNORECASE,
)
_LONGEST_NOTICE: Final = 400
_REGISTERED: Final = re.compile(
    r"k(?<!\wk)\.?v\.?k\b|handelsregister|chamber of commerce|registered (?:office|in|number)|"
    r"company (?:number|registration)|"
    r"ingeschreven|geregistreerd|algemene voorwaarden|general (?:terms|conditions)|terms and conditions|"
    r"amtsgericht|geschäftsführ|l(?<!\wl)iab|aansprakelijk|geen rechten"
)
"""Of a paragraph in small letters: so the places at which no alternative begins are passed over at once."""
_A_PERSON: Final = re.compile(
    r"i(?<!\wi)(?:k|'m|ch|(?![.)]))(?!\w)|j(?<!\wj)(?:ij|ullie|'ai|ag|eg)(?!\w)|"
    r"m(?<!\wm)(?:ijn?|e|y|ir|ich|ein|oi|on)(?!\w)|\?\s*$"
)
"""As _REGISTERED."""
_ENCLOSING: Final = re.compile(r"^[\s>]*[-*_=#~+•–—]{5,}[\s]*$")
_LONGEST: Final = 2_000
_MOST_LINES: Final = 40
_MOST_PARAGRAPHS: Final = 12


class _Kind(Enum):
    RULE = auto()
    """A line of stars or dashes."""
    DISCLAIMER = auto()
    HEADING = auto()
    BESIDE = auto()
    """What stands beside a disclaimer, and is none alone."""
    OTHER = auto()


@dataclass(frozen=True)
class _Paragraph:
    """Where a paragraph begins and what it says; None for a rule."""

    begin: int
    said: str | None

    @cached_property
    def kind(self) -> _Kind:
        """Looked for when it is asked: most mails end in a paragraph that ends the search."""
        return _Kind.RULE if self.said is None else _kind_of(self.said)


def disclaimer_begins_at(lines: Sequence[str]) -> int | None:
    """The line in which the disclaimers at the end of `lines` begin, what encloses them included; None for none."""
    paragraphs = _last_paragraphs(lines)  # from the last upwards
    begin = None
    index = 0
    while index < len(paragraphs):
        kind = paragraphs[index].kind
        if kind is _Kind.DISCLAIMER or (kind in {_Kind.RULE, _Kind.HEADING} and begin is not None):
            begin = paragraphs[index].begin
        elif kind is _Kind.OTHER:
            opening = _opening(paragraphs, index)
            if opening is None:
                break
            index = opening
            begin = paragraphs[index].begin
        index += 1
    return begin


def _opening(paragraphs: Sequence[_Paragraph], index: int) -> int | None:
    """The rule above paragraph `index` that opens what the last rule closes: a disclaimer stands first below it."""
    if all(paragraph.said is not None for paragraph in paragraphs[:index]):
        return None
    above = next((each for each in range(index, len(paragraphs)) if paragraphs[each].said is None), None)
    if above is None or paragraphs[above - 1].kind not in {_Kind.DISCLAIMER, _Kind.HEADING}:
        return None
    return above


def _last_paragraphs(lines: Sequence[str]) -> list[_Paragraph]:
    """The last paragraphs, from the last upwards, save the first of all; a rule is one by itself."""
    paragraphs: list[_Paragraph] = []
    pieces: list[str] = []
    first = next((index for index, line in enumerate(lines) if bare(line)), 0)
    for index in range(len(lines) - 1, first, -1):
        line = bare(lines[index])
        if _ENCLOSING.match(lines[index]):
            paragraphs.append(_Paragraph(index, None))
        elif line:
            pieces.append(line[:_LONGEST])
            if bare(lines[index - 1]) and not _ENCLOSING.match(lines[index - 1]):
                continue
            said = " ".join(reversed(pieces[-_MOST_LINES:]))[:_LONGEST]
            paragraphs.append(_Paragraph(index, said))
            pieces = []
        if len(paragraphs) >= _MOST_PARAGRAPHS:
            break
    return paragraphs


def _kind_of(paragraph: str) -> _Kind:
    if _PRINTING.match(paragraph):
        return _Kind.DISCLAIMER
    if _HEADING.fullmatch(paragraph[:_LONGEST_NOTICE]):
        return _Kind.HEADING
    small = paragraph.lower()
    if _A_PERSON.search(small):
        return _Kind.OTHER
    if len(paragraph) <= _LONGEST_NOTICE and _SCANNED.match(paragraph):
        return _Kind.DISCLAIMER
    opens = _OPENS.match(paragraph) is not None
    is_long = len(paragraph) >= _SHORTEST
    if is_long and _has_signs(paragraph, small, _AFTER_OPENING if opens else _CERTAIN):
        return _Kind.DISCLAIMER
    return _Kind.BESIDE if (opens and _has_signs(paragraph, small, 1)) or _REGISTERED.search(small) else _Kind.OTHER


def _has_signs(paragraph: str, small: str, enough: int) -> bool:
    """Whether a paragraph, `small` in small letters, has that many signs of a disclaimer.

    It is looked for no longer than that is open, and first by what is cheap.
    """
    small = small.replace("\u0307", "")  # Python's small «İ» is an «i» with a dot, regular expressions' is an «i»
    possible = [sign for sign, words in zip(_SIGNS, _IN_SIGNS, strict=True) if any(word in small for word in words)]
    for tried, sign in enumerate(possible):
        if enough > len(possible) - tried:
            return False
        if sign.search(paragraph) is not None:
            enough -= 1
        if enough == 0:
            return True
    return False
