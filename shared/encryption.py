"""Secrets at rest (passwords, client secrets, keys with certificates), encrypted with keys that can be rotated.

    encryption = Encryption.from_secret(configuration.secret("encryption_keys"))
    column = encryption.encrypt(SecretStr("…"))        # bytes for the database
    password = encryption.decrypt(column)              # SecretStr

The secret `encryption_keys` holds Fernet keys (AES-128-CBC with HMAC-SHA256), one a line, the newest first: that one
encrypts, all decrypt. To rotate: put a new key above the others (`helpdesk-importer encryption key generate --add`),
restart the services, re-encrypt what is stored (`helpdesk-importer encryption rotate`), remove the old keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from shared.errors import ImporterError, Misconfigured


class CannotDecrypt(ImporterError):
    """No key that we have opens this, or it was damaged."""


@dataclass(frozen=True, slots=True)
class Encryption:
    """Encrypts with the newest key and decrypts with any. The keys are never shown."""

    _fernet: MultiFernet = field(repr=False)

    @classmethod
    def from_secret(cls, keys: SecretStr) -> Self:
        """Keys as they stand in the secret `encryption_keys`; Misconfigured when one is no key."""
        fernets = []
        for number, key in enumerate(keys.get_secret_value().split(), start=1):
            try:
                fernets.append(Fernet(key))
            except ValueError:
                raise Misconfigured(
                    f"Key {number} in the secret encryption_keys is no key: it must be 32 bytes in URL-safe base64. "
                    "Make one with helpdesk-importer encryption key generate."
                ) from None
        if not fernets:
            raise Misconfigured("The secret encryption_keys is empty: put at least one key in it.")
        return cls(MultiFernet(fernets))

    def encrypt(self, secret: SecretStr) -> bytes:
        """The secret as bytes that only our keys open; different each time."""
        return self._fernet.encrypt(secret.get_secret_value().encode())

    def decrypt(self, encrypted: bytes) -> SecretStr:
        """The secret again; CannotDecrypt when none of the keys opens it."""
        try:
            return SecretStr(self._fernet.decrypt(encrypted).decode())
        except InvalidToken:
            raise _cannot_decrypt() from None

    def rotate(self, encrypted: bytes) -> bytes:
        """The same secret under the newest key; CannotDecrypt when none of the keys opens it."""
        try:
            return self._fernet.rotate(encrypted)
        except InvalidToken:
            raise _cannot_decrypt() from None


def new_key() -> SecretStr:
    """A new key for the secret `encryption_keys`."""
    return SecretStr(Fernet.generate_key().decode())


def _cannot_decrypt() -> CannotDecrypt:
    return CannotDecrypt(
        "A stored secret cannot be decrypted: put the key that encrypted it back into the secret encryption_keys, "
        "or set the password or certificate again."
    )
