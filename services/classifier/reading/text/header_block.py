"""Header lines that a mail client writes into a text, above what it quotes or forwards, in the languages they speak.

    -----Oorspronkelijk bericht-----        the separator: an original message, or one that is forwarded
    Van: Jan Smit <jan@klant.example>       the block: a sender, and two fields more
    Verzonden: dinsdag 3 maart 2026 10:00
    Onderwerp: Vraag

Labels are those of Outlook, Apple Mail, Thunderbird, Gmail, Yahoo and Notes in each language, as their users receive
them. Emphasis (`*Van:*`), quote marks and direction marks around a label are no part of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final


class Field(StrEnum):
    """What a header line tells."""

    FROM = "from"
    DATE = "date"
    TO = "to"
    CC = "cc"
    SUBJECT = "subject"
    OTHER = "other"


class Separator(StrEnum):
    """What a line between two mails says of the lower one."""

    ORIGINAL = "original"
    FORWARDED = "forwarded"


def _without_accents(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))


_LABELS: Final = {
    Field.FROM: """
        from|van|afzender|von|absender|de|expéditeur|exp.|da|mittente|remitente|remetente|från|avsändare|fra|
        avsender|afsender|lähettäjä|od|nadawca|odesílatel|odesilatel|odosielateľ|šalje|pošiljatelj|feladó|de la|
        expeditor|expeditorul|από|αποστολέας|от|отправитель|від|від кого|відправник|от кого|подател|kimden|gönderen|
        saatja|kellelt|nuo|siuntėjas|frá|sendandi|fan|од|من|المرسل|מאת|از|发件人|發件人|寄件者|寄件人|差出人|送信者|送信元|
        보낸 사람|보낸사람|보낸이|발신|발신자|จาก|từ|người gửi|dari|pengirim|nga""",
    Field.DATE: """
        sent|date|message du|sent at|sent on|date sent|verzonden|verstuurd|datum|gesendet|gesendet am|datum/uhrzeit|
        envoyé|envoyé le|date d'envoi|enviado|enviado el|enviado em|enviada|enviada em|enviado a|fecha|data|inviato|
        inviata|skickat|skickades|sendt|dato|lähetetty|päivämäärä|päiväys|pvm|wysłano|wysłane|data wysłania|
        odesláno|odoslané|odoslaný|dátum|elküldve|küldve|trimis|trimis la|dată|στάλθηκε|εστάλη|ημερομηνία|
        отправлено|дата|отправлен|надіслано|відправлено|изпратено|gönderildi|gönderilen|gönderme tarihi|tarih|
        poslano|poslato|послато|saadetud|saatmisaeg|kuupäev|enviat|ferstjoerd|
        išsiųsta|nosūtīts|datums|dagsetning|تم الإرسال|أُرسلت|التاريخ|تاريخ|נשלח|
        תאריך|发送时间|時間|时间|日期|寄件日期|傳送時間|发送日期|送信日時|送信日|日時|日付|보낸 날짜|날짜|보낸시간|
        일시|ส่ง|วันที่|đã gửi|ngày|dikirim|tanggal""",
    Field.TO: """
        to|aan|an|empfänger|à|a|destinataire|pour|para|destinatario|per|al|till|mottagare|til|modtager|mottaker|
        vastaanottaja|do|adresat|komu|příjemce|címzett|către|destinatar|destinatarul|προς|кому|до|kime|alıcı|
        kellele|adressaat|kam|gavėjas|za|за|per a|oan|prima|primatelj|
        viðtakandi|إلى|الى|المستلم|אל|به|收件人|收件者|宛先|送信先|받는 사람|
        받는사람|수신|ถึง|đến|kepada|untuk""",
    Field.CC: """
        cc|c.c.|kopie|kopie (cc)|kopie an|copie|copie à|cópia|copia|kopia|kopi|kópia|másolat|másolatot kap|kopio|dw|
        do wiadomości|κοιν|κοινοποίηση|копия|копія|bilgi|koopia|kópio|afrit|cci|cco|bcc|ccn|نسخة|עותק|抄送|副本|
        参照|참조|สำเนา|sao gửi|kópiát kap|cc/cci|hemlig kopia""",
    Field.SUBJECT: """
        subject|re|onderwerp|underwerp|betreff|objet|sujet|asunto|assunto|oggetto|ämne|emne|aihe|temat|předmět|predmet|tárgy|
        subiect|subiectul|θέμα|тема|предмет|konu|teema|tēma|tema|naslov|efni|subjekt|الموضوع|موضوع|נושא|主题|主旨|
        主題|件名|제목|หัวเรื่อง|เรื่อง|chủ đề|tiêu đề|subjek|perihal|относно""",
    Field.OTHER: """
        reply-to|reply to|beantwoorden aan|antwoord aan|antwort an|répondre à|responder a|responder para|rispondi a|
        svara till|svar til|svar-til|vastausosoite|odpowiedź do|odpověď|válaszcím|răspuns către|ответить|відповісти|
        yanıtla|attachments|attachment|bijlagen|bijlage|anlagen|anlage|pièces jointes|pièce jointe|datos adjuntos|
        anexos|allegati|bilagor|vedlegg|vedhæftet|liitteet|załączniki|přílohy|prílohy|mellékletek|вложения|
        risposta|risposta a|
        importance|prioriteit|priority|priorität|urgentie|wichtigkeit|categories|organization|organisatie|
        organisation|message-id|x-mailer|附件""",
}
_FIELDS: Final[Mapping[str, Field]] = {
    key: field
    for field, labels in reversed(_LABELS.items())
    for label in labels.casefold().split("|")
    for key in (_without_accents(label.strip()), label.strip())
}
"""By label, and by label as it stands where accents were lost; of two fields with one label the more telling."""
_MARKS: Final = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\u00ad]")
_AROUND: Final = " \t\xa0>*_|•#"
_LONGEST_LABEL: Final = 24
_LONGEST_FIELD: Final = 2_000
_COLONS: Final = (":", "：", "\ufe55")
_COLON: Final = re.compile(f"[{''.join(_COLONS)}]")
_GLUED: Final = re.compile(
    "(?<![a-zà-ÿ])("
    + "|".join(
        re.escape(label[:1].upper() + label[1:])
        for label in sorted(_FIELDS, key=len, reverse=True)
        if len(label) > 1 and _FIELDS[label] is not Field.OTHER
    )
    + r"|A|À) ?[:：]"
)
_LONGEST_GLUED: Final = 1_000
_UNKNOWN: Final = re.compile(r"[^\W\d_][\w .'/()-]{1,30}\s?:\s")
_MOST_LINES: Final = 40
_MOST_BLANKS: Final = 1
_CLOCK: Final = re.compile(r"\d\s?[:.h時点时٫]\s?\d\d(?!\d)")
_ENOUGH: Final = 3
"""Fields that make a block: two lines alone («Van: …», «Naar: …») may be a person's own."""

