"""Traces for OpenTelemetry: what took how long, sent where OTEL_EXPORTER_OTLP_ENDPOINT says; else none are made.

Its own variables apply (OTEL_SERVICE_NAME, OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER ...).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
LAST_MILLISECONDS = 1000
"""How long the end of the daemon waits for what is not sent yet."""

Value = str | int | float | bool

_provider: TracerProvider | None = None
_tracer: Tracer | None = None


def start(environ: Mapping[str, str]) -> None:
    """Send traces from now on, where a variable says where to. They are sent by a thread of their own."""
    global _provider, _tracer  # noqa: PLW0603  # spans are begun deep in the work, and OpenTelemetry is global by nature
    if not any(environ.get(name) for name in ENDPOINTS):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = {} if environ.get("OTEL_SERVICE_NAME") else {"service.name": "model-monitor"}
    _provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = _provider.get_tracer("model-monitor")


def finish() -> None:
    """Send what is left, if that is done soon."""
    if _provider is not None:
        _provider.force_flush(LAST_MILLISECONDS)


@contextmanager
def span(name: str, **attributes: Value) -> Iterator[None]:
    """Something that takes a while, within whatever this thread is doing already."""
    if _tracer is None:
        yield
        return
    with _tracer.start_as_current_span(name, attributes=attributes):
        yield


def note(**attributes: Value) -> None:
    """Say more of what this thread is doing; ``error`` is why it did not succeed."""
    if _tracer is None:
        return
    from opentelemetry.trace import Status, StatusCode, get_current_span

    current = get_current_span()
    if "error" in attributes:
        current.set_status(Status(StatusCode.ERROR, str(attributes["error"])))
    current.set_attributes(attributes)
