"""Tells an operator of mails that are not sent because they met a limit (SPEC D10): each in a metric, a burst once.

    importer_mails_over_limit_total    counter  by the limit, as `notifications.reason` names it

A flood meets a limit thousands of times. The log has the first of an hour as a warning; `status` counts them all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from prometheus_client import Counter

from shared.portal.mail_limits import LIMIT_REASONS
from shared.portal.reasons import NotSentReason

TELL_AGAIN_SECONDS: Final = 3_600

_log: Final = structlog.get_logger(__name__)
_total: Final = Counter(
    "importer_mails_over_limit_total", "Mails about tickets that were not sent, by the limit that they met", ["reason"]
)
for _reason in LIMIT_REASONS:
    _total.labels(_reason.value)  # a counter that first appears as 1 is no increase to who watches it


class OverLimit:
    """What this process has told of late, by helpdesk and limit."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._told: dict[tuple[int, NotSentReason], float] = {}

    def count(self, helpdesk_id: int, reasons: Iterable[NotSentReason]) -> None:
        """Count mails of a helpdesk that met these limits, and warn of each limit once in TELL_AGAIN_SECONDS."""
        for reason in reasons:
            _total.labels(reason.value).inc()
            told = self._told.get((helpdesk_id, reason))
            if told is None or self._now() - told >= TELL_AGAIN_SECONDS:
                self._told[helpdesk_id, reason] = self._now()
                _log.warning("mails_over_limit", helpdesk_id=helpdesk_id, reason=reason.value)
