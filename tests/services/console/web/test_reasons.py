"""Reasons of mails, and of mails out, are read in the visitor's language; programs get them as they are."""

from __future__ import annotations

from html import unescape

import pytest

from shared.messages import ReasonId
from shared.portal import delivery, english, reasons
from shared.portal.delivery import DeliveryReason
from tests.services.console.web.conftest import World

TICKET = "00000000-0000-0000-0000-000000000001"
OF_MAILS = """UPDATE imported_mails SET reasons = '[{"id": "no-sender"}]'"""
OF_MAILS_OUT = "UPDATE notifications SET reason = 'server-away', tries = 2, next_try_at = now() + interval '1 hour'"
OF_A_MAIL = (reasons.EXPLANATIONS[ReasonId.NO_SENDER], english.REASONS[ReasonId.NO_SENDER])
OF_A_MAIL_OUT = (delivery.DELIVERY[DeliveryReason.SERVER_AWAY], english.DELIVERY[DeliveryReason.SERVER_AWAY])


@pytest.fixture(autouse=True, scope="module")
async def given(world: World) -> None:
    """Each mail and each mail out has one reason, with a remedy."""
    await world.owner.execute("ALTER TABLE imported_mails DISABLE TRIGGER USER")
    await world.owner.execute("UPDATE dead_letters SET resolved_at = now()")  # what is in that list is in no other
    await world.owner.execute(OF_MAILS)
    await world.owner.execute(OF_MAILS_OUT)


@pytest.mark.parametrize(
    ("path", "explanations"),
    [
        (f"/mails/{TICKET}", [OF_A_MAIL, OF_A_MAIL_OUT]),
        ("/work/quarantine", [OF_A_MAIL]),
        ("/work/undelivered", [OF_A_MAIL_OUT]),
        ("/notifications", [OF_A_MAIL_OUT]),
        ("/tickets/TCK-12", [OF_A_MAIL_OUT]),
    ],
)
async def test_a_reason_and_its_remedy_are_in_the_visitors_language(
    world: World, path: str, explanations: list[tuple[reasons.Explanation, reasons.Explanation]]
) -> None:
    pages = []
    for user in ("baas", "boss"):
        async with await world.logged_in(user) as client:
            pages.append(unescape((await client.get(path)).text))
    in_dutch, in_english = pages
    for dutch, translated in explanations:
        for text, other in ((dutch.sentence, translated.sentence), (dutch.remedy, translated.remedy)):
            assert text in in_dutch
            assert other not in in_dutch
            assert other in in_english
            assert text not in in_english


async def test_the_list_of_mails_has_the_first_reason_in_the_visitors_language(world: World) -> None:
    dutch, translated = OF_A_MAIL
    for user, said, other in (("baas", dutch, translated), ("boss", translated, dutch)):
        async with await world.logged_in(user) as client:
            page = unescape((await client.get("/mails")).text)
        assert said.sentence in page
        assert other.sentence not in page


async def test_a_viewer_without_personal_data_reads_reasons_in_his_language_too(world: World) -> None:
    await world.owner.execute("UPDATE web_users SET language = 'en' WHERE name = 'kijker'")
    async with await world.logged_in("kijker") as client:
        assert OF_A_MAIL[1].sentence in unescape((await client.get(f"/mails/{TICKET}")).text)


async def test_a_program_gets_reasons_as_they_are(world: World) -> None:
    async with await world.logged_in("boss", accept="application/json") as client:
        (reason,) = (await client.get(f"/mails/{TICKET}")).json()["mail"]["reasons"]
    assert (reason["id"], reason["sentence"]) == ("no-sender", OF_A_MAIL[0].sentence)
