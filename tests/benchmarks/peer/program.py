"""The peer's own process, run by its own Python: `python -m tests.benchmarks.peer.program`.

Reads   PEER_…: its database, which is empty, and its folder; then lines on standard input
Does    at the start: makes its schema, its mail texts, a queue of type `local`, a user and 1,000 tickets
        at each line: `process_queue` of django-helpdesk itself over what lies in the folder `mail`
Writes  a line of JSON each: how many tickets and follow-ups there are, and the seconds that it took
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any

import django

FIRST_TICKET = 1_000_001
TICKETS = 1_000
CONTACTS = 250
"""Tickets and their submitters are those of customers.sql."""
SLUG = "ict"

_SEQUENCE = "SELECT setval(pg_get_serial_sequence('helpdesk_ticket', 'id'), (SELECT max(id) FROM helpdesk_ticket))"


def prepare(folder: Path) -> Any:
    """The queue, on a database that has all it needs."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone
    from helpdesk.models import Queue, Ticket

    call_command("migrate", verbosity=0)
    call_command("loaddata", "emailtemplate.json", verbosity=0)
    executor = get_user_model().objects.create_user("tom", email="tom.jansen@oosterdam-services.example")
    queue = Queue.objects.create(
        title="ICT-servicedesk", slug=SLUG, email_address="servicedesk@oosterdam-services.example",
        new_ticket_cc="marieke.de.boer@oosterdam-services.example", allow_email_submission=True,
        email_box_type="local", email_box_local_dir=str(folder / "mail"), enable_notifications_on_email_events=True,
    )  # fmt: skip
    Ticket.objects.bulk_create(
        Ticket(
            id=FIRST_TICKET + number, queue=queue, title=f"Melding van eerder {number}", assigned_to=executor,
            submitter_email=f"contact{number % CONTACTS}@klant{number % CONTACTS % 50}.example", created=timezone.now(),
            description="Graag hulp.",
        )
        for number in range(TICKETS)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_SEQUENCE)
        cursor.execute("ANALYZE")
    return queue


def _say(seconds: float) -> None:
    from helpdesk.models import FollowUp, Ticket

    counts = {"tickets": Ticket.objects.count(), "follow_ups": FollowUp.objects.count()}
    sys.stdout.write(json.dumps({**counts, "seconds": seconds}) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Prepare, and process the queue for each line."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.peer.django_settings"
    django.setup()
    from helpdesk.email import process_queue

    folder = Path(os.environ["PEER_FOLDER"])
    (folder / "mail").mkdir(parents=True)
    queue = prepare(folder)
    logger = logging.getLogger("django.helpdesk.queue.ict")
    _say(0)
    for _ in sys.stdin:
        began = time.perf_counter()
        process_queue(queue, logger)
        _say(time.perf_counter() - began)


if __name__ == "__main__":
    main()
