"""Spans out of traces, by the OpenTelemetry SDK; the extra `otel` has it.

Source: OpenTelemetry Trace API; OpenTelemetry Trace SDK; OpenTelemetry Protocol 1.5
"""

import asyncio
import importlib
import logging
from contextlib import suppress
from typing import Any

from tallystick import __version__
from tallystick.entry.siem import Destination
from tallystick.entry.threads import to_its_end
from tallystick.entry.tracing.recording import Trace, Tracing
from tallystick.kernel.errors import Unavailable

EVERY_S = 1.0
_TIMEOUT_S = 5
_FAULT = 500


class Spans:
    """Makes spans and hands them to an exporter.

    Source: OpenTelemetry Trace SDK
    """

    def __init__(self, provider: str, exporter: Any, processor: str = "BatchSpanProcessor") -> None:
        """Speak for `provider` through `exporter`, which the SDK's `processor` feeds.

        Raises Unavailable where the SDK is not installed.
        Source: OpenTelemetry Trace SDK
        """
        sdk, export, ids = _sdk("trace"), _sdk("trace.export"), _sdk("trace.id_generator")
        resource = _sdk("resources").Resource.create(
            {
                "service.name": "tallystick",
                "service.version": __version__,
                "service.namespace": provider,
            }
        )
        self._ids = _Ids(ids.RandomIdGenerator())
        self._provider = sdk.TracerProvider(resource=resource, id_generator=self._ids)
        self._provider.add_span_processor(getattr(export, processor)(exporter))
        self._tracer = self._provider.get_tracer("tallystick", __version__)
        self._trace = _module("opentelemetry.trace")

    def make(self, trace: Trace) -> None:
        """One span for `trace`, and one inside it for each of its steps.

        Source: OpenTelemetry Trace API, Span
        """
        api = self._trace

        def at(moment: float) -> int:
            return trace.received_at * 1_000_000 + int((moment - trace.began) * 1_000_000_000)

        ended = trace.steps[-1][1]
        self._ids.given = (trace.trace, trace.span)
        root = self._tracer.start_span(
            trace.name,
            context=self._context(trace),
            kind=api.SpanKind.SERVER,
            start_time=at(trace.began),
            attributes=_attributes(trace),
        )
        inside = api.set_span_in_context(root)
        before = trace.began
        for name, moment in trace.steps:
            span = self._tracer.start_span(name, context=inside, start_time=at(before))
            span.end(end_time=at(moment))
            before = moment
        if trace.status >= _FAULT:
            root.set_status(api.Status(api.StatusCode.ERROR, trace.code))
        root.end(end_time=at(ended))

    def _context(self, trace: Trace) -> Any:
        parent = trace.parent
        if parent is None:
            return _module("opentelemetry.context").Context()
        api = self._trace
        caller = api.SpanContext(
            trace_id=int(parent.trace, 16),
            span_id=int(parent.span, 16),
            is_remote=True,
            trace_flags=api.TraceFlags(api.TraceFlags.SAMPLED),
        )
        return api.set_span_in_context(api.NonRecordingSpan(caller))

    def close(self) -> None:
        """Export what is left and end the SDK's thread.

        Source: OpenTelemetry Trace SDK, Shutdown
        """
        self._provider.shutdown()


def spans_to(to: Destination, provider: str) -> Spans:
    """Spans that go to the collector at `to`, by OTLP over HTTP.

    Raises Unavailable where the SDK is not installed.
    Source: OpenTelemetry Protocol 1.5, OTLP over HTTP
    """
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    module = _module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    exporter = module.OTLPSpanExporter(
        endpoint=f"{to.way.removeprefix('otlp+')}://{to.authority}{to.path}",
        certificate_file=to.files.get("ca"),
        client_certificate_file=to.files.get("certificate"),
        client_key_file=to.files.get("private-key"),
        timeout=_TIMEOUT_S,
    )
    return Spans(provider, exporter)


async def export_traces(tracing: Tracing, spans: Spans, *, every_s: float = EVERY_S) -> None:
    """Make spans of what ended, for ever and on another thread; on cancellation, once more.

    Source: OpenTelemetry Trace SDK, Span Processor
    """

    def make() -> None:
        for trace in tracing.taken():
            spans.make(trace)

    try:
        while True:
            await asyncio.sleep(every_s)
            await to_its_end(make)
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(_TIMEOUT_S):
                await to_its_end(make)
                await to_its_end(spans.close)


class _Ids:
    """The SDK's generator of ids, except where a trace has its own already."""

    def __init__(self, generator: Any) -> None:
        self._generator = generator
        self.given = ("", "")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._generator, name)

    def generate_trace_id(self) -> int:
        trace = self.given[0]
        return int(trace, 16) if trace else int(self._generator.generate_trace_id())

    def generate_span_id(self) -> int:
        span, self.given = self.given[1], ("", "")
        return int(span, 16) if span else int(self._generator.generate_span_id())


def _attributes(trace: Trace) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {"http.response.status_code": trace.status}
    if trace.order:
        attributes["tallystick.order"] = trace.order
    if trace.event >= 0:
        attributes["tallystick.event"] = trace.event
    if trace.code:
        attributes["tallystick.refusal"] = trace.code
    return attributes


def _sdk(name: str) -> Any:
    return _module(f"opentelemetry.sdk.{name}")


def _module(name: str) -> Any:
    """A module of the extra.

    Raises Unavailable where it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Unavailable(
            "tracing needs the OpenTelemetry SDK", remedy="pip install 'tallystick[otel]'"
        ) from error
