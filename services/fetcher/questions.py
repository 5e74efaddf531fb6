"""What people ask of the fetcher in the web console: «Test de mailbox» and «Zoek server», as the command line asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.fetcher.mailbox_check import try_mailbox
from shared.answering import Answer, HandedOn, Question
from shared.asking import Asked
from shared.configuration import Configuration
from shared.database.pool import Pool


def answers(configuration: Configuration, pool: Pool, held: Callable[[], str | None]) -> Mapping[str, Answer]:
    """The questions that the fetcher answers (`shared.answering`); `held` says why it opens no mailbox, if so."""
    asked = Asked(configuration, pool)

    def unless_held(answer: Answer) -> Answer:
        async def answered(question: Question) -> dict[str, Any] | HandedOn:
            return {"ok": False, "problem": why} if (why := held()) else await answer(question)

        return answered

    async def check(question: Question) -> dict[str, Any]:
        return await try_mailbox(asked, question.helpdesk_id, again=False)

    async def check_again(question: Question) -> dict[str, Any]:
        return await try_mailbox(asked, question.helpdesk_id, again=True)

    async def discover(question: Question) -> dict[str, Any]:
        from services.fetcher.discovery import find_server  # noqa: PLC0415 - it stands on all of EWS

        return await find_server(asked, question.helpdesk_id)

    every = {"check": check, "check-again": check_again, "discover": discover}
    return {name: unless_held(answer) for name, answer in every.items()}
