"""What goes wrong at Microsoft, sorted by what the caller does about it.

    MicrosoftError
    ├── SignInRefused        Entra or Graph refuses this login for good: somebody must change or mend it
    ├── Unavailable          network, throttling or a fault there: later again, not before `after`
    │   ├── NotSecure        no connection that can be trusted: a certificate, a redirect or a forbidden address
    │   └── Interrupted      the answer began and never ended
    └── GraphRefused         Graph answers this request with an error: `status` and `code` tell which

The texts are Dutch sentences that say what to do, since people read them in the settings; none holds a secret.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from shared.errors import ImporterError
from shared.one_line import one_line, sentence

_LONGEST_CODE: Final = 100
_LONGEST_MESSAGE: Final = 300


class MicrosoftError(ImporterError):
    """Anything that goes wrong at Entra or Graph."""

    def __init__(self, text: str) -> None:
        super().__init__(sentence(text))


class SignInRefused(MicrosoftError):
    """This login is refused; asking again changes nothing. `expired` says that its secret has ended."""

    def __init__(self, text: str, *, expired: bool = False) -> None:
        super().__init__(text)
        self.expired = expired


class Unavailable(MicrosoftError):
    """No answer now. `after` is the least delay that the server asked for."""

    def __init__(self, text: str, *, after: timedelta | None = None) -> None:
        super().__init__(text)
        self.after = after


class NotSecure(Unavailable):
    """Nothing was sent, since the other side cannot be trusted."""


class Interrupted(Unavailable):
    """The connection broke, or time was over, in the middle of an answer."""


class GraphRefused(MicrosoftError):
    """Graph answered with `status` (HTTP) and `code` (its own name for the error, '' when it gave none), both cut."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status = status
        self.code = one_line(code[:_LONGEST_CODE])
        self.message = one_line(message[:_LONGEST_MESSAGE])
        super().__init__(f"Microsoft Graph antwoordt {status} {self.code}: {self.message}")
