"""OpenPGP in the text itself (RFC 4880 6 and 7): a clear-signed text is read, an encrypted one is said to be so.

A signature is not checked here: the mail says that it was signed.
"""

from __future__ import annotations

import re
from typing import Final

from services.classifier.reading.conclusions import UNREADABLE

_SIGNED: Final = re.compile(
    r"^-----BEGIN PGP SIGNED MESSAGE-----[ \t]*\n(?:[A-Za-z-]{1,40}:[^\n]*\n)*[ \t]*\n"
    r"(.*?)(?:\n-----BEGIN PGP SIGNATURE-----[ \t]*\n.*?(?:^-----END PGP SIGNATURE-----[ \t]*$|\Z)|\Z)",
    re.MULTILINE | re.DOTALL,
)
_DASHED: Final = re.compile(r"^- ", re.MULTILINE)
_ENCRYPTED: Final = re.compile(
    r"^-----BEGIN PGP MESSAGE(?:, PART [0-9/]{1,9})?-----[ \t]*\n"
    r".*?(?:^-----END PGP MESSAGE[^\n]{0,20}-----[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)


def clear_signed(text: str) -> str | None:
    """`text` without the armour of a clear signature, None where it has none; line ends are LF."""
    if "-----BEGIN PGP SIGNED MESSAGE-----" not in text:
        return None
    read, count = _SIGNED.subn(lambda signed: _DASHED.sub("", signed[1]), text)
    return read if count else None


def without_encrypted(text: str) -> str | None:
    """`text` with each encrypted block replaced by a sentence that says so, None where it has none."""
    if "-----BEGIN PGP MESSAGE" not in text:
        return None
    read, count = _ENCRYPTED.subn(UNREADABLE, text)
    return read if count else None
