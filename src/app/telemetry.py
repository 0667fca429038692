"""Spans sent to an OpenTelemetry collector by OTLP over HTTP; `app.spans` loads this on demand.

Source: https://opentelemetry.io/docs/specs/otlp/
"""

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import set_span_in_context

from app.spans import Span

SEND_WITHIN_SECONDS = 5
SEND_EVERY_MS = 1_000
_NS = 1_000_000_000
_NS_IN_MS = 1_000_000


class OtlpSpans:
    """Keeps spans in memory, and has a thread send them every second; too many are dropped."""

    def __init__(self, endpoint: str, service: str) -> None:
        self.provider = TracerProvider(
            resource=Resource.create({"service.name": service}), shutdown_on_exit=False
        )
        exporter = OTLPSpanExporter(
            f"{endpoint.rstrip('/')}/v1/traces", timeout=SEND_WITHIN_SECONDS
        )
        sender = BatchSpanProcessor(exporter, schedule_delay_millis=SEND_EVERY_MS)
        self.provider.add_span_processor(sender)
        self.tracer = self.provider.get_tracer("proxycard")

    def add(self, span: Span) -> None:
        """Make a trace of a span and its steps, one after another from its beginning."""
        ended = round(span.ended_at * _NS)
        began = ended - round(span.seconds * _NS)
        whole = self.tracer.start_span(
            span.name, Context(), attributes=span.attributes, start_time=began
        )
        within = set_span_in_context(whole, Context())
        for step, milliseconds in span.steps.items():
            part = self.tracer.start_span(step, within, start_time=began)
            began += round(milliseconds * _NS_IN_MS)
            part.end(began)
        whole.end(ended)

    def close(self) -> None:
        self.provider.shutdown()
