"""What automatic replies are called and how they begin, in the languages of mail systems.

Subjects come in two strengths. A *name* is what a system calls its reply (Exchange's in its own languages), in front
of the subject that it answers: it tells by itself. A *word* such as «afwezig» is a person's too, so it must be all that
the subject says, or stand in front of a colon, and another sign must go with it. Whoever writes «Automatisch antwoord
werkt niet» has a question.
"""

# ruff: noqa: RUF001 - words of languages whose letters resemble Latin ones

from __future__ import annotations

import re
from typing import Final

_GATEWAY: Final = (
    r"(?:(?:possible|suspected|mogelijke?|verdachte?|potentially)\s)?(?:ext|external|extern|externe|externo|esterno|spam|junk|"
    r"caution|warning|let op|waarschuwing|achtung|unverified|suspicious)(?:\s(?:e-?mail|sender|mail|afzender))?[?!]?"
)
_TAG: Final = re.compile(
    rf"\[[^\]]{{1,30}}\]|[({{<]\s?{_GATEWAY}\s?[)}}>]|\*{{1,5}}\s?{_GATEWAY}\s?\*{{1,5}}|{_GATEWAY}\s*[:|]",
    re.IGNORECASE,
)
"""What a gateway puts in front: «[EXTERN]», or one of its words as «EXTERNAL:», «{Spam?}», «***SPAM***»."""
_MARK: Final = re.compile(r"\W")
_ANSWER: Final = r"(?:(?:re|aw|antw|sv|vs|ynt|odp|fw|fwd|wg|rv|tr)\s*+(?:\[\d+\]\s*+)?[:\uff1a]\s*+)"
_ENDS: Final = r"\s*(?:[:\uff1a!)\]]|$|[-–—]\s|\(|\b(?:re|aw|antw|auf|to|op|sur|su|på)\b\s*[:\uff1a]?)"

