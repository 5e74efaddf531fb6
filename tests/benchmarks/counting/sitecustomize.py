"""Counts, in a service that finds this on its path, how often a connection is taken from its pool: in /metrics."""

from __future__ import annotations

from typing import Any

import asyncpg.pool
from prometheus_client import Counter

CHECKOUTS = Counter("bench_checkouts_total", "Connections that were taken from the pool")
_acquire = asyncpg.pool.Pool.acquire


def acquire(self: asyncpg.pool.Pool[Any], **options: Any) -> Any:
    """As asyncpg does, and counted."""
    CHECKOUTS.inc()
    return _acquire(self, **options)


asyncpg.pool.Pool.acquire = acquire  # type: ignore[method-assign]
