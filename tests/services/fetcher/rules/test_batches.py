"""How mails are gathered into batches that fit into memory and disk."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fetcher.rules.batches import BATCH_BYTES, WINDOW, batches

MIB = 1024 * 1024


@dataclass(frozen=True)
class Mail:
    size: int | None


def sizes(*mib: int | None, largest: int = 50) -> list[list[int | None]]:
    mails = [Mail(None if size is None else size * MIB) for size in mib]
    return [
        [None if mail.size is None else mail.size // MIB for mail in batch.mails]
        for batch in batches(mails, largest=largest * MIB)
    ]


@pytest.mark.parametrize(
    ("given_sizes", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([1, 2, 3], [[1, 2, 3]], id="all fit"),
        pytest.param([16, 16, 1], [[16, 16], [1]], id="to the byte"),
        pytest.param([1, 40, 1], [[1], [40], [1]], id="a large one goes alone"),
        pytest.param([None, 1], [[None], [1]], id="an unknown size counts as the largest"),
    ],
)
def test_a_batch_is_bounded_by_its_bytes(given_sizes: list[int | None], expected: list[list[int | None]]) -> None:
    assert sizes(*given_sizes) == expected


def test_D17_a_mail_that_is_too_large_counts_no_more_than_is_fetched_of_it() -> None:
    assert sizes(900, 1, largest=4) == [[900, 1]]


@given(st.lists(st.integers(min_value=0, max_value=60 * MIB), max_size=100))
def test_batches_hold_every_mail_once_in_order_within_both_bounds(given_sizes: list[int]) -> None:
    gathered = list(batches([Mail(size) for size in given_sizes], largest=50 * MIB))
    assert [mail.size for batch in gathered for mail in batch.mails] == given_sizes
    for batch in gathered:
        assert 1 <= len(batch.mails) <= WINDOW
        assert batch.size == sum(min(mail.size or 0, 50 * MIB) for mail in batch.mails)
        assert len(batch.mails) == 1 or batch.size <= BATCH_BYTES
