"""`reconcile` as a person types it, and as the night does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from deploy.local.instance import Servers
from shared.standing.needs import Cause, needs
from shared.standing.recorded import Compared, compared
from tests.databases import DATABASE_PASSWORD
from tests.services.console.reconcile.conftest import Installation
from tests.shared.standing.examples import NOW, standing

ROOT = Path(__file__).parents[4]
MISSING = "DELETE FROM notifications WHERE mail_id = 'mail:1'"


@pytest.fixture
def command(importer: Any, sound: Installation, servers: Servers, tmp_path: Path) -> Any:
    """The command line on the sound installation, whose mailbox of the first helpdesk is an empty Maildir."""
    for folder in ("new", "cur", "tmp"):
        (tmp_path / "mail" / folder).mkdir(parents=True)
    for role in ("reconciler", "fetcher", "operator"):
        (tmp_path / f"database_password_{role}").write_text(DATABASE_PASSWORD, encoding="ascii")
    user = next(user.name for user in sound.vhost.topology.users if user.service == "reconciler")
    password = sound.vhost.passwords["reconciler"].get_secret_value()
    management, amqp = urlsplit(servers.rabbitmq.management_url), sound.vhost.dsn("reconciler").get_secret_value()
    importer.environment.update(
        {
            "PYTHONPATH": str(ROOT),
            "IMPORTER_DATABASE_URL": f"postgresql://{sound.database.dsn('console').get_secret_value().partition('@')[2]}",
            "IMPORTER_AMQP_URL": amqp,
            "IMPORTER_RABBITMQ_MANAGEMENT_URL": f"http://{user}:{password}@{management.hostname}:{management.port}",
        }
    )
    return importer


async def test_it_ends_with_0_where_nothing_differs_and_with_3_where_something_does(
    command: Any, sound: Installation, tmp_path: Path
) -> None:
    await sound.sql("UPDATE importer_settings SET server = $1 WHERE helpdesk_id = 1", str(tmp_path / "mail"))
    await sound.sql("UPDATE logins SET password_encrypted = NULL")
    said = await command.says("reconcile")
    assert "1 mailbox" in said
    assert said.endswith("Nothing differs.\n")
    await sound.sql(MISSING)
    answer = await command.answers("reconcile", code=3)
    (difference,) = answer["differences"]
    assert (difference["kind"], difference["helpdesk"], difference["ticket"]) == (
        "notification-missing", "Support", "1000001",
    )  # fmt: skip
    assert (difference["remedy"], difference["repaired"]) == ("person", False)
    assert (answer["counts"], answer["left"], answer["not_compared"]) == ({"notification-missing": 1}, 1, [])
    assert (await command.answers("reconcile", "--helpdesk", "verkoop"))["differences"] == []
    assert "there is no helpdesk 'Weg'" in await command.says("reconcile", "--helpdesk", "Weg", code=1)


@pytest.mark.parametrize(
    ("language", "columns", "says"),
    [
        ("en", 60, "tell the people yourself"),
        ("en", 80, "tell the people yourself"),
        ("nl", 60, "vertel het de mensen zelf"),
        ("nl", 80, "vertel het de mensen zelf"),
    ],
)
async def test_no_line_is_wider_than_the_terminal(
    command: Any, sound: Installation, language: str, columns: int, says: str
) -> None:
    await sound.sql(MISSING)
    await sound.sql("DELETE FROM blob_chunks; UPDATE imported_mails SET marked_read_at = NULL")
    command.environment.update({"COLUMNS": str(columns), "IMPORTER_LANGUAGE": language})
    said = await command.says("reconcile", "--without-mailboxes", code=3)
    assert "notification-missing" in said
    assert says in " ".join(said.split())
    assert max(map(len, said.splitlines())) <= columns


async def test_what_programs_read_is_english_in_dutch_too(command: Any, sound: Installation) -> None:
    await sound.sql(MISSING)
    await sound.sql("DELETE FROM blob_chunks")
    answers = []
    for language in ("en", "nl"):
        command.environment["IMPORTER_LANGUAGE"] = language
        answers.append(await command.answers("reconcile", code=3) | {"at": ""})
    assert answers[0] == answers[1]
    assert "They are those of the raw mail. 0 of 1 bytes are there." in [
        difference["detail"] for difference in answers[0]["differences"]
    ]


async def test_where_a_mailbox_cannot_be_compared_it_says_so(command: Any) -> None:
    answer = await command.answers("reconcile", code=3)
    assert [sentence[:24] for sentence in answer["not_compared"]] == ["The mailbox of Support: "]


async def test_status_tells_what_is_left_until_a_run_finds_nothing(command: Any, sound: Installation) -> None:
    await sound.sql("UPDATE importer_settings SET paused_since = now(), paused_reason = 'x'")
    await sound.sql(MISSING)
    await command.says("reconcile", code=3)
    assert (await _compared(sound)).left == 1
    await sound.sql(
        "INSERT INTO notifications (id, mail_id, kind, helpdesk_id, ticket_id, state, reason)"
        " VALUES (gen_random_uuid(), 'mail:1', 'ticket-added-manager', 1, 1, 'not-sent', 'no-recipient')"
    )
    await command.says("reconcile")
    assert (await _compared(sound)).left == 0


async def _compared(sound: Installation) -> Compared:
    async with sound.database.connect("console") as console:
        found = await compared(console)
    assert found is not None
    return found


def test_what_is_left_is_a_need_and_nothing_else_is() -> None:
    (need,) = needs(standing(compared=Compared(NOW, 3)))
    assert (need.cause, need.since) == (Cause.DIFFERENCES, NOW)
    assert "3 differences" in need.english
    assert "3 verschil(len)" in need.dutch
    assert list(needs(standing(compared=Compared(NOW, 0)))) == []


async def test_the_night_does_both_jobs_once_each_and_repairs(command: Any, sound: Installation) -> None:
    await sound.sql("UPDATE importer_settings SET paused_since = now(), paused_reason = 'x'; DELETE FROM nightly_jobs")
    await sound.sql(
        "UPDATE notifications SET state = 'planned', sent_at = NULL, lease_holder = 'gone',"
        " lease_until = now() - interval '2 hours', next_try_at = now() + interval '1 day' WHERE mail_id = 'mail:1'"
    )
    said = (await command.says("nightly", "--now")).splitlines()
    assert said[0].startswith("retention: ")
    assert said[1].startswith("reconcile: 1 differences, 1 repaired, 0 left")
    (row,) = await sound.sql("SELECT told FROM nightly_jobs WHERE job = 'reconcile' AND finished_at IS NOT NULL")
    assert json.loads(row["told"])["repaired"] == 1
    assert "done already" in await command.says("nightly", "--now", "--only", "reconcile")
    await sound.sql(  # the clock was ahead then
        "UPDATE nightly_jobs"
        " SET started_at = started_at + interval '1 year', finished_at = finished_at + interval '1 year'"
    )
    assert "done already" not in await command.says("nightly", "--now", "--only", "reconcile")


async def test_what_keeps_one_job_from_being_done_is_no_matter_of_the_other(
    command: Any, sound: Installation, tmp_path: Path
) -> None:
    await sound.sql("UPDATE importer_settings SET paused_since = now(), paused_reason = 'x'; DELETE FROM nightly_jobs")
    (tmp_path / "database_password_operator").unlink()
    assert "database_password_operator" in await command.says("nightly", "--now", code=78)
    done = await sound.sql("SELECT job FROM nightly_jobs WHERE finished_at IS NOT NULL")
    assert [row["job"] for row in done] == ["reconcile"]