_NAMES: Final = (
    # Exchange and Outlook, «Automatic reply», in the languages that they speak
    r"automatisch antwoord|automatic repl(?:y|ies)|automatische antwort|réponse automatique|respuesta automática|"
    r"risposta automatica|resposta autom[áà]tica|automatiskt svar|automatisk svar|auto ?svar|automaattinen vastaus|"
    r"automatyczna odpowiedź|odpowiedź automatyczna|autoodpowiedź|automatická odpověď|automatická odpoveď|"
    r"automatikus válasz|răspuns automat|автоматичен отговор|автоматический ответ|автоответ(?:чик)?|"
    r"автоматична відповідь|αυτόματη απάντηση|otomatik (?:yanıt|yanit|cevap)|תשובה אוטומטית|מענה אוטומטי|"
    r"(?:ال)?رد (?:ال)?تلقائي|پاسخ خودکار|自動応答|自動返信|自动答复|自动回复|自動回覆|자동 ?(?:회신|응답)|"
    r"automaat(?:vastus|ne vastus)|automātisk[aā] atbilde|automatinis atsakymas|samodejni odgovor|automatski odgovor|"
    r"аутоматски одговор|erantzun automatikoa|trả lời tự động|tự động trả lời|ตอบกลับอัตโนมัติ|balasan otomatis|"
    r"jawaban otomatis|balas automatik|sjálfvirkt svar|outomatiese antwoord|स्वचालित उत्तर|"
    # older and other systems
    r"out[- ]of[- ](?:the[- ])?office(?=\s*[:\uff1a])|"
    r"out[- ]of[- ](?:the[- ])?office[- ](?:auto[- ]?(?:matic[- ])?(?:reply|response)|reply|notification|message|"
    r"assistant)|"
    r"afwezigheids(?:bericht|assistent|melding)|automatisch afwezigheidsbericht|abwesenheits(?:notiz|nachricht|meldung|"
    r"assistent|agent|benachrichtigung)|message d[’']absence|notification d[’']absence|avis d[’']absence|"
    r"notifica di assenza|aviso de ausencia|aviso de ausência|poissaoloilmoitus|frånvaromeddelande|fraværsmelding|"
    r"fraværsbesked|vacation (?:auto[- ]?)?(?:reply|response|message)|不在通知|不在のお知らせ|外出自动回复"
)
_WORDS: Final = (
    r"out[- ]of[- ](?:the[- ])?office|ooo|afwezig(?:heid)?|niet aanwezig|(?:ik ben )?met vakantie|op vakantie|vakantie|"
    r"buiten kantoor|abwesen(?:d|heit)|(?:ich bin )?nicht im (?:büro|haus)|im urlaub|außer haus|absen(?:t|te|ce)"
    r"(?: du bureau)?|en congés?|en vacances|hors du bureau|fuori (?:sede|ufficio)|in ferie|assen(?:te|za)|"
    r"fuera de (?:la )?oficina|ausen(?:te|cia)|de vacaciones|fora do escritório|ausência|de férias|frånvaro|"
    r"ikke (?:til stede|på kontoret)|på (?:semester|ferie)|fraværende?|poissa(?:olo)?|lomalla|nieobecność|poza biurem|"
    r"urlop|mimo kancelář|nepřítomnost|nem vagyok az irodában|в отпуске|вне офиса|отсутствую|в отпуск|у відпустці|"
    r"izinli|ofis dışında|tatilde|不在|休暇|休假|外出|부재중|(?:i am|i'm) (?:out|away|on (?:vacation|leave|holiday))"
    r"[^:]{0,40}|on (?:vacation|holiday|(?:annual |maternity |parental )?leave)|away (?:from (?:my )?(?:office|desk|"
    r"mail)|"
    r"notice|message)|vacation"
)
_REPLY_NAMES: Final = (
    r"auto[- ]?(?:reply|response|respond|responder|antwort|antwoord|réponse|respuesta|risposta)|"
    r"automat(?:ed|ic) (?:reply|response|acknowledge?ment|confirmation|message)|automatische (?:reactie|bevestiging|"
    r"ontvangstbevestiging)|automatisch (?:bericht|ontvangstbewijs)|automatische (?:nachricht|eingangsbestätigung|"
    r"e-?mail)|"
    r"message automatique|accusé de réception automatique|mensaje automático|messaggio automatico|mensagem automática"
)
_RECEIPT_WORDS: Final = (
    r"ontvangstbevestiging|leesbevestiging|gelezen|read(?: receipt)?|return receipt|lesebestätigung|gelesen|"
    r"empfangsbestätigung|eingangsbestätigung|lu|accusé de réception|leído|acuse de recibo|letto|conferma di lettura|"
    r"lida|läst|læst|lest|luettu|przeczytano|přečteno|прочитано|已读|開封済み|開封通知"
)
_IS_AWAY: Final = re.compile(
    r"\b(?:is|ist|est|är|er|on|es|è) (?:currently )?(?:out of (?:the )?office|afwezig|niet aanwezig|niet op kantoor|"
    r"met vakantie|buiten kantoor|außer haus|"
    r"nicht im "
    r"(?:haus|büro)|abwesend|absente?|fuori sede|ausente|poissa|ikke til stede|borta)\b[^:]{0,60}$",
    re.IGNORECASE,
)
_AWAY_NAME: Final = re.compile(rf"(?:{_NAMES})(?!\s*$){_ENDS}", re.IGNORECASE)
"""With what it answers, or a colon at least: «Automatisch antwoord» alone may be what a person asks for."""
_AWAY_NAME_ALONE: Final = re.compile(rf"(?:{_NAMES})\s*$", re.IGNORECASE)
_AWAY_NAME_BEHIND: Final = re.compile(f"{_ANSWER}+(?:{_NAMES}){_ENDS}", re.IGNORECASE)
_AWAY_WORD: Final = re.compile(f"{_ANSWER}*(?:{_WORDS}){_ENDS}", re.IGNORECASE)
_AWAY_BEFORE_ANSWER: Final = re.compile(
    rf"(?:{_WORDS})(?!\w)[^:\uff1a]{{0,40}}(?:[:\uff1a]\s*+)?(?<!\w)(?:re|aw|antw|sv|ynt|odp)\s?[:\uff1a]",
    re.IGNORECASE,
)
_REPLY_NAME: Final = re.compile(f"(?:{_REPLY_NAMES}){_ENDS}", re.IGNORECASE)
_REPLY_WORD: Final = re.compile(f"{_ANSWER}*(?:{_REPLY_NAMES}|{_RECEIPT_WORDS}){_ENDS}", re.IGNORECASE)

