"""Local passwords: Argon2id, in threads of their own, so many at once that memory stays bounded (64 MiB a hash)."""

from __future__ import annotations

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 12
"""Characters of a password (NIST SP 800-63B-4 §3.1.1.2 asks for 15 where nothing else protects, 8 at least)."""
LONGEST: Final = 256
_AT_ONCE: Final = 2

_hasher: Final = PasswordHasher()  # Argon2id with the parameters of RFC 9106 §4, second choice
_nobodys: Final = _hasher.hash("the password of nobody")
_turn = asyncio.Semaphore(_AT_ONCE)


async def hashed(password: str) -> str:
    """What the database keeps of a password."""
    async with _turn:
        return await asyncio.to_thread(_hasher.hash, password)


async def is_right(password: str, stored: str | None) -> bool:
    """Whether the password is the stored one; takes as long where none is stored, as for a name that nobody has."""
    async with _turn:
        right = await asyncio.to_thread(_verified, password[: LONGEST + 1], stored or _nobodys)
    return right and stored is not None


def _verified(password: str, stored: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
