"""What keeps a notification from being delivered (`notifications.reason` while planned or failed; DESIGN 5, 9).

The notifier writes the id; `notifications.server_reply` holds the server's own words. `UNKNOWN_RECIPIENT` is what the
limits on mails out look at: no mail for 60 days to an address that a server does not know (SPEC D10).
"""

from __future__ import annotations

from enum import StrEnum


class DeliveryReason(StrEnum):
    """The id of a reason. Planned: it is tried again. Failed: it is final."""

    NO_ACCOUNT = "no-account"
    """The helpdesk has no outgoing account, or no address to send from."""
    LOGIN_REFUSED = "login-refused"
    """The server refuses the account's user name or password, or demands a login that the account does not have."""
    NOT_SECURE = "not-secure"
    """The server offers no TLS or shows a certificate that does not hold."""
    SERVER_AWAY = "server-away"
    """The server does not answer, breaks off, or answers what is no SMTP."""
    REFUSED_FOR_NOW = "refused-for-now"
    """The server refused with 4xx: a greylist, a full mailbox, too much at once."""
    UNKNOWN_RECIPIENT = "unknown-recipient"
    """Final: the server does not know the address (5.1.1, RFC 3463)."""
    REFUSED = "refused"
    """Final: the server refused with another 5xx."""
    GAVE_UP = "gave-up"
    """Final: 72 hours of tries ended without delivery."""
    NOT_RENDERED = "not-rendered"
    """Final: the mail could not be written, by an error of ours."""
