"""What tells a delivery report from a mail that merely speaks of one.

A report is machine made: it says so by its structure (RFC 3464), or it comes from a server that writes reports of its
own. Of those, sender, subject, words and the returned mail are each a sign; nothing is a report by one of them alone,
and a person who passes a report on, or complains of one, has sent a person's mail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from services.classifier.reading.automatic.delivery_fields import looks_like_fields
from services.classifier.reading.automatic.delivery_words import MOST_TEXT, RETURNED
from services.classifier.reading.automatic.smtp_status import meaning
from services.classifier.reading.mime.charset import decode
from services.classifier.reading.mime.part import Part

RETURNED_TYPES: Final = frozenset(
    {"message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers"}
)
DATA_TYPES: Final = frozenset({"message/delivery-status", "message/global-delivery-status"})

_DAEMON: Final = re.compile(
    r"^(?:mailer[-_.]?daemon|mail[-_.]?daemon|post[-_]?master|mdaemon|bounces?|bounce[-+].*|double-bounce|"
    r"mail[-_.]?delivery(?:[-_.]?(?:system|subsystem))?|delivery-?(?:reports?|status)|"
    r"microsoftexchange[0-9a-f]{32}|ndr|no-?reply-?bounce|smtp-?gateway|mail-?returned)$",
    re.IGNORECASE,
)
_SERVERS_PATH: Final = re.compile(r"(?:mailer[-_.]?daemon|post[-_]?master|double-bounce)$", re.IGNORECASE)
_PATH: Final = re.compile(r"([^\s<>@]{1,64})@")
_DAEMON_NAME: Final = re.compile(
    r"mail deliver\w* (?:sub)?system|mailer[- ]daemon|post[- _]?master|mail administrator|microsoft outlook|"
    r"mail delivery service|internet mail delivery|ndr administrator|interscan",
    re.IGNORECASE,
)
_MACHINE: Final = re.compile(
    r"^(?:no-?reply|do-?not-?reply|system|postoffice|mail(?:er|server|gateway|gate|"
    r"system)?"
    r"|smtp|mta\w*|gateway|filter|anti-?(?:spam|virus)|quarantine|notifications?|alerts?|error\w*|return\w*|mms\w*|"
    r"amavis\w*|virus\w*|content-?filter|autoreply|info-bounce)$|(?:-bounces?|-daemon|-owner|-request|mail_security)$",
    re.IGNORECASE,
)
_LIST_SERVER: Final = re.compile(
    r"^(?:majordomo|listserv|mailman|sympa|lyris)|(?:-admin|-owner|-request|-bounces)$", re.IGNORECASE
)
_NOT_A_MEMBER: Final = re.compile(
    r"(?:not|only) (?:a )?members?(?: of)?[^.\n]{0,40}(?:list|ML)|only (?:list )?(?:members|subscribers) (?:may|"
    r"can) post|"
    r"not (?:allowed|authori[sz]ed|permitted) to (?:post|send)",
    re.IGNORECASE,
)
_PASSED_ON: Final = re.compile(
    r"^\W{0,3}(?:re|fwd?|aw|wg|antw(?:oord)?|betr|doorst(?:uren)?|fs|vs|sv|tr|rv|r|i|rif|odp|pd|enc|ynt|ilt|ответ|на|"
    r"回复|"
    r"转发|返信|転送)\s*(?:\[\d+\]\s*)?[:\uff1a]",
    re.IGNORECASE,
)
_BEGINS_REPORT: Final = re.compile(
    r"^\W*(?:this is (?:the mail system|an auto)|(?:could not|unable to|failed to) deliver|failed recipients?|"
    r"(?:your|the) (?:message|mail|e-?mail)\b.{0,80}\b(?:not|undeliver|fail|reject|refus|return)|"
    r"(?:delivery|the delivery) (?:has |to |of |fail|status|notification|error)|undeliver|returned (?:mail|message)|"
    r"(?:uw|het|de|deze) (?:bericht|mail|e-?mail)\b.{0,80}\bniet|onbestelbaar|de bezorging|"
    r"(?:ihre|die) (?:nachricht|e-?mail)\b.{0,80}\bnicht|(?:votre|le) (?:message|courriel)\b.{0,80}\bpas)",
    re.IGNORECASE,
)
_SALUTATION: Final = re.compile(
    r"\W{0,3}(?:hello|hi|dear|beste|geachte|hallo|goedendag|guten tag|liebe[rs]?|sehr geehrte[rs]?|bonjour|"
    r"madame|monsieur|cher|estimad[oa]|buongiorno|gentile)\b[^.?!:;]{0,40}[,!.]?\s*$",
    re.IGNORECASE,
)
"""What may stand above the first line of a report, as above anybody's."""
_SERVER_SPOKE: Final = re.compile(
    r"(?:^|[:>(#\]-]|\bsaid|\.\.\.|\breason|\bcode)[ \t]*[45][0-5][0-9](?:[ -]+[^\d\s]|[ -]+[45]\.[0-7]\.[0-9])|"
    r"(?<![0-9.])[45]\.[0-7]\.[0-9]{1,3}(?![0-9.]*[0-9])",
    re.MULTILINE,
)
_CODE_FIRST: Final = re.compile(r"^[45][0-5][0-9][ -]", re.MULTILINE)
_SUBJECT: Final = re.compile(
    r"undeliver(?:able|ed)|delivery (?:status )?(?:notification|failure|failed|report|error|problem|status)|"
    r"delivery (?:delayed|has failed)|returned (?:mail|e-?mail|message|to sender)|returning to sender|"
    r"mail (?:delivery|could not be|not|system|failed|failure|returned|error)|"
    r"failure (?:notice|delivery)|\bdelivery\b.*\bfail|\bfail\w*\b.*\bdelivery|fail(?:ed|ure) to deliver|"
    r"(?:message|mail) (?:delivery|status|you sent|delayed|undeliver|blocked|refused)|non-?deliver|not delivered|"
    r"(?:could|can) ?not (?:be delivered|deliver|send)|unable to deliver|failed mail|nondeliverable|"
    r"error (?:sending|mail|in your mail|delivering)|user unknown|unknown user|blocked (?:mail|message)|"
    r"warning: (?:message|could not send|e-?mail)|bounced? (?:mail|message)|rejected|(?:server|gateway):? errors? from|"
    r"postmaster notify|delivered:|relayed:|message status|"
    r"delayed mail|onbestelba(?:ar|re)|"
    r"niet bezorgd|bezorging (?:mislukt|is mislukt)|kan niet worden bezorgd|niet afgeleverd|"
    r"niet (?:te )?bestel|aflevering mislukt|unzustellbar|nicht zustellbar|zustellung fehlgeschlagen|nachricht nicht|"
    r"fehler bei der (?:zustellung|übermittlung)|rückläufer|non remis|échec de (?:la )?(?:remise|distribution)|"
    r"courrier non|message non (?:distribu|remis|délivr)|impossible de remettre|no se puede entregar|no entregado|"
    r"no se ha podido entregar|mancata consegna|impossibile recapitare|non recapitabile|mancato recapito|"
    r"não (?:foi )?(?:possível )?entreg|não entregue|ikke leveret|kan ikke leveres|kan inte leverera|"
    r"går inte att leverera|olevererbar|ei voitu toimittaa|toimitus epäonnistui|niedostarcz|nie można dostarczyć|"
    r"nie dostarczono|nedoručite|nelze doručit|kézbesíthetetlen|nem kézbesíthető|nelivrat|nu a putut fi livrat|"
    r"teslim edilemedi|iletilemedi|ανεπίδοτο|не ?доставлен|не может быть доставлен|не вдалося доставити|"
    r"ошибка доставки|"
    r"エラー通知|配信(?:でき|不能|不可|エラー|状況)|送信(?:でき|エラー|不能)|送達|返送|退信|无法投递|未送达|無法(?:傳遞|投遞|寄出)|"
    r"반송|배달되지|전송 실패",
    re.IGNORECASE,
)
_SAYS_FAILED: Final = re.compile(
    r"could(?: not|n't) be (?:delivered|sent|reached)|(?:unable|failed|not able) to (?:deliver|send|relay)|"
    r"permanent(?:ly)? (?:\S{1,320} )?(?:error|fail)|undeliver(?:able|ed)|"
    r"(?:delivery (?:to the following|has failed|failed|status|attempts?|problems?|errors?))|trouble delivering|"
    r"(?:message|mail)(?: to \S{1,320})? (?:was |has been |is )?(?:not |un)?(?:rejected|refused|delayed|"
    r"returned|delivered|blocked)|"
    r"returned message|returning (?:message|mail)|transcript of session|giving up on|did not reach|not be delivered|"
    r"(?:recipient|address)\w{0,9}(?: \S{1,320}){0,4} (?:rejected|refused|failed|affected)|"
    r"failed (?:address|recipient)|"
    r"error deliver|problem(?:s)? (?:deliver|while deliver)|delivery fail|"
    r"niet (?:worden |kunnen )?(?:bezorgd|afgeleverd)|onbestelbaar|nicht zugestellt|unzustellbar|non (?:è stato|remis)|"
    r"fehler bei der (?:nachrichten)?(?:zustellung|übermittlung)|nicht (?:zugestellt|übermittelt) werden|"
    r"(?:remise|distribution) (?:a échoué|impossible)|\bpas (?:pu être|été) (?:remis|distribué|délivré|livré)|"
    r"error (?:en la|de) entrega|no se (?:ha podido|puede) entregar|(?:recapito|consegna) non (?:è )?riuscit|"
    r"impossibile (?:recapitare|consegnare)|falha na entrega|não (?:foi|pôde ser) entregue|"
    r"bezorging (?:is )?mislukt|kon niet worden (?:bezorgd|afgeleverd)|kan ikke leveres|kunne inte levereras|"
    r"nie (?:można|udało się) dostarczyć|has not been delivered|"
    r"no se pudo entregar|配信|送信でき|送信に失敗|不存在|退信|не (?:(?:может быть|был[^ ]?) )?(?:доставлен|отправлен)",
    re.IGNORECASE,
)


