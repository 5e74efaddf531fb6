"""What a reader may cost on bytes that anybody sends: processor time and memory, by the size of what it is given."""

import functools
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

Target = Callable[[bytes], None]


class OverBudget(AssertionError):
    """A reader took more than its budget, and again when it was asked a second time."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Generous: an instrumented process on a busy machine is ten times as slow as a service."""

    seconds: float = 1.0
    seconds_a_kilobyte: float = 0.05
    memory: int = 4 * 2**20
    """Bytes of what Python allocates; the fuzzer limits what the whole process does."""
    memory_a_byte: int = 200

    def held_by(self, target: Target) -> Target:
        """The target, failing with OverBudget where it takes more."""

        @functools.wraps(target)
        def within(content: bytes) -> None:
            if self._is_over(target, content) and (again := self._is_over(target, content)):
                raise OverBudget(again)  # what is loaded or remembered at first is no cost of these bytes

        return within

    def _is_over(self, target: Target, content: bytes) -> str:
        with _traced():
            before, _ = tracemalloc.get_traced_memory()
            begin = time.process_time()
            target(content)
            seconds = time.process_time() - begin
            _, peak = tracemalloc.get_traced_memory()
        if seconds > self.seconds + self.seconds_a_kilobyte * len(content) / 1024:
            return f"{len(content)} bytes took {seconds:.2f} s of processor time"
        if peak - before > self.memory + self.memory_a_byte * len(content):
            return f"{len(content)} bytes took {peak - before} bytes of memory"
        return ""


@contextmanager
def _traced() -> Iterator[None]:
    tracemalloc.start(1)
    try:
        yield
    finally:
        tracemalloc.stop()
