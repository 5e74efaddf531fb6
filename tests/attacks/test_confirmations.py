"""An attacker who lets the importer mail strangers: forged senders without end, each with a confirmation (SPEC D10)."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from services.ticket_writer.writing import Message
from shared.html.sanitise import sanitise
from shared.messages import Bodies, Body, ClassifiedMail, ContentKey, DmarcResult
from shared.portal.mail_limits import LIMITS
from tests.attacks.desks import Desks, bodies_of
from tests.services.ticket_writer.conftest import Desk
from tests.services.ticket_writer.givens import WHOLE, digest, image, left_out, mail, sender


async def confirmations(desk: Desk, *addresses: str) -> Counter[str]:
    """How many mails from these forged senders were to be confirmed (`planned`), and why the others were not."""
    for number, address in enumerate(addresses):
        forged = sender(address, known=False)
        await desk.take_in(mail(received_at=datetime.now(UTC), subject=f"Lees dit {number}", sender=forged))
    rows = await desk.rows(
        "SELECT coalesce(reason, state) AS how FROM notifications WHERE kind = 'ticket-added-customer'"
    )
    return Counter(row["how"] for row in rows)


async def test_D10_the_dots_of_one_Gmail_address(desk: Desk) -> None:
    dotted = [f"{'v' * dot}.{'v' * (15 - dot)}@gmail.com" for dot in range(1, 15)]
    assert await confirmations(desk, *dotted) == {"planned": LIMITS.in_all, "over-limit": 14 - LIMITS.in_all}


async def test_D10_quotes_and_tags_around_one_address(desk: Desk) -> None:
    spelled = [f'"slacht\\offer+{tag}"@elders.example' for tag in range(6)]
    spelled += [f"slachtoffer+{tag}@elders.example" for tag in range(6)]
    assert await confirmations(desk, *spelled) == {"planned": LIMITS.in_all, "over-limit": 12 - LIMITS.in_all}


async def test_D10_subdomains_of_one_domain(desk: Desk) -> None:
    below = [f"iemand@afdeling{number}.elders.example" for number in range(LIMITS.in_domain + 3)]
    assert await confirmations(desk, *below) == {"planned": LIMITS.in_domain, "over-limit-in-domain": 3}


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        pytest.param(
            [f"{'.' * (n % 2)}".join("piet") + f"+{n}@gmail.com" for n in range(LIMITS.in_all + 5)],
            {"planned": LIMITS.in_all, "over-limit": 5},
            id="one-mailbox",
        ),
        pytest.param(
            [f"iemand{n}@a{n}.elders.example" for n in range(LIMITS.in_domain + 5)],
            {"planned": LIMITS.in_domain, "over-limit-in-domain": 5},
            id="one-domain",
        ),
        pytest.param(
            [f"iemand@domein{n}.example" for n in range(25)],
            {"planned": 20, "over-limit-unknown-senders": 5},
            id="anywhere",
        ),
    ],
)
async def test_D10_mails_of_one_batch_meet_the_limits_as_single_ones_do(
    desk: Desk, addresses: list[str], expected: dict[str, int]
) -> None:
    limit = 20 if "over-limit-unknown-senders" in expected else 100
    await desk.execute(f"UPDATE helpdesks SET unknown_senders_per_hour = {limit} WHERE id = 1")  # noqa: S608 - ours
    given = [
        await desk.fetch(
            mail(
                received_at=datetime.now(UTC),
                subject=f"Vraag {number}",
                sender=sender(address, known=False),
                content_key=ContentKey(key=digest(address), text_digest=digest(address)),
            )
        )
        for number, address in enumerate(addresses)
    ]
    await desk.writer.write_all([Message(each, Bodies(whole=WHOLE), each.received_at) for each in given])
    rows = await desk.rows(
        "SELECT coalesce(reason, state) AS came, count(*) AS mails FROM notifications "
        "WHERE kind = 'ticket-added-customer' GROUP BY 1"
    )
    assert {row["came"]: row["mails"] for row in rows} == expected


async def test_D10_another_domain_each_time_and_a_known_contact_is_still_answered(desk: Desk) -> None:
    await desk.execute("UPDATE helpdesks SET unknown_senders_per_hour = 20 WHERE id = 1")
    anywhere = [f"iemand@domein{number}.example" for number in range(23)]
    assert await confirmations(desk, *anywhere) == {"planned": 20, "over-limit-unknown-senders": 3}
    known = mail(received_at=datetime.now(UTC), subject="Een gewone vraag")
    await desk.take_in(known)
    state = "SELECT state FROM notifications WHERE mail_id = $1 AND kind = 'ticket-added-customer'"
    assert await desk.value(state, known.mail_id) == "planned"


async def test_D10_a_hundred_unknown_senders_an_hour_is_what_a_helpdesk_confirms_to_by_itself(desk: Desk) -> None:
    assert await desk.value("SELECT unknown_senders_per_hour FROM helpdesks WHERE id = 1") == 100


LINKS = ("http://evil.example/a", "www.evil.example", "evil.com", "mailto:x@evil.com", "evil\u200b.com", "EVIL。com")


EVERYTHING = (
    "<p>Beste [ontvanger], [afzender]: [onderwerp] ([tickettitel]). [bijlagen] [niet opgeslagen bijlagen]</p>"
    "<div>[omschrijving]</div>"
)
"""A helpdesk's own template that repeats all that a mail says."""