def is_passed_on(subject: str) -> bool:
    """The subject of an answer or a forwarded mail: what follows it is somebody else's."""
    return _PASSED_ON.match(subject) is not None


@dataclass(frozen=True)
class Telling:
    """What a mail tells about itself, each looked at once."""

    root: Part
    sender: str
    sender_name: str
    subject: str
    text: str

    @cached_property
    def local_part(self) -> str:
        return self.sender.partition("@")[0]

    @cached_property
    def from_daemon(self) -> bool:
        """Sent by a mail server, by its address or its name (RFC 5321 §4.5.1, RFC 2142)."""
        paths = (_PATH.search(decode(value)) for value in self.root.headers.all("return-path"))
        return bool(
            _DAEMON.match(self.local_part)
            or _DAEMON_NAME.search(self.sender_name)
            or any(path is not None and _SERVERS_PATH.match(path[1]) for path in paths)
        )

    @cached_property
    def from_machine(self) -> bool:
        return self.from_daemon or bool(_MACHINE.search(self.local_part)) or self.is_automatic

    @cached_property
    def is_automatic(self) -> bool:
        headers = self.root.headers
        submitted = headers.token("auto-submitted").partition(";")[0].strip()
        return self.empty_path or submitted not in {"", "no"} or headers.has("x-failed-recipients")

    @cached_property
    def empty_path(self) -> bool:
        """Sent with the empty envelope sender (RFC 5321 §4.5.5)."""
        return any(value.strip() == b"<>" for value in self.root.headers.all("return-path"))

    @cached_property
    def called_so(self) -> bool:
        return bool(_SUBJECT.search(self.subject))

    @cached_property
    def sent_back(self) -> bool:
        """With the empty envelope sender, and called a report from the first word of its subject on."""
        return self.empty_path and _SUBJECT.match(self.subject.lstrip(" *-_")) is not None

    @cached_property
    def passed_on(self) -> bool:
        return is_passed_on(self.subject)

    @cached_property
    def says_so(self) -> bool:
        """It speaks of a failed delivery, in the words of servers or with their codes."""
        return bool(_SAYS_FAILED.search(self.unquoted)) or self.server_spoke

    @cached_property
    def server_spoke(self) -> bool:
        """A server's code stands where servers put it; a number in a sentence is none."""
        return _SERVER_SPOKE.search(self.unquoted) is not None

    @cached_property
    def unquoted(self) -> str:
        """The text without lines that quote: what they say, somebody else said."""
        lines = self.text[:MOST_TEXT].splitlines()
        return "\n".join(line for line in lines if not line.startswith("> "))

    @cached_property
    def begins_with_code(self) -> bool:
        """A line of the text begins with a server's reply code."""
        return _CODE_FIRST.search(self.unquoted) is not None

    @cached_property
    def gives_cause(self) -> bool:
        return bool(meaning(self.unquoted))

    @cached_property
    def might_be_written(self) -> bool:
        """A postmaster may be a person: one who answers, and does not begin with a server's code, is taken for one."""
        answers = self.passed_on or self.root.headers.has("in-reply-to")
        return answers and not self.is_automatic and not self.begins_with_code

    @cached_property
    def is_unmistakable(self) -> bool:
        """Subject, first line, a server's word and the mail below: whoever complains of a report begins otherwise."""
        lines = (line for line in self.text[:MOST_TEXT].splitlines() if line.strip())
        first = next((line for line in lines if not _SALUTATION.match(line)), "")
        return (
            _SUBJECT.match(self.subject.lstrip(" *-_")) is not None
            and _BEGINS_REPORT.search(first) is not None
            and (self.server_spoke or self.gives_cause)
            and self.returns
            and not self.root.headers.has("in-reply-to")
        )

    @cached_property
    def returns(self) -> bool:
        """The mail that it speaks of comes with it, attached or below."""
        return any(part.media_type in RETURNED_TYPES for part in self.root.walk()) or bool(
            RETURNED.search(self.text[: MOST_TEXT * 2])
        )

    @cached_property
    def media_types(self) -> frozenset[str]:
        return frozenset(part.media_type for part in self.root.walk())


