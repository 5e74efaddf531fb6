"""What people ask of the notifier in the web console: a test mail to themselves, as a template would be sent.

It is written and sent as any other, of a real ticket, by the helpdesk's account; nothing of it is recorded. It goes to
the name of who asks, which is his address, and to nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from services.notifier.flow import Notifier
from services.notifier.repository import Repository
from services.notifier.rules.addresses import UnusableAddress, parse_address
from services.notifier.rules.compose import NoSender
from services.notifier.transport import NotDelivered
from shared.answering import Answer, Question
from shared.messages import NotificationKind
from shared.portal.delivery import DeliveryReason
from shared.templates.facts import OwnTemplate

TEST_MAIL: Final = "test-mail"
MOST_AN_HOUR: Final = 20
"""Test mails of a helpdesk: whoever gets hold of the console sends no flood by it."""

WITHIN_SECONDS: Final = 120
"""A person waits; and after three minutes the question is begun again."""


def answers(notifier: Notifier, repository: Repository) -> Mapping[str, Answer]:
    """The questions that the notifier answers (`shared.answering`)."""

    async def test_mail(question: Question) -> dict[str, Any]:
        asked = {"kind": str(question.arguments["kind"]), "to": question.asked_by}
        return {**asked, **await _sent(notifier, repository, question)}

    return {TEST_MAIL: test_mail}


async def _sent(notifier: Notifier, repository: Repository, question: Question) -> dict[str, Any]:
    given = question.arguments
    if trouble := await _against_it(repository, question):
        return _not_sent(trouble)
    kind = NotificationKind(given["kind"])
    notification = await repository.as_if_planned(question.helpdesk_id, kind, given["ticket"], question.asked_by)
    if notification is None:
        return _not_sent("no-ticket")
    template = OwnTemplate(given["subject"], given["body_html"], given["body_text"])
    try:
        async with asyncio.timeout(WITHIN_SECONDS):
            reply = await notifier.send_once(replace(notification, template=template))
    except NoSender as error:
        return _not_sent(DeliveryReason.NO_ACCOUNT.value, str(error))
    except NotDelivered as error:
        return _not_sent(error.reason.value, error.reply)
    except TimeoutError:
        return _not_sent(DeliveryReason.SERVER_AWAY.value)
    return {"ok": True, "trouble": "", "problem": "", "reply": reply}


async def _against_it(repository: Repository, question: Question) -> str:
    """Why none is sent, whatever the template, or ''."""
    try:
        parse_address(question.asked_by)
    except UnusableAddress:
        return "no-address"
    may = await repository.may_send(question.helpdesk_id, TEST_MAIL)
    if not may.confirmed:
        return "a-copy"
    if may.held:
        return "held"
    return "too-many" if may.asked > MOST_AN_HOUR else ""


def _not_sent(trouble: str, problem: str = "") -> dict[str, Any]:
    """Why: an id of ours or a `DeliveryReason`, and what the server said."""
    return {"ok": False, "trouble": trouble, "problem": problem, "reply": ""}
