"""The operator's dashboard for Grafana: one screen, what needs a person first.

Every panel is a `Panel`; `dashboard` places them on Grafana's grid of 24 columns. A panel states its queries in PromQL
over the metrics of docs/operations.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

GRID_WIDTH: Final = 24
SCHEMA_VERSION: Final = 39
"""Of Grafana 11; newer versions migrate it when they load the dashboard."""
DATASOURCE: Final[Mapping[str, str]] = {"type": "prometheus", "uid": "${datasource}"}
OF_IMPORTER: Final = '{job="helpdesk-importer"}'
"""The job that the alert rules take too: metrics of Python processes carry no name of ours."""


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression, and the name of each of its lines with `{{label}}` in it."""

    expression: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of `width` columns and `height` rows; `red_from` is the value from which a figure is red."""

    title: str
    says: str
    queries: Sequence[Query]
    width: int
    height: int = 7
    unit: str = "short"
    figure: bool = False
    red_from: float | None = None
    red_below: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A heading with the panels under it, side by side."""

    title: str
    panels: Sequence[Panel] = field(default_factory=tuple)


def figure(title: str, says: str, expression: str, **more: float | str) -> Panel:
    """A panel of one large figure, or one for each cause."""
    unit = str(more.get("unit", "short"))
    limits = {name: float(more[name]) for name in ("red_from", "red_below") if name in more}
    return Panel(title, says, [Query(expression, title)], 4, 4, unit, figure=True, **limits)


def _named(expression: str) -> str:
    """The expression by helpdesk, with its name beside its id; by the id alone while no watch gives the names."""
    by_helpdesk = f"max by (helpdesk_id) ({expression})"
    info = "max by (helpdesk_id, helpdesk) (importer_helpdesk_info)"
    return f"{by_helpdesk} * on (helpdesk_id) group_left (helpdesk) {info} or on (helpdesk_id) {by_helpdesk}"


def _age(metric: str) -> str:
    """Seconds since the moment in the metric, and 0 where the metric is 0: there is none."""
    return f"(time() - max({metric})) * (max({metric}) > bool 0)"


