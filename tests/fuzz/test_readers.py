"""The fuzzer's readers in `make test`, for a few seconds: seeds broken in the same ways each time."""

import random

import pytest

from tests.fuzz.budget import Budget, OverBudget
from tests.fuzz.readers import READERS
from tests.fuzz.seeds import seeds_of

BROKEN = 60
LONG = 16_384


def broken(seed: bytes, chance: random.Random) -> bytes:
    """The seed with some bytes changed, left out, or said again and again."""
    content = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(content) + 1)
        until = min(len(content), at + chance.randint(0, 12))
        piece = bytes(content[at:until])
        content[at:until] = chance.choice(
            (b"", chance.randbytes(3), piece * chance.randint(2, 200), bytes(4), b"\xff" * 4, bytes(reversed(piece)))
        )
    return bytes(content[:LONG])


@pytest.mark.parametrize("target", READERS)
def test_D17_a_reader_holds_its_budget_on_whatever_it_gets(target: str) -> None:
    read = READERS[target]
    for number, seed in enumerate(seeds_of(target)):
        read(seed)
        read((seed * (LONG // len(seed) + 1))[:LONG])
        for end in range(0, len(seed), max(1, len(seed) // 20)):
            read(seed[:end])
        chance = random.Random(number)  # noqa: S311 - the same each time
        for _ in range(BROKEN // len(seeds_of(target))):
            read(broken(seed, chance))


def test_what_takes_more_than_its_budget_is_seen() -> None:
    kept: list[bytearray] = []
    with pytest.raises(OverBudget, match="bytes of memory"):
        Budget(memory=1_000_000, memory_a_byte=1).held_by(lambda _: kept.append(bytearray(2_000_000)))(b"a")
    with pytest.raises(OverBudget, match="processor time"):
        Budget(seconds=-1.0, seconds_a_kilobyte=0.0).held_by(lambda _: None)(b"a")
