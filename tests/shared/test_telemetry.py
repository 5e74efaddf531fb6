"""Logs: one shape for all, with the mail's identity and without secrets."""

import json
import logging
import os
import subprocess
import sys
from typing import Any

import pytest

from shared.telemetry import _as_json, scrub

PROGRAM = """
import logging, structlog
from shared.telemetry import configure_logging
configure_logging("classifier", "{level}", "{format}")
log = structlog.get_logger("shared.test")
{body}
"""


def logged(body: str, *, log_format: str = "json", level: str = "INFO") -> str:
    """What a process of its own writes to standard error."""
    program = PROGRAM.format(body=body, format=log_format, level=level)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    assert ran.stdout == ""
    return ran.stderr


def only_line(output: str) -> dict[str, Any]:
    (line,) = output.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_line_is_one_json_object_with_the_service_and_the_mail() -> None:
    line = only_line(
        logged("structlog.contextvars.bind_contextvars(mail_id='m-1'); log.info('ticket_created', number='1000001')")
    )
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "ticket_created", "level": "info", "logger": "shared.test", "service": "classifier",
        "mail_id": "m-1", "number": "1000001",
    }  # fmt: skip


def test_the_standard_library_s_loggers_look_the_same() -> None:
    line = only_line(logged("logging.getLogger('aiormq.connection').warning('blocked: %s', 'low on memory')"))
    assert line["event"] == "blocked: low on memory"
    assert (line["logger"], line["level"], line["service"]) == ("aiormq.connection", "warning", "classifier")


def test_libraries_that_log_message_bodies_are_quiet_at_debug() -> None:
    body = "logging.getLogger('aio_pika.exchange').debug('body'); log.debug('ours')"
    assert only_line(logged(body, level="DEBUG"))["event"] == "ours"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_neither_local_variables_nor_passwords(log_format: str) -> None:
    output = logged(
        "def fail(body='the mail says hush'):\n"
        "    raise OSError('cannot reach amqp://importer:s3cr3t@mq.example/v')\n"
        "try:\n    fail()\nexcept OSError:\n    log.exception('failed')",
        log_format=log_format,
    )
    assert "Traceback" in output
    assert "s3cr3t" not in output
    assert "cannot reach amqp://importer:***@mq.example/v" in output


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param({"password": "x"}, {"password": "***"}, id="by name"),
        pytest.param({"client_secret": "x", "n": 1}, {"client_secret": "***", "n": 1}, id="by part of a name"),
        pytest.param({"api_key": "x", "apiKey": "y"}, {"api_key": "***", "apiKey": "***"}, id="a key"),
        pytest.param({"encryptionkey": "x"}, {"encryptionkey": "***"}, id="another key"),
        pytest.param({"Credentials": ["x"]}, {"Credentials": "***"}, id="credentials"),
        pytest.param({"headers": {"Authorization": "x"}}, {"headers": {"Authorization": "***"}}, id="inside"),
        pytest.param({"e": "https://u:p@h/"}, {"e": "https://u:***@h/"}, id="in a URL"),
        pytest.param({"e": "password=hush, next"}, {"e": "password=***, next"}, id="in a text"),
        pytest.param({"e": "Authorization: Bearer abc.def"}, {"e": "Authorization: Bearer ***"}, id="bearer token"),
        pytest.param({"e": ["token: abc"]}, {"e": ["token: ***"]}, id="in a list"),
        pytest.param({"e": "the passage of time 10:30"}, {"e": "the passage of time 10:30"}, id="plain text"),
        pytest.param({"e": "a" * 1_000_000}, {"e": "a" * 1_000_000}, id="a word that would never end"),
        pytest.param({"content_key": "ab12"}, {"content_key": "ab12"}, id="a key that is no secret"),
        pytest.param(
            {"exception": "CheckViolationError: refused\nDETAIL:  Failing row contains (1, Beste,\n\nde printer)."},
            {"exception": "CheckViolationError: refused\nDETAIL:  ***"},
            id="the row that PostgreSQL refused",
        ),
        pytest.param(
            {"exception": "Refused: no\nDETAIL:  Key (x)=(a@b.nl).\n\nThe above exception was the direct cause of …"},
            {"exception": "Refused: no\nDETAIL:  ***\n\nThe above exception was the direct cause of …"},
            id="a refused row within a chain of errors",
        ),
    ],
)
def test_secrets_are_masked(event: dict[str, Any], expected: dict[str, Any]) -> None:
    assert scrub(logging.getLogger(), "info", event) == expected
    assert json.loads(_as_json(logging.getLogger(), "info", event)) == expected
