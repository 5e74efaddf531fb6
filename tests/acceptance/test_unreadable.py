"""A mail that cannot be read in bounded time (D17): the pipeline goes on, and nothing of it is lost."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.acceptance.installation import Installation
from tests.acceptance.pipeline import Pipeline, a_mail, running_pipeline
from tests.acceptance.story import facts_of, says
from tests.bombs import with_many_pixels


@pytest.fixture
async def impatient(
    own_installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Pipeline]:
    """The services, with a second for a mail."""
    quick = replace(own_installation, environment=own_installation.environment | {"IMPORTER_READING_SECONDS": "1"})
    async with running_pipeline(quick, tmp_path_factory.mktemp("pipeline")) as running:
        yield running


async def test_D17_mail_that_takes_too_long_is_a_ticket_from_what_could_be_read(impatient: Pipeline) -> None:
    bomb = a_mail(subject="Te traag", text="Te traag")
    with_many_pixels(bomb)
    slow, other = impatient.drop(bomb), impatient.drop(a_mail(subject="Gewoon"))
    facts = await facts_of(impatient, [slow, other])
    assert facts[slow]["outcome"] == facts[other]["outcome"] == "ticket"
    assert facts[slow]["title"] == "Te traag"
    assert facts[slow]["reasons"] == says("unreadable")
    assert facts[slow]["history"] == says("kon niet volledig worden gelezen")
    assert facts[slow]["whole_text"] == says("Te traag")
