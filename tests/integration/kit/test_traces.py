"""One trace goes from the caller through the intake topic, the transaction, the outbox and on to who reads the fact."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, TopicPartition
from candor_cli.session import command_id
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from toy import Toy, grant

TRACE = "0af7651916cd43dd8448eb211c80319c"
HEADER = f"00-{TRACE}-b7ad6b7169203331-01"


async def test_a_trace_goes_through_topics_transactions_and_the_outbox(running: Toy) -> None:
    spans = _exported()
    await running.session.emit(running.name, grant("traced", command_id()), headers={"traceparent": HEADER})
    await running.until_effects(2)
    headers = await _headers_of_facts(running)
    assert [TRACE in header for header in headers] == [True]
    names = {span.name for span in spans.get_finished_spans() if f"{span.context.trace_id:032x}" == TRACE}
    assert names >= {f"candor.{running.name}.intake.v1 process", f"candor.{running.name}.v1 process"}


async def test_a_trace_goes_through_grpc(running: Toy) -> None:
    spans = _exported()
    with trace.get_tracer("test").start_as_current_span("caller") as caller:
        wanted = f"{caller.get_span_context().trace_id:032x}"
        await running.stub("backend").GrantConsent(grant("called", command_id()))
    await running.until_effects(2)
    headers = await _headers_of_facts(running)
    assert [wanted in header for header in headers] == [True]
    names = {span.name for span in spans.get_finished_spans() if f"{span.context.trace_id:032x}" == wanted}
    assert "candor.consent.v1.ConsentService/GrantConsent" in names


def _exported() -> InMemorySpanExporter:
    """The process has one provider for good; each test adds an exporter of its own."""
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


async def _headers_of_facts(running: Toy) -> list[str]:
    kafka = AIOKafkaConsumer(bootstrap_servers=running.session.kafka, auto_offset_reset="earliest")
    await kafka.start()
    try:
        partitions = [TopicPartition(f"candor.{running.name}.v1", number) for number in range(2)]
        kafka.assign(partitions)
        found: list[str] = []
        while not found:
            for records in (await kafka.getmany(timeout_ms=500)).values():
                found.extend(dict(record.headers)["traceparent"].decode() for record in records)
        return found
    finally:
        await kafka.stop()
