"""A cause that was told in English stands in Dutch in a Dutch sentence (S8)."""

from dataclasses import replace

import httpx
import pytest
from pydantic import SecretStr

from services.console.needs_in_dutch import in_dutch
from shared.broker.administration import management
from shared.errors import Outage
from shared.sentences import Sentence, ended, said_by
from shared.standing.needs import needs
from tests.shared.standing.examples import standing


async def silence_of_rabbitmq() -> str:
    with pytest.raises(Outage) as silent:  # port 1 belongs to nobody
        async with management(SecretStr("http://importer_console:x@127.0.0.1:1"), "helpdesk") as rabbitmq:
            await rabbitmq.alarms()
    assert isinstance(silent.value.__cause__, httpx.HTTPError)
    return ended(said_by(silent.value))


async def test_S8_a_rabbitmq_that_does_not_answer_is_told_in_dutch() -> None:
    (need,) = needs(replace(standing(), broker=None, broker_trouble=await silence_of_rabbitmq()))
    said = in_dutch(need)
    assert said.startswith("De beheer-API van RabbitMQ antwoordt niet op 127.0.0.1: ")
    assert said.endswith(". Zolang RabbitMQ zelf niet draait, blijft nieuwe mail ongelezen in het postvak.")
    assert need.english.startswith("RabbitMQ's management API does not answer at 127.0.0.1: ")


def test_S8_a_postgresql_that_does_not_answer_is_told_in_dutch() -> None:
    late = Sentence("It does not answer within %(seconds)g seconds.", seconds=1.5)
    database_away, *_ = needs(replace(standing(), database=None, database_trouble=late))
    assert in_dutch(database_away).startswith("PostgreSQL: Het antwoordt niet binnen 1.5 seconden. Tot dat voorbij is ")


def test_a_sentence_that_has_its_full_stop_keeps_it() -> None:
    assert ended("It is so.") == "It is so."
    assert ended("It is so") == "It is so."
