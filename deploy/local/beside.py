"""Work that goes on beside the main thread, and does not outlast it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from deploy.local import processes, tools


@contextmanager
def beside() -> Iterator[ThreadPoolExecutor]:
    """A thread beside this one for the length of a block, at whose end its work is done.

    When the block fails, or is interrupted, every program that was started is ended and none is started any more:
    else the thread would be waited for until its own was done.
    """
    with ThreadPoolExecutor(max_workers=1) as hands:
        try:
            yield hands
        except BaseException:
            tools.start_no_more()
            processes.end_descendants()
            raise