async def confirmation(desks: Desks, given: ClassifiedMail) -> str:
    """What the sender reads of his confirmation: header, text and html."""
    await desks.desk.execute(
        "INSERT INTO templates (helpdesk_id, kind, body_html) VALUES (1, 'ticket-added-customer', $1)", EVERYTHING
    )
    await desks.take_in(given)
    assert given.sender is not None
    (read,) = desks.received(given.sender.mailbox.address)
    return "\n".join([str(read["Subject"]), str(read["To"]), *bodies_of(read)])


def bait(**changes: Any) -> ClassifiedMail:
    """A mail that says wherever it can where to go, in the name of somebody whom it is sent to by us."""
    words = " en ".join(("Bel 020-1234567", *LINKS))
    html = sanitise(f'<p>{words} <a href="http://evil.example/b">hier</a></p>', frozenset())
    picture, scan = image("kijk op evil.com.png"), left_out("evil.com.pdf")
    given: dict[str, Any] = {
        "received_at": datetime.now(UTC),
        "subject": words,
        "sender": sender("slachtoffer@elders.example", known=False, name="Ga naar http://evil.example/a"),
        "bodies": Bodies(whole=Body(html=html, text=words)),
        "images": (picture,),
        "left_out": (scan,),
    }
    return mail(**given | changes)


@pytest.mark.parametrize("quoted", ["nothing", "subject", "all"])
async def test_M4_no_link_of_a_stranger_is_repeated_to_whom_he_likes(desks: Desks, quoted: str) -> None:
    await desks.desk.execute("UPDATE helpdesks SET quoted_to_strangers = $1 WHERE id = 1", quoted)
    said = await confirmation(desks, bait())
    assert "evil" not in said.lower().replace("\u200b", "")
    assert "Beste slachtoffer@elders.example," in said  # not what he calls himself
    assert said.count("Bel 020-1234567") == {"nothing": 0, "subject": 5, "all": 7}[quoted]


async def test_M4_by_itself_the_beginning_of_a_strangers_subject_and_none_of_his_text_is_repeated(desks: Desks) -> None:
    text = "Uw rekening staat open. " * 100
    said = await confirmation(
        desks,
        bait(subject=text, bodies=Bodies(whole=Body(html="<p>Uw rekening</p>", text=text)), images=(), left_out=()),
    )
    assert "Uw rekening staat open." in said
    assert said.count("Uw rekening") == 5 * 3  # in 80 characters, wherever the template has the subject or the title
    assert "(niet herhaald)" in said


@pytest.mark.parametrize(
    "who",
    [
        pytest.param({"sender": sender()}, id="a contact"),
        pytest.param({"dmarc": DmarcResult.PASS}, id="vouched for by DMARC"),
    ],
)
async def test_M4_who_is_known_or_vouched_for_sees_his_mail_as_it_is(desks: Desks, who: dict[str, Any]) -> None:
    said = await confirmation(desks, bait(**who))
    assert all(link in said for link in LINKS[:4])
    assert 'href="http://evil.example/b"' in said
