"""What a confirmation says to a stranger: one whom nobody knows and no trusted check vouches for (SPEC M4, D10).

His address may be forged, so that whoever forged it writes by us to whom he likes: subject, text, his name and those
of his attachments are his words. They are repeated without links and cut short, and as far as the helpdesk wants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from services.notifier.notification import Notification, Quoted
from services.notifier.rules.links import without_links
from shared.one_line import one_line
from shared.portal.left_out import MAIL_TOO_LARGE
from shared.templates.facts import Body, LeftOutAttachment, TicketFacts
from shared.templates.render import cut

SUBJECT_LIMIT: Final = 80
TEXT_LIMIT: Final = 500
NAME_LIMIT: Final = 40
"""Characters that are repeated of a subject, a text, and a name of a person or file."""
FILES_LIMIT: Final = 5
"""Files that are named; more are counted."""

NO_SUBJECT: Final = "uw bericht"
NO_TEXT: Final = "(niet herhaald)"


def as_a_stranger_sees_it(notification: Notification) -> Notification:
    """The notification with as much of the stranger's mail as he is to see; that to anybody else as it is."""
    quoted = notification.quoted
    if quoted is None:
        return notification
    return replace(
        notification,
        recipient_name=_person(notification.recipient_name, quoted),
        ticket=_ticket(notification.ticket, quoted),
    )


def _ticket(ticket: TicketFacts, quoted: Quoted) -> TicketFacts:
    text = cut(without_links(ticket.request.text), TEXT_LIMIT) if quoted is Quoted.ALL else NO_TEXT
    return replace(
        ticket,
        title=_subject(ticket.title, quoted),
        mail_subject=_subject(ticket.mail_subject, quoted),
        mail_from_name=_person(ticket.mail_from_name, quoted),
        request=Body(text=text),
        images=_files(ticket.images, quoted),
        left_out=_left_out([each for each in ticket.left_out if each.reason != MAIL_TOO_LARGE], quoted),
    )


def _subject(subject: str, quoted: Quoted) -> str:
    return NO_SUBJECT if quoted is Quoted.NOTHING else cut(without_links(one_line(subject)), SUBJECT_LIMIT)


def _person(name: str, quoted: Quoted) -> str:
    """The name where it is short and has no link; else nothing, so that the address stands for it."""
    bare = one_line(name)
    return name if quoted is not Quoted.NOTHING and len(bare) <= NAME_LIMIT and without_links(bare) == bare else ""


def _files(names: Sequence[str], quoted: Quoted) -> tuple[str, ...]:
    if quoted is Quoted.NOTHING or len(names) > FILES_LIMIT:
        return (_count(names),) if names else ()
    return tuple(_file(name) for name in names)


def _left_out(left_out: Sequence[LeftOutAttachment], quoted: Quoted) -> tuple[LeftOutAttachment, ...]:
    if quoted is Quoted.NOTHING or len(left_out) > FILES_LIMIT:
        return (LeftOutAttachment(_count(left_out), "niet opgeslagen"),) if left_out else ()
    return tuple(replace(each, name=_file(each.name)) for each in left_out)


def _count(files: Sequence[object]) -> str:
    return "1 bestand" if len(files) == 1 else f"{len(files)} bestanden"


def _file(name: str) -> str:
    return cut(without_links(one_line(name)), NAME_LIMIT)
