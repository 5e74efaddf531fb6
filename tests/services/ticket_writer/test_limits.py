"""What mails to an address are counted by (SPEC D10): the rule and the database's column say the same."""

import pytest

from services.ticket_writer.rules.limits import limit_key
from tests.services.ticket_writer.conftest import Desk
from tests.services.ticket_writer.givens import mail, sender

ADDRESSES = ["Jan@Klant.Example", "no-reply+8a7f@klant.example", "a+b+c@klant.example", "+@klant.example"]


@pytest.mark.parametrize("address", ADDRESSES)
async def test_D10_rule_and_column_count_alike(address: str, desk: Desk) -> None:
    given = mail(sender=sender(address))
    await desk.take_in(given)
    key = await desk.value(
        "SELECT recipient_key FROM notifications WHERE mail_id = $1 AND kind = 'ticket-added-customer'", given.mail_id
    )
    assert key == limit_key(address)
