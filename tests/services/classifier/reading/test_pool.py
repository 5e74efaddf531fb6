"""DESIGN 10: a mail is read in a child process that may die of it, and nothing else does."""

import asyncio
import base64
import contextlib
import io
import os
import re
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from PIL import Image

from services.classifier.reading.children import Child
from services.classifier.reading.pool import MailExhausted, NoReader, ReaderPool
from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings
from tests.services.classifier.wrappings import multipart

MEBIBYTE = 1024 * 1024
SECONDS = 4
MAIL_ID = uuid.UUID(int=1)
MAIL = b"From: jan@b.example\nSubject: Printer\n\nHallo\n"
SLOW = b"From: jan@b.example\n\nTe traag\n" + b"x\n" * 9_000
SETTINGS = ReadingSettings()
SLOWING = ReadingSettings(markers=tuple(f"x{number}" for number in range(20_000)))
"""Each line is compared with each marker: no mail is slow by itself, save by its pixels."""


@pytest.fixture
async def pool() -> AsyncIterator[ReaderPool]:
    async with ReaderPool(readers=1, memory_bytes=512 * MEBIBYTE) as pool:
        yield pool


async def born(pool: ReaderPool) -> Child:
    """The pool's only child, once it is there."""
    (reader,) = pool._children
    return await reader.ready


def only_child(pool: ReaderPool) -> Child:
    """The same where it has read."""
    (reader,) = pool._children
    return reader.ready.result()


async def test_a_child_reads_as_the_reader_does(pool: ReaderPool) -> None:
    assert await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS) == read_mail(MAIL, MAIL_ID, SETTINGS)


@pytest.mark.parametrize(
    ("mail", "settings"), [(MAIL, SETTINGS), (SLOW, SLOWING)], ids=["it answers nothing", "it takes no bytes"]
)
async def test_a_child_that_hangs_is_given_up(
    pool: ReaderPool, monkeypatch: pytest.MonkeyPatch, mail: bytes, settings: ReadingSettings
) -> None:
    await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)
    os.kill(only_child(pool).pid, signal.SIGSTOP)  # no machine is so fast that it reads the mail in time now
    with monkeypatch.context() as impatient:
        impatient.setattr("services.classifier.reading.pool.CLOCK_TO_PROCESSOR", 0.1)
        impatient.setattr("services.classifier.reading.pool.STUCK_SECONDS", 0.5)
        with pytest.raises(MailExhausted):
            await pool.read(mail, MAIL_ID, settings, seconds=SECONDS)
    assert (await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)).subject == "Printer"


async def test_a_mail_that_takes_too_long_ends_its_child_and_no_other_mail(pool: ReaderPool) -> None:
    slow, after = await asyncio.gather(
        pool.read(SLOW, MAIL_ID, SLOWING, seconds=1),
        pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS),
        return_exceptions=True,
    )
    assert isinstance(slow, MailExhausted)
    assert not isinstance(after, BaseException)
    assert after.subject == "Printer"
    head = await pool.read_head(SLOW, MAIL_ID, SLOWING)
    assert head.whole.text.startswith("Te traag")


async def test_a_mail_that_takes_too_much_memory_is_told_so_by_its_child() -> None:
    async with ReaderPool(readers=1, memory_bytes=512 * MEBIBYTE) as pool:
        with pytest.raises(MailExhausted):
            await pool.read(MAIL + b"x" * (400 * MEBIBYTE), MAIL_ID, SETTINGS, seconds=SECONDS)
        assert (await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)).subject == "Printer"


def _text() -> bytes:
    return MAIL + b"Een regel van de tekst.\r\n" * (64 * MEBIBYTE // 25)


def _pictures() -> bytes:
    pictures = [io.BytesIO() for _ in range(4)]
    for file in pictures:
        Image.frombytes("RGB", (2_000, 2_000), os.urandom(12_000_000)).save(file, "PNG", compress_level=0)
    return multipart(*(_file("image/png", file.getvalue()) for file in pictures))


def _archive() -> bytes:
    return multipart(_file("application/zip", bytes(48 * MEBIBYTE)))


def _file(media_type: str, content: bytes) -> bytes:
    head = f"Content-Type: {media_type}\nContent-Transfer-Encoding: base64\n\n"
    return head.encode() + base64.encodebytes(content)


@pytest.mark.parametrize("mail", [_text, _pictures, _archive])
async def test_of_a_large_mail_its_bytes_and_its_parts_are_in_memory_and_no_more(
    pool: ReaderPool, mail: Callable[[], bytes]
) -> None:
    await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)
    (reader,) = pool._children
    pid = reader.ready.result().pid
    before = _most_memory(pid)
    raw = mail()
    read = await pool.read(raw, MAIL_ID, SETTINGS, seconds=60)
    assert _most_memory(pid) - before < 2.3 * len(raw)
    assert (read.body_cut, len(read.images), len(read.left_out)) in {(True, 0, 0), (False, 4, 0), (False, 0, 1)}


