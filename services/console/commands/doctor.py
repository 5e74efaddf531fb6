"""`helpdesk-importer doctor`: examines the installation, and says of each part whether it is well and what to do."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Final

import typer

from services.console import layout
from services.console.doctor import broker, database, machine, mail, openid
from services.console.doctor.configuration import DoctorConfiguration
from services.console.doctor.findings import Check, Finding, Level, all_findings
from services.console.output import Json, in_words, show_json, terminal_width, visible
from services.console.quiet import keep_libraries_quiet
from services.console.texts import N_, _, ngettext, texts

NEEDS_A_PERSON: Final = 3
_PARTS: Final = (
    N_("OpenID Connect"),
    N_("PostgreSQL"),
    N_("RabbitMQ"),
    N_("accounts"),
    N_("alarms"),
    N_("certificates"),
    N_("clocks"),
    N_("disk"),
    N_("grants"),
    N_("logins"),
    N_("mailboxes"),
    N_("objects"),
    N_("queues"),
    N_("roles"),
    N_("schema"),
    N_("secrets"),
    N_("settings"),
    N_("ticket numbers"),
    N_("versions"),
)
"""What is examined: ids in JSON, and words."""
_LEVELS: Final = {Level.OK: N_("ok"), Level.WARN: N_("warn"), Level.FAIL: N_("fail")}


def doctor(
    *,
    as_json: Json = False,
    within: Annotated[
        float, typer.Option(min=0.5, max=120, metavar="SECONDS", help="How long each check of a server may take.")
    ] = 10.0,
    sql: Annotated[
        bool, typer.Option("--sql", help="Only print the SQL that brings back objects and rights of the schema.")
    ] = False,
) -> None:
    """Examine the installation, and say of each part whether it is well and what to do.

    PostgreSQL and RabbitMQ (versions, clocks, logins, room), the schema and its objects, the roles and their
    rights, queues, policies and users, ticket numbers, each mailbox that is on and each outgoing account (by a
    process of its service; a login that rests is not tried), settings, secrets, certificates, and the OpenID
    Connect provider of the web console where IMPORTER_WEB_OIDC_ISSUER is set here. Changes nothing and shows no
    secret. Each check is bounded and none waits for another, so that it says what it can while a server is away. It
    uses what secrets it has, and names what it could not look at for want of one.

    Exit codes: 0 nothing fails (there may be warnings), 3 something fails, 78 bad configuration.
    """
    keep_libraries_quiet()
    configuration = DoctorConfiguration.load()
    configuration.refuse_missing_logins()
    if sql:
        script = asyncio.run(database.script(configuration))
        well = "-- " + _("Objects and rights of the schema are as they were made.")
        typer.echo(visible("\n".join(script or [well])))
        raise typer.Exit(NEEDS_A_PERSON if script else 0)
    findings = asyncio.run(all_findings(_checks(configuration, within)))
    if as_json:
        show_json([{"level": each.level, "part": each.part, "sentence": each.sentence} for each in findings])
    else:
        typer.echo(visible("\n".join(_lines(findings, terminal_width()))))
    if any(finding.level is Level.FAIL for finding in findings):
        raise typer.Exit(NEEDS_A_PERSON)


def _checks(configuration: DoctorConfiguration, within: float) -> list[Check]:
    """All of them, the servers first. Logins and mailboxes are many, and take longer."""
    return [
        Check(part, partial(examine, configuration), within * times)
        for part, examine, times in (
            ("settings", machine.examine_settings, 1),
            ("secrets", machine.examine_secrets, 1),
            (database.PART, database.examine_server, 1),
            ("schema", database.examine_schema, 1),
            ("logins", database.examine_logins, 2),
            (broker.PART, broker.examine_server, 1),
            ("queues", broker.examine_topology, 1),
            ("logins", broker.examine_logins, 2),
            ("certificates", machine.examine_certificates, 1),
            ("disk", machine.examine_room, 1),
            ("mailboxes", mail.examine_mailboxes, 6),
            ("accounts", mail.examine_accounts, 6),
            (openid.PART, openid.examine, 2),
        )
    ]


def _lines(findings: list[Finding], width: int) -> list[str]:
    lines = []
    levels = {level: _(word) for level, word in _LEVELS.items()}
    indent = " " * (max(map(len, levels.values())) + 2)
    for finding in findings:
        first, *rest = layout.wrapped(f"{_(finding.part)}: {_said(finding)}", width, indent)
        lines += [f"{levels[finding.level]:<{len(indent)}}{first.lstrip()}", *rest]
    count = {level: sum(finding.level is level for finding in findings) for level in Level}
    failures = ngettext("%(count)s failure", "%(count)s failures", count[Level.FAIL]) % {"count": count[Level.FAIL]}
    warnings = ngettext("%(count)s warning", "%(count)s warnings", count[Level.WARN]) % {"count": count[Level.WARN]}
    well = _("%(count)s well.") % {"count": count[Level.OK]}
    return [*lines, "", f"{failures}, {warnings}, {well}"]


def _said(finding: Finding) -> str:
    return finding.dutch if finding.dutch and texts().language == "nl" else in_words(finding.sentence)


COMMANDS: Final = {"doctor": doctor}
