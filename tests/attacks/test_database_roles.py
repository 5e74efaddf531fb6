"""A service's own role, taken over by an attacker, tries to become the owner of the database (issue: security, 1).

Every function that runs with the owner's rights is a way up where its code can be made to run something of the
attacker's: a trigger function attached to a table of his own, whose types and casts he made himself.
"""

from __future__ import annotations

import asyncpg
import pytest

from shared.database.roles import ROLES
from tests.databases import Database

SERVICES = sorted(role.removeprefix("importer_").removeprefix("helpdesk_") for role in ROLES)
"""Each role by the name that the fixture `database` knows it by."""

BAIT = """
    CREATE TEMPORARY TABLE bait (helpdesk_id bigint, generation integer);
    CREATE TRIGGER lure AFTER INSERT ON bait FOR EACH ROW EXECUTE FUNCTION helpdesk.reset_mailbox_state();
    INSERT INTO bait VALUES (1, 1);"""


@pytest.mark.parametrize("service", SERVICES)
async def test_no_role_makes_a_table_of_its_own(database: Database, service: str) -> None:
    async with database.connect(service) as connection:
        for statement in ("CREATE TEMPORARY TABLE bait (id bigint)", "CREATE TABLE public.bait (id bigint)"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


@pytest.mark.parametrize("service", SERVICES)
async def test_no_role_attaches_a_function_of_the_owner_to_a_table_of_its_own(database: Database, service: str) -> None:
    role = "helpdesk_ui" if service == "ui" else f"importer_{service}"
    async with database.connect("owner") as owner:  # as if somebody had given temporary tables back
        await owner.execute(f"GRANT TEMPORARY ON DATABASE {database.name} TO {role}")
    async with database.connect(service) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for function"):
            await connection.execute(BAIT)


async def test_no_function_is_everybodys_and_what_runs_as_the_owner_searches_no_schema_of_others(
    database: Database,
) -> None:
    async with database.connect("owner") as owner:
        functions = await owner.fetch(
            """SELECT oid::regprocedure::text AS name, prosecdef AS as_owner, proconfig AS settings,
                   EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner)))
                           WHERE grantee = 0) AS everybodys
               FROM pg_proc WHERE pronamespace IN ('helpdesk'::regnamespace, 'ui_v1'::regnamespace)"""
        )
        elsewhere = await owner.fetch(
            """SELECT oid::regprocedure::text AS name FROM pg_proc
               WHERE prosecdef AND pronamespace NOT IN ('helpdesk'::regnamespace, 'ui_v1'::regnamespace)"""
        )
    assert len(functions) > 20
    assert [row["name"] for row in functions if row["everybodys"]] == []
    lured = [
        row["name"] for row in functions if row["as_owner"] and row["settings"] != ["search_path=pg_catalog, pg_temp"]
    ]
    assert lured == []
    assert [row["name"] for row in elsewhere] == []


async def test_what_the_owner_makes_later_is_nobodys(database: Database) -> None:
    async with database.connect("owner") as owner:
        await owner.execute("CREATE FUNCTION helpdesk.later() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        await owner.execute("CREATE TYPE helpdesk.later_type AS ENUM ('a')")
        rights = await owner.fetchrow(
            """SELECT has_function_privilege('importer_classifier', 'helpdesk.later()', 'EXECUTE') AS function,
                   has_type_privilege('importer_classifier', 'helpdesk.later_type', 'USAGE') AS type"""
        )
    assert rights is not None
    assert dict(rights) == {"function": False, "type": False}


@pytest.mark.parametrize("service", SERVICES)
async def test_no_role_may_make_anything_in_a_schema_or_the_database(database: Database, service: str) -> None:
    async with database.connect(service) as connection:
        schemas = await connection.fetch(
            "SELECT nspname FROM pg_namespace WHERE has_schema_privilege(oid, 'CREATE') ORDER BY 1"
        )
        rights = await connection.fetchrow(
            """SELECT has_database_privilege(current_database(), 'CREATE') AS makes_schemas,
                   has_database_privilege(current_database(), 'TEMPORARY') AS makes_temporary_tables,
                   (SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication
                    FROM pg_roles WHERE rolname = current_user) AS is_powerful"""
        )
    assert [row["nspname"] for row in schemas] == []
    assert rights is not None
    assert dict(rights) == {"makes_schemas": False, "makes_temporary_tables": False, "is_powerful": False}
