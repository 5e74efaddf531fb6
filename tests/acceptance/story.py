"""A small language for rules: settings and mail in; ticket or supplement, mails out and the ledger's facts out.

    "D12 an employee's supplement is not shown to the customer": Story(
        ticket={"status": "Wacht op klant"},
        mail=Mail(sender="{employee}", subject="Ticket {ticket}"),
        then={"outcome": "supplement", "visible": False, "status": "Wacht op klant"},
    ),

Each story has people of its own, so that none disturbs another. `play` plays them all at once: the first mail of every
story is dropped, all of them are awaited, then the second ones, and so on; the facts are those of the last mail.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import make_msgid
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from PIL import Image

from tests.acceptance.desks import Cast, Desk, add_ticket, invite, open_desk
from tests.acceptance.pipeline import Pipeline, a_mail, eventually

MAILS: Final = Path(__file__).parents[1] / "mails"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail of a story. `{names}` are filled in from its people, its tickets and the mails before (`Scene.names`)."""

    subject: str | None = None
    sender: str = "{contact}"
    text: str = "Goedemorgen, kunnen jullie hiernaar kijken?"
    html: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    inline: Mapping[str, bytes] = field(default_factory=dict)
    """Images in the html, where it says `cid:name`."""
    attached: Mapping[str, bytes] = field(default_factory=dict)
    """Attachments by file name; what they are is guessed from the name, as mail clients do.

    An `eml` names the sender of a mail that is attached whole.
    """
    file: str | None = None
    """A mail of tests/mails instead, as it is but for what `replaced` says."""
    replaced: Mapping[str, str] = field(default_factory=dict)
    arrived: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Settings of the helpdesk and tickets that are there already; then mails, one after the other; then facts."""

    mail: Mail | tuple[Mail, ...] = field(default_factory=Mail)
    settings: Mapping[str, Any] = field(default_factory=dict)
    ticket: Mapping[str, Any] | None = None
    """`{ticket}` is its number."""
    second: Mapping[str, Any] | None = None
    """`{second}` is its number."""
    then: Mapping[str, Any]

    @property
    def mails(self) -> tuple[Mail, ...]:
        """The mails in order."""
        return self.mail if isinstance(self.mail, tuple) else (self.mail,)


@dataclass(frozen=True, slots=True)
class Says:
    """What a text or list must have in it, and what it must not."""

    parts: tuple[str, ...]
    but_not: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        """Whether `other` has all of the one and none of the other."""
        return (
            isinstance(other, str | list)
            and all(part in other for part in self.parts)
            and not any(part in other for part in self.but_not)
        )

    def __hash__(self) -> int:
        """Of all the parts."""
        return hash((self.parts, self.but_not))


def says(*parts: str, but_not: tuple[str, ...] = ()) -> Says:
    """A text or list with all of `parts` in it and none of `but_not`."""
    return Says(parts, but_not)


def picture(kind: str = "PNG", colour: str = "teal") -> bytes:
    """An image."""
    out = BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, kind)
    return out.getvalue()


@dataclass(slots=True)
class Scene:
    """A story on stage. `names` fill the braces of its mails and facts."""

    story: Story
    desk: Desk
    cast: Cast
    names: dict[str, str]
    facts: dict[str, Any] = field(default_factory=dict)

    def expected(self) -> dict[str, Any]:
        """What the story says, its braces filled in."""
        return {name: self._filled(value) for name, value in self.story.then.items()}

    def observed(self) -> dict[str, Any]:
        """The facts that the story speaks of."""
        return {name: self.facts[name] for name in self.story.then}

    def _filled(self, value: Any) -> Any:
        if isinstance(value, Says):
            return Says(tuple(part.format(**self.names) for part in value.parts), value.but_not)
        return value.format(**self.names) if isinstance(value, str) else value


async def play(pipeline: Pipeline, stories: Mapping[str, Story]) -> dict[str, Scene]:
    """Play all stories; each one's scene with its facts. Stories with the same settings share a helpdesk."""
    desks: dict[str, Desk] = {}
    scenes: dict[str, Scene] = {}
    for name, story in stories.items():
        key = repr(sorted(story.settings.items()))
        if key not in desks:
            desks[key] = await open_desk(pipeline, **story.settings)
        scenes[name] = await _set(pipeline, story, desks[key])
    for turn in range(max(len(story.mails) for story in stories.values())):
        playing = {name: scene for name, scene in scenes.items() if turn < len(scene.story.mails)}
        dropped = {name: _drop(pipeline, scene, scene.story.mails[turn]) for name, scene in playing.items()}
        facts = await facts_of(pipeline, list(dropped.values()))
        for name, unique_name in dropped.items():
            playing[name].facts = facts[unique_name]
            playing[name].names |= {
                "number": facts[unique_name]["number"] or "",
                "confirmation": facts[unique_name]["confirmation"] or "",
                "answered": facts[unique_name]["message_id"] or "",
            }
    return scenes