_AWAY_TEXT: Final = re.compile(
    r"out of (?:the |my )?office|(?:i am|i'm|we are|will be) (?:currently )?(?:away|on (?:annual |maternity |"
    r"parental |sick )?"
    r"(?:leave|vacation|holiday))|(?:no|limited) access to (?:my )?e-?mail|(?:ben|is|was) (?:ik )?(?:momenteel |"
    r"tijdelijk |"
    r"vandaag |op dit moment )?(?:\S+ ){0,6}(?:afwezig|niet aanwezig|(?:met|op) vakantie|met verlof|niet op kantoor|"
    r"niet bereikbaar|"
    r"met zwangerschapsverlof)|buiten kantoor|(?:bin|befinde mich) (?:ich )?(?:\S+ ){0,8}(?:nicht im (?:büro|hause?)|"
    r"im "
    r"urlaub|abwesend|nicht erreichbar|außer haus|in elternzeit)|(?:suis|serai) (?:\S+ ){0,5}(?:absente?|en cong|"
    r"en vacances)"
    r"|(?:estoy|estaré) (?:\S+ ){0,5}(?:fuera|ausente|de vacaciones)|(?:sono|sarò) (?:\S+ ){0,5}(?:fuori|assente|"
    r"in ferie)|"
    r"(?:estou|estarei) (?:\S+ ){0,5}(?:fora|ausente|de férias)|(?:är|er) (?:\S+ ){0,5}(?:på (?:semester|ferie)|borta|"
    r"frånvarande|fraværende|ute av kontoret)|olen (?:\S+ ){0,5}(?:poissa|lomalla)|jestem (?:\S+ ){0,5}(?:nieobecn|"
    r"na urlopie"
    r"|poza)|в отпуске|отсутству|休暇|不在に|不在です|休假|不在办公室|休暇中|부재중|휴가",
    re.IGNORECASE,
)
_NOTES_TEXT: Final = re.compile(
    r"\s{0,9}(?:i will be out of the office (?:starting|from)\s{1,3}\S{6,20} and will not return until \S{6,20}|"
    r"ik ben afwezig vanaf\s{1,3}\S{6,20} (?:en kom terug op|tot)\s{1,3}\S{6,20}|"
    r"ich werde ab\s{1,3}\S{6,20} nicht im büro sein\W{1,3}ich kehre zurück am\s{1,3}\S{6,20}|"
    r"je serai absente?(?:\(e\))? (?:du|à partir du)\s{1,3}\S{6,20} "
    r"(?:au|et ne reviendrai pas avant le)\s{1,3}\S{6,20})",
    re.IGNORECASE,
)
_REPLY_TEXT: Final = re.compile(
    r"this is an auto(?:matic|mated|-)\S* ?(?:generated )?(?:reply|response|e-?mail|message|notification)|"
    r"auto(?:matically|-)?[- ]?generated (?:reply|response|e-?mail|message)|(?:do not|don't|please do not) (?:reply|"
    r"respond) to "
    r"this (?:e-?mail|message)|dit is een automatisch|automatisch (?:gegenereerd|verzonden|aangemaakt)|(?:niet|"
    r"gelieve niet) "
    r"(?:op|te) (?:dit|antwoorden|beantwoorden)|dies ist eine automatisch|automatisch (?:generiert|erstellt|"
    r"versendet)|ceci est "
    r"un(?:e)? (?:réponse|message|e-?mail) automatique|généré automatiquement|(?:respuesta|mensaje|correo) automátic|"
    r"(?:risposta|messaggio) automatic|(?:resposta|mensagem) automátic|wiadomość (?:wygenerowana )?automatyczn|"
    r"автоматическ\S+ (?:ответ|сообщение)|自動(?:返信|送信|配信)|自动(?:回复|发送)|"
    r"we have received your (?:e-?mail|message|request|inquiry)|(?:we|wij) hebben uw (?:e-?mail|bericht|vraag|verzoek)",
    re.IGNORECASE,
)
_BEGINNING: Final = 600


