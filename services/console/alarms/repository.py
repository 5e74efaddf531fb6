"""What the watch keeps in the database: alarms, what was told of them, digests; all by the database's clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from services.console.alarms.messages import Alarm, Digest, Event
from services.console.needs_in_dutch import in_dutch
from shared.database.pool import Connection
from shared.standing.needs import Need

LEASE: Final = timedelta(minutes=2)
"""How long a telling is in one watch's hands; what a watch that died had in hand is told by another after that."""

_SEEN: Final = """
-- $1 an array of objects
INSERT INTO alarms (cause, key, helpdesks, english, dutch)
SELECT cause, key, ARRAY(SELECT jsonb_array_elements_text(helpdesks)), english, dutch
FROM jsonb_to_recordset($1::jsonb) AS seen (cause text, key text, helpdesks jsonb, english text, dutch text)
ON CONFLICT (cause, key) WHERE ended_at IS NULL DO UPDATE
SET last_seen_at = greatest(alarms.last_seen_at, now()), helpdesks = excluded.helpdesks,
    english = excluded.english, dutch = excluded.dutch
"""

_END: Final = "UPDATE alarms SET ended_at = now() WHERE ended_at IS NULL AND last_seen_at < now() - $1::interval"

_TO_TELL: Final = """
-- $1 channels, $2 how long it must have lasted
INSERT INTO alarm_tellings (alarm_id, event, channel)
SELECT alarm.id, 'began', channel FROM alarms alarm CROSS JOIN unnest($1::text[]) AS channel
WHERE alarm.ended_at IS NULL AND alarm.last_seen_at >= alarm.first_seen_at + $2::interval
  AND NOT EXISTS (
    SELECT FROM maintenance_windows silent WHERE now() BETWEEN silent.starts_at AND silent.ends_at
      AND (silent.helpdesk_id IS NULL
        OR alarm.helpdesks = ARRAY(SELECT name FROM helpdesks WHERE id = silent.helpdesk_id)))
UNION ALL
SELECT alarm.id, 'ended', began.channel FROM alarms alarm
JOIN alarm_tellings began ON began.alarm_id = alarm.id AND began.event = 'began' AND began.told_at IS NOT NULL
WHERE alarm.ended_at IS NOT NULL AND began.channel = ANY($1::text[]) AND alarm.ended_at > now() - interval '1 day'
ON CONFLICT DO NOTHING
"""

_CLAIM: Final = """
-- $1 the channel, $2 the event, $3 for how long
WITH free AS (
    SELECT telling.alarm_id FROM alarm_tellings telling JOIN alarms alarm ON alarm.id = telling.alarm_id
    WHERE channel = $1 AND event = $2 AND told_at IS NULL AND coalesce(claimed_until < now(), true)
      AND (event = 'ended' OR alarm.ended_at IS NULL)
    FOR UPDATE OF telling SKIP LOCKED
), claimed AS (
    UPDATE alarm_tellings telling SET claimed_until = now() + $3::interval FROM free
    WHERE telling.alarm_id = free.alarm_id AND channel = $1 AND event = $2 RETURNING telling.alarm_id
)
SELECT id, cause, key, helpdesks, english, dutch, first_seen_at, ended_at
FROM alarms JOIN claimed ON alarm_id = id ORDER BY id
"""

_TOLD: Final = """
UPDATE alarm_tellings SET told_at = now(), claimed_until = NULL
WHERE alarm_id = ANY($1::bigint[]) AND channel = $2 AND event = $3
"""

_RELEASE: Final = """
UPDATE alarm_tellings SET claimed_until = NULL WHERE alarm_id = ANY($1::bigint[]) AND channel = $2 AND event = $3
"""

_ADMINISTRATORS: Final = """
SELECT helpdesk.name AS helpdesk, address.address
FROM helpdesk_administrators administrator
JOIN helpdesks helpdesk ON helpdesk.id = administrator.helpdesk_id
JOIN employees employee ON employee.id = administrator.employee_id AND employee.active
CROSS JOIN LATERAL (
    SELECT address FROM employee_addresses WHERE employee_id = employee.id ORDER BY position LIMIT 1) AS address
ORDER BY 1, 2
"""

