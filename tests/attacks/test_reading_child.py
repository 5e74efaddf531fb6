"""An attacker's mail took over the process that reads it, by a bug in a decoder: what he has then (DESIGN 10).

He runs whatever he likes in a real reading process (`hostile_reader`), confined as it is when the first mail comes.
"""

import ctypes
import encodings.aliases
import os
import socket
import traceback
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.classifier.reading.confinement import Layer
from services.classifier.reading.confinement.system_calls import ALLOWED, DEADLY, REFUSED, allowed_if
from services.classifier.reading.frames import ANSWER_HEADER, PICTURE_HEADER, Answer, Verdict
from services.classifier.reading.pool import MailExhausted, ReaderPool, ReadingFailed
from services.classifier.reading.reader import read_mail
from services.classifier.reading.values import ReadingSettings
from tests.services.classifier.reading.images.pictures import PICTURES
from tests.services.classifier.wrappings import PNG, mail

TESTS = Path(__file__).parents[1]

MAIL_ID = uuid.UUID(int=1)
SETTINGS = ReadingSettings()
MEMORY = 512 * 1024 * 1024
SECONDS = 5
KILLED = "killed"


@asynccontextmanager
async def hostile_readers(*layers: Layer) -> AsyncIterator[ReaderPool]:
    """A pool whose child does what a mail says, confined by these layers alone, or by all."""
    program = ("-m", "tests.attacks.hostile_reader", *layers)
    async with ReaderPool(readers=1, memory_bytes=MEMORY, program=program) as pool:
        yield pool


async def outcome(pool: ReaderPool, attack: str) -> str:
    try:
        return (await pool.read(attack.encode(), MAIL_ID, SETTINGS, seconds=SECONDS)).subject
    except MailExhausted as ended:
        assert "system call that no mail needs" in str(ended)  # noqa: PT017 - the other outcome is as good
        return KILLED


@pytest_asyncio.fixture(scope="module")
async def pool() -> AsyncIterator[ReaderPool]:
    async with hostile_readers() as pool:
        yield pool


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What an attacker would like to reach; anybody may, if only he can."""
    folder = tmp_path_factory.mktemp("targets")
    secret = folder / "database_password_classifier"
    secret.write_text("geheim", encoding="utf-8")
    secret.chmod(0o644)
    folder.chmod(0o777)
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        unix.bind(str(folder / "socket"))
        (folder / "socket").chmod(0o777)
        unix.listen()
        yield {
            "secret": str(secret),
            "new": str(folder / "new"),
            "folder": str(folder),
            "port": str(tcp.getsockname()[1]),
            "socket": str(folder / "socket"),
        }


UNKNOWN = -1
"""__NR_SCMP_ERROR; other numbers below 0 are calls of another architecture."""
REACHED = {
    "read {secret}": "EPERM",
    "read /proc/self/environ": "EPERM",
    "environ-of-parent": "EPERM",
    "memory-of-parent": "EPERM",
    "write {new}": "EPERM",
    "write {secret}": "EPERM",
    "list {folder}": "EPERM",
    "memfd": "EPERM",
    "tcp {port}": "EPERM",
    "unix {socket}": "EPERM",
    "netlink": "EPERM",
    "more-files": "ENOSYS",
    "log": "ENOSYS",
    "executable-memory": "ENOSYS",
    "fork": "ENOSYS",
}
FORBIDDEN = (
    "exec /bin/true",
    "signal-parent",
    "ptrace",
    "setuid",
    "io-uring",
    "mount",
    "unshare",
    "bpf",
    "personality",
)


async def test_the_process_that_is_attacked_here_does_what_a_mail_says(pool: ReaderPool) -> None:
    assert await outcome(pool, "nothing") == "done"
    assert await outcome(pool, "thread") == "done"  # decoders start some


@pytest.mark.parametrize("attack", REACHED)
async def test_he_reaches_no_file_no_network_and_no_process(
    pool: ReaderPool, targets: dict[str, str], attack: str
) -> None:
    assert await outcome(pool, attack.format_map(targets)) == f"refused {REACHED[attack]}"


@pytest.mark.parametrize("attack", FORBIDDEN)
async def test_what_no_reading_needs_ends_the_process_and_is_told(pool: ReaderPool, attack: str) -> None:
    before = _forbidden()
    with capture_logs() as logs:
        assert await outcome(pool, attack) == KILLED
    assert [entry["died_of"] for entry in logs if entry["event"] == "reader_forbidden"] == ["SIGSYS"]
    assert _forbidden() == before + 1
    assert await outcome(pool, "nothing") == "done"


SECRETS = ("read {secret}", "environ-of-parent", "write {new}")
ALONE = {
    Layer.DESCRIPTORS: {**dict.fromkeys((*SECRETS, "tcp {port}", "unix {socket}", "netlink", "memfd"), "EMFILE")},
    Layer.LANDLOCK: {**dict.fromkeys((*SECRETS, "tcp {port}", "exec /bin/true"), "EACCES"), "signal-parent": "EPERM"},
    Layer.SECCOMP: {**dict.fromkeys((*SECRETS, "tcp {port}", "unix {socket}", "netlink"), "EPERM"), "fork": "ENOSYS"},
}


@pytest.mark.parametrize("layer", ALONE, ids=str)
async def test_a_layer_holds_where_the_others_lack(targets: dict[str, str], layer: Layer) -> None:
    async with hostile_readers(layer) as pool:
        outcomes = {attack: await outcome(pool, attack.format_map(targets)) for attack in ALONE[layer]}
    assert outcomes == {attack: f"refused {how}" for attack, how in ALONE[layer].items()}


async def test_a_process_without_privileges_is_nobody(targets: dict[str, str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("the service is no root here")
    Path(targets["secret"]).chmod(0o600)
    async with hostile_readers(Layer.PRIVILEGES) as pool:
        assert await outcome(pool, f"read {targets['secret']}") == "refused EACCES"
        assert await outcome(pool, "setuid") == "refused EPERM"
        assert await outcome(pool, "environ-of-parent") == "refused EACCES"
    Path(targets["secret"]).chmod(0o644)


def test_every_call_of_the_lists_is_one() -> None:
    """A name that is misspelled would be no rule: of libseccomp's own names none is unknown."""
    library = ctypes.CDLL("libseccomp.so.2")
    names = (*ALLOWED, *REFUSED, *DEADLY, *(name for name, _ in allowed_if()))
    assert [name for name in names if library.seccomp_syscall_resolve_name(name.encode()) == UNKNOWN] == []
    assert len(set(names)) == len(names)


