"""What servers say, and what is made of it: real answers of the servers named."""

import re

import pytest

from services.fetcher.mailboxes.imap import answers
from services.fetcher.mailboxes.imap.server import ImapServer
from services.fetcher.mailboxes.protocol import (
    AccessDenied,
    LoginRefused,
    MailboxError,
    MailboxMissing,
    MailboxUnreachable,
    TooManyConnections,
)

LOGINS = [
    pytest.param("[AUTHENTICATIONFAILED] Authentication failed.", LoginRefused, id="dovecot"),
    pytest.param("[AUTHENTICATIONFAILED] Invalid credentials (Failure)", LoginRefused, id="gmail"),
    pytest.param("LOGIN failed.", LoginRefused, id="exchange"),
    pytest.param("Login failed.", LoginRefused, id="courier"),
    pytest.param("authentication failure", LoginRefused, id="cyrus"),
    pytest.param("AUTHENTICATE failed.", LoginRefused, id="exchange-online"),
    pytest.param("", LoginRefused, id="nothing"),
    pytest.param("[EXPIRED] That password isn't current any more", LoginRefused, id="expired"),
    pytest.param("[ALERT] Application-specific password required", LoginRefused, id="app-password"),
    pytest.param("[ALERT] Your account is not enabled for IMAP use.", LoginRefused, id="imap-off"),
    pytest.param("[AUTHORIZATIONFAILED] No such authorization-ID", AccessDenied, id="authorization"),
    pytest.param("User is authenticated but not connected.", AccessDenied, id="exchange-no-mailbox"),
    pytest.param("[PRIVACYREQUIRED] Connection offers no privacy", MailboxMissing, id="privacy"),
    pytest.param("Plaintext authentication disallowed on non-secure connections.", MailboxMissing, id="plaintext"),
    pytest.param("[UNAVAILABLE] Temporary authentication failure.", MailboxUnreachable, id="unavailable"),
    pytest.param("[INUSE] Mailbox is locked", MailboxUnreachable, id="in-use"),
    pytest.param("[LIMIT] Too many connections", TooManyConnections, id="limit"),
    pytest.param("Server Unavailable. 15", MailboxUnreachable, id="exchange-busy"),
    pytest.param("Too many simultaneous connections. (Failure)", TooManyConnections, id="gmail-busy"),
    pytest.param("[ALERT] Maximum number of connections exceeded", TooManyConnections, id="maximum"),
    pytest.param(
        "[UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
        TooManyConnections,
        id="dovecot-full",
    ),
    pytest.param("[AUTHENTICATIONFAILED] Too many connections", LoginRefused, id="a refusal all the same"),
    pytest.param("Too many login failures, try again later", MailboxUnreachable, id="another kind of too many"),
]


@pytest.mark.parametrize(("text", "error"), LOGINS)
def test_a_refusal_to_log_in_is_told_from_trouble_that_passes(text: str, error: type[MailboxError]) -> None:
    """[UNAVAILABLE] is no refused password: the login must not rest for it, nor a wrong one be tried again."""
    found = answers.login_error(text)
    assert type(found) is error
    assert re.search(r"\.$", str(found))


FOLDERS = [
    pytest.param("[NONEXISTENT] Unknown Mailbox: Archief (Failure)", MailboxMissing, id="gmail"),
    pytest.param("Mailbox doesn't exist: Archief", MailboxMissing, id="dovecot"),
    pytest.param("Archief doesn't exist.", MailboxMissing, id="exchange"),
    pytest.param("Unable to open this mailbox.", MailboxUnreachable, id="courier"),
    pytest.param("Mailbox does not exist", MailboxMissing, id="cyrus"),
    pytest.param("[NOPERM] Permission denied", AccessDenied, id="noperm"),
    pytest.param("User is authenticated but not connected.", AccessDenied, id="exchange-no-mailbox"),
    pytest.param("[UNAVAILABLE] Backend is down", MailboxUnreachable, id="unavailable"),
    pytest.param("[SERVERBUG] Internal error occurred", MailboxUnreachable, id="serverbug"),
]


@pytest.mark.parametrize(("text", "error"), FOLDERS)
def test_why_a_folder_does_not_open(text: str, error: type[MailboxError]) -> None:
    assert type(answers.folder_error(text, "Archief")) is error


def test_a_full_mailbox_is_said() -> None:
    assert "vol" in str(answers.act_error("[OVERQUOTA] Quota exceeded", "verplaatst"))


def test_a_server_that_repeats_the_login_does_not_bring_it_into_the_settings() -> None:
    text = 'Error in IMAP command LOGIN: "jan@klant.example" "ge\x07heim" [x] eyJhbGciOiJSUzI1NiJ9\r\n' + "x" * 500
    said = str(answers.login_error(text, ("ge\x07heim", "eyJhbGciOiJSUzI1NiJ9", "jan@klant.example")))
    assert not any(secret in said for secret in ("heim", "eyJ", "klant.example", "\r", "\n"))
    assert len(said) < 400


SERVERS = [
    ("imap.klant.example", ("imap.klant.example", 993, True, False)),
    (" IMAPS://imap.klant.example/ ", ("imap.klant.example", 993, True, False)),
    ("imap.klant.example:993", ("imap.klant.example", 993, True, False)),
    ("imap.klant.example:143", ("imap.klant.example", 143, False, False)),
    ("imap.klant.example:1993", ("imap.klant.example", 1993, True, True)),
    ("imap://imap.klant.example:993", ("imap.klant.example", 993, True, False)),
    ("imap://imap.klant.example", ("imap.klant.example", 143, False, False)),
    ("imap://10.0.0.5:1143", ("10.0.0.5", 1143, False, False)),
    ("imaps://[fd00::5]:1993", ("fd00::5", 1993, True, False)),
    ("[fd00::5]", ("fd00::5", 993, True, False)),
]


@pytest.mark.parametrize(("written", "meant"), SERVERS, ids=[written for written, _ in SERVERS])
def test_the_setting_server_says_host_port_and_tls(written: str, meant: tuple[str, int, bool, bool]) -> None:
    server = ImapServer.parse(written)
    assert (server.host, server.port, server.tls, server.guessed) == meant


@pytest.mark.parametrize(
    "written", [None, "", " ", "https://mail.klant.example", "host:0", "host:99999", "a b", "imap://"]
)
def test_a_server_that_is_none_is_refused_with_a_sentence(written: str | None) -> None:
    with pytest.raises(MailboxMissing, match=r"Server»"):
        ImapServer.parse(written)