_CLAIM_DIGESTS: Final = """
-- $1 the channel, $2 the hour after which a day is told
WITH due AS (
    INSERT INTO alarm_digests AS digest (helpdesk_id, day, channel)
    SELECT helpdesk.id, (now() AT TIME ZONE calendar.time_zone)::date - 1, $1
    FROM helpdesks helpdesk JOIN calendars calendar ON calendar.id = helpdesk.calendar_id
    JOIN importer_settings settings ON settings.helpdesk_id = helpdesk.id AND settings.enabled
    WHERE extract(hour FROM now() AT TIME ZONE calendar.time_zone) >= $2
      AND ($1 <> 'mail' OR EXISTS (SELECT FROM helpdesk_administrators WHERE helpdesk_id = helpdesk.id))
    ON CONFLICT (helpdesk_id, day, channel) DO UPDATE SET claimed_until = NULL
        WHERE digest.told_at IS NULL AND digest.claimed_until < now()
    RETURNING helpdesk_id, day)
SELECT helpdesk.id AS helpdesk_id, helpdesk.name AS helpdesk, due.day,
    (SELECT count(*) FROM imported_mails WHERE helpdesk_id = helpdesk.id AND outcome IN ('ticket', 'supplement')
        AND outcome_at >= day.starts AND outcome_at < day.ends) AS imported,
    (SELECT count(*) FROM notifications WHERE helpdesk_id = helpdesk.id AND state IN ('not-sent', 'failed')
        AND created_at >= day.starts AND created_at < day.ends) AS not_sent
FROM due JOIN helpdesks helpdesk ON helpdesk.id = due.helpdesk_id
JOIN calendars calendar ON calendar.id = helpdesk.calendar_id
CROSS JOIN LATERAL (SELECT due.day::timestamp AT TIME ZONE calendar.time_zone AS starts,
    (due.day + 1)::timestamp AT TIME ZONE calendar.time_zone AS ends) AS day
"""

_HOLD_DIGEST: Final = """
UPDATE alarm_digests SET claimed_until = now() + $4::interval WHERE helpdesk_id = $1 AND day = $2 AND channel = $3
"""

_DIGEST_TOLD: Final = """
UPDATE alarm_digests SET told_at = now(), claimed_until = NULL WHERE helpdesk_id = $1 AND day = $2 AND channel = $3
"""


async def record_seen(connection: Connection, needs: Sequence[Need], gone_after: timedelta) -> None:
    """These are there now; what was not seen for `gone_after` has ended."""
    unique = {(need.cause, need.key): need for need in needs}.values()
    await connection.execute(
        _SEEN,
        [
            {
                "cause": need.cause.value,
                "key": need.key,
                "helpdesks": need.helpdesks,
                "english": need.english,
                "dutch": in_dutch(need),
            }
            for need in unique
        ],
    )
    await connection.execute(_END, gone_after)


async def plan_tellings(connection: Connection, channels: Sequence[str], after: timedelta) -> None:
    """What has lasted for `after` is to be told by these channels, unless maintenance is planned now; so is its end."""
    await connection.execute(_TO_TELL, list(channels), after)


async def claim(connection: Connection, channel: str, event: Event) -> list[Alarm]:
    """The alarms of which that is to be told by the channel: in our hands for LEASE."""
    rows = await connection.fetch(_CLAIM, channel, event.value, LEASE)
    return [Alarm(**{**row, "helpdesks": tuple(row["helpdesks"])}) for row in rows]


async def told(connection: Connection, channel: str, event: Event, alarms: Sequence[Alarm]) -> None:
    """The channel has taken it."""
    await connection.execute(_TOLD, [alarm.id for alarm in alarms], channel, event.value)


async def release(connection: Connection, channel: str, event: Event, alarms: Sequence[Alarm]) -> None:
    """The channel has not taken it: whoever looks next tries again."""
    await connection.execute(_RELEASE, [alarm.id for alarm in alarms], channel, event.value)


async def administrators(connection: Connection) -> dict[str, list[str]]:
    """The addresses of each helpdesk's administrators, by its name."""
    found: dict[str, list[str]] = {}
    for helpdesk, address in await connection.fetch(_ADMINISTRATORS):
        found.setdefault(helpdesk, []).append(address)
    return found


async def claim_digests(
    connection: Connection, channel: str, hour: int, waiting: dict[int, tuple[int, int]]
) -> list[Digest]:
    """Yesterdays that are to be told by the channel; `waiting` has what is in quarantine and to review by helpdesk."""
    rows = await connection.fetch(_CLAIM_DIGESTS, channel, hour)
    digests = []
    for row in rows:
        await connection.execute(_HOLD_DIGEST, row["helpdesk_id"], row["day"], channel, LEASE)
        quarantined, to_review = waiting.get(row["helpdesk_id"], (0, 0))
        digests.append(Digest(**row, quarantined=quarantined, to_review=to_review))
    return digests


async def digest_told(connection: Connection, channel: str, digest: Digest) -> None:
    """The channel has taken it."""
    await connection.execute(_DIGEST_TOLD, digest.helpdesk_id, digest.day, channel)
