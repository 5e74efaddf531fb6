"""An attacker who lets the importer mail strangers: forged senders without end, each with a confirmation (SPEC D10)."""

from collections import Counter
from datetime import UTC, datetime

from services.ticket_writer.rules.limits import LIMITS
from tests.services.ticket_writer.conftest import Desk
from tests.services.ticket_writer.givens import mail, sender


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
