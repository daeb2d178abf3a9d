"""Metrics in Prometheus' text format, served at /metrics.

No label ever carries a subject or an identifier of a person.
"""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()


def counter(name: str, documentation: str, labels: Sequence[str] = ()) -> Counter:
    """Return a counter `candor_<name>_total`."""
    return Counter(f"candor_{name}", documentation, labels, registry=REGISTRY)


def gauge(name: str, documentation: str, labels: Sequence[str] = ()) -> Gauge:
    """Return a gauge `candor_<name>`."""
    return Gauge(f"candor_{name}", documentation, labels, registry=REGISTRY)


def histogram(name: str, documentation: str, labels: Sequence[str] = ()) -> Histogram:
    """Return a histogram `candor_<name>`, in seconds."""
    return Histogram(f"candor_{name}", documentation, labels, registry=REGISTRY)


def exposition() -> tuple[bytes, str]:
    """Return all metrics as text, and its content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST


RPCS = counter("rpc", "RPCs answered, by method and result.", ("method", "result"))
RPC_SECONDS = histogram("rpc_seconds", "How long RPCs took.", ("method",))
RECORDS = counter("consumer_records", "Records applied, by consumer and result.", ("consumer", "result"))
DEAD_LETTERS = counter("dead_letters", "Records set aside, by consumer and reason.", ("consumer", "reason"))
CONSUMER_STOPPED = gauge("consumer_stopped", "1 when unexpected exceptions stopped the consumer.", ("consumer",))
CONSUMER_BEHIND = gauge("consumer_behind_seconds", "Age of the record last applied, when it was.", ("consumer",))
OUTBOX_PUBLISHED = counter("outbox_published", "Records handed to the broker by the relay.", ("topic",))
OUTBOX_WAITING = gauge("outbox_waiting", "Rows of the outbox that were waiting when the relay last looked.")