_ORIGINAL: Final = re.compile(
    r"(?:original (?:message|e-?mail|appointment)|berjocht oarspronklik|"
    r"oarspronklik berjocht|reply (?:message|separator)|(?:oorspronkelijke?|originele?|"
    r"origineel) (?:bericht|e-?mail|afspraak)|(?:ursprüngliche|originale) (?:nachricht|e-?mail)|"
    r"original-?(?:nachricht|meddelande|meddelelse)|ursprüngl(?:iche|\.) (?:mail|nachricht)|message (?:d['’ ]origine|"
    r"original|initial)|(?:e-?mail|courriel) d['’]origine|mensaje original|messaggio originale|mensagem original|"
    r"ursprungligt meddelande|(?:oprindelig|original) (?:meddelelse|besked)|opprinnelig melding|alkuperäinen viesti|"
    r"oryginalna wiadomość|wiadomość oryginalna|původní (?:zpráva|e-?mail)|pôvodná správa|eredeti üzenet|"
    r"mesaj(?:ul)? original|(?:исходное|оригинальное|первоначальное) сообщение|оригінальне повідомлення|(?:orijinal|"
    r"özgün) (?:mesaj|ileti)|原始(?:邮件|郵件|讯息|訊息)|元のメッセージ|원본 (?:메시지|메일)|الرسالة الأصلية|"
    r"ההודעה המקורית|הודעה מקורית|αρχικό μήνυμα|(?:izvorna|originalna) poruka|izvirno sporočilo|"
    r"оригинално (?:съобщение|писмо)|algne (?:kiri|sõnum)|"
    r"originalus laiškas|sākotnējais ziņojums|tin nhắn gốc|pesan asli|ข้อความต้นฉบับ)",
    re.IGNORECASE,
)
_FORWARDED: Final = re.compile(
    r"(?:(?:begin(?:ning of)? )?forwarded (?:message|e-?mail|by)|(?:begin )?doorgestuurd(?:e)? (?:bericht|e-?mail)|"
    r"(?:anfang der )?weitergeleitete[nr]? (?:nachricht|e-?mail)|(?:début du )?(?:message|e-?mail) (?:transféré|"
    r"réexpédié|transmis)|(?:inicio del |inicio de )?mensaje reenviado|(?:inizio )?(?:del )?messaggio inoltrato|"
    r"(?:início da )?mensagem (?:reencaminhada|encaminhada)|(?:påbörjat |början på |start på )?vidarebefordra(?:t|"
    r"de) (?:meddelande|mejl|brev|e-?post)|vidarebefordrat|(?:start(?:en)? på |"
    r"begynnelsen på )?(?:den )?videresendt(?:e)? (?:besked|melding|meddelelse|e-?post|e-?mail)|(?:vidaresendt|"
    r"videresend) (?:besked|melding)|(?:välitetty|edelleenlähetetty|edelleen lähetetty) (?:viesti|sähköposti)|"
    r"(?:początek )?przekazan(?:a|ej|ej dalej)? ?(?:dalej )?wiadomoś(?:ć|ci)|początek przekazywanej wiadomości|"
    r"wiadomość przekazana(?: dalej)?|treść przekazanej wiadomości|(?:začátek )?(?:přeposlan[áé]|"
    r"přeposílané) zpráv[ay]|(?:začiatok )?(?:preposlan[áé]|preposielanej|preposlanej) správ[ay]|"
    r"továbbított (?:levél|üzenet)|(?:începutul |început )?(?:mesaj(?:ului|ul)? )(?:redirecționat|redirecţionat|"
    r"redirectionat|transmis)|(?:начало )?(?:пересылаемо|переадресованно|пересланно|перенаправленно)(?:е|"
    r"го) (?:сообщени[ея]|письмо)|(?:початок )?(?:пересланого|переслане|переадресоване|"
    r"перенаправлене) (?:повідомлення|листа?)|початок листа, що пересилається|(?:započni )?(?:proslijeđen[au]|"
    r"prosleđena) poruk[au]|(?:yönlendirilmiş|yönlendirilen|iletilmiş|iletilen) (?:ileti|mesaj|"
    r"e-?posta)(?: başlangıcı)?|wiadomość prze(?:słana|kazana) dalej|メッセージを転送|转发的?(?:邮件|郵件)|(?:轉寄|"
    r"转寄)的?(?:郵件|邮件)?|転送(?:された)?メッセージ|転送|전달된 (?:메시지|메일)|edastatud (?:kiri|sõnum)|"
    r"προωθημένο μήνυμα|المعاد توجيهها|رسالة معاد توجيهها|הודעה שהועברה|posredovano sporočilo|препратено съобщение|"
    r"persiųsta žinutė|pārsūtīts ziņojums|thư chuyển tiếp|pesan terusan)",
    re.IGNORECASE,
)
MOST_LINES: Final = 3_000
"""Lines of a text in which headers of other mails are looked for: nobody answers below that many."""
_REMEMBERED: Final = 8_192
"""Lines of which is remembered what they are: each rule asks again, in html and in text, some for the lines below."""
_LONGEST_REMEMBERED: Final = 400
_RULE: Final = re.compile(r"^[\s>*]*[-_=~—–‐]{2,}\s*")
_LONGEST_SEPARATOR: Final = 120


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """The lines `begin` up to `end` (exclusive) and what they tell; of a field that stands twice the first."""

    begin: int
    end: int
    fields: Mapping[Field, str]

    @property
    def is_of_client(self) -> bool:
        """Whether a mail client wrote it, who names an address or a time; «Van: kantoor, Aan: thuis» a person wrote."""
        return any("@" in value or _CLOCK.search(value) is not None for value in self.fields.values())


