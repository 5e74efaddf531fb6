"""Mailboxes that are on, and outgoing accounts: each tried by a process of the service that knows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from services.console.doctor.configuration import DoctorConfiguration
from services.console.doctor.database import connected
from services.console.doctor.findings import Finding, failure, sentence, told, warning, well
from services.console.service_process import ask
from shared.errors import ImporterError, Misconfigured
from shared.sentences import Sentence

_AT_ONCE: Final = 4
"""Processes at the same time: each has a second of processor time and a pool of its own."""
_EACH_SECONDS: Final = 30
MOST: Final = 50
"""So many of a kind are tried, those with a problem first: three hundred mailboxes would be minutes."""
_MAILBOXES: Final = """
SELECT helpdesk.id, helpdesk.name FROM importer_settings settings
JOIN helpdesks helpdesk ON helpdesk.id = settings.helpdesk_id
JOIN mailbox_states state ON state.helpdesk_id = settings.helpdesk_id
WHERE settings.enabled AND settings.paused_since IS NULL ORDER BY state.problem_kind IS NULL, helpdesk.name"""
_ACCOUNTS: Final = "SELECT id, name FROM outgoing_accounts ORDER BY name"


async def examine_mailboxes(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """Each mailbox that is on and not paused, by the fetcher."""
    async for finding in _examine(configuration, "mailboxes", "fetcher", _MAILBOXES, "check-mailbox"):
        yield finding


async def examine_accounts(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """Each outgoing account, by the notifier; nothing is sent."""
    async for finding in _examine(configuration, "accounts", "notifier", _ACCOUNTS, "accounts check"):
        yield finding


async def _examine(
    configuration: DoctorConfiguration, part: str, service: str, question: str, command: str
) -> AsyncIterator[Finding]:
    connection = await connected(configuration)
    try:
        things = [(row["id"], row["name"]) for row in await connection.fetch(question)]
    finally:
        connection.terminate()
    if not things:
        yield well(part, Sentence("There are none to try."))
        return
    needed = (f"database_password_{service}", "encryption_keys")
    if missing := [name for name in needed if configuration.secret_at_hand(name) is None]:
        yield warning(
            part,
            Sentence(
                "Not tried: %(secrets)s not at hand (%(command)s where they are).",
                secrets=", ".join(missing),
                command=command,
            ),
        )
        return
    tried = things[:MOST]
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int, name: str) -> Finding | None:
        async with places:
            return await _tried(part, service, number, name)

    troubles: Sequence[Finding] = [
        finding for finding in await asyncio.gather(*(one(*thing) for thing in tried)) if finding is not None
    ]
    for finding in troubles:
        yield finding
    if len(troubles) < len(tried):
        yield well(
            part, Sentence("%(count)s of %(tried)s take our login.", count=len(tried) - len(troubles), tried=len(tried))
        )
    if len(things) > len(tried):
        yield warning(
            part,
            Sentence(
                "%(count)s more were not tried: %(command)s tries one.", count=len(things) - len(tried), command=command
            ),
        )


async def _tried(part: str, service: str, number: int, name: str) -> Finding | None:
    """What is wrong with one of them."""
    try:
        async with asyncio.timeout(_EACH_SECONDS):
            answer = await ask(service, "check", str(number))
    except TimeoutError:
        return failure(
            part,
            Sentence(
                "%(name)s: no answer within %(seconds)s seconds: see the server's name and the network.",
                name=name,
                seconds=_EACH_SECONDS,
            ),
        )
    except Misconfigured as trouble:
        return warning(part, Sentence("%(name)s: not tried: %(why)s", name=name, why=told(trouble)))
    except ImporterError as trouble:
        return failure(part, Sentence("%(name)s: %(why)s", name=name, why=told(trouble)))
    return None if answer["ok"] else failure(part, f"{name}: {sentence(str(answer['problem']))}")
