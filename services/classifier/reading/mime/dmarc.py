"""The DMARC result of a mail, from an Authentication-Results header that we may trust (RFC 8601, SPEC D10).

Anybody can write such a header. Only one whose authserv-id is on the helpdesk's list counts, and of those the topmost,
since each server puts its own above those that were there.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from services.classifier.reading.mime.charset import decode
from services.classifier.reading.mime.header import Headers
from shared.messages import DmarcResult

_COMMENT: Final = re.compile(r"\((?:[^()\\]|\\.)*\)")
_RESULT: Final = re.compile(r"(?:^|;)\s*dmarc\s*(?:/\s*[0-9]+\s*)?=\s*([a-z]+)", re.IGNORECASE)


def dmarc_result(headers: Headers, trusted_authserv_ids: Collection[str]) -> DmarcResult:
    """PASS or FAIL as a trusted server says; NONE when none does, or when it says anything else."""
    trusted = {identity.strip().lower() for identity in trusted_authserv_ids}
    for value in headers.all("authentication-results"):
        text = _COMMENT.sub(" ", decode(value))
        identity = text.partition(";")[0].strip().split(" ")[0].lower()
        if not identity or identity not in trusted:
            continue
        found = _RESULT.search(text)
        if found is None:
            return DmarcResult.NONE
        return {"pass": DmarcResult.PASS, "fail": DmarcResult.FAIL}.get(found[1].lower(), DmarcResult.NONE)
    return DmarcResult.NONE
