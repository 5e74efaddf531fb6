"""What Microsoft's errors of signing in mean for a mailbox, whichever protocol it is read by."""

from __future__ import annotations

from services.fetcher.mailboxes.protocol import LoginRefused, MailboxUnreachable
from services.fetcher.rules.problem import ProblemKind
from shared.microsoft.errors import NotSecure, SignInRefused, Unavailable


def sign_in_refused(error: SignInRefused) -> LoginRefused:
    """Entra takes neither the app nor its secret."""
    kind = ProblemKind.LOGIN_EXPIRED if error.expired else None
    return LoginRefused(str(error), kind=kind, by_sign_in=True)


def unavailable(error: Unavailable) -> MailboxUnreachable:
    """Entra or Graph gives no answer now."""
    kind = ProblemKind.NOT_SECURE if isinstance(error, NotSecure) else None
    return MailboxUnreachable(str(error), after=error.after, kind=kind)
