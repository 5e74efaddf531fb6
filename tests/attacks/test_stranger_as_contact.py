"""A stranger writes a header that resembles a contact's address: he is never taken for the contact (N2, D10)."""

import uuid
from time import process_time

import pytest

from services.classifier.reading.limits import DEFAULT_LIMITS
from services.classifier.reading.mime.address_header import parse_addresses
from services.classifier.reading.mime.header import parse_headers
from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings
from services.classifier.rules.facts import Mailbox, ask
from tests.attacks.ordinary import Yardstick

CONTACT = "els@smederij.example"


@pytest.mark.parametrize(
    "from_",
    [
        f'"{CONTACT} x"@elders.example',
        f'"a <{CONTACT}>"@elders.example',
        f'"{CONTACT}"@elders.example',
        f'"{CONTACT}, x" <y@elders.example>',
        f'"x" <"<{CONTACT}>"@elders.example>',
        f"x ({CONTACT}) <y@elders.example>",
        f"=?utf-8?Q?{CONTACT.replace('@', '=40')}?= <y@elders.example>",
        f"=?utf-8?Q?=22=3C{CONTACT.replace('@', '=40')}=3E?= <y@elders.example>",
        f"<{CONTACT}> <y@elders.example>",
        f"<y@elders.example> <{CONTACT}>",
        f"<@{CONTACT.partition('@')[2]}:y@elders.example>",
        f'"\\"{CONTACT}\\" "@elders.example',
        f"{CONTACT}@elders.example",
        f"y@elders.example (<{CONTACT}>",
    ],
)
def test_N2_nobody_is_taken_for_a_contact_who_is_not_the_address(from_: str) -> None:
    raw = f"From: {from_}\nReturn-Path: <y@elders.example>\nSubject: x\n\nHallo".encode()
    asked = ask(read_mail(raw, uuid.UUID(int=1), ReadingSettings()), Mailbox(1), r"\d{7}")
    assert asked.sender.mailbox is not None
    assert asked.sender.mailbox.address.endswith("@elders.example")
    assert asked.address is not None
    assert CONTACT not in (*asked.address.exact, *asked.address.without_tag)


@pytest.mark.parametrize(
    "piece",
    ["(", ")", '"', "\\", "\\(", '\\"', "<", "<@", "@", "a", "a@", "a@b.example, ", "[", "[a@", "=?a?Q?",
     "=?a?q?,", ":", "a ", "a, ", "(a) ", '"a" '],
)  # fmt: skip
def test_an_address_header_costs_time_in_proportion_to_its_size(piece: str) -> None:
    def cost(size: int) -> float:
        return _seconds((piece * size)[:size].encode())

    assert any(cost(32_768) < max(cost(8_192), 0.002) * 12 for _ in range(Yardstick.TRIES))


def test_nested_comments_in_any_token_cost_time_in_proportion_to_their_number() -> None:
    def cost(size: int) -> float:
        headers = parse_headers(b"Content-Transfer-Encoding: " + b"(" * size, DEFAULT_LIMITS)
        begin = process_time()
        headers.token("content-transfer-encoding")
        return process_time() - begin

    assert any(cost(16_000) < max(cost(4_000), 0.002) * 12 for _ in range(Yardstick.TRIES))


def _seconds(value: bytes) -> float:
    begin = process_time()
    parse_addresses([value], DEFAULT_LIMITS)
    return process_time() - begin
