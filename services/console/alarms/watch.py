"""The watch: looks, shows what needs a person as metrics, keeps alarms, and tells people of them.

    importer_needs_a_person           gauge  how many things need a person, by cause (shared.standing.needs)
    importer_helpdesk_info            gauge  1, with the name beside the id of each helpdesk
    importer_database_up, importer_broker_up
                                      gauge  1 while it answers the watch
    importer_watch_looks_total        counter looks that ended
    importer_alarms_told_total        counter messages that a channel took, or did not

While the database is away nothing can be kept: each watch then tells of that by itself, from its memory, once, and
again when it is back. So it does in a database that is not confirmed, which may be a copy: of that the operators, whom
the settings of this machine name, are told, and of nothing else; no address and no alarm of the copy is used.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from prometheus_client import Counter, Gauge

from services.console.alarms import repository
from services.console.alarms.configuration import AlarmConfiguration
from services.console.alarms.messages import Alarm, Event, Told, alarm_message, digest_message
from services.console.alarms.sending import Channel, MailChannel, NotTold, WebhookChannel
from services.console.database import open_database
from services.console.needs_in_dutch import in_dutch
from shared.database.pool import Pool, transaction
from shared.errors import Misconfigured, Outage, TryAgain
from shared.one_line import one_line
from shared.standing.look import look
from shared.standing.needs import Cause, Need, Standing, by_cause, needs

APART: Final = frozenset({Cause.DATABASE, Cause.INSTALLATION})
"""What is told from memory, and keeps all else from being told."""
QUIET: Final = frozenset({Cause.REVIEW})
"""What waits for office hours: it is in the digest."""

_log = structlog.get_logger(__name__)
_needs = Gauge("importer_needs_a_person", "Things that need a person, by cause", ["cause"])
_helpdesks = Gauge(
    "importer_helpdesk_info", "1, with the name beside the id of a helpdesk", ["helpdesk_id", "helpdesk"]
)
_database_up = Gauge("importer_database_up", "1 while PostgreSQL answers the watch")
_broker_up = Gauge("importer_broker_up", "1 while RabbitMQ's management API answers the watch")
_looks = Counter("importer_watch_looks_total", "Looks of the watch that ended")
_told = Counter(
    "importer_alarms_told_total", "Messages about alarms, by channel and how they ended", ["channel", "result"]
)


def channels_of(configuration: AlarmConfiguration) -> dict[str, Channel]:
    """The channels that are set up. Misconfigured when one is half set up, or its secret is missing."""
    made: dict[str, Channel] = {}
    for name in configuration.channels:
        made[name] = (
            MailChannel(configuration.mail_server()) if name == "mail" else WebhookChannel(configuration.webhook())
        )
    return made


def show(standing: Standing) -> None:
    """Show it as metrics; what could not be seen stays as it was."""
    _database_up.set(standing.database is not None)
    _broker_up.set(standing.broker is not None)
    for cause, count in by_cause(needs(standing)).items():
        _needs.labels(cause.value).set(count)
    if standing.database is not None:
        _helpdesks.clear()
        for helpdesk in standing.database.undecided:
            _helpdesks.labels(str(helpdesk.helpdesk_id), helpdesk.helpdesk).set(1)


def _apart(standing: Standing) -> Need | None:
    return next((need for need in needs(standing) if need.cause in APART), None)


_LOOKS_MISSED: Final = 3
_SLOW_LOOK_SECONDS: Final = 120
"""Longer than a look takes while servers are slow and a channel does not answer."""


class Watch:
    """Looks until it is told to stop. Any number may run beside each other."""

    def __init__(self, configuration: AlarmConfiguration, channels: Mapping[str, Channel]) -> None:
        self._configuration = configuration
        self._where = configuration.where()
        self._looked_at = time.monotonic()
        self._untold: dict[str, str] = {}
        """By channel, why it did not take the last message."""
        self._channels = channels
        self._after = timedelta(seconds=configuration.alarm_after_seconds)
        self._apart: Alarm | None = None
        self._apart_told = False

    async def run(self, stop: asyncio.Event) -> None:
        """Look every `watch_seconds` until `stop` is set. Whatever goes wrong is logged, and looked at again."""
        while not stop.is_set():
            try:
                await self.look()
                self._looked_at = time.monotonic()
                _looks.inc()
            except (Outage, TryAgain, Misconfigured) as trouble:
                _log.warning("watch_interrupted", problem=str(trouble))
            except Exception:  # noqa: BLE001 - who watches must not end by what it did not expect
                _log.exception("watch_failed")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._configuration.watch_seconds):
                    await stop.wait()

    async def check_looks(self) -> None:
        """For /health/ready: raises Outage while nothing is looked at, or a channel takes nothing."""
        silent = time.monotonic() - self._looked_at
        if silent > max(_LOOKS_MISSED * self._configuration.watch_seconds, _SLOW_LOOK_SECONDS):
            raise Outage(
                f"The last look ended {silent:.0f} seconds ago: see watch_failed and watch_interrupted in the log"
            )
        if self._untold:
            raise Outage("; ".join(f"{channel}: {trouble}" for channel, trouble in self._untold.items()))

    async def look(self) -> None:
        """One look, and what follows from it.

        A database that lets us look and takes nothing (a full disk, a standby), or refuses our login, is away too.
        """
        try:
            standing = await look(self._where)
        except Misconfigured as refusal:
            standing = Standing(datetime.now(UTC), None, None, str(refusal))
        show(standing)
        apart = _apart(standing)
        if apart is None:
            try:
                await self._keep_and_tell(standing)
            except (Outage, TryAgain) as trouble:
                away = f"It keeps nothing: {one_line(str(trouble))}."
                standing = replace(standing, database=None, database_trouble=standing.database_trouble or away)
                apart = _apart(standing)
        if apart is not None:
            await self._end_another(apart, standing.at)
            await self._tell_apart(apart, standing.at)

    async def _keep_and_tell(self, standing: Standing) -> None:
        async with open_database(self._configuration) as pool:
            await self._keep(pool, [need for need in needs(standing) if need.cause not in QUIET])
            await self._end_another(None, standing.at)
            for name in self._channels:
                await self._tell(pool, name)
                await self._tell_digests(pool, name, standing)

    async def _end_another(self, apart: Need | None, now: datetime) -> None:
        """Tell of the end of what was told apart, unless it is this."""
        if self._apart is not None and (apart is None or apart.cause != self._apart.cause):
            await self._tell_of_end(self._apart, now)

    async def _keep(self, pool: Pool, found: Sequence[Need]) -> None:
        async with transaction(pool) as connection:
            await repository.record_seen(connection, found, self._after)
            await repository.plan_tellings(connection, list(self._channels), self._after)

    async def _tell(self, pool: Pool, channel: str) -> None:
        for event in Event:
            async with transaction(pool) as connection:
                alarms = await repository.claim(connection, channel, event)
                administrators = await repository.administrators(connection)
            if not alarms:
                continue
            letters = self._letters(event, alarms, {} if channel == "webhook" else administrators)
            taken = [await self._hand_over(channel, *letter) for letter in letters]
            async with transaction(pool) as connection:
                settle = repository.told if all(taken) else repository.release
                await settle(connection, channel, event, alarms)

    def _letters(
        self, event: Event, alarms: Sequence[Alarm], administrators: Mapping[str, list[str]]
    ) -> list[tuple[Told, list[str]]]:
        """Operators are told of all; administrators of what is theirs. Who gets the same is told together."""
        language = self._configuration.language
        letters = [(alarm_message(event, alarms, language), list(self._configuration.operators))]
        of_person: dict[str, list[Alarm]] = {}
        for alarm in alarms:
            for address in {address for name in alarm.helpdesks for address in administrators.get(name, [])}:
                if address not in self._configuration.operators:
                    of_person.setdefault(address, []).append(alarm)
        letters += [(alarm_message(event, theirs, language), [address]) for address, theirs in of_person.items()]
        return letters

    async def _tell_digests(self, pool: Pool, channel: str, standing: Standing) -> None:
        if standing.database is None:
            return
        waiting = {one.helpdesk_id: (one.quarantined, one.to_review) for one in standing.database.undecided}
        async with transaction(pool) as connection:
            digests = await repository.claim_digests(connection, channel, self._configuration.digest_hour, waiting)
            administrators = await repository.administrators(connection)
        for digest in digests:
            message = digest_message(digest, self._configuration.language)
            if await self._hand_over(channel, message, administrators.get(digest.helpdesk, [])):
                async with transaction(pool) as connection:
                    await repository.digest_told(connection, channel, digest)

    async def _tell_apart(self, need: Need, now: datetime) -> None:
        if self._apart is not None and self._apart.cause != need.cause:  # whose end no channel took
            self._apart, self._apart_told = None, False
        began = self._apart.first_seen_at if self._apart is not None else now
        self._apart = Alarm(0, need.cause, "", (), need.english, in_dutch(need), began)
        if not self._apart_told and now - began >= self._after:
            self._apart_told = await self._tell_everywhere(Event.BEGAN, self._apart)

    async def _tell_of_end(self, alarm: Alarm, now: datetime) -> None:
        ended = Alarm(0, alarm.cause, "", (), alarm.english, alarm.dutch, alarm.first_seen_at, now)
        if not self._apart_told or await self._tell_everywhere(Event.ENDED, ended):
            self._apart, self._apart_told = None, False

    async def _tell_everywhere(self, event: Event, alarm: Alarm) -> bool:
        """Whether any channel took it: one that did not is not asked again, since the others would say it twice."""
        message = alarm_message(event, [alarm], self._configuration.language)
        return any([await self._hand_over(name, message, self._configuration.operators) for name in self._channels])

    async def _hand_over(self, channel: str, message: Told, recipients: Sequence[str]) -> bool:
        try:
            await self._channels[channel].tell(message, recipients)
        except NotTold as trouble:
            _told.labels(channel, "failed").inc()
            self._untold[channel] = str(trouble)
            _log.warning("alarm_not_told", channel=channel, subject=message.subject, problem=str(trouble))
            return False
        _told.labels(channel, "taken").inc()
        self._untold.pop(channel, None)
        _log.info("alarm_told", channel=channel, subject=message.subject)
        return True