ROWS: Final[Sequence[Row]] = (
    Row(
        "What needs a person",
        (
            figure(
                "Needs a person",
                "`helpdesk-importer status` says what, and what to do.",
                "sum(max by (cause) (importer_needs_a_person))",
                red_from=1,
            ),
            figure(
                "Dead letters",
                "Messages that a service gave up: `dead-letters list`.",
                "max(importer_dead_letters_open)",
                red_from=1,
            ),
            figure(
                "Oldest mail without outcome",
                "No mail should wait longer than half an hour.",
                _age("importer_oldest_mail_without_outcome_timestamp_seconds"),
                unit="s",
                red_from=1800,
            ),
            figure("PostgreSQL answers", "1 while it answers the watch.", "max(importer_database_up)", red_below=1),
            figure("RabbitMQ answers", "1 while it answers the watch.", "max(importer_broker_up)", red_below=1),
            figure(
                "Services without metrics",
                "Services that do not run, or hang.",
                f"count(up{OF_IMPORTER} == 0) or vector(0)",
                red_from=1,
            ),
            Panel(
                "By cause",
                "What `status` would name, by cause.",
                [Query("max by (cause) (importer_needs_a_person) > 0", "{{cause}}")],
                12,
            ),
            Panel(
                "Alarms told",
                "Messages about alarms in an hour, and whether the channel took them.",
                [
                    Query(
                        "sum by (channel, result) (increase(importer_alarms_told_total[1h]))", "{{channel}}: {{result}}"
                    )
                ],
                12,
            ),
        ),
    ),
    Row(
        "From mail to ticket",
        (
            Panel(
                "Mails without outcome",
                "Mails taken in that became nothing yet, whatever the queues hold.",
                [Query("max(importer_mails_without_outcome)", "mails")],
                8,
            ),
            Panel(
                "Messages by queue",
                "Messages a second, by how they ended.",
                [Query("sum by (queue, settlement) (rate(importer_messages_total[5m]))", "{{queue}}: {{settlement}}")],
                8,
                unit="ops",
            ),
            Panel(
                "Time per message",
                "95 of 100 messages were acknowledged within this time.",
                [
                    Query(
                        "histogram_quantile(0.95, sum by (queue, le) (rate(importer_message_seconds_bucket[5m])))",
                        "{{queue}}",
                    )
                ],
                8,
                unit="s",
            ),
            Panel(
                "In hand",
                "Messages that a service works on now.",
                [Query("sum by (queue) (importer_messages_in_flight)", "{{queue}}")],
                8,
            ),
            Panel(
                "Consumers that waited",
                "Times in an hour that a consumer waited for PostgreSQL or RabbitMQ.",
                [Query("sum by (queue) (increase(importer_consumer_pauses_total[1h]))", "{{queue}}")],
                8,
            ),
            Panel(
                "Published again",
                "Mails without outcome in an hour that were published again: normally none.",
                [Query("sum(increase(importer_republished_total[1h]))", "mails")],
                8,
            ),
        ),
    ),
    Row(
        "Mailboxes",
        (
            Panel(
                "Since the last successful check",
                "Older than 15 minutes is an alarm.",
                [
                    Query(
                        _named("time() - importer_mailbox_last_successful_check_timestamp_seconds"),
                        "{{helpdesk}} ({{helpdesk_id}})",
                    )
                ],
                8,
                unit="s",
            ),
            Panel(
                "Mailboxes with a problem",
                "`importer show` says what to do.",
                [
                    Query(
                        "max by (helpdesk_id, kind) (importer_mailbox_problem_kind) > 0",
                        "helpdesk {{helpdesk_id}}: {{kind}}",
                    )
                ],
                8,
            ),
            Panel(
                "Unread, and old mail without a choice",
                "At the last check.",
                [
                    Query(_named("importer_mailbox_unread"), "{{helpdesk}} ({{helpdesk_id}}): unread"),
                    Query(_named("importer_mailbox_waiting"), "{{helpdesk}} ({{helpdesk_id}}): no choice made"),
                ],
                8,
            ),
            Panel(
                "Refused logins",
                "Refusals since the login was taken or changed.",
                [Query("max by (login_id, login) (importer_login_refused_logins) > 0", "{{login}} ({{login_id}})")],
                12,
            ),
            Panel(
                "Logins that end",
                "Time until the client secret or certificate ends, where that is known.",
                [
                    Query(
                        "max by (login_id, login) (importer_login_expires_timestamp_seconds) - time()",
                        "{{login}} ({{login_id}})",
                    )
                ],
                12,
                unit="s",
            ),
        ),
    ),
    Row(
        "Notifications",
        (
            Panel(
                "Waiting, by reason",
                "Mails still to be sent; `none`: not tried yet.",
                [Query("max by (reason) (importer_notifications_waiting)", "{{reason}}")],
                8,
            ),
            Panel(
                "Oldest that waits",
                "Since it was decided.",
                [Query(_age("importer_oldest_notification_timestamp_seconds"), "oldest")],
                8,
                unit="s",
            ),
            Panel(
                "Tries to send",
                "In an hour, by how they ended.",
                [
                    Query("sum by (result) (increase(importer_notifications_total[1h]))", "{{result}}"),
                    Query(
                        "sum by (reason) (increase(importer_mails_over_limit_total[1h])) > 0", "not sent: {{reason}}"
                    ),
                ],
                8,
            ),
        ),
    ),
    Row(
        "Resources",
        (
            Panel(
                "Memory",
                "Resident memory of each process.",
                [Query(f"process_resident_memory_bytes{OF_IMPORTER}", "{{instance}}")],
                6,
                unit="bytes",
            ),
            Panel(
                "Processor",
                "Cores in use by each process.",
                [Query(f"rate(process_cpu_seconds_total{OF_IMPORTER}[5m])", "{{instance}}")],
                6,
            ),
            Panel(
                "Readings",
                "Mails read in a child process in an hour, by how that ended.",
                [Query("sum by (mode, result) (increase(importer_readings_total[1h]))", "{{mode}}: {{result}}")],
                6,
            ),
            Panel(
                "Killed, or not confined",
                "Processes killed for want of memory in an hour; layers that lack.",
                [
                    Query("sum(increase(importer_memory_kills_total[1h]))", "killed"),
                    Query("count by (layer) (importer_reading_confined == 0)", "without {{layer}}"),
                ],
                6,
            ),
        ),
    ),
)


def as_json() -> str:
    """The dashboard as the file that Grafana loads."""
    return json.dumps(dashboard(), ensure_ascii=False, indent=2) + "\n"


def dashboard() -> dict[str, object]:
    """The dashboard in Grafana's model; `datasource` is chosen on the screen among the Prometheus data sources."""
    source = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    return {
        "uid": "helpdesk-importer",
        "title": "Helpdesk importer",
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [source]},
        "panels": [{"id": number, **panel} for number, panel in enumerate(_placed(), start=1)],
    }


def _placed() -> Iterator[dict[str, object]]:
    """The rows from top to bottom, their panels from left to right, on a new line where one is full."""
    top = 0
    for row in ROWS:
        yield {
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": top, "w": GRID_WIDTH, "h": 1},
        }
        top, left, tallest = top + 1, 0, 0
        for panel in row.panels:
            if left + panel.width > GRID_WIDTH:
                top, left, tallest = top + tallest, 0, 0
            yield {**_panel(panel), "gridPos": {"x": left, "y": top, "w": panel.width, "h": panel.height}}
            left, tallest = left + panel.width, max(tallest, panel.height)
        top += tallest


def _panel(panel: Panel) -> dict[str, object]:
    """The panel in Grafana's model, without its place."""
    return {
        "type": "stat" if panel.figure else "timeseries",
        "title": panel.title,
        "description": panel.says,
        "datasource": DATASOURCE,
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": _steps(panel)}},
            "overrides": [],
        },
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": DATASOURCE,
                "expr": query.expression,
                "legendFormat": query.legend,
            }
            for number, query in enumerate(panel.queries)
        ],
    }


def _steps(panel: Panel) -> list[dict[str, object]]:
    """From which value on a figure has which colour; the first colour goes from minus infinity."""
    if panel.red_from is not None:
        return [{"color": "green", "value": None}, {"color": "red", "value": panel.red_from}]
    if panel.red_below is not None:
        return [{"color": "red", "value": None}, {"color": "green", "value": panel.red_below}]
    return [{"color": "green", "value": None}]