def _mails() -> Iterator[bytes]:
    """Of each kind of mail, picture and charset one: whatever loads itself when it is first met."""
    for path in sorted(TESTS.joinpath("mails").rglob("*.eml")):
        yield path.read_bytes()
    for path in sorted(TESTS.joinpath("fuzz", "found").glob("*/*")):
        yield b"From: a@b.example\nContent-Type: text/html\n\n" + path.read_bytes()
    for media_type, content in PICTURES.items():
        yield f"From: a@b.example\nContent-Type: {media_type}\n\n".encode() + content
    for charset in sorted({*encodings.aliases.aliases.values(), "of-nobody"}):
        yield f"From: a@b.example\nContent-Type: text/plain; charset={charset}\n\n".encode() + bytes(range(256)) * 4


@pytest.mark.parametrize(
    ("said", "how"),
    [
        (ANSWER_HEADER.pack(Verdict.READ, MEMORY, 0, 0), "no known form"),
        (ANSWER_HEADER.pack(Verdict.READ, 0, 1, MEMORY), "no known form"),
        (ANSWER_HEADER.pack(Verdict.READ, 0, 2**32 - 1, 0), "no known form"),
        (ANSWER_HEADER.pack(Verdict.READ, 0, 1, 8) + PICTURE_HEADER.pack(MEMORY), "more bytes of pictures"),
        (ANSWER_HEADER.pack(77, 0, 0, 0), "no known form"),
    ],
    ids=["endless", "endless pictures", "pictures without end", "a picture larger than announced", "unknown"],
)
async def test_an_answer_without_bounds_is_not_taken(said: bytes, how: str) -> None:
    with capture_logs() as logs:
        async with hostile_readers() as pool:
            with pytest.raises(MailExhausted):
                await pool.read(b"answer " + said.hex().encode(), MAIL_ID, SETTINGS, seconds=SECONDS)
    assert [how in entry["died_of"] for entry in logs if entry["event"] == "reader_killed"] == [True]


async def test_an_answer_that_is_no_mail_is_an_error_that_quotes_nothing_of_it() -> None:
    said = b"".join(Answer(Verdict.READ, b'{"subject": "geheim"}').pieces())
    async with hostile_readers() as pool:
        with pytest.raises(ReadingFailed) as failed:
            await pool.read(b"answer " + said.hex().encode(), MAIL_ID, SETTINGS, seconds=SECONDS)
    assert "geheim" not in "".join(traceback.format_exception(failed.value))


@pytest.mark.parametrize("place", ["1", "-1", "true", "0.5", '"0"', "null"])
async def test_a_picture_that_is_not_there_is_an_error(place: str) -> None:
    sound = Answer.of(read_mail(mail("image/png", PNG), MAIL_ID, SETTINGS))
    assert b'"content":0' in sound.content
    missing = sound.content.replace(b'"content":0', f'"content":{place}'.encode())
    said = b"".join(Answer(Verdict.READ, missing, sound.pictures).pieces())
    async with hostile_readers() as pool:
        with pytest.raises(ReadingFailed):
            await pool.read(b"answer " + said.hex().encode(), MAIL_ID, SETTINGS, seconds=SECONDS)


async def test_a_confined_process_reads_each_kind_of_mail_as_any_other() -> None:
    async with ReaderPool(readers=1, memory_bytes=MEMORY) as pool:
        for raw in _mails():
            confined = await pool.read(raw, MAIL_ID, SETTINGS, seconds=SECONDS)
            assert confined == read_mail(raw, MAIL_ID, SETTINGS), raw[:200]


async def test_what_confines_is_said_at_the_start_and_in_metrics() -> None:
    with capture_logs() as logs:
        async with hostile_readers() as pool:
            await outcome(pool, "nothing")
    assert [entry["layers"] for entry in logs if entry["event"] == "reading_confined"] == [list(Layer)]
    assert {layer: _in_force(layer) for layer in Layer} == dict.fromkeys(Layer, 1.0)


async def test_what_the_system_lacks_is_said_too() -> None:
    with capture_logs() as logs:
        async with hostile_readers(*(set(Layer) - {Layer.LANDLOCK})) as pool:
            assert await outcome(pool, "nothing") == "done"
    assert [set(entry["lacking"]) for entry in logs if entry["event"] == "reading_not_confined"] == [{Layer.LANDLOCK}]
    assert (_in_force(Layer.LANDLOCK), _in_force(Layer.SECCOMP)) == (0, 1)


def _in_force(layer: Layer) -> float | None:
    return REGISTRY.get_sample_value("importer_reading_confined", {"layer": layer})


def _forbidden() -> float:
    return REGISTRY.get_sample_value("importer_readings_total", {"mode": "whole", "result": "forbidden"}) or 0
