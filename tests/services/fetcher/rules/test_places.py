"""How many checks begin, and at which servers none, by table; ten places."""

from datetime import timedelta

import pytest

from services.fetcher.rules.places import STILL, Running, room

PLACES = 10
MOVING, STANDING = timedelta(seconds=0.1), STILL


def checks(*given: tuple[str, timedelta, int]) -> list[Running]:
    """So many checks at each server."""
    return [Running(server, unmoved) for server, unmoved, count in given for _ in range(count)]


@pytest.mark.parametrize(
    ("running", "unanswering", "free", "full"),
    [
        pytest.param(checks(), set(), 10, [], id="nothing runs"),
        pytest.param(checks(("a", MOVING, 10)), set(), 0, [], id="a server that answers has all places"),
        pytest.param(checks(("a", STANDING, 10)), set(), 10, ["a"], id="one that stands still has none of the others"),
        pytest.param(checks(("a", STANDING, 5), ("b", MOVING, 3)), set(), 7, ["a"], id="half at one that stands still"),
        pytest.param(checks(("a", STANDING, 1)), set(), 10, [], id="a little of it is no reason"),
        pytest.param(checks(("a", MOVING, 5)), {"a"}, 5, ["a"], id="half at one that did not answer"),
        pytest.param(checks(("a", MOVING, 4)), {"a"}, 6, [], id="until then it is asked again"),
        pytest.param(
            checks(*((server, STANDING, 5) for server in "abcd")), {"e"}, 10, [*"abcde"],
            id="many that stand still leave the places to those that answer",
        ),
        pytest.param(checks(("a", STANDING, 40)), set(), 0, ["a"], id="and there is an end to it"),
    ],
)  # fmt: skip
def test_a_server_that_does_not_answer_delays_no_other(
    running: list[Running], unanswering: set[str], free: int, full: list[str]
) -> None:
    given = room(running, places=PLACES, unanswering=unanswering)
    assert given.checks == free
    assert sorted(given.full) == full


def test_of_a_doubted_server_no_more_begin_at_once_than_it_may_have() -> None:
    left = room(checks(("a", MOVING, 3)), places=PLACES, unanswering={"a"})
    begun = []
    for server in "aaabab":
        if left.left(server) > 0:
            left = left.with_one_of(server)
            begun.append(server)
    assert begun == [*"aabb"]
    assert left.checks == PLACES - 3 - 4


def test_a_fetcher_of_one_place_still_asks() -> None:
    assert room([], places=1, unanswering={"a"}).left("a") == 1