async def facts_of(pipeline: Pipeline, unique_names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The facts of mails, once each has its outcome and none of its notifications is planned any more."""
    waiting = list(unique_names)
    done = 0

    async def progress() -> bool:
        nonlocal done
        before, done = done, await pipeline.connection.fetchval(_DONE, waiting)
        return bool(done > before)

    while done < len(waiting):
        await eventually(progress, f"more than {done} of {len(waiting)} mails done")
    async with asyncio.timeout(60):
        rows = await pipeline.connection.fetch(_FACTS, waiting)
    assert len(rows) == len(waiting), "each mail ends in exactly one outcome (D7)"
    return {row["unique_name"]: dict(row) for row in rows}


async def one(pipeline: Pipeline, desk: Desk, mail: Mail, **names: str) -> dict[str, Any]:
    """The facts of a single mail, of a person whom nobody else is if it does not say of whom."""
    known = {"contact": f"Iemand <{uuid.uuid4().hex}@elders.example>", "desk": desk.address, **names}
    arrived = None if mail.arrived is None else mail.arrived.timestamp()
    name = pipeline.drop(written(mail, known), desk.name, arrived=arrived)
    return (await facts_of(pipeline, [name]))[name]


async def _set(pipeline: Pipeline, story: Story, desk: Desk) -> Scene:
    cast = await invite(pipeline)
    names = {
        **cast.senders,
        "n": str(cast.number),
        "desk": desk.address,
        "manager": "Marieke de Boer <marieke.de.boer@oosterdam-services.example>",
        "executor": "Tom Jansen <tom.jansen@oosterdam-services.example>",
    }
    for role, columns in (("second", story.second), ("ticket", story.ticket)):
        if columns is not None:
            filled = {
                column: value.format(**names) if isinstance(value, str) else value for column, value in columns.items()
            }
            names[role] = await add_ticket(pipeline, desk, cast, **filled)
    return Scene(story, desk, cast, names)


def _drop(pipeline: Pipeline, scene: Scene, mail: Mail) -> str:
    arrived = None if mail.arrived is None else mail.arrived.timestamp()
    content = written(mail, scene.names) if mail.file is None else dropped(mail, **scene.names)
    return pipeline.drop(content, scene.desk.name, arrived=arrived)


def dropped(mail: Mail, **names: str) -> bytes:
    """The mail of a file, with what it has replaced."""
    assert mail.file is not None
    content = (MAILS / mail.file).read_bytes()
    for part, other in mail.replaced.items():
        assert part.encode() in content, f"{mail.file} has no {part}"
        content = content.replace(part.encode(), other.format(**names).encode())
    return content


def written(mail: Mail, names: Mapping[str, str]) -> EmailMessage:
    """The mail as its sender's client would write it."""
    headers = {name: value.format(**names) for name, value in mail.headers.items()}
    made = a_mail(
        subject=None if mail.subject is None else mail.subject.format(**names),
        sender=mail.sender.format(**names),
        text=mail.text.format(**names) if "{" in mail.text else mail.text,
    )
    for name, value in headers.items():
        del made[name]
        made[name] = value
    if mail.html is not None:
        cids = {name: make_msgid(domain="test.example") for name in mail.inline}
        html = mail.html
        for name, cid in cids.items():
            html = html.replace(f"cid:{name}", f"cid:{cid[1:-1]}")
        made.add_alternative(html, subtype="html")
        part = made.get_payload()[1]  # type: ignore[index]
        for name, content in mail.inline.items():
            part.add_related(content, "image", "png", cid=cids[name], filename=f"{name}.png")  # type: ignore[union-attr]
    for name, content in mail.attached.items():
        if name.endswith(".eml"):
            made.add_attachment(a_mail(subject="Kassa", sender=content.decode().format(**names)), filename=name)
            continue
        main, sub = _TYPES[name.rpartition(".")[2]]
        made.add_attachment(content, main, sub, filename=name)
    return made


_TYPES: Final = {
    "png": ("image", "png"),
    "jpg": ("image", "jpeg"),
    "svg": ("image", "svg+xml"),
    "pdf": ("application", "pdf"),
}

_DONE: Final = """
    SELECT count(*) FROM helpdesk.imported_mails AS mail
    WHERE item_key = ANY($1) AND outcome IS NOT NULL
        AND NOT EXISTS (SELECT FROM helpdesk.notifications WHERE mail_id = mail.mail_id AND state = 'planned')"""

_FACTS: Final = """
    SELECT mail.item_key AS unique_name, mail.mail_id, mail.outcome, mail.message_id_header AS message_id,
        ARRAY(SELECT reason ->> 'id' FROM jsonb_array_elements(mail.reasons) AS reason) AS reasons,
        ticket.id AS ticket_id, ticket.number, ticket.title, ticket.mail_subject AS subject,
        helpdesk.name AS helpdesk, organisation.name AS organisation, contact.name AS contact,
        status.name AS status, supplement_status.name AS noted_status, priority.name AS priority,
        ticket.deadline_at AS deadline, supplement.deadline_at AS noted_deadline, ticket.completed_at AS completed,
        ticket.recalculate_deadline AS recalculate, ticket.planned_at AS planned, ticket.time_needed_hours AS hours,
        ticket_type.name AS type, environment.name AS environment,
        manager.name AS ticket_manager, executor.name AS ticket_executor,
        noted_priority.name AS noted_priority, noted_executor.name AS noted_executor,
        supplement.planned_at AS noted_planned, supplement.time_needed_hours AS noted_hours,
        supplement.recalculate_deadline AS noted_recalculate,
        supplement.visible_to_customer AS visible, supplement.expanded, supplement.held_for_review AS held,
        coalesce(informant.name, informing.name) AS informant, importer.name AS changed_by,
        coalesce(sender_person.name, sender_employee.name) AS known_sender,
        coalesce(supplement.needs_review, ticket.needs_review) AS review,
        coalesce(supplement.automatic, CASE WHEN supplement.id IS NULL THEN ticket.automatic END) AS automatic,
        coalesce(supplement.body_html, ticket.body_html) AS body,
        coalesce(supplement.body_full_text, ticket.body_full_text) AS whole_text,
        coalesce(supplement.sender_name, ticket.sender_name) AS sender_name,
        coalesce(supplement.sender_address, ticket.sender_address) AS sender_address,
        ARRAY(SELECT reader ->> 'address'
              FROM jsonb_array_elements(coalesce(supplement.sender_to, ticket.sender_to)) AS reader) AS sent_to,
        ARRAY(SELECT reader ->> 'address'
              FROM jsonb_array_elements(coalesce(supplement.sender_cc, ticket.sender_cc)) AS reader) AS sent_cc,
        ARRAY(SELECT name FROM helpdesk.attachments AS part
              WHERE part.mail_id = mail.mail_id AND blob_sha256 IS NOT NULL ORDER BY position) AS images,
        ARRAY(SELECT name FROM helpdesk.attachments AS part
              WHERE part.mail_id = mail.mail_id AND blob_sha256 IS NULL ORDER BY position) AS left_out,
        (SELECT string_agg(description, E'\\n' ORDER BY id) FROM helpdesk.ticket_history AS entry
         WHERE entry.mail_id = mail.mail_id AND entry.ticket_id = ticket.id) AS history,
        (SELECT message_id FROM helpdesk.notifications AS sent
         WHERE sent.mail_id = mail.mail_id AND kind = 'ticket-added-customer') AS confirmation,
        mails.manager, mails.executor, mails.customer
    FROM helpdesk.imported_mails AS mail
        LEFT JOIN helpdesk.tickets AS ticket ON ticket.id = mail.ticket_id
        LEFT JOIN helpdesk.supplements AS supplement ON supplement.id = mail.supplement_id
        LEFT JOIN helpdesk.helpdesks AS helpdesk ON helpdesk.id = ticket.helpdesk_id
        LEFT JOIN helpdesk.organisations AS organisation ON organisation.id = ticket.organisation_id
        LEFT JOIN helpdesk.persons AS contact ON contact.id = ticket.contact_id
        LEFT JOIN helpdesk.statuses AS status ON status.id = ticket.status_id
        LEFT JOIN helpdesk.priorities AS priority ON priority.id = ticket.priority_id
        LEFT JOIN helpdesk.ticket_types AS ticket_type ON ticket_type.id = ticket.ticket_type_id
        LEFT JOIN helpdesk.environments AS environment ON environment.id = ticket.environment_id
        LEFT JOIN helpdesk.employees AS manager ON manager.id = ticket.ticket_manager_id
        LEFT JOIN helpdesk.employees AS executor ON executor.id = ticket.executor_id
        LEFT JOIN helpdesk.priorities AS noted_priority ON noted_priority.id = supplement.priority_id
        LEFT JOIN helpdesk.employees AS noted_executor ON noted_executor.id = supplement.executor_id
        LEFT JOIN helpdesk.statuses AS supplement_status ON supplement_status.id = supplement.status_id
        LEFT JOIN helpdesk.persons AS informant ON informant.id = supplement.informant_person_id
        LEFT JOIN helpdesk.employees AS informing ON informing.id = supplement.informant_employee_id
        LEFT JOIN helpdesk.employees AS importer ON importer.id = ticket.changed_by_employee_id
        LEFT JOIN helpdesk.persons AS sender_person
            ON sender_person.id = coalesce(supplement.sender_person_id, ticket.sender_person_id)
        LEFT JOIN helpdesk.employees AS sender_employee
            ON sender_employee.id = coalesce(supplement.sender_employee_id, ticket.sender_employee_id)
        CROSS JOIN LATERAL (
            SELECT max(said) FILTER (WHERE kind = 'ticket-added-manager') AS manager,
                max(said) FILTER (WHERE kind = 'supplement-added-executor') AS executor,
                max(said) FILTER (WHERE kind = 'ticket-added-customer') AS customer
            FROM (SELECT kind, CASE state WHEN 'sent' THEN 'sent to ' || recipient_address
                                          ELSE state || ': ' || reason END AS said
                  FROM helpdesk.notifications AS sent WHERE sent.mail_id = mail.mail_id) AS notification
        ) AS mails
    WHERE mail.item_key = ANY($1)"""
"""`manager`, `executor` and `customer` say what became of M2, M3 and M4: `sent to …`, or `not-sent: reason`."""
