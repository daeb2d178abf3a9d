"""Traces (W3C trace context) that go through gRPC metadata, Kafka headers and the outbox.

Spans hold no personal data.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()
HEADER = "traceparent"


def configure(service: str) -> None:
    """Make spans, and export them over OTLP/HTTP where OTEL_EXPORTER_OTLP_ENDPOINT names a collector."""
    provider = TracerProvider(resource=Resource.create({"service.name": f"candor-{service}"}))
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def tracer() -> trace.Tracer:
    """Return the tracer of the product."""
    return trace.get_tracer("candor")


def inject() -> dict[str, str]:
    """Return the headers that carry the present trace, empty when there is none."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier


def extract(carrier: Mapping[str, str]) -> otel_context.Context:
    """Return the context of the trace that the headers carry."""
    return _PROPAGATOR.extract(carrier)
