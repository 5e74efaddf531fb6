"""What a check tells about the login that was used: no more than is certain. Pure."""

from __future__ import annotations

from enum import StrEnum

from services.fetcher.mailboxes.protocol import AccessDenied, LoginRefused, MailboxAccess


class Login(StrEnum):
    """What a check learnt about the login."""

    TAKEN = "taken"
    REFUSED = "refused"
    NOT_TRIED = "not-tried"


def refused_everywhere(error: LoginRefused, access: MailboxAccess) -> bool:
    """Whether all who use the login would be refused. A server may refuse an app at one mailbox, and locks no app."""
    return access.tenant is None or error.by_sign_in


def learnt_from(error: Exception, access: MailboxAccess) -> Login:
    """What a check that failed tells about the login."""
    match error:
        case LoginRefused():
            return Login.REFUSED if refused_everywhere(error, access) else Login.NOT_TRIED
        case AccessDenied():
            return Login.TAKEN
    return Login.NOT_TRIED
