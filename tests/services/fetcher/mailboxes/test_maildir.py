"""What is particular to a Maildir: files under names that others write and rename."""

import asyncio
import contextlib
import io
import os
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.fetcher.mailboxes.maildir import threads
from services.fetcher.mailboxes.maildir.folder import MaildirFolder
from services.fetcher.mailboxes.maildir.mailbox import MaildirMailbox
from services.fetcher.mailboxes.protocol import (
    AccessDenied,
    MailboxAccess,
    MailboxMissing,
    MailboxUnreachable,
    MailReference,
    MailUnreadable,
)
from tests.mailboxes.post_offices import MaildirPostOffice
from tests.shared.broker.harness import eventually

RAW = b"Subject: proef\n\nHallo.\n"
ORDINARY_USER = 65534


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    return make_maildir(tmp_path / "Maildir")


@pytest.fixture
async def mailbox(maildir: Path) -> AsyncIterator[MaildirMailbox]:
    opened = await MaildirMailbox.open(access(maildir))
    yield opened
    await opened.close()


@pytest.fixture
def shared_maildir() -> Iterator[Path]:
    """A Maildir that an ordinary user reaches, whoever runs the tests: permissions do not bind root."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    maildir = make_maildir(directory / "Maildir")
    for path in (maildir, maildir / "new", maildir / "cur"):
        path.chmod(0o755)
    yield maildir
    shutil.rmtree(directory)


@pytest.fixture
def ordinary_user(shared_maildir: Path) -> Iterator[None]:
    if os.geteuid() == 0:
        for path in (shared_maildir, *shared_maildir.rglob("*")):
            os.chown(path, ORDINARY_USER, -1)
        os.seteuid(ORDINARY_USER)
        yield
        os.seteuid(0)
    else:
        yield


def make_maildir(root: Path) -> Path:
    for name in ("tmp", "new", "cur"):
        (root / name).mkdir(parents=True)
    return root


def access(maildir: Path, folder: str = "INBOX") -> MailboxAccess:
    return MailboxAccess(kind="maildir", server=str(maildir), folder=folder)


async def unread(mailbox: MaildirMailbox) -> list[MailReference]:
    return [reference async for page in mailbox.unread(100) for reference in page]


def names(maildir: Path) -> list[str]:
    return sorted(f"{name}/{file.name}" for name in ("new", "cur") for file in (maildir / name).iterdir())


async def test_mail_in_cur_without_the_seen_flag_is_unread_too(maildir: Path, mailbox: MaildirMailbox) -> None:
    (maildir / "cur" / "1700000001.b.mx:2,F").write_bytes(RAW)
    (maildir / "cur" / "1700000000.a.mx:2,S").write_bytes(RAW)
    (maildir / "new" / "1700000002.c.mx").write_bytes(RAW)
    assert [reference.key for reference in await unread(mailbox)] == ["1700000001.b.mx", "1700000002.c.mx"]


async def test_flags_and_sizes_in_a_name_survive_marking_read(maildir: Path, mailbox: MaildirMailbox) -> None:
    (maildir / "cur" / "1700000000.a.mx,S=24,W=27:2,F").write_bytes(RAW)
    (maildir / "new" / "1700000001.b.mx,S=24").write_bytes(RAW)
    for reference in await unread(mailbox):
        await mailbox.mark_read(reference)
    assert names(maildir) == ["cur/1700000000.a.mx,S=24,W=27:2,FS", "cur/1700000001.b.mx,S=24:2,S"]


async def test_a_mail_in_both_directories_at_once_is_one(maildir: Path, mailbox: MaildirMailbox) -> None:
    """A client that moves by link and unlink shows a mail twice for a moment."""
    (maildir / "new" / "1700000000.a.mx").write_bytes(RAW)
    (maildir / "cur" / "1700000000.a.mx:2,").hardlink_to(maildir / "new" / "1700000000.a.mx")
    assert len(await unread(mailbox)) == 1


async def test_what_is_still_being_delivered_is_not_listed(maildir: Path, mailbox: MaildirMailbox) -> None:
    (maildir / "tmp" / "1700000000.a.mx").write_bytes(RAW)
    (maildir / "new" / ".1700000000.hidden").write_bytes(RAW)
    assert await unread(mailbox) == []


async def test_what_is_no_regular_file_is_no_mail(maildir: Path, mailbox: MaildirMailbox, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"not yours")
    (maildir / "new" / "1700000000.link.mx").symlink_to(secret)
    (maildir / "new" / "1700000001.directory.mx").mkdir()
    os.mkfifo(maildir / "new" / "1700000002.pipe.mx")
    assert await unread(mailbox) == []


async def test_a_hard_link_to_a_file_of_another_owner_is_not_read(
    maildir: Path, mailbox: MaildirMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deliverers and Dovecot link the owner's own files; a stranger's may be any file that we alone can read."""
    secret = maildir.parent / "secret"
    secret.write_bytes(b"geheim")
    (maildir / "new" / "1700000000.a.mx").hardlink_to(secret)
    [mail] = await unread(mailbox)
    assert await mailbox.fetch(mail, io.BytesIO(), 100) == 6
    monkeypatch.setattr(MaildirFolder, "_owner", lambda _: os.getuid() + 1)
    with pytest.raises(MailUnreadable, match="hard link"):
        await mailbox.fetch(mail, io.BytesIO(), 100)
    secret.unlink()
    assert await mailbox.fetch(mail, io.BytesIO(), 100) == 6


