"""Freezes what a database just migrated has: the rights of our roles (`grants.txt`) and its objects (`objects.txt`).

python -m shared.database.frozen postgresql://…
"""

from __future__ import annotations

import asyncio
import sys

from shared.database import grants, objects
from shared.database.pool import open_pool
from shared.database.roles import ROLES


async def _freeze(url: str) -> None:
    pool = await open_pool(url, application_name="frozen lists", max_size=1)
    async with pool, pool.acquire() as connection:
        revision = await connection.fetchval("SELECT version_num FROM public.alembic_version")
        living = await objects.living(connection, ROLES)
        granted = await grants.grants_of(connection)
    grants.TABLE.write_text(grants.table_of(granted), encoding="utf-8")
    objects.LIST.write_text(objects.list_of(revision, living.objects), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_freeze(sys.argv[1]))
