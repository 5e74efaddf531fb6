"""Whether a mail is signed or encrypted: by S/MIME (RFC 8551), PGP/MIME (RFC 3156) or PGP in its text (RFC 4880 6.2).

What is told is how the mail came, not whether a signature is good: nothing here knows anybody's key.
"""

from __future__ import annotations

import re
from typing import Final

from services.classifier.reading.mime.part import Part
from services.classifier.reading.wrappings.cms import EnvelopeKind, open_envelope
from shared.messages import Crypto

_CMS: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_SIGNATURES: Final = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"}
)
_OF_ENVELOPES: Final = {EnvelopeKind.SIGNED: Crypto.SIGNED, EnvelopeKind.ENCRYPTED: Crypto.ENCRYPTED}
_CERTIFICATES: Final = frozenset({"certs-only", "compressed-data"})
_ARMOUR: Final = re.compile(rb"^-----BEGIN PGP (SIGNED )?MESSAGE-----[ \t]*\r?$", re.MULTILINE)
_ARMOUR_WITHIN: Final = 64 * 1024


def find_crypto(root: Part) -> Crypto | None:
    """What the parts of the mail itself say, attached messages apart; None for a mail that is neither."""
    return stronger(*(_of_part(part) for part in root.walk()))


def stronger(*found: Crypto | None) -> Crypto | None:
    """What counts of several findings: encrypted wins, since then not all of the mail can be read."""
    return next((kind for kind in (Crypto.ENCRYPTED, Crypto.SIGNED) if kind in found), None)


def _of_part(part: Part) -> Crypto | None:
    if part.media_type in {"multipart/encrypted", "application/pgp-encrypted"}:
        return Crypto.ENCRYPTED
    if part.media_type == "multipart/signed" or part.media_type in _SIGNATURES:
        return Crypto.SIGNED
    is_cms = part.media_type in _CMS or part.name.lower().endswith((".p7m", ".p7s"))
    if is_cms:
        return _of_cms(part)
    if part.media_type == "text/plain" and part.disposition != "attachment":
        armour = _ARMOUR.search(part.content[:_ARMOUR_WITHIN])
        if armour is not None:
            return Crypto.SIGNED if armour[1] else Crypto.ENCRYPTED
    return None


def _of_cms(part: Part) -> Crypto | None:
    """The type that the content itself has, else that the part names (RFC 8551 3.2.2)."""
    envelope = open_envelope(part.content, longest=1)
    if envelope is not None:
        return _OF_ENVELOPES.get(envelope.kind)
    named = part.parameters.get("smime-type", "").lower()
    if named in _CERTIFICATES:
        return None
    if named.startswith("signed"):
        return Crypto.SIGNED
    return Crypto.ENCRYPTED