async def test_a_file_that_became_a_link_or_a_pipe_is_not_read(
    maildir: Path, mailbox: MaildirMailbox, tmp_path: Path
) -> None:
    for name in ("1700000000.link.mx", "1700000001.pipe.mx"):
        (maildir / "new" / name).write_bytes(RAW)
    references = await unread(mailbox)
    secret = tmp_path / "secret"
    secret.write_bytes(b"not yours")
    for reference in references:
        (maildir / "new" / reference.key).unlink()
    (maildir / "new" / references[0].key).symlink_to(secret)
    os.mkfifo(maildir / "new" / references[1].key)
    for reference in references:
        into = io.BytesIO()
        with pytest.raises(MailUnreadable):
            await mailbox.fetch(reference, into, 1000)
        assert into.getvalue() == b""


async def test_a_name_that_is_no_utf8_goes_the_whole_way(maildir: Path, mailbox: MaildirMailbox) -> None:
    (maildir / "new" / os.fsdecode(b"1700000000.M1.h\xff st%")).write_bytes(RAW)
    (reference,) = await unread(mailbox)
    assert reference.key == "1700000000.M1.h%FF%20st%25"
    into = io.BytesIO()
    await mailbox.fetch(reference, into, 1000)
    assert into.getvalue() == RAW
    await mailbox.mark_read(MailReference(reference.key, reference.received_at, None))
    assert os.listdir(os.fsencode(maildir / "cur")) == [b"1700000000.M1.h\xff st%:2,S"]  # noqa: PTH208 - bytes


async def test_a_name_without_seconds_arrives_when_its_file_was_written(maildir: Path, mailbox: MaildirMailbox) -> None:
    file = maildir / "new" / "odd"
    file.write_bytes(RAW)
    os.utime(file, (1_700_000_000, 1_700_000_000))
    (maildir / "new" / "1600000000.older").write_bytes(RAW)
    assert [reference.received_at for reference in await unread(mailbox)] == [
        datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC),
        datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
    ]


async def test_marking_and_a_client_that_renames_at_the_same_time_lose_no_mail_and_no_flag(
    maildir: Path, mailbox: MaildirMailbox
) -> None:
    for number in range(200):
        (maildir / "new" / f"1700000000.M{number}.mx").write_bytes(RAW)
    references = await unread(mailbox)

    def flag_all() -> None:
        for file in list((maildir / "new").iterdir()):
            try:
                file.rename(maildir / "cur" / f"{file.name}:2,F")
            except FileNotFoundError:
                continue  # marked already

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(asyncio.to_thread(flag_all))
        for reference in references:
            tasks.create_task(mailbox.mark_read(reference))
    found = names(maildir)
    assert len(found) == 200
    assert all(name.startswith("cur/") and name.endswith((":2,S", ":2,FS")) for name in found)


async def test_a_folder_of_the_maildir_is_a_mailbox_too(maildir: Path, mailbox: MaildirMailbox) -> None:
    (maildir / "new" / "1700000000.a.mx").write_bytes(RAW)
    (reference,) = await unread(mailbox)
    await mailbox.move(reference, "Archief/Geïmporteerd")
    folder = maildir / ".Archief.Ge&AO8-mporteerd"
    assert (folder / "maildirfolder").exists()
    (folder / "cur" / "1700000000.a.mx:2,S").rename(folder / "cur" / "1700000000.a.mx:2,")
    archive = await MaildirMailbox.open(access(maildir, "Archief/Geïmporteerd"))
    assert [found.key for found in await unread(archive)] == ["1700000000.a.mx"]
    await archive.close()


