"""A number of things in words, as sentences for people have it."""

from __future__ import annotations


def many(count: int, one: str, more: str = "") -> str:
    """`1 mail`, `2,000 mails`."""
    return f"{count} {one}" if count == 1 else f"{count:,} {more or f'{one}s'}"
