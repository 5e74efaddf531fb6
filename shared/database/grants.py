"""What our roles may do in the database, beside what a fresh one grants them: the table of grants, and how it is read.

    python -m shared.database.frozen postgresql://…        writes the table anew, of a database just migrated

A line is `ROLE RIGHT KIND NAME`; a right on some columns of a table has a line for each of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from shared.database.pool import Connection
from shared.database.roles import ROLES

TABLE: Final = Path(__file__).with_name("grants.txt")

_GRANTS: Final = """
WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('helpdesk', 'ui_v1'))
SELECT allowed.grantee, allowed.privilege_type AS may, 'schema' AS kind, nspname::text AS name
FROM ours JOIN pg_namespace USING (oid, nspname) CROSS JOIN LATERAL aclexplode(nspacl) AS allowed
UNION ALL
SELECT allowed.grantee, allowed.privilege_type, CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END,
    nspname || '.' || relname
FROM pg_class JOIN ours ON ours.oid = relnamespace CROSS JOIN LATERAL aclexplode(relacl) AS allowed
UNION ALL
SELECT allowed.grantee, allowed.privilege_type, 'column', nspname || '.' || relname || '.' || attname
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN ours ON ours.oid = relnamespace
    CROSS JOIN LATERAL aclexplode(attacl) AS allowed
WHERE NOT attisdropped
UNION ALL
SELECT allowed.grantee, allowed.privilege_type, 'function',
    nspname || '.' || proname || '(' || pg_get_function_identity_arguments(pg_proc.oid) || ')'
FROM pg_proc JOIN ours ON ours.oid = pronamespace CROSS JOIN LATERAL aclexplode(proacl) AS allowed
"""


async def grants_of(connection: Connection) -> frozenset[str]:
    """The rights that our roles, or everybody, have in the database at the other end."""
    rows = await connection.fetch(
        f"""SELECT coalesce(role.rolname, 'PUBLIC') || ' ' || may || ' ' || kind || ' ' || name AS line
            FROM ({_GRANTS}) AS granted LEFT JOIN pg_roles AS role ON role.oid = granted.grantee
            WHERE role.rolname = ANY($1) OR granted.grantee = 0""",  # noqa: S608 - nothing but our own text
        list(ROLES),
    )
    return frozenset(row["line"] for row in rows)


def expected_grants() -> frozenset[str]:
    """The rights that they have once the newest revision is there."""
    return frozenset(TABLE.read_text(encoding="utf-8").splitlines())


def table_of(grants: frozenset[str]) -> str:
    """The table as the file holds it."""
    return "".join(f"{line}\n" for line in sorted(grants))


def statement_of(grant: str) -> str:
    """The statement that gives a right of the table, by the objects' owner."""
    role, right, kind, name = grant.split(" ", 3)
    if kind == "column":
        table, _, column = name.rpartition(".")
        return f"GRANT {right} ({column}) ON TABLE {table} TO {role}"
    return f"GRANT {right} ON {kind.upper()} {name} TO {role}"
