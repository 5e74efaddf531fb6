"""The certificate by which an app registration logs in at Microsoft Entra: checked before it is kept.

Entra takes a signature by RSA alone (PS256, RFC 7518 §3.5) and wants the certificate's SHA-256 beside it, so key and
certificate must fit; both stand in one PEM (RFC 7468), with the certificate's chain if there is one. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import SecretStr

from services.console.fields import BadValue
from services.console.texts import _

SMALLEST_KEY: Final = 2048
"""Bits of the smallest RSA key that may sign (NIST SP 800-131A)."""

_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\s.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class AppCertificate:
    """A private key and its certificate, as one PEM: the key, its certificate, the others; until when it holds."""

    pem: SecretStr
    expires_at: datetime


def app_certificate(given: bytes, now: datetime) -> AppCertificate:
    """Read what was given; BadValue says what is wrong with it, and shows nothing of the key."""
    blocks = [(match[1].decode("ascii"), match[0]) for match in _BLOCK.finditer(given)]
    keys = [block for kind, block in blocks if kind.endswith("PRIVATE KEY")]
    certificates = [block for kind, block in blocks if kind == "CERTIFICATE"]
    if len(keys) != 1 or not certificates:
        sentence = _(
            "A PEM with one private key and its certificate is needed; this has %(keys)s private keys and "
            "%(certificates)s certificates. Make one of a .pfx with: openssl pkcs12 -in FILE.pfx -nodes."
        )
        raise BadValue(sentence % {"keys": len(keys), "certificates": len(certificates)})
    key = _key(keys[0])
    chain = [_certificate(block) for block in certificates]
    own = next((one for one in chain if _public(one) == _public_of(key)), None)
    if own is None:
        raise BadValue(_("The private key does not belong to the certificate: give the two that were made together."))
    if own.not_valid_after_utc <= now:
        told = {"day": f"{own.not_valid_after_utc:%Y-%m-%d}"}
        raise BadValue(_("The certificate ended on %(day)s: make a new one.") % told)
    others = [one for one in chain if one is not own]
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem += b"".join(one.public_bytes(Encoding.PEM) for one in (own, *others))
    return AppCertificate(SecretStr(pem.decode("ascii")), own.not_valid_after_utc)


def _key(block: bytes) -> RSAPrivateKey:
    if b"ENCRYPTED" in block:
        raise BadValue(
            _(
                "The private key is locked with a passphrase: take it off (openssl pkey -in FILE). "
                "The importer stores the key encrypted with its own."
            )
        )
    try:
        key = serialization.load_pem_private_key(block, None)
    except (ValueError, TypeError):
        raise BadValue(_("The private key cannot be read: it is damaged, or of no kind that is known.")) from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < SMALLEST_KEY:
        sentence = _("The private key must be an RSA key of %(bits)s bits or more: Entra takes no other.")
        raise BadValue(sentence % {"bits": SMALLEST_KEY})
    return key


def _certificate(block: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(block)
    except ValueError:
        raise BadValue(_("A certificate cannot be read: it is damaged.")) from None


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _public_of(key: RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
