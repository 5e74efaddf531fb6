"""A collector of traces: what exporters send it by OTLP over HTTP, in protobuf."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Span:
    """A span as it arrived; ids in hexadecimal, `parent` '' for none. `said` is what else it tells."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    said: str


@dataclass(slots=True)
class OtlpReceiver:
    """What came, in its order."""

    endpoint: str = ""
    spans: list[Span] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """POST /v1/traces."""
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {each.key: each.value.string_value for each in of_resource.resource.attributes}
            self.spans += [
                Span(
                    named["service.name"], span.name, span.trace_id.hex(), span.span_id.hex(),
                    span.parent_span_id.hex(), " ".join(map(str, (*span.attributes, *span.events, span.status))),
                )
                for of_scope in of_resource.scope_spans
                for span in of_scope.spans
            ]  # fmt: skip
        return web.Response(content_type="application/x-protobuf")


@asynccontextmanager
async def otlp_receiver() -> AsyncIterator[OtlpReceiver]:
    """A receiver on a port of this machine's own."""
    receiver = OtlpReceiver()
    application = web.Application(client_max_size=64 * 1024 * 1024)
    application.router.add_post("/v1/traces", receiver.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    receiver.endpoint = f"http://{host}:{port}"
    try:
        yield receiver
    finally:
        await runner.cleanup()
