"""One trace follows a mail through all services, told to a collector by OTLP (OpenTelemetry)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.acceptance.installation import Installation
from tests.acceptance.pipeline import Pipeline, a_mail, eventually, running_pipeline
from tests.servers.otlp_receiver import OtlpReceiver, Span, otlp_receiver

SECRETIVE = "Vertrouwelijke vraag over salaris"
WAY = [
    ("fetcher", "publish mail.raw"),
    ("classifier", "process mail.raw"),
    ("classifier", "publish mail.classified"),
    ("ticket_writer", "process mail.classified"),
    ("ticket_writer", "publish ticket.event"),
    ("notifier", "process ticket.events"),
]
"""The spans of a mail, each the child of the one before."""
TOGETHER = 12
"""Mails that arrive at once, so that services handle several in one batch."""


@dataclass(frozen=True, slots=True)
class Traced:
    pipeline: Pipeline
    receiver: OtlpReceiver

    async def way_of(self, mail_id: str) -> dict[tuple[str, str], Span]:
        """The spans of a mail's trace by service and name, once all have come."""

        async def whole() -> dict[tuple[str, str], Span] | None:
            traces = {span.trace for span in self.receiver.spans if mail_id in span.said}
            way = [span for span in self.receiver.spans if span.trace in traces]
            steps = {(span.service.removeprefix("helpdesk-importer."), span.name): span for span in way}
            assert len(steps) == len(way), "each once"
            return steps if set(steps) >= set(WAY) else None

        return await eventually(whole, f"the trace of {mail_id}")


@pytest.fixture(scope="module")
async def traced(own_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Traced]:
    async with otlp_receiver() as receiver:
        own_installation.environment.update(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        )
        async with running_pipeline(own_installation, tmp_path_factory.mktemp("traced")) as pipeline:
            yield Traced(pipeline, receiver)


async def test_each_mail_has_a_trace_of_its_own_through_all_services_also_in_a_batch(traced: Traced) -> None:
    names = [
        traced.pipeline.drop(a_mail(sender=f"Klant <klant{n}@elders{n}.example>", subject=f"{SECRETIVE} {n}"))
        for n in range(TOGETHER)
    ]
    traces = set()
    for name in names:
        mail_id = str((await traced.pipeline.outcome(name))["mail_id"])
        steps = await traced.way_of(mail_id)
        assert set(steps) == set(WAY)
        parents = ["", *(steps[step].id for step in WAY[:-1])]
        assert [steps[step].parent for step in WAY] == parents
        assert all(mail_id in span.said for span in steps.values()), "each can be searched for by the mail's id"
        traces |= {span.trace for span in steps.values()}
    assert len(traces) == TOGETHER


async def test_no_span_says_a_word_of_a_mail(traced: Traced) -> None:
    name = traced.pipeline.drop(a_mail(sender="Klant <klant@geheim.example>", subject=SECRETIVE))
    await traced.way_of(str((await traced.pipeline.outcome(name))["mail_id"]))
    said = "".join(span.said for span in traced.receiver.spans)
    assert not [word for word in ("salaris", "geheim.example", "Klant", "kijken", "@") if word in said]
