"""What the kinds of mailbox call a problem, where its type alone does not tell: the label in metrics."""

import pytest

from services.fetcher.mailboxes.ews.answers import EwsError
from services.fetcher.mailboxes.ews.errors import Place, ews_problem
from services.fetcher.mailboxes.imap.answers import login_error
from services.fetcher.mailboxes.microsoft_errors import sign_in_refused, unavailable
from services.fetcher.mailboxes.protocol import MailboxError
from services.fetcher.rules.problem import ProblemKind
from shared.microsoft.errors import NotSecure, SignInRefused, Unavailable

PLACE = Place("mail.desk.example", "DESK\\help", None, False, None)  # noqa: FBT003 - as it stands there
CLOUD = Place("outlook.office365.com", "help@desk.example", None, False, None)  # noqa: FBT003


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (sign_in_refused(SignInRefused("x")), ProblemKind.LOGIN_REFUSED),
        (sign_in_refused(SignInRefused("x", expired=True)), ProblemKind.LOGIN_EXPIRED),
        (unavailable(Unavailable("x")), ProblemKind.UNREACHABLE),
        (unavailable(NotSecure("x")), ProblemKind.NOT_SECURE),
        (login_error("[AUTHENTICATIONFAILED] no"), ProblemKind.LOGIN_REFUSED),
        (login_error("[EXPIRED] no"), ProblemKind.LOGIN_EXPIRED),
        (login_error("IMAP access is disabled for this mailbox"), ProblemKind.SWITCHED_OFF),
        (login_error("[PRIVACYREQUIRED] no"), ProblemKind.NOT_SECURE),
        (ews_problem(EwsError("ErrorPasswordExpired"), PLACE), ProblemKind.LOGIN_EXPIRED),
        (ews_problem(EwsError("ErrorCannotFindUser"), PLACE), ProblemKind.MAILBOX_MISSING),
        (ews_problem(EwsError("ErrorUserNotAllowedByPolicy"), PLACE), ProblemKind.SWITCHED_OFF),
        (ews_problem(EwsError("ErrorUserNotAllowedByPolicy"), CLOUD), ProblemKind.SWITCHED_OFF),
        (ews_problem(EwsError("ErrorAccessDenied"), PLACE), ProblemKind.ACCESS_DENIED),
    ],
)
def test_the_kind_says_who_acts(error: MailboxError, kind: ProblemKind) -> None:
    assert error.kind is kind
