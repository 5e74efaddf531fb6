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
from services.console.doctor.findings import Finding, failure, told, warning, well
from shared.errors import Misconfigured
from shared.logins import ANNOUNCED
from shared.sentences import Sentence
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
            Sentence(
                "IMPORTER_AMQP_URL leads to %(amqp)s and IMPORTER_RABBITMQ_MANAGEMENT_URL to %(http)s: if that is not "
                "one cluster, status tells of another RabbitMQ.",
                amqp=amqp.hostname,
                http=http.hostname,
            ),
        )
    try:
        channels = configuration.channels
    except Misconfigured as trouble:
        troubles += 1
        channels = ()
        yield failure("alarms", Sentence("They reach nobody: %(why)s", why=told(trouble)))
    else:
        if not channels:
            troubles += 1
            yield warning(
                "alarms",
                Sentence(
                    "They reach nobody: set IMPORTER_ALARM_SMTP_URL or IMPORTER_ALARM_WEBHOOK_URL (operations.md)."
                ),
            )
    if "mail" in channels and not configuration.operators:
        troubles += 1
        yield failure(
            "alarms", Sentence("IMPORTER_ALARM_TO names nobody: an alarm about a server goes to no person by mail.")
        )
    for channel, make in (("mail", configuration.mail_server), ("webhook", configuration.webhook)):
        if channel in channels:
            try:
                make()
            except Misconfigured as trouble:
                troubles += 1
                yield failure(
                    "alarms",
                    Sentence("The channel %(channel)s cannot be used: %(why)s", channel=channel, why=told(trouble)),
                )
    if not troubles:
        yield well(
            "settings",
            Sentence("They do not contradict each other; alarms go by %(channels)s.", channels=" + ".join(channels)),
        )


async def examine_secrets(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """How old the secrets at hand are, and who may read them; never what they are."""
    now = datetime.now(UTC)
    folder = configuration.secrets_dir
    at_hand = sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
    if not at_hand:
        yield failure("secrets", Sentence("There is none in %(folder)s: set IMPORTER_SECRETS_DIR.", folder=str(folder)))
        return
    old = [
        (file.name, now - _changed(file)) for file in at_hand if now - _changed(file) > _OLD and file.stat().st_size > 1
    ]
    for name, age in old[:_NAMED]:
        yield warning(
            "secrets",
            Sentence("%(name)s is %(days)s days old: %(renewal)s", name=name, days=age.days, renewal=_renewal(name)),
        )
    if len(old) > _NAMED:
        yield warning("secrets", Sentence("%(count)s more are older than a year.", count=len(old) - _NAMED))
    if open_ones := [
        file.name for file in at_hand if file.stat().st_mode & 0o007 and file.parent.stat().st_mode & 0o001
    ]:
        yield failure(
            "secrets",
            Sentence(
                "Everybody on this machine may read %(files)s: chmod 600, and make new ones.",
                files=", ".join(open_ones[:_NAMED]),
            ),
        )
    if not old and not open_ones:
        yield well(
            "secrets",
            Sentence("Secrets at hand: %(count)s, none older than a year or open to everybody.", count=len(at_hand)),
        )


def _changed(file: Path) -> datetime:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC)


def _renewal(name: str) -> str:
    if name.startswith("database_password"):
        return Sentence("write a new one there, run migrate, and start who uses it again.")
    if name.startswith("amqp_password"):
        return Sentence("write a new one there, run deploy-topology, and start who uses it again.")
    if name == "encryption_keys":
        return Sentence("encryption key generate --add, then encryption rotate.")
    return Sentence("write a new one there, and start who uses it again.")


async def examine_certificates(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """When those of both servers end, where the way to them is TLS."""
    shown = await asyncio.gather(
        server_certificate("PostgreSQL", configuration.database_dsn),
        server_certificate("RabbitMQ", configuration.management_dsn),
    )
    for certificate in filter(None, shown):
        of = {"server": certificate.server, "day": f"{certificate.ends_at.astimezone():%Y-%m-%d}"}
        if certificate.ends_at - datetime.now(UTC) <= ANNOUNCED:
            yield warning(
                "certificates",
                Sentence("That of %(server)s ends on %(day)s: renew it (in containers: make up RUNTIME=docker).", **of),
            )
        else:
            yield well("certificates", Sentence("That of %(server)s ends on %(day)s.", **of))


async def examine_room(configuration: DoctorConfiguration) -> AsyncIterator[Finding]:
    """Free space here: where files of mails are written while they are read, and where the secrets lie."""
    for folder in dict.fromkeys((tempfile.gettempdir(), str(configuration.secrets_dir))):
        try:
            usage = shutil.disk_usage(folder)
        except OSError:
            continue  # of the secrets, `examine_secrets` says what is wrong
        share = usage.free / usage.total
        has = {"folder": folder, "room": f"{usage.free / _GIB:.1f}", "share": f"{share:.0%}"}
        if share < _LITTLE:
            said = Sentence("%(folder)s has %(room)s GiB left, %(share)s: make room on it.", **has)
            yield (failure if share < _HARDLY_ANY else warning)("disk", said)
        else:
            yield well("disk", Sentence("%(folder)s has %(room)s GiB left.", **has))
