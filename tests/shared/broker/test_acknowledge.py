"""Acknowledgements: each delivery is acknowledged once, in as few as there can be, and never one that is not done."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.broker.acknowledge import DeliveryTags


@pytest.mark.parametrize(
    ("batches", "written"),
    [
        pytest.param([[1]], [[(1, False)]], id="one alone"),
        pytest.param([[1, 2, 3]], [[(3, True)]], id="in their order: one for all"),
        pytest.param([[2, 3]], [[(2, False), (3, False)]], id="behind one that is not done: each for itself"),
        pytest.param([[2, 3], [1]], [[(2, False), (3, False)], [(1, False)]], id="the one before them, alone"),
        pytest.param([[3], [2, 1, 5]], [[(3, False)], [(2, True), (5, False)]], id="the last of those not yet written"),
    ],
)
def test_one_acknowledgement_stands_for_all_up_to_it(
    batches: Sequence[Sequence[int]], written: Sequence[Sequence[tuple[int, bool]]]
) -> None:
    tags = DeliveryTags()
    assert [tags.acknowledge(batch) for batch in batches] == written


@given(st.permutations(range(1, 25)), st.lists(st.integers(1, 6), min_size=24, max_size=24))
def test_whatever_the_order_each_is_acknowledged_once_and_none_before_it_is_done(
    order: Sequence[int], sizes: Sequence[int]
) -> None:
    tags, done, unacknowledged, start = DeliveryTags(), set[int](), set(range(1, 25)), 0
    for size in sizes:
        batch = order[start : start + size]
        start += size
        if not batch:
            break
        done.update(batch)
        for tag, multiple in tags.acknowledge(batch):
            assert tag in unacknowledged, "RabbitMQ closes the channel of who acknowledges what is not open"
            meant = {each for each in unacknowledged if each <= tag} if multiple else {tag}
            assert meant <= done
            unacknowledged -= meant
    assert not unacknowledged
