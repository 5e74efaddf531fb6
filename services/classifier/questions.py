"""What people ask of the classifier in the web console: «Probeer een mail», of which ticket_writer makes the answer.

The mail is read in a child process with all its limits, one at a time, and looked up as any other; nothing is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from services.classifier import repository
from services.classifier.facts_of_files.reading import mail_in_file, raw_mail, read_bytes
from services.classifier.flow import scanned
from services.classifier.reading.pool import ReaderPool
from services.classifier.repository import UnknownHelpdesk
from services.classifier.rules.facts import ask, choose_bodies, classify
from services.classifier.scanner import Scanner
from shared.answering import Answer, HandedOn, Question
from shared.database.pool import Pool
from shared.explaining import NO_SETTINGS, MailInFile

_NO_FILE: Final = ""


class Trials:
    """Finds the facts of mails that people try, on the settings of their helpdesk."""

    def __init__(
        self, pool: Pool, readers: ReaderPool, *, number_pattern: str, seconds: float, scanner: Scanner | None = None
    ) -> None:
        self._pool = pool
        self._readers = readers
        self._number_pattern = number_pattern
        self._seconds = seconds
        self._scanner = scanner
        self._one_at_a_time = asyncio.Lock()

    @property
    def answers(self) -> Mapping[str, Answer]:
        """The questions that the classifier answers (`shared.answering`)."""
        return {"try": self._try}

    async def _try(self, question: Question) -> dict[str, Any] | HandedOn:
        async with self._one_at_a_time:
            raw = await repository.tried_mail(self._pool, question.id)
            found = None if raw is None else await self._facts(raw, question.helpdesk_id)
        if found is None:
            return {"ok": False, "problem": "", "trouble": NO_SETTINGS}
        return HandedOn("ticket_writer", found.model_dump(mode="json"))

    async def _facts(self, raw: bytes, helpdesk_id: int) -> MailInFile | None:
        """The mail with its facts; None for a helpdesk without settings of the importer."""
        settings = (await repository.helpdesk_settings(self._pool, [helpdesk_id]))[0]
        if isinstance(settings, UnknownHelpdesk):
            return None
        file = await read_bytes(_NO_FILE, raw, self._readers, settings.reading, seconds=self._seconds)
        read, by_scanner = await scanned(self._scanner, file.read)
        file = replace(file, read=read, more_reasons=(*file.more_reasons, *by_scanner))
        asked = ask(read, settings.mailbox, self._number_pattern)
        known = (await repository.look_up(self._pool, [(helpdesk_id, asked)]))[0]
        bodies = choose_bodies(read, settings.mailbox, asked, known)
        mail = classify(
            raw_mail(file, helpdesk_id, datetime.now(UTC)),
            *(read, settings.mailbox, asked, known),
            bodies=bodies,
            more_reasons=file.more_reasons,
        )
        return mail_in_file(file, mail, asked)
