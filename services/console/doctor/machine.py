"""What this machine itself can tell: settings, secrets, certificates that are shown, room."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from services.console.doctor.configuration import DoctorConfiguration
from services.console.doctor.findings import Finding, failure, warning, well
from shared.counted import many
from shared.errors import Misconfigured
from shared.logins import ANNOUNCED
from shared.standing.certificates import server_certificate

_OLD: Final = timedelta(days=365)
_LITTLE: Final = 0.10
_HARDLY_ANY: Final = 0.02
_GIB: Final = 1024**3
_NAMED: Final = 3


async def examine_settings(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """Settings that contradict each other, and alarms that would reach nobody."""
    troubles = 0
    amqp, http = (
        urlsplit(url.get_secret_value()) for url in (configuration.amqp_url, configuration.rabbitmq_management_url)
    )
    if amqp.hostname != http.hostname:
        troubles += 1
        yield warning(
            "settings",
            f"IMPORTER_AMQP_URL leads to {amqp.hostname} and IMPORTER_RABBITMQ_MANAGEMENT_URL to {http.hostname}: if "
            "that is not one cluster, status tells of another RabbitMQ.",
        )
    try:
        channels = configuration.channels
    except Misconfigured as trouble:
        troubles += 1
        channels = ()
        yield failure("alarms", f"They reach nobody: {trouble}")
    else:
        if not channels:
            troubles += 1
            yield warning(
                "alarms",
                "They reach nobody: set IMPORTER_ALARM_SMTP_URL or IMPORTER_ALARM_WEBHOOK_URL (operations.md).",
            )
    if "mail" in channels and not configuration.operators:
        troubles += 1
        yield failure("alarms", "IMPORTER_ALARM_TO names nobody: an alarm about a server goes to no person by mail.")
    for channel, make in (("mail", configuration.mail_server), ("webhook", configuration.webhook)):
        if channel in channels:
            try:
                make()
            except Misconfigured as trouble:
                troubles += 1
                yield failure("alarms", f"The channel {channel} cannot be used: {trouble}")
    if not troubles:
        yield well("settings", f"They do not contradict each other; alarms go by {' and '.join(channels)}.")


async def examine_secrets(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """How old the secrets at hand are, and who may read them; never what they are."""
    now = datetime.now(UTC)
    folder = configuration.secrets_dir
    at_hand = sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
    if not at_hand:
        yield failure("secrets", f"There is none in {folder}: set IMPORTER_SECRETS_DIR.")
        return
    old = [
        (file.name, now - _changed(file)) for file in at_hand if now - _changed(file) > _OLD and file.stat().st_size > 1
    ]
    for name, age in old[:_NAMED]:
        yield warning("secrets", f"{name} is {age.days} days old: {_renewal(name)}")
    if len(old) > _NAMED:
        yield warning("secrets", f"{len(old) - _NAMED} more are older than a year.")
    if open_ones := [
        file.name for file in at_hand if file.stat().st_mode & 0o007 and file.parent.stat().st_mode & 0o001
    ]:
        yield failure(
            "secrets",
            f"Everybody on this machine may read {', '.join(open_ones[:_NAMED])}: chmod 600, and make new ones.",
        )
    if not old and not open_ones:
        yield well("secrets", f"{many(len(at_hand), 'secret')} at hand, none older than a year or open to everybody.")


def _changed(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def _renewal(name: str) -> str:
    if name.startswith("database_password"):
        return "write a new one there, run migrate, and start who uses it again."
    if name.startswith("amqp_password"):
        return "write a new one there, run deploy-topology, and start who uses it again."
    if name == "encryption_keys":
        return "encryption key generate --add, then encryption rotate."
    return "write a new one there, and start who uses it again."


async def examine_certificates(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """When those of both servers end, where the way to them is TLS."""
    shown = await asyncio.gather(
        server_certificate("PostgreSQL", configuration.database_dsn),
        server_certificate("RabbitMQ", configuration.management_dsn),
    )
    for certificate in filter(None, shown):
        ends = f"That of {certificate.server} ends on {certificate.ends_at.astimezone():%Y-%m-%d}"
        if certificate.ends_at - datetime.now(UTC) <= ANNOUNCED:
            yield warning("certificates", f"{ends}: renew it (in containers: make up RUNTIME=docker).")
        else:
            yield well("certificates", f"{ends}.")


async def examine_room(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """Free space here: where files of mails are written while they are read, and where the secrets lie."""
    for folder in dict.fromkeys((tempfile.gettempdir(), str(configuration.secrets_dir))):
        try:
            usage = shutil.disk_usage(folder)
        except OSError:
            continue  # of the secrets, `examine_secrets` says what is wrong
        share, said = usage.free / usage.total, f"{folder} has {usage.free / _GIB:.1f} GiB left"
        if share < _HARDLY_ANY:
            yield failure("disk", f"{said}, {share:.0%}: make room on it.")
        elif share < _LITTLE:
            yield warning("disk", f"{said}, {share:.0%}: make room on it.")
        else:
            yield well("disk", f"{said}.")
