"""A container's memory, as both versions of cgroups write it: too little is said, and so is whom the kernel ended."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.classifier.memory_limit import kills, limit_mb, tell_kills, warn_of_too_little

GIB = 1024**3


def cgroup(folder: Path, version: int, limit: str, ended: int) -> Path:
    files = {
        1: {"memory/memory.limit_in_bytes": limit, "memory/memory.oom_control": f"under_oom 0\noom_kill {ended}\n"},
        2: {"memory.max": limit, "memory.events": f"low 0\noom 7\noom_kill {ended}\noom_group_kill 0\n"},
    }
    for name, text in files[version].items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("version", "written", "expected"),
    [
        (2, f"{4 * GIB}\n", 4096),
        (2, "max\n", None),
        (1, f"{GIB}\n", 1024),
        (1, "9223372036854771712\n", None),
    ],
)
def test_the_limit_is_read(tmp_path: Path, version: int, written: str, expected: int | None) -> None:
    assert limit_mb(cgroup(tmp_path, version, written, 0)) == expected


@pytest.mark.parametrize(("limit", "said"), [(None, False), (4096, False), (3583, True)])
def test_too_little_for_all_readers_at_once_is_said(limit: int | None, *, said: bool) -> None:
    assert warn_of_too_little(2, 1536, limit) is said


@pytest.mark.parametrize("version", [1, 2])
async def test_whom_the_kernel_ended_is_told(tmp_path: Path, version: int) -> None:
    cgroup(tmp_path, version, f"{GIB}", 1)
    assert kills(tmp_path) == 1
    with capture_logs() as logged:
        telling = asyncio.create_task(tell_kills(tmp_path, every=0.01))
        await asyncio.sleep(0)  # it has counted what was before
        cgroup(tmp_path, version, f"{GIB}", 3)
        async with asyncio.timeout(10):
            while not logged:
                await asyncio.sleep(0.01)
        telling.cancel()
    assert (logged[0]["event"], logged[0]["processes"], logged[0]["limit_mb"]) == ("killed_for_memory", 2, 1024)


def test_where_there_is_no_cgroup_nothing_is_known(tmp_path: Path) -> None:
    assert (limit_mb(tmp_path), kills(tmp_path)) == (None, 0)
