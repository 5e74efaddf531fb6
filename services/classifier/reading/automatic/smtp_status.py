"""Enhanced status codes (RFC 3463): found in a server's words, or made of its reply code and what it says.

Servers that predate RFC 3463 say a reply code (RFC 5321 §4.2) and a sentence, some the sentence alone. The sentences
are few, whatever the server: the table names each with the code that RFC 3463 §3 gives to what it means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_ENHANCED: Final = re.compile(r"(?<![0-9.])([245]\.[0-7]\.[0-9]{1,3})(?!\.?[0-9])")
_FAILURE: Final = re.compile(r"(?<![0-9.])([45]\.[0-7]\.[0-9]{1,3})(?!\.?[0-9])")
_REPLY: Final = re.compile(r"(?<![0-9.:/@-])([45][0-5][0-9])(?=[ -]+[^\d\s]|[ -]+[45]\.[0-7]\.|\s*$)", re.MULTILINE)
_SAYS_NOTHING: Final = re.compile(r"[245]\.0\.0")
_PERMANENT: Final = "5"
_TRANSIENT: Final = "4"


@dataclass(frozen=True, slots=True)
class _Phrase:
    """What servers say, and RFC 3463's «subject.detail» for it; the class where it is not told otherwise."""

    said: re.Pattern[str]
    detail: str
    status_class: str = _PERMANENT


def _phrase(pattern: str, detail: str, status_class: str = _PERMANENT) -> _Phrase:
    return _Phrase(re.compile(pattern, re.IGNORECASE), detail, status_class)


_PHRASES: Final = (
    # the first that is said counts: narrower ones stand above wider ones
    _phrase(r"mail(?:box|folder)[^.\n]{0,40}full[^.\n]{0,40}(?:retry time-?out|gave up)", "2.2", _TRANSIENT),
    _phrase(
        r"retry time-?out exceeded|(?:envelope|message|delivery time|queue (?:time|lifetime)) (?:has )?expired|"
        r"too long (?:on|in) (?:the )?queue|(?:send|deliver\w{0,9}|retr\w{1,9}|queue\w{0,9}|tr(?:ied|ying))\b"
        r"[^.\n]{0,40}(?:for|after|within) (?:the (?:last|past) )?\d+(?:\.\d+)? (?:day|hour|minute)s?\b|"
        r"retention period|exceeded the max(?:imum)? time|retry count exceeded",
        "4.7",
        _TRANSIENT,
    ),
    _phrase(
        r"(?:mail(?:box|folder)?|quota|inbox|account|disk|storage)(?: \S+){0,6} (?:full|exceed\w{0,9}|limit reached|"
        r"over (?:quota|limit|the limit))|(?:mail(?:box|folder)?|quota|inbox) full|over ?quota|"
        r"quota (?:exceed|violation|limit)|exceeds? (?:the |its |allowed |their )?(?:quota|storage|mailbox)|"
        r"exceeded (?:the )?(?:local|storage|mailbox|disk|its|allowed) |"
        r"insufficient (?:disk|system|mailbox) (?:space|storage|quota)|メールボックスが(?:一杯|いっぱい)|"
        r"容量(?:を超|オーバー)|ящик переполнен|邮箱已满|postvak (?:is )?vol|postfach (?:ist )?voll|"
        r"bo[iî]te (?:aux lettres |de réception )?(?:est )?pleine|buzón (?:está )?lleno",
        "2.2",
    ),
    _phrase(
        r"(?:message|mail|size|file|attachment)(?: \S+){0,5} (?:too (?:large|big|long)|exceed\w{0,9} (?:\S+ ){0,3}"
        r"(?:size|limit|maximum|length))|size limit|larger than|maximum (?:message|mail|file) size|"
        r"too (?:large|big)",
        "3.4",
    ),
    _phrase(
        r"(?:host|domain|mx|dns)(?: \S+){0,5} (?:unknown|not found|does(?: not|n't) exist|invalid|no such|"
        r"lookup fail\w{0,9})|(?:host|domain) (?:unknown|not found)|(?:unknown|no such|invalid|non-?existent|"
        r"unresolvable|unroute?able(?: mail)?) (?:host|domain)|name or service not known|no (?:valid )?mx\b|nxdomain|"
        r"couldn't find any host|name service error|bad destination system|host name look-?up fail",
        "1.2",
    ),
    _phrase(r"no longer (?:active|here|works|with)|(?:user|recipient|mailbox)(?: has)? moved|please try <", "1.6"),
    _phrase(
        r"(?:mailbox|account|user|recipient|address)(?: \S+){0,6} (?:disabled|suspended|inactive|deactivated|locked|"
        r"not active|on hold|blocked)|(?:disabled|suspended|inactive) (?:mailbox|account|user|recipient)|"
        r"not accepting (?:mail|messages)|restricted",
        "2.1",
    ),
    _phrase(
        r"(?:user|mailbox|account|recipient|address|alias|login|local ?part|addressee|id|name)\b(?: \S+){0,8}? "
        r"(?:unknown|not (?:\S+ )?(?:found|known|listed|recogni[sz]ed|valid|exist|registered|match)|"
        r"does(?: not|n't) (?:exist|have|match)|isn't|no such|unavailable|invalid|rejected|undeliverable|failed)|"
        r"(?:unknown|invalid|bad|no such|non-?existent|unrouteable|undeliverable) (?:\S+ )?"
        r"(?:user|mailbox|account|recipient|address|addressee|alias|local|person|id|login)\b|"
        r"(?:user|mailbox|recipient) (?:unknown|unavailable)|(?:no|not a|not our|do(?:es)? not have an?|"
        r"doesn't have an?) "
        r"(?:\S+ ){0,3}?(?:mailbox|user|account|recipient|customer|subscriber)s?\b|does not like recipient|unknown to|"
        r"directory|resolver\.adr|宛先不明|存在しない|存在せず|不存在|見つかりません|"
        r"не существует|не найден|unbekannt|nicht [^\n]{0,60}aufgeführt|onbekend|"
        r"inconnue?|desconocid|sconosciut",
        "1.1",
    ),
    _phrase(r"(?:mail|forwarding|routing) loop|too many hops|hop count|loops? back|loop(?:ing)? detected", "4.6"),
    _phrase(
        r"relay(?:ing)?(?: \S+){0,4} (?:denied|not permitted|prohibited|not allowed|disallowed)|"
        r"(?:unable|not allowed|cannot|not permitted|authenticat\w{1,9}|deny|denied|refuse\w{0,9})(?: \S+){0,3} "
        r"relay|"
        r"(?:do|does) not relay|not (?:an? )?(?:open |gateway |relay)",
        "7.1",
    ),
    _phrase(
        r"\bspam|junk ?mail|unsolicited|bulk mail|black-?list|block-?list|\brbl\b|dnsbl|reputation|"
        r"content (?:rejected|filter)|virus|malware|infected|phish|banned|\bdmarc\b|\bspf\b|\bdkim\b|policy|"
        r"(?:access|permission|authori[sz]ation) denied|not (?:authori[sz]ed|allowed|permitted)|"
        r"(?:not|aren't|only) (?:\S+ )?members?\b|メンバーでは|権限|權限|authentication (?:required|failed)|"
        r"rejected (?:by|for|due)|prohibited|forbidden|blocked|refused to accept",
        "7.1",
    ),
    _phrase(
        r"(?:connection|connect|smtp|session|server|host|network|operation|user open)(?: \S+){0,6} (?:time-?d? ?out|"
        r"refused|reset|lost|dropped|unreachable|not responding|closed)|timed out|not reachable|unreachable|"
        r"no route to host|network error|connection (?:errors?|refused|reset|timeout)|"
        r"could not (?:connect|contact)|connection attempts? fail",
        "4.1",
    ),
    _phrase(
        r"(?:system|server|disk|queue file|local|internal) (?:error|failure|problem)|out of memory|i/o error|"
        r"configuration (?:error|problem)|command (?:died|failed)|(?:unable to|can't|cannot) (?:open|create|write)",
        "3.0",
    ),
)


