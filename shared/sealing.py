"""Secrets at rest (passwords, client secrets, keys with certificates): anybody seals, only fetcher and notifier open.

    keyring = Keyring.from_secret(configuration.secret("encryption_keys"))     # fetcher, notifier, the owner
    key = await published_key(connection)                                       # everybody else: shared.database
    column = key.seal(SecretStr("…"))                                           # bytes for the database
    password = keyring.open(column)                                             # SecretStr

Sealed is HPKE (RFC 9180) in mode base with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, `info` as `_INFO`,
no further data, the secret as UTF-8. The bytes: 0x01; the key's id (the first 8 bytes of the SHA-256 of its 32 bytes);
the encapsulated key (32); the ciphertext with its tag. Why so: docs/decisions/sealed-secrets.md.

The secret `encryption_keys` holds 32 random bytes a line in URL-safe base64, the newest first: secrets are sealed for
its public key, and all open. Such a line is also the Fernet key by which secrets were encrypted before there was a
public key: those are still opened, and `encryption rotate` seals them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from shared.errors import ImporterError, Misconfigured
from shared.sentences import Sentence

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_INFO: Final = b"helpdesk-importer secret 1"
_DERIVATION: Final = b"helpdesk-importer sealing key 1"
_FINGERPRINTS: Final = b"helpdesk-importer fingerprint key 1"
_VERSION: Final = b"\x01"
_ID_BYTES: Final = 8


class CannotOpen(ImporterError):
    """No key that we have opens this, or it was damaged."""


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A public key: whoever has it seals, and opens nothing."""

    raw: bytes
    """The 32 bytes of an X25519 public key (RFC 7748)."""

    @property
    def id(self) -> bytes:
        """By which a sealed secret names its key."""
        return hashlib.sha256(self.raw).digest()[:_ID_BYTES]

    def seal(self, secret: SecretStr) -> bytes:
        """The secret as bytes that only the private key opens; different each time."""
        to = X25519PublicKey.from_public_bytes(self.raw)
        return _VERSION + self.id + _SUITE.encrypt(secret.get_secret_value().encode(), to, info=_INFO)


@dataclass(frozen=True, slots=True)
class _Key:
    """One line of the secret `encryption_keys`."""

    private: X25519PrivateKey
    fernet: Fernet
    fingerprints: bytes

    @classmethod
    def of(cls, line: str) -> Self:
        """ValueError when it is no key."""
        fernet, raw = Fernet(line), base64.urlsafe_b64decode(line)
        seed = HKDF(SHA256(), 32, salt=None, info=_DERIVATION).derive(raw)
        fingerprints = HKDF(SHA256(), 32, salt=None, info=_FINGERPRINTS).derive(raw)
        return cls(X25519PrivateKey.from_private_bytes(seed), fernet, fingerprints)

    @property
    def public(self) -> SealingKey:
        return SealingKey(self.private.public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True)
class Keyring:
    """Private keys, the newest first. They are never shown."""

    _keys: tuple[_Key, ...] = field(repr=False)

    @classmethod
    def from_secret(cls, keys: SecretStr) -> Self:
        """Keys as they stand in the secret `encryption_keys`; Misconfigured when one is no key."""
        ring = []
        for number, line in enumerate(keys.get_secret_value().split(), start=1):
            try:
                ring.append(_Key.of(line))
            except ValueError:
                no_key = Sentence(
                    "Key %(number)s in the secret encryption_keys is no key: it must be 32 bytes in URL-safe base64. "
                    "Make one with helpdesk-importer encryption key generate.",
                    number=number,
                )
                raise Misconfigured(no_key) from None
        if not ring:
            raise Misconfigured(Sentence("The secret encryption_keys is empty: put at least one key in it."))
        return cls(tuple(ring))

    @property
    def public(self) -> SealingKey:
        """The public key of the newest, for whoever writes secrets."""
        return self._keys[0].public

    def open(self, sealed: bytes) -> SecretStr:
        """The secret again; CannotOpen when none of the keys opens it."""
        try:
            return SecretStr(self._opened(sealed).decode())
        except (InvalidTag, InvalidToken, UnicodeDecodeError):
            raise CannotOpen(
                "A stored secret cannot be opened: put the key that it was sealed for back into the secret "
                "encryption_keys, or set the password or certificate again."
            ) from None

    def reseal(self, sealed: bytes) -> bytes:
        """The same secret for the newest key; CannotOpen when none of the keys opens it."""
        return self.public.seal(self.open(sealed))

    def fingerprint(self, account: str, secret: SecretStr) -> bytes:
        """32 bytes, the same for the same account and secret; without the newest key they tell nothing."""
        said = b"\0".join(hashlib.sha256(part.encode()).digest() for part in (account, secret.get_secret_value()))
        return hmac.digest(self._keys[0].fingerprints, said, "sha256")

    def _opened(self, sealed: bytes) -> bytes:
        if sealed.startswith(_VERSION):
            key_id, ciphertext = sealed[1 : 1 + _ID_BYTES], sealed[1 + _ID_BYTES :]
            key = next((key for key in self._keys if key.public.id == key_id), None)
            if key is None:
                raise InvalidTag
            return _SUITE.decrypt(ciphertext, key.private, info=_INFO)
        for key in self._keys[:-1]:
            try:
                return key.fernet.decrypt(sealed)
            except InvalidToken:
                continue
        return self._keys[-1].fernet.decrypt(sealed)


def new_key() -> SecretStr:
    """A new key for the secret `encryption_keys`."""
    return SecretStr(Fernet.generate_key().decode())
