"""Whoever can write to the queue mail.classified gets no script on staff's screens, and no mail taken for another."""

from __future__ import annotations

import uuid

import pytest
from pydantic import ValidationError

from services.ticket_writer.flow import UnsafeHtml
from services.ticket_writer.writing import UnknownMail
from shared.errors import DeadLetter
from shared.messages import Bodies, Body, ClassifiedMail, MailAddress, Reason
from tests.services.ticket_writer.conftest import Desk
from tests.services.ticket_writer.givens import WHOLE, image, mail

SCRIPTS = {
    "script": "<script>alert(1)</script>",
    "handler": '<p onclick="alert(1)">Klik</p>',
    "link": '<a href="javascript:alert(1)">Klik</a>',
    "frame": '<iframe srcdoc="&lt;script&gt;"></iframe>',
    "form": '<form action="https://boef.example"><input name="wachtwoord"></form>',
    "remote": '<img src="https://boef.example/pixel.gif">',
    "style": "<style>body { display: none }</style>",
    "position": '<p style="position: fixed; top: 0">Vals</p>',
    "mutation": "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext>",
    "opener": '<a href="https://boef.example" target="_blank">Klik</a>',
    "unclosed": "<p>Zonder einde",
}


async def nothing_came_of(desk: Desk, given: ClassifiedMail) -> bool:
    """Whether the mail has no outcome and no ticket."""
    tickets = await desk.owner.fetchval("SELECT count(*) FROM tickets WHERE mail_id = $1", given.mail_id)
    outcome = await desk.owner.fetchval("SELECT outcome FROM imported_mails WHERE mail_id = $1", given.mail_id)
    return (tickets, outcome) == (0, None)


@pytest.mark.parametrize("reading", ["whole", "above_marker", "trimmed"])
@pytest.mark.parametrize("html", SCRIPTS.values(), ids=SCRIPTS.keys())
async def test_html_that_the_sanitiser_would_change_is_parked(desk: Desk, html: str, reading: str) -> None:
    readings = {"whole": WHOLE, reading: Body(html=html, text="Vals")}
    given = await desk.fetch(mail(bodies=Bodies(**readings)))
    with pytest.raises(UnsafeHtml, match=reading):
        await desk.write(given)
    assert issubclass(UnsafeHtml, DeadLetter)
    assert await nothing_came_of(desk, given)


async def test_an_image_of_another_mail_is_not_shown(desk: Desk) -> None:
    ours = image()
    shown = Body(html=f'<img src="attachment:{uuid.uuid4()}"><img src="attachment:{ours.id}">', text="")
    given = await desk.fetch(mail(bodies=Bodies(whole=shown), images=(ours,)))
    with pytest.raises(UnsafeHtml):
        await desk.write(given)


@pytest.mark.parametrize("change", ["helpdesk", "raw"])
async def test_what_the_ledger_says_otherwise_is_parked(desk: Desk, change: str) -> None:
    given = await desk.fetch(mail())
    forged: dict[str, object] = {"helpdesk_id": 2} if change == "helpdesk" else {"raw": mail().raw}
    with pytest.raises(UnknownMail, match="than the ledger"):
        await desk.write(given.model_copy(update=forged))
    assert await nothing_came_of(desk, given)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"subject": "x" * 100_000}, id="subject"),
        pytest.param({"to": (MailAddress(address="a@b.example"),) * 3_000}, id="addresses"),
        pytest.param({"reasons": (Reason(id="x", detail="y"),) * 3_000}, id="reasons"),
        pytest.param({"bodies": {"whole": {"html": "x" * 20_000_000, "text": ""}}}, id="body"),
    ],
)
def test_a_message_beyond_its_bounds_is_none(changes: dict[str, object]) -> None:
    forged = mail().model_copy(update=changes)
    with pytest.raises(ValidationError, match="at most"):
        ClassifiedMail.model_validate_json(forged.model_dump_json(warnings=False))
