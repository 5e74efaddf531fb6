"""When a mailbox that tells nothing of new mail is looked into again (SPEC W1).

    the last look                     the next one comes
    found new mail                    after 5 seconds: answers, and a colleague's mail, follow soon
    found none                        after twice the last pause, at most the setting «check interval»

A poll is one request. A mailbox in which nothing happens is polled as often as its setting says: 17 requests a second
for 500 mailboxes and the default of 30 seconds.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

SHORTEST: Final = timedelta(seconds=5)


def next_poll(interval: timedelta, *, last_pause: timedelta | None, arrived: bool) -> timedelta:
    """The pause before the next look; `last_pause` is the one before this look, None where it is not known."""
    if arrived:
        return min(SHORTEST, interval)
    if last_pause is None:
        return interval
    return min(2 * last_pause, interval)
