"""What is told of an error outside the log."""

import asyncpg
import pytest

from shared.broker.settle import LONGEST_ERROR, describe


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("the printer is on fire", "PostgresError: the printer is on fire", id="as it is"),
        pytest.param("first\n  second", "PostgresError: first second", id="several lines"),
        pytest.param("x" * 2 * LONGEST_ERROR, f"PostgresError: {'x' * (LONGEST_ERROR - 15)}", id="too long"),
    ],
)
def test_an_error_is_told_in_one_bounded_line(text: str, line: str) -> None:
    assert describe(asyncpg.PostgresError(text)) == line


def test_the_row_that_the_database_refused_is_not_told() -> None:
    refused = asyncpg.CheckViolationError('new row for "tickets" violates "title"')
    refused.detail = "Failing row contains (1, Beste Piet,\nmijn wachtwoord is …)."
    assert describe(refused) == 'CheckViolationError: new row for "tickets" violates "title"'