def enhanced_code(text: str) -> str:
    """The enhanced status code in a Status field, success included; '' for none."""
    match = _ENHANCED.search(text)
    return match[1] if match else ""


def _failure_code(text: str) -> str:
    """The first code of a failure that says something (`5.0.0` only if no other is there); '' for none."""
    codes: list[str] = _FAILURE.findall(text)
    return next((code for code in codes if not _SAYS_NOTHING.fullmatch(code)), codes[0] if codes else "")


def reply_code(text: str) -> str:
    """The first SMTP reply code of a failure in `text`, such as `550`; '' for none."""
    match = _REPLY.search(text)
    return match[1] if match else ""


def has_code(text: str) -> bool:
    """Whether a server's own code of a failure stands in `text`."""
    return _FAILURE.search(text) is not None or _REPLY.search(text) is not None


def meaning(text: str, status_class: str = "") -> str:
    """The status code of what `text` says in words; '' where it says nothing known.

    `status_class` (`4` or `5`) is what a reply code or an action tells. Without it a failure is permanent, save one
    that RFC 3463 knows as transient only, such as a message that expired.
    """
    for phrase in _PHRASES:
        if phrase.said.search(text):
            return f"{status_class or phrase.status_class}.{phrase.detail}"
    return ""


def status_of(text: str, *, delayed: bool = False) -> str:
    """The status code of a failure told in `text`: said, else by reply code and meaning; '' when nothing tells it."""
    if code := _failure_code(text):
        return (meaning(text, code[0]) or code) if _SAYS_NOTHING.fullmatch(code) else code
    if reply := reply_code(text):
        return meaning(text, reply[0]) or f"{reply[0]}.0.0"
    return meaning(text, _TRANSIENT if delayed else "")
