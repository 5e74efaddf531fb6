"""`helpdesk-importer watch`: looks as `status` does, shows metrics, and tells people what needs them."""

from __future__ import annotations

import asyncio
import signal
from typing import Final

from services.console.alarms.configuration import AlarmConfiguration
from services.console.alarms.watch import Watch, channels_of
from shared.health import HealthServer
from shared.telemetry import telemetry


def watch() -> None:
    """Tell people what needs them, by mail or webhook; with metrics.

    Looks every half minute until Ctrl-C or SIGTERM. What lasts for three minutes is told once, and again when it is
    over: everything to the operators (IMPORTER_ALARM_TO), to a helpdesk's administrators (alarms administrators) what
    concerns it, and each morning its day. Without IMPORTER_ALARM_SMTP_URL and IMPORTER_ALARM_WEBHOOK_URL it tells
    nobody and shows metrics alone. Several may run beside each other; `run` has one in it. Reads and keeps as
    importer_console, with the secrets database_password_console and amqp_password_console; alarm_smtp_password and
    alarm_webhook_secret for the channels.
    """
    configuration = AlarmConfiguration.load()
    with telemetry("watch", configuration):
        asyncio.run(_watch(configuration))


async def _watch(configuration: AlarmConfiguration) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    watch = Watch(configuration, channels_of(configuration))
    async with HealthServer(configuration.health_host, configuration.health_port) as health:
        health.add_check("watch", watch.check_looks)
        await watch.run(stop)


COMMANDS: Final = {"watch": watch}
