"""What went wrong, sorted by what the caller does about it.

    ImporterError
    ├── TryAgain         the message's own trouble, it may pass: a wait queue, one try counted
    │   └── Outage       a server we stand on is away: close, wait until it is back, no try counted
    ├── HandleAlone      work that holds up others: one at a time, behind them
    ├── DeadLetter       our bug or a message nobody can read: parked for a person, with its way back
    └── Misconfigured    nothing helps but a change of settings: the process refuses to start

The type is the next step; the text is for the operator and says what to do. Subclass by cause. A mail that is unusable
(SPEC D17) is no error: it is a reason that travels on with the mail, to its outcome `quarantine`.
"""

from __future__ import annotations

from datetime import timedelta


class ImporterError(Exception):
    """Base of every error that the importer raises on purpose."""


class TryAgain(ImporterError):
    """Trouble of this one message that may pass by itself.

    `after` is the least delay before the next try; None leaves it to the retry policy (10 s, 1 min, 10 min).
    """

    def __init__(self, text: str, *, after: timedelta | None = None) -> None:
        super().__init__(text)
        self.after = after


class Outage(TryAgain):
    """The database, the broker or another server does not answer: no message is to blame, no try is counted."""


class HandleAlone(ImporterError):
    """This message takes so much work that others wait for it: it is handled alone, beside the queue of all."""


class DeadLetter(ImporterError):
    """Trying again cannot help and the mail is not to blame: park the message for a person, with this reason."""


class Misconfigured(ImporterError):
    """The process cannot start with these settings; the text names the setting and what to put there."""
