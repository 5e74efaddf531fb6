"""The processes that read: a fork server that loads all and reads nothing, and its children.

    python -m services.classifier.reading MEMORY_BYTES

Standard input is the fork server's connection with its parent (`fork_server`); both end when that does.

A child reads one mail after another, confined by limits that it sets itself and cannot lift. That of processor time is
set anew for each mail, so it could be lifted; behind it stands the parent's clock. It reads requests (`frames`) from
standard input and writes answers to standard output until its input ends. It knows no password, and from before the
first mail on it can open no file and no connection (`confinement`); with READY it says which layers of that are in
force.

A mail that takes more memory than allowed gets the verdict EXHAUSTED; one that takes more CPU ends the process by
SIGXCPU; one that answers nothing for far longer than that is killed by the parent; one whose bytes took over a decoder
and that asks the kernel for what no reading needs ends it by SIGSYS.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import sys
import traceback
from functools import partial
from typing import BinaryIO, Final

from services.classifier.reading.confinement import confine
from services.classifier.reading.fork_server import serve
from services.classifier.reading.frames import (
    LAYERS,
    ORDER,
    REQUEST_HEADER,
    Answer,
    Mode,
    Verdict,
)
from services.classifier.reading.reader import read_beginning, read_head, read_headers, read_mail
from services.classifier.reading.warm_up import warm_up
from shared.memory import give_back_large_blocks

_READERS: Final = {
    Mode.WHOLE: read_mail,
    Mode.HEAD: read_head,
    Mode.BEGINNING: read_beginning,
    Mode.HEADERS: read_headers,
}


LARGE_BYTES: Final = 1024 * 1024
"""What is left of a mail of more than this is collected at once; of smaller ones, some hundreds of times later."""


def main(memory_bytes: int) -> None:
    """Serve forks until the parent is gone."""
    give_back_large_blocks()
    warm_up()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the parent's business
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with socket.fromfd(sys.stdin.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as control:
        serve(control, partial(_work, memory_bytes))


def _work(memory_bytes: int, connection: socket.socket) -> None:
    """Read mails until the connection ends."""
    for standard in (sys.stdin, sys.stdout):
        os.dup2(connection.fileno(), standard.fileno())
    connection.close()
    _limit(memory_bytes)
    layers = confine()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    _write(answers, Answer(Verdict.READY, LAYERS.dump_json(layers)))
    while header := requests.read(REQUEST_HEADER.size):
        _write(answers, _serve(header, requests))
        if REQUEST_HEADER.unpack(header)[-1] > LARGE_BYTES:
            gc.collect()


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_cpu(seconds: int) -> None:
    """The limit counts from the process's start, so each mail gets it anew."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds + 1, resource.RLIM_INFINITY))


def _write(answers: BinaryIO, answer: Answer) -> None:
    answers.writelines(answer.pieces())
    answers.flush()


def _serve(header: bytes, requests: BinaryIO) -> Answer:
    mode, cpu_seconds, order_size, raw_size = REQUEST_HEADER.unpack(header)
    _limit_cpu(cpu_seconds)
    said = requests.read(order_size)
    try:
        raw = [requests.read(raw_size)]
        order = ORDER.validate_json(said)
        read = _READERS[mode]
        return Answer.of(read(raw.pop(), order.mail_id, order.settings))  # the reader's alone, to let it go
    except (MemoryError, RecursionError):
        return Answer(Verdict.EXHAUSTED, b"")
    except Exception:  # noqa: BLE001 - our own error, whatever it is, is the parent's to count
        return Answer(Verdict.FAILED, traceback.format_exc(limit=-8).encode("utf-8", "replace"))


if __name__ == "__main__":
    main(int(sys.argv[1]))
