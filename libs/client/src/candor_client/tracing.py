"""The present trace (W3C trace context), where the program that calls has OpenTelemetry."""

from __future__ import annotations

try:
    from opentelemetry.propagate import inject
except ImportError:  # it is the caller's choice, and no dependency of this package

    def inject(carrier: dict[str, str]) -> None:  # type: ignore[misc]
        """Leave the carrier as it is."""


def headers() -> list[tuple[str, str]]:
    """Return the headers that carry the present trace."""
    carrier: dict[str, str] = {}
    inject(carrier)
    return [(name.lower(), value) for name, value in carrier.items()]