def report_sign(telling: Telling) -> str | None:
    """What tells that the mail is a delivery report; None for any other."""
    headers = telling.root.headers
    is_report = telling.root.media_type == "multipart/report"
    if "message/feedback-report" in telling.media_types:
        return None
    if telling.media_types & DATA_TYPES:
        by_person = telling.passed_on and not telling.from_machine
        return None if by_person else "message/delivery-status"
    if _is_something_else(telling):
        return None
    signs = {
        "X-Failed-Recipients": headers.has("x-failed-recipients"),
        "multipart/report": is_report and (telling.from_daemon or telling.called_so),
        "mailer-daemon": telling.from_daemon and not telling.might_be_written and _reports(telling),
        "Final-Recipient": telling.from_machine
        and telling.called_so
        and looks_like_fields(telling.text[: MOST_TEXT * 2]),
        "report in words": telling.from_machine
        and telling.called_so
        and telling.says_so
        and not (telling.passed_on and not telling.from_daemon)
        and (telling.returns or (telling.is_automatic and telling.server_spoke) or telling.sent_back)
        and not headers.has("in-reply-to"),
        "report and returned mail": telling.is_unmistakable,
    }
    return next((sign for sign, found in signs.items() if found), None)


def _reports(telling: Telling) -> bool:
    """Whether a mail server wrote a report: its words and a sign more, or its subject, a cause and the mail."""
    in_words = telling.says_so and (
        telling.called_so or telling.returns or telling.empty_path or telling.begins_with_code
    )
    return in_words or (telling.called_so and telling.gives_cause and (telling.returns or telling.is_automatic))


def refusal_sign(telling: Telling) -> str | None:
    """A refusal in other forms: a Sieve `reject` sent as MDN (RFC 5429), a list that takes no mail of ours."""
    headers = telling.root.headers
    if (
        headers.token("auto-submitted").startswith("auto-replied")
        and "(rejected" in headers.text("auto-submitted").lower()
    ):
        return "Auto-Submitted: auto-replied (rejected)"
    if _LIST_SERVER.search(telling.local_part) and _NOT_A_MEMBER.search(telling.text[:2000]) and not telling.passed_on:
        return "not a member of the list"
    return None


def _is_something_else(telling: Telling) -> bool:
    """A read receipt (RFC 8098), an automatic answer, a list's mail."""
    headers = telling.root.headers
    report_type = telling.root.parameters.get("report-type", "").lower()
    is_list = headers.has("list-id") or headers.has("list-unsubscribe")
    return (
        (telling.root.media_type == "multipart/report" and report_type not in {"", "delivery-status"})
        or "message/disposition-notification" in telling.media_types
        or (headers.token("auto-submitted").startswith("auto-replied") and not telling.called_so)
        or (is_list and not (telling.from_daemon or telling.empty_path or headers.has("x-failed-recipients")))
    )
