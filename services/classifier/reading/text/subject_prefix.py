"""What the prefix of a subject says: an answer («Re:», «Antw:», «AW:») or a forwarded mail («FW:», «Doorst:», «WG:»).

The outermost prefix counts, in the languages of mail clients. Finnish answers and Norwegian and Danish forwards share
`VS:`; it says nothing.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class Prefix(StrEnum):
    """What a mail is to the one that its subject names."""

    ANSWER = "answer"
    FORWARD = "forward"


_ANSWERS: Final = (
    r"re|reply|aw|antw|antwoord|antwort|sv|svar|odp|res|resp|rif|ref|r|rép|rep|vast|ynt|yan|bls|atb|ats|vá|rv\s?re|"
    r"отв|ответ|відп|ha|на|απ|σχετ|回复|回覆|答复|回信|返信|답장|회신|رد|תגובה|trl|eftir|vs\s?re"
)
_FORWARDS: Final = (
    r"fw|fwd|fwrd|forward|forwarded|doorst|doorgestuurd|dg|wg|wtr|weitergeleitet|weiterl|tr|transf|transfert|transféré|"
    r"rv|reenv|reenvío|renv|enc|enviado|i|inoltra|inoltro|inoltrato|vb|vid|vidarebefordrat|videresend|videresendt|vl|"
    r"välitetty|pd|przek|podaj dalej|fs|tov|továbbítás|továbbítva|továbbküldött|redir|redirecționat|redirectionat|ilt|"
    r"i̇lt|yönlendirilen|пересл|пер|переслано|пересылка|перен|πρθ|прен|препр|proslijeđeno|prosl|posredovano|přep|předáno|"
    r"preposlané|edasi|pārs|persiųsta|转发|轉寄|转寄|轉發|転送|전달|הועבר|إعادة توجيه|chuyển tiếp|trs|terusan"
)
_PREFIX: Final = re.compile(
    rf"^\s*(?:\[[^\[\]]{{0,80}}\]\s*)?(?:(?P<answer>{_ANSWERS})|(?P<forward>{_FORWARDS}))"
    r"\.?(?:\s?\[[0-9]{1,3}\]|\s?\([0-9]{1,3}\)|\^?[0-9]{1,3})?\s?[:：]\s*",
    re.IGNORECASE,
)
_MOST: Final = 20


def prefix_of(subject: str) -> Prefix | None:
    """What the outermost prefix says; None where there is none."""
    prefix = _PREFIX.match(subject)
    if prefix is None:
        return None
    return Prefix.ANSWER if prefix["answer"] else Prefix.FORWARD


def without_forward_prefixes(subject: str) -> str:
    """The subject of the mail that was forwarded: what forwarding put before it is gone."""
    for _ in range(_MOST):
        prefix = _PREFIX.match(subject)
        if (prefix is None or prefix["forward"] is None) and not subject.casefold().startswith("vs:"):
            break
        subject = subject[prefix.end() :] if prefix is not None else subject[3:].lstrip()
    return subject.strip()
