"""Logs, traces and metrics of one process.

    with telemetry("classifier", configuration):     # first thing in a process
        ...

Logs go to standard error: one JSON object a line, or lines for people (IMPORTER_LOG_FORMAT). structlog and the standard
library's loggers (aio-pika's, httpx's) come out alike. Every line names the service; within a message's handling also
mail_id, queue, message_id and helpdesk_id, and, where a trace is recorded, trace_id and span_id. What looks like a
password, a token or credentials in a URL is masked, in tracebacks too, and so is the row that PostgreSQL refused, which
holds pieces of a mail.

Traces go where the standard OTEL_* variables say; without OTEL_EXPORTER_OTLP_ENDPOINT (or …_TRACES_ENDPOINT) none are
recorded, but trace context still travels through. Metrics are `prometheus_client`'s default registry.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, Final, Protocol

import structlog
from opentelemetry import context, propagate, trace
from prometheus_client import REGISTRY, generate_latest
from structlog.typing import EventDict, WrappedLogger

from shared.configuration import Configuration

METRICS_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
MASK: Final = "***"

_SECRET_NAME = re.compile(
    r"password|passwd|secret|token|authorization|credential|api_?key|encryption_?key", re.IGNORECASE
)
_CREDENTIALS_IN_URL = re.compile(
    # a scheme begins where a word does and is short: else a long word takes quadratic time
    r"(?<![a-z0-9+.-])(?P<scheme>[a-z][a-z0-9+.-]{0,30}://[^\s:/@]*):[^\s/@]+@",
    re.IGNORECASE,
)
_SECRET_IN_TEXT = re.compile(
    r"(?P<name>(?:password|passwd|secret|token|authorization)[\"']?\s*[=:]\s*(?:(?:bearer|basic)\s+)?[\"']?)[^\s\"',;&]+",
    re.IGNORECASE,
)
_SUSPICIOUS: Final = (
    "://", "detail", "password", "passwd", "secret", "token", "authorization", "credential", "apikey", "api_key",
    "encryption",
)  # fmt: skip
"""A line without any of these has nothing to mask: short searches in all of it instead of long ones in each value."""
_REFUSED_ROW = re.compile(
    r"(?<=\nDETAIL:  ).*?(?=\nHINT:  |\n\n(?:The above exception|During handling of the above)|\Z)", re.DOTALL
)
_CHATTY: Final = ("aio_pika", "aiormq", "asyncio", "httpcore", "httpx", "urllib3", "opentelemetry")
"""At DEBUG these write message bodies, at INFO a line for each request: they never go below WARNING."""


class Tracing(Protocol):
    """What is shut down at the end, so that the last spans go out."""

    def shutdown(self) -> None:
        """Send what is left and stop."""


@contextmanager
def telemetry(service: str, configuration: Configuration) -> Iterator[None]:
    """Set up logs and traces for the life of the process; the last spans are sent on leaving."""
    configure_logging(service, configuration.log_level, configuration.log_format)
    tracing = _configure_tracing(service)
    try:
        yield
    finally:
        if tracing is not None:
            tracing.shutdown()


def configure_logging(service: str, level: str, log_format: str) -> None:
    """Send structlog and the standard library's logging to standard error, as `log_format` (json or console) says."""

    def name_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_service,
        name_trace,
    ]
    rendering: tuple[structlog.typing.Processor, ...] = (structlog.processors.format_exc_info, _as_json)
    if log_format == "console":  # plain tracebacks: pretty ones show local variables, so passwords and mails
        plain = structlog.dev.plain_traceback
        for_people = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
        rendering = (structlog.processors.format_exc_info, scrub, for_people)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[*shared, structlog.processors.StackInfoRenderer(), *rendering],
        logger_factory=_Lines,
        wrapper_class=structlog.make_filtering_bound_logger(root.level),
    )


class _Lines:
    """Writes lines to standard error as they are: the standard library's logging would cost each as much again."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def msg(self, line: str) -> None:
        """One write for one line. Who closed our standard error reads none of them: no work fails of that."""
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = exception = msg


_encode: Final = json.JSONEncoder(ensure_ascii=False, default=repr).encode


def _as_json(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """The line, without secrets."""
    line = _encode(event)
    return _encode(scrub(logger, method, event)) if _is_suspicious(line) else line


def name_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the current trace and span, so that a log line leads to its trace."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


def scrub(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask secrets: the last line of defence, for what an error or a library says; we never log one on purpose."""
    return {name: _scrubbed(name, value) for name, value in event.items()}


def _scrubbed(name: str, value: Any) -> Any:
    if value is not None and _is_secret(name):
        return MASK
    if isinstance(value, str):
        if not _is_suspicious(value):
            return value
        without_rows = _REFUSED_ROW.sub(MASK, value)
        return _SECRET_IN_TEXT.sub(rf"\g<name>{MASK}", _CREDENTIALS_IN_URL.sub(rf"\g<scheme>:{MASK}@", without_rows))
    if isinstance(value, dict):
        return {key: _scrubbed(str(key), each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_scrubbed("", each) for each in value]
    return value


def _is_suspicious(text: str) -> bool:
    folded = text.casefold()
    return any(word in folded for word in _SUSPICIOUS)


@lru_cache(1_000)
def _is_secret(name: str) -> bool:
    """Whether what is called so is never to be seen; the names in our log lines are few."""
    return _SECRET_NAME.search(name) is not None


def records_traces() -> bool:
    """Whether anything is done with a span that begins here: somebody has set up a provider."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def brings_trace(headers: Mapping[str, object]) -> bool:
    """Whether who sent these headers wants his trace context to travel on."""
    return not propagate.get_global_textmap().fields.isdisjoint(headers)


def has_trace() -> bool:
    """Whether a trace context, of ours or of somebody before us, goes with what is sent from here."""
    return bool(context.get_current())


def metrics_text() -> bytes:
    """All metrics of this process, as Prometheus reads them."""
    return generate_latest(REGISTRY)


def _configure_tracing(service: str) -> Tracing | None:
    wanted = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if not wanted or os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    # what sends traces costs each start half as much again as all else of telemetry, and few have a collector
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: f"helpdesk-importer.{service}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider
