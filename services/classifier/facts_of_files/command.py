"""Finds the facts of mails in files, without a server, a database or a configuration.

    python -m services.classifier facts [--context FILE] [--language nl] FILE…

Reads    the files (RFC 5322; `-` is standard input), and what a person says in the context (YAML)
Decides  the facts of each mail, by the rules of the pipeline
Writes   to standard output: a `shared.explaining.MailInFile` a line, in the order given; what could not be read, to
         standard error, in English or Dutch
Exit     0 all were read, 1 a file could not be read or the context is wrong, 2 the command was typed wrongly

Mails are read in child processes with the service's own limits, several at once, answered in the order given. One that
ends its process is answered from its head, or as unreadable, as the service does.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections import deque
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import structlog

from services.classifier.configuration import ClassifierConfiguration
from services.classifier.facts_of_files.context import BadContext, Context, load_context
from services.classifier.facts_of_files.dutch import LANGUAGES, in_words
from services.classifier.facts_of_files.finding import FactFinder
from services.classifier.facts_of_files.reading import LARGEST_MAIL, ReadFile, read_bytes
from services.classifier.reading.pool import NoReader, ReaderPool
from services.classifier.reading.values import ReadingSettings
from shared.sentences import Sentence, said_by

STANDARD_INPUT: Final = "-"
MEBIBYTE: Final = 1024 * 1024
_SECONDS: Final = ClassifierConfiguration.model_fields["reading_seconds"].default
_AHEAD: Final = 4
"""Mails in hand for each reading process."""


def main(arguments: Sequence[str]) -> int:
    """Run the command; its exit code."""
    typed = _parser().parse_args(arguments)
    # a reader that dies is told in the answer, and the log would stand between the answers
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        context = Context() if typed.context is None else load_context(typed.context)
        return asyncio.run(_find(typed.files, context, typed.language))
    except BadContext as error:
        sys.stderr.write(in_words(said_by(error), typed.language) + "\n")
        return 1
    except NoReader as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except BrokenPipeError:
        # who read our answers has seen enough; Python would complain when it closes standard output
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="services.classifier facts", description="Find the facts of mails in files; no server is needed."
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="mails (RFC 5322); - is standard input")
    parser.add_argument("--context", type=Path, metavar="FILE", help="YAML that says what a database would")
    parser.add_argument("--language", choices=LANGUAGES, default=LANGUAGES[0], help="of what cannot be read")
    return parser


async def _find(files: Sequence[str], context: Context, language: str) -> int:
    finder = FactFinder(context)
    settings = ReadingSettings(
        markers=(context.marker,) if context.marker.strip() else (),
        trusted_authserv_ids=context.trusted_authserv,
        fed_by_rule=context.fed_by_rule,
    )
    unreadable = 0
    async for file, read in _in_order(files, settings):
        if isinstance(read, OSError):
            unreadable += 1
            told = Sentence("%(file)s: cannot be read (%(why)s)", file=file, why=read.strerror or read)
            sys.stderr.write(in_words(told, language) + "\n")
        else:
            sys.stdout.write(finder.facts_of(read).model_dump_json() + "\n")
            sys.stdout.flush()
    return 1 if unreadable else 0


async def _in_order(files: Sequence[str], settings: ReadingSettings) -> AsyncIterator[tuple[str, ReadFile | OSError]]:
    """Each file with what was read of it, in the order given; some are read ahead."""
    limits = ClassifierConfiguration.model_fields
    processes = min(os.cpu_count() or 1, len(files))
    readers = ReaderPool(
        readers=processes,
        memory_bytes=limits["reading_memory_mb"].default * MEBIBYTE,
    )
    async with readers:
        waiting: deque[tuple[str, asyncio.Task[ReadFile | OSError]]] = deque()
        for file in files:
            waiting.append((file, asyncio.create_task(_read(file, readers, settings))))
            if len(waiting) > processes * _AHEAD:
                first, task = waiting.popleft()
                yield first, await task
        while waiting:
            first, task = waiting.popleft()
            yield first, await task


async def _read(file: str, readers: ReaderPool, settings: ReadingSettings) -> ReadFile | OSError:
    try:
        raw = await asyncio.to_thread(_bytes_of, file)
    except OSError as error:
        return error
    return await read_bytes(file, raw, readers, settings, seconds=_SECONDS)


def _bytes_of(file: str) -> bytes:
    """A file's bytes, one more than the largest mail at most. Raises OSError."""
    if file == STANDARD_INPUT:
        return sys.stdin.buffer.read(LARGEST_MAIL + 1)
    with Path(file).open("rb") as opened:
        return opened.read(LARGEST_MAIL + 1)