def is_away_name(subject: str) -> bool:
    """A subject that a system gives to out-of-office replies."""
    return _begins_with(subject, _AWAY_NAME)


def is_away_word(subject: str) -> bool:
    """A subject that may be an out-of-office reply's, or a person's."""
    return (
        _begins_with(subject, _AWAY_NAME_ALONE, _AWAY_NAME_BEHIND, _AWAY_WORD) or _IS_AWAY.search(subject) is not None
    )


def is_away_by_name_alone(subject: str, text: str) -> bool:
    """«Abwesenheitsnotiz» as the whole subject, and a text of absence."""
    return _begins_with(subject, _AWAY_NAME_ALONE) and begins_as_away(text)


def is_away_on_answer(subject: str, text: str) -> bool:
    """«Afwezig tot 9 maart Re: Printer»: a responder's word before the subject that it answers, and a text of absence.

    Who answers by hand puts nothing before «Re:».
    """
    return _begins_with(subject, _AWAY_BEFORE_ANSWER) and begins_as_away(text)


def is_away_from_notes(subject: str, text: str) -> bool:
    """HCL Notes: «AUTO: Jan Jansen is out of the office», or its sentence in the text."""
    if not subject.startswith(("AUTO:", "Auto:")):
        return False
    says_so = subject.startswith("AUTO:") and _IS_AWAY.search(subject.partition(":")[2].partition("(")[0].strip(" ."))
    return bool(says_so) or (begins_as_reply(text) and begins_as_away(text))


def is_absence_of_notes(text: str) -> bool:
    """The sentence of HCL Notes and its precursors, which no person writes: from when to when, and nothing else."""
    return _NOTES_TEXT.match(text[:_BEGINNING]) is not None


def is_reply_name(subject: str) -> bool:
    """A subject that a system gives to automatic replies."""
    return _begins_with(subject, _REPLY_NAME)


def is_reply_word(subject: str) -> bool:
    """A subject that may be an automatic reply's or a receipt's, or a person's."""
    return _begins_with(subject, _REPLY_WORD)


def _begins_with(subject: str, *names: re.Pattern[str]) -> bool:
    """Whether one of `names` stands in a subject behind nothing but tags and marks.

    Each place that tags and marks lead to is looked at once: «[!][!][!]» is three tags, or marks, or some of each, and
    an expression would try every way to read it.
    """
    waiting, seen = [0], {0}
    while waiting:
        place = waiting.pop()
        if any(name.match(subject, place) for name in names):
            return True
        following = {step.end() for step in (_MARK.match(subject, place), _TAG.match(subject, place)) if step}
        waiting += following - seen
        seen |= following
    return False


def begins_as_away(text: str) -> bool:
    """The beginning of a text, without quotes, says that somebody is away."""
    return _AWAY_TEXT.search(_beginning(text)) is not None


def begins_as_reply(text: str) -> bool:
    """The beginning of a text, without quotes, says that it was written by a machine."""
    return _REPLY_TEXT.search(_beginning(text)) is not None


def _beginning(text: str) -> str:
    own = (line for line in text[: _BEGINNING * 3].splitlines() if not line.lstrip().startswith((">", "|")))
    return "\n".join(own)[:_BEGINNING]