def _most_memory(pid: int) -> int:
    """Bytes of a process at its most (proc(5), VmHWM)."""
    found = re.search(r"^VmHWM:\s+([0-9]+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


async def test_a_child_that_is_killed_while_idle_is_replaced(pool: ReaderPool) -> None:
    await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)
    child = only_child(pool)
    os.kill(child.pid, signal.SIGKILL)
    await child.died
    assert (await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)).subject == "Printer"


async def test_a_cancelled_reading_leaves_no_answer_behind_for_the_next(pool: ReaderPool) -> None:
    await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)
    (reader,) = pool._children
    reading = asyncio.create_task(pool.read(SLOW, MAIL_ID, SLOWING, seconds=SECONDS))
    async with asyncio.timeout(10):
        while reader.mails < 2:  # the second mail is the slow one: it is being read now
            await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert (await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)).subject == "Printer"


async def test_a_child_is_retired_after_its_share_of_mails(pool: ReaderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.classifier.reading.pool.MAILS_A_CHILD", 2)
    children = set()
    for _ in range(4):
        await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)
        children.add((await born(pool)).pid)
    assert len(children) == 3


async def test_children_that_cannot_start_are_an_outage_and_no_mails_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/bin/false")
        async with ReaderPool(readers=1, memory_bytes=512 * MEBIBYTE) as pool:
            with pytest.raises(NoReader, match="exit 1"):
                await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)
            broken.undo()
            with pytest.raises(NoReader, match="exit 1"):  # the one that was started in its place
                await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)
            assert (await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)).subject == "Printer"


async def test_children_end_with_the_pool() -> None:
    async with ReaderPool(readers=2, memory_bytes=512 * MEBIBYTE) as pool:
        pids = [(await reader.ready).pid for reader in pool._children]
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def test_a_child_knows_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPORTER_DATABASE_PASSWORD_CLASSIFIER", "geheim")
    async with ReaderPool(readers=1, memory_bytes=512 * MEBIBYTE) as another:
        await another.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)
        with open(f"/proc/{only_child(another).pid}/environ", "rb") as environment:  # noqa: ASYNC230, PTH123 - /proc
            assert b"geheim" not in environment.read()


async def test_children_come_of_one_process_that_has_all_loaded(
    pool: ReaderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.classifier.reading.pool.MAILS_A_CHILD", 1)
    servers = set()
    for _ in range(3):
        await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)
        servers.add(parent_of((await born(pool)).pid))
    (server,) = servers
    assert threads_of(server) == 1  # threads do not survive a fork, and their locks do


async def test_after_a_child_that_died_by_itself_the_next_is_laid_out_anew(pool: ReaderPool) -> None:
    before = await born(pool)
    server = parent_of(before.pid)
    os.kill(before.pid, signal.SIGSEGV)
    assert (await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)).subject == "Printer"
    assert parent_of((await born(pool)).pid) != server
    await gone(server)


async def test_a_mail_that_takes_too_long_costs_no_new_start(pool: ReaderPool) -> None:
    server = parent_of((await born(pool)).pid)
    with pytest.raises(MailExhausted):
        await pool.read(SLOW, MAIL_ID, SLOWING, seconds=1)
    assert parent_of((await born(pool)).pid) == server


async def test_the_process_that_bears_children_may_die(pool: ReaderPool) -> None:
    before = await born(pool)
    os.kill(parent_of(before.pid), signal.SIGKILL)
    await before.died
    with contextlib.suppress(ProcessLookupError):  # where it was root, the kernel does not end it with its parent
        os.kill(before.pid, signal.SIGKILL)
    assert (await pool.read(MAIL, MAIL_ID, SETTINGS, seconds=SECONDS)).subject == "Printer"


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


def threads_of(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


async def gone(pid: int) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
            await asyncio.sleep(0)