def bare(text: str) -> str:
    """A line without direction marks, quote marks and emphasis around it."""
    return _without_marks(text).strip(_AROUND)


def _without_marks(text: str) -> str:
    return text if text.isascii() else _MARKS.sub("", text)


def header_field(text: str) -> tuple[Field, str] | None:
    """The field that a line tells, with its value; None for a line that is none."""
    return _field(text) if len(text) <= _LONGEST_REMEMBERED else _field.__wrapped__(text[:_LONGEST_FIELD])


@lru_cache(maxsize=_REMEMBERED)
def _field(text: str) -> tuple[Field, str] | None:
    line = bare(text)
    colon = _COLON.search(line, 0, _LONGEST_LABEL + 4)
    if colon is None:
        return None
    field = _FIELDS.get(line[: colon.start()].strip(_AROUND).casefold())
    return None if field is None else (field, line[colon.end() :].strip(_AROUND))


def fields_in_one_line(text: str) -> Mapping[Field, str]:
    """The fields of a block whose line ends were lost: «Von: Jan <jan@…>An: …Gesendet: … MEZBetreff: Vraag».

    Labels count there as clients write them, with a capital, where one may stand behind a value without a space.
    """
    line = _without_marks(text[:_LONGEST_GLUED])
    if sum(map(line.count, _COLONS)) < _ENOUGH:
        return {}
    fields: dict[Field, str] = {}
    end = len(line)
    for label in reversed(list(_GLUED.finditer(line))):
        fields[_FIELDS[label[1].casefold()]] = line[label.end() : end].strip(_AROUND)
        end = label.start()
    return fields


