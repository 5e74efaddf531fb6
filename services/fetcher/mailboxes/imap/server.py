"""What the setting «server» of an IMAP mailbox says: host, port, and how TLS begins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from services.fetcher.mailboxes.protocol import MailboxMissing

IMAPS_PORT: Final = 993
IMAP_PORT: Final = 143
_WRITTEN: Final = re.compile(
    r"(?:(?P<scheme>[a-z]+)://)?(?P<host>\[[0-9A-Fa-f:.%a-z]+\]|[^\s/:@\[\]]+|(?=[0-9A-Fa-f]*+:[0-9A-Fa-f.]*+:)[0-9A-Fa-f:.]++)"
    r"(?::(?P<port>[0-9]{1,5}))?/?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ImapServer:
    """Where to connect. `tls`: from the first byte (RFC 8314 §3.2), else by STARTTLS.

    `guessed`: the setting names a port that says neither, so a server that greets in the clear is asked for STARTTLS.
    """

    host: str
    port: int
    tls: bool
    guessed: bool = False

    @classmethod
    def parse(cls, written: str | None) -> Self:
        """Read `host`, `host:port`, `imaps://host[:port]` or `imap://host[:port]`; MailboxMissing when it is none."""
        if not written or not written.strip():
            raise MailboxMissing("De mailserver ontbreekt: vul bij «Server» zijn naam in, zoals imap.voorbeeld.nl.")
        address = _WRITTEN.fullmatch(written.strip())
        scheme = (address["scheme"] or "").lower() if address else ""
        port = int(address["port"]) if address and address["port"] else None
        if address is None or scheme not in {"", "imap", "imaps"} or (port is not None and not 0 < port < 2**16):
            raise MailboxMissing(
                f"«{written.strip()}» is geen IMAP-server: vul bij «Server» host, host:poort, imaps://host of "
                "imap://host in."
            )
        host = address["host"].strip("[]")
        if scheme == "imaps" or port == IMAPS_PORT or (not scheme and port is None):
            return cls(host, port or IMAPS_PORT, tls=True)
        if scheme == "imap" or port == IMAP_PORT:
            return cls(host, port or IMAP_PORT, tls=False)
        return cls(host, port or IMAPS_PORT, tls=True, guessed=True)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