async def test_where_nothing_can_be_watched_polling_finds_the_mail(
    maildir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("services.fetcher.mailboxes.maildir.watching.Inotify", refuse)
    mailbox = await MaildirMailbox.open(access(maildir))
    waiting = asyncio.create_task(mailbox.wait_for_change())
    (maildir / "new" / "1700000000.a.mx").write_bytes(RAW)
    assert len(await unread(mailbox)) == 1
    assert not waiting.done()
    waiting.cancel()
    assert "bij elke controle" in (await mailbox.health_check()).description


def open_files() -> int:
    """How many this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_more_maildirs_than_a_user_may_have_instances_of_inotify_are_all_watched(tmp_path: Path) -> None:
    before = open_files()
    offices = [MaildirPostOffice(tmp_path / f"{n}") for n in range(200)]
    mailboxes = [await MaildirMailbox.open(office.access) for office in offices]
    assert all(mailbox.notifies for mailbox in mailboxes)
    waiting = [asyncio.create_task(mailbox.wait_for_change()) for mailbox in mailboxes]
    offices[150].deliver(RAW, datetime.now(UTC))
    done, _ = await asyncio.wait(waiting, timeout=30, return_when=asyncio.FIRST_COMPLETED)
    assert done == {waiting[150]}
    for task, mailbox in zip(waiting, mailboxes, strict=True):
        task.cancel()
        await mailbox.close()
    assert open_files() == before


async def test_a_maildir_that_is_opened_again_is_watched_whichever_is_closed_first(maildir: Path) -> None:
    first, second = [await MaildirMailbox.open(access(maildir)) for _ in range(2)]
    await first.close()
    waiting = asyncio.create_task(second.wait_for_change())
    (maildir / "new" / "1700000000.a.mx").write_bytes(RAW)
    await asyncio.wait_for(waiting, 30)
    await second.close()


async def test_a_maildir_without_a_path_is_refused_with_a_sentence() -> None:
    with pytest.raises(MailboxMissing, match="vul bij «Server»"):
        await MaildirMailbox.open(MailboxAccess(kind="maildir", server=None))


async def test_a_directory_that_is_no_maildir_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MailboxMissing, match="is geen Maildir"):
        await MaildirMailbox.open(access(tmp_path))
    (tmp_path / "new").write_bytes(b"")
    with pytest.raises(MailboxMissing, match="is geen Maildir"):
        await MaildirMailbox.open(access(tmp_path))


@pytest.mark.parametrize(("directory", "mode"), [("new", 0o500), ("cur", 0o300), (".", 0o000)])
@pytest.mark.usefixtures("ordinary_user")
async def test_a_missing_right_is_told_before_any_mail_is_taken(
    shared_maildir: Path, directory: str, mode: int
) -> None:
    path = shared_maildir / directory
    path.chmod(mode)
    try:
        with pytest.raises(AccessDenied, match=r"geef de gebruiker .*\.$"):
            await MaildirMailbox.open(access(shared_maildir))
    finally:
        path.chmod(0o755)


@pytest.mark.usefixtures("ordinary_user")
async def test_one_file_without_read_permission_says_so_by_itself(shared_maildir: Path) -> None:
    file = shared_maildir / "new" / "1700000000.a.mx"
    file.write_bytes(RAW)
    file.chmod(0o000)
    mailbox = await MaildirMailbox.open(access(shared_maildir))
    (reference,) = await unread(mailbox)
    with pytest.raises(MailUnreadable, match="controleer de rechten"):
        await mailbox.fetch(reference, io.BytesIO(), 1000)
    await mailbox.close()


async def test_a_disk_that_hangs_is_a_sentence_and_holds_up_no_other_maildir(
    mailbox: MaildirMailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As NFS does whose server is away: the call cannot be ended, and what is asked of it meanwhile ends at once."""
    answers = threading.Event()
    hanging = mailbox._folder
    calls: list[str] = []

    def hang() -> list[str]:
        calls.append("unread")
        answers.wait()
        return []

    monkeypatch.setattr(hanging, "unread", hang)
    monkeypatch.setattr(threads, "LONGEST_SECONDS", 0.2)
    try:
        for _ in range(3):
            with pytest.raises(MailboxUnreachable, match="NFS"):
                await unread(mailbox)
        assert calls == ["unread"]
        with pytest.raises(MailboxUnreachable, match="NFS"):
            await MaildirMailbox.open(access(tmp_path / "Maildir"))
        other = await MaildirMailbox.open(access(make_maildir(tmp_path / "ander")))
        assert await unread(other) == []
        await other.close()
    finally:
        answers.set()

    async def works_again() -> bool:
        with contextlib.suppress(MailboxUnreachable):
            return await unread(mailbox) == []
        return False

    await eventually(works_again)


async def test_a_maildir_lies_beneath_the_folder_that_the_operator_names(
    maildir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPORTER_MAILDIR_ROOT", str(tmp_path / "mail"))
    inside = make_maildir(tmp_path / "mail" / "help")
    (tmp_path / "mail" / "link").symlink_to(maildir)
    await (await MaildirMailbox.open(access(inside))).close()
    for outside in (maildir, inside / ".." / ".." / "Maildir", tmp_path / "mail" / "link"):
        with pytest.raises(MailboxMissing, match="buiten"):
            await MaildirMailbox.open(access(outside))


async def test_no_link_leads_out_of_a_maildir(maildir: Path, tmp_path: Path) -> None:
    elsewhere = make_maildir(tmp_path / "elsewhere")
    (maildir / "new" / "1795000000.M1P1.mx").write_bytes(RAW)
    (maildir / ".Post").symlink_to(elsewhere)
    with pytest.raises(MailboxMissing, match="buiten"):
        await MaildirMailbox.open(access(maildir, "Post"))
    mailbox = await MaildirMailbox.open(access(maildir))
    (mail,) = await unread(mailbox)
    with pytest.raises(MailboxMissing, match="buiten"):
        await mailbox.move(mail, "Post")
    assert [*elsewhere.glob("*/*")] == []
    await mailbox.close()