def header_block_at(lines: Sequence[str], begin: int) -> HeaderBlock | None:
    """The block that begins in line `begin`: a sender and two fields more, or one more where he has an address.

    A blank line parts two blocks where the lower one has none: a line «Bijlage: foto.png» above it somebody wrote.
    """
    first = header_field(lines[begin])
    if first is None:
        return None
    fields: dict[Field, str] = {first[0]: first[1]}
    fields_seen, end, blanks, last = 1, begin + 1, 0, first[0]
    for index in range(begin + 1, min(len(lines), begin + _MOST_LINES)):
        line = bare(lines[index])
        if not line:
            blanks += 1
            if blanks > _MOST_BLANKS:
                break
            continue
        field = header_field(lines[index])
        if field is None:
            if _UNKNOWN.match(line) and not blanks:
                continue  # a label that is not ours: of the block, if one of its fields follows
            if blanks or not _goes_on(lines[index], last, empty=not fields[last]):
                break
            fields[last] = f"{fields[last]} {line}".strip()
        else:
            if blanks and _is_block_alone(lines, index):
                break
            last = field[0]
            fields_seen += last not in fields
            fields.setdefault(*field)
        blanks, end = 0, index + 1
    return HeaderBlock(begin, end, fields) if _are_enough(fields, fields_seen) else None


def _are_enough(fields: Mapping[Field, str], number: int) -> bool:
    sender = fields.get(Field.FROM)
    if sender is None or not (Field.DATE in fields or Field.TO in fields):
        return False  # a form on a website may name a sender and a subject
    return number >= (_ENOUGH - 1 if "@" in sender else _ENOUGH)


def _is_block_alone(lines: Sequence[str], begin: int) -> bool:
    """Whether the lines from `begin` up to the next blank one are a block."""
    following = lines[begin : begin + _MOST_LINES]
    end = next((index for index, line in enumerate(following) if not bare(line)), len(following))
    return header_block_at(following[:end], 0) is not None


def separator(text: str) -> Separator | None:
    """What a line says of the mail below it: «-----Original Message-----», «Begin forwarded message:»."""
    return _separator(text[: 4 * _LONGEST_SEPARATOR])


@lru_cache(maxsize=_REMEMBERED)
def _separator(text: str) -> Separator | None:
    line = _without_marks(text)
    ruled = _RULE.match(line)
    words = (line[ruled.end() :] if ruled else line.strip(_AROUND)).strip("-_=~—–‐*: \t\xa0「」[]<>")
    for kind, pattern in ((Separator.ORIGINAL, _ORIGINAL), (Separator.FORWARDED, _FORWARDED)):
        match = pattern.match(words)
        if match is not None and (ruled is not None or not words[match.end() :].strip(" :：-")):
            return kind
    return None


def _goes_on(text: str, field: Field, *, empty: bool) -> bool:
    """Whether a line without label goes on the value above it: a list of addresses, or a value on its own line."""
    if empty:
        return True
    if field in {Field.TO, Field.CC, Field.FROM}:
        return "@" in text or text.rstrip().endswith((";", ",", ">")) or text.startswith(("\t", "  "))
    return field is Field.SUBJECT and text.startswith(("\t", "  "))
