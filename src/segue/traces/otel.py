"""Traces by OpenTelemetry, sent by OTLP over HTTP. Where to, how much and under which name: its standard OTEL_... variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from segue.errors import SegueError
from segue.traces import Value


def make_tracer() -> OtelTracer:
    """A tracer that sends in the background, and the rest at the end of the process."""
    ours = Resource({SERVICE_NAME: "segue", SERVICE_VERSION: version("segue")})
    # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say comes last, and wins.
    provider = TracerProvider(resource=Resource.create().merge(ours).merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return OtelTracer(provider)


class OtelTracer:
    """See ``segue.traces.Tracer``. The provider is not made the global one: other libraries' spans are not ours to send."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("segue", version("segue"))

    @contextmanager
    def span(self, name: str, values: Mapping[str, Value], *, outgoing: bool) -> Iterator[_OtelSpan]:
        """A span below the one of this thread."""
        with self._tracer.start_as_current_span(
            name,
            kind=trace.SpanKind.CLIENT if outgoing else trace.SpanKind.INTERNAL,
            attributes=dict(values),
            # The text of a foreign error may hold a person's data.
            record_exception=False,
            set_status_on_exception=False,
        ) as started:
            recorded = _OtelSpan(started)
            try:
                yield recorded
            except BaseException as error:
                recorded.fail(error.code if isinstance(error, SegueError) else type(error).__name__)
                raise

    def close(self) -> None:
        """Send what is left."""
        self._provider.shutdown()


class _OtelSpan:
    def __init__(self, started: trace.Span) -> None:
        self._span = started

    def note(self, values: Mapping[str, Value]) -> None:
        """Add attributes."""
        self._span.set_attributes(dict(values))

    def fail(self, code: str) -> None:
        """Set the status."""
        self._span.set_status(trace.StatusCode.ERROR, code)
