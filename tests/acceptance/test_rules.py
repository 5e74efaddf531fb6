"""The rules of the specification as stories, all played at once through the four services."""

from datetime import date

import pytest

from tests.acceptance.pipeline import Pipeline
from tests.acceptance.rules.bodies import BODIES
from tests.acceptance.rules.deadlines import DEADLINES
from tests.acceptance.rules.fields import FIELDS
from tests.acceptance.rules.numbers import NUMBERS
from tests.acceptance.rules.people import PEOPLE
from tests.acceptance.story import Scene, Story, play

STORIES: dict[str, Story] = {**NUMBERS, **FIELDS, **DEADLINES, **BODIES, **PEOPLE}


@pytest.fixture(scope="module")
async def played(pipeline: Pipeline) -> dict[str, Scene]:
    """Every story's scene after its last mail."""
    await _add_calendars(pipeline)
    return await play(pipeline, STORIES)


@pytest.mark.parametrize("rule", STORIES)
def test_rule(rule: str, played: dict[str, Scene]) -> None:
    assert played[rule].observed() == played[rule].expected()


async def _add_calendars(pipeline: Pipeline) -> None:
    """One that never closes, and one with a day on which the helpdesk is closed."""
    for name, days, hours in (("Dag en nacht", 7, ("00:00", "24:00")), ("Met een vrije dag", 5, ("08:30", "17:00"))):
        await pipeline.connection.execute(
            """WITH calendar AS (INSERT INTO helpdesk.calendars (name) VALUES ($1) RETURNING id)
               INSERT INTO helpdesk.calendar_hours (calendar_id, weekday, opens, closes)
               SELECT id, weekday, $3::text::time, $4::text::time
               FROM calendar, generate_series(1, $2::int) AS weekday""",
            name,
            days,
            *hours,
        )
    await pipeline.connection.execute(
        """INSERT INTO helpdesk.calendar_exceptions (calendar_id, day, description)
           SELECT id, $1, 'Studiedag' FROM helpdesk.calendars WHERE name = 'Met een vrije dag'""",
        date(2025, 6, 4),
    )
