"""Runs files of SQL inside an Alembic revision, as they stand: many statements, no placeholders, nothing rewritten."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import asyncpg
from alembic import op
from sqlalchemy.util.concurrency import await_


def execute_scripts(scripts: Iterable[Path]) -> None:
    """Execute these files in turn, in the revision's transaction, with `helpdesk, public` as search path."""
    connection = op.get_bind()
    # Also opens the transaction: SQLAlchemy begins it with the first statement, and the scripts go past SQLAlchemy.
    connection.exec_driver_sql("SET LOCAL search_path TO helpdesk, public")
    driver = connection.connection.driver_connection
    if not isinstance(driver, asyncpg.Connection):
        raise TypeError(f"migrations run on asyncpg, not on {type(driver).__name__}")
    for script in scripts:
        await_(driver.execute(script.read_text(encoding="utf-8")))
