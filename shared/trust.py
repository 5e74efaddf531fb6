"""Which certificates are trusted: those of a CA file where the settings name one, else those of the machine.

The one rule for every server that the importer connects to: IMAP, EWS, Microsoft, SMTP.
"""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path

from shared.errors import ImporterError


class UnusableCaFile(ImporterError):
    """The CA file cannot be read, or holds no certificate in PEM form; nothing was sent to the server."""

    def __init__(self, ca_file: str, why: str) -> None:
        super().__init__(f"The CA file {ca_file} cannot be used ({why}): check its path, permissions and contents.")
        self.sentence = (
            f"Het CA-bestand {ca_file} is niet te gebruiken ({why}): controleer het pad, de leesrechten van de "
            "importer en of er een certificaat in PEM-vorm in staat."
        )
        """The same for the settings screen, in Dutch."""


def tls_context(ca_file: str | None, protocol: str) -> ssl.SSLContext:
    """TLS that trusts the certificates in `ca_file` and no others; None: those of the machine. It blocks.

    A context is shared by all who speak `protocol` (a word of the caller's), since reading the machine's certificates
    takes 17 ms and 700 KiB; never across protocols, since HTTP libraries write their ALPN (RFC 7301) into it, which an
    IMAP server may refuse. A CA file that changed is read again. Raises UnusableCaFile.
    """
    if ca_file is None:
        return _read(None, 0, protocol)
    try:
        return _read(ca_file, Path(ca_file).stat().st_mtime_ns, protocol)
    except (OSError, ValueError) as error:  # SSLError is an OSError; a path with a NUL is a ValueError
        raise UnusableCaFile(ca_file, getattr(error, "strerror", None) or "no PEM certificate") from error


@lru_cache(maxsize=64)
def _read(ca_file: str | None, _modified: int, _protocol: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    if ca_file is not None:
        # The file may hold an intermediate authority or the server's own certificate, and a private authority need not
        # follow RFC 5280 to the letter, on which Python insists from 3.13 on. Signatures, dates and names are checked.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
