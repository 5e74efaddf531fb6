"""Parameters with names become the places that asyncpg knows."""

import pytest

from shared.database.named import NamedStatement
from tests.databases import Database

STATEMENT = NamedStatement.of("SELECT :kind::text, ARRAY[:number]::bigint[] -- once: :kind\nWHERE :kind <> 'x: y'")


def test_a_name_is_one_place_wherever_it_stands() -> None:
    assert STATEMENT.sql == "SELECT $1::text, ARRAY[$2]::bigint[] -- once: $1\nWHERE $1 <> 'x: y'"
    assert STATEMENT.names == ("kind", "number")


def test_values_stand_in_the_places_of_their_names() -> None:
    assert STATEMENT.arguments(number=3, kind="a") == ["a", 3]


@pytest.mark.parametrize("values", [{"kind": "a"}, {"kind": "a", "number": 1, "nummer": 2}], ids=["missing", "unknown"])
def test_a_value_too_few_or_too_many_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(TypeError, match=r"nummer|number"):
        STATEMENT.arguments(**values)


async def test_values_arrive_under_their_names(database: Database) -> None:
    statement = NamedStatement.of("SELECT :first::text || :second::text || :first::text")
    async with database.connect("classifier") as connection:
        said = await connection.fetchval(statement.sql, *statement.arguments(second="b", first="a"))
    assert said == "aba"
