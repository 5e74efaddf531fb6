"""One transport for each account, and what becomes of it when the account is changed."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from services.notifier.notification import Account, Secrets, Security
from services.notifier.transport import AccountTrouble, OutgoingMail
from services.notifier.transports import Transports
from shared.portal.delivery import DeliveryReason
from shared.sealing import Keyring, new_key
from tests.services.notifier.house import keyring

ACCOUNT = Account(id=1, version=1, kind="counting", host="mail.example", port=25, security=Security.NONE)


class Counting:
    """A transport that counts how often it is told to close."""

    def __init__(self, account: Account, secrets: Secrets) -> None:
        self.account = account
        self.secrets = secrets
        self.closed_idle = 0
        self.closed = 0

    async def send(self, mail: OutgoingMail) -> str:
        return f"250 {mail.recipient}"

    async def check(self) -> str:
        return "counting"

    async def close_idle(self) -> None:
        self.closed_idle += 1

    async def close(self) -> None:
        self.closed += 1


async def test_a_changed_account_gets_a_new_transport_and_the_earlier_one_is_closed_at_the_end() -> None:
    async with Transports(keyring(), {"counting": Counting}) as transports:
        first = transports.of(ACCOUNT)
        assert transports.of(ACCOUNT) is first
        second = transports.of(replace(ACCOUNT, version=2))
        assert second is not first
    assert isinstance(first, Counting)
    assert isinstance(second, Counting)
    assert (first.closed, second.closed) == (1, 1)


async def test_a_password_that_no_key_opens_is_trouble_of_the_account_each_time_and_leaves_nothing_behind() -> None:
    foreign = Keyring.from_secret(new_key()).public.seal(SecretStr("hush"))
    changed = replace(ACCOUNT, version=2, username="x", password_encrypted=foreign)
    async with Transports(keyring(), {"counting": Counting}) as transports:
        first = transports.of(ACCOUNT)
        for _ in range(3):
            with pytest.raises(AccountTrouble) as trouble:
                transports.of(changed)
            assert trouble.value.reason is DeliveryReason.LOGIN_REFUSED
        await transports.close_idle()
    assert isinstance(first, Counting)
    assert (first.closed_idle, first.closed) == (1, 1)
