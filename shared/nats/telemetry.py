"""Metrics and traces of the events that a service publishes and reacts to; both are off by default.

FastStream's own middlewares measure and trace. Names and labels are types of event: with raw subjects there would be a
series for each aggregate. Batches of the relay bypass FastStream, so the events in them are not counted as published.
"""

import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from faststream import BaseMiddleware, PublishCommand, StreamMessage
from faststream.nats import NatsBroker

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from prometheus_client import CollectorRegistry

TRACEPARENT = "traceparent"


class NotInstalled(Exception):  # noqa: N818 -- named after its cause
    """A package is missing that a setting needs; the message says how to install it."""


def switch_on(broker: NatsBroker, service: str, *, metrics_port: int, tracing: bool) -> None:
    """Add the enabled middlewares outside of the existing ones; they swallow no exceptions."""
    if tracing:
        broker.insert_middleware(traces(_exported(service)))
    if metrics_port:
        broker.insert_middleware(metrics(service, _served(metrics_port)))


def metrics(service: str, registry: "CollectorRegistry") -> Any:
    """FastStream's Prometheus middleware, with labels by type of event."""
    from faststream.nats.prometheus.provider import NatsMetricsSettingsProvider
    from faststream.prometheus import ConsumeAttrs, PrometheusMiddleware

    class ByType(NatsMetricsSettingsProvider):
        def get_consume_attrs_from_message(self, msg: StreamMessage[Any]) -> ConsumeAttrs:
            return super().get_consume_attrs_from_message(msg) | {"destination_name": _type(msg.raw_message.subject)}

        def get_publish_destination_name_from_cmd(self, cmd: PublishCommand) -> str:
            return _type(cmd.destination)

    return PrometheusMiddleware(
        settings_provider_factory=lambda _: ByType(), registry=registry, app_name=service, metrics_prefix="asskomm"
    )


def traces(provider: "TracerProvider") -> Any:
    """FastStream's OpenTelemetry middleware, with spans named by type of event, inside the trace of each event."""
    from faststream.nats.opentelemetry.provider import NatsTelemetrySettingsProvider
    from faststream.opentelemetry import TelemetryMiddleware
    from faststream.opentelemetry.consts import MESSAGING_DESTINATION_PUBLISH_NAME
    from opentelemetry.semconv.trace import SpanAttributes

    class ByType(NatsTelemetrySettingsProvider):
        def get_consume_attrs_from_message(self, msg: StreamMessage[Any]) -> dict[str, Any]:
            return super().get_consume_attrs_from_message(msg) | {
                MESSAGING_DESTINATION_PUBLISH_NAME: self.get_consume_destination_name(msg),
                SpanAttributes.MESSAGING_MESSAGE_ID: msg.headers.get("ce-id", ""),
                SpanAttributes.MESSAGING_MESSAGE_CONVERSATION_ID: msg.headers.get("ce-causationid", ""),
            }

        def get_consume_destination_name(self, msg: StreamMessage[Any]) -> str:
            return _type(msg.raw_message.subject)

        def get_publish_attrs_from_cmd(self, cmd: PublishCommand) -> dict[str, Any]:
            named = {SpanAttributes.MESSAGING_DESTINATION_NAME: self.get_publish_destination_name(cmd)}
            return super().get_publish_attrs_from_cmd(cmd) | named

        def get_publish_destination_name(self, cmd: PublishCommand) -> str:
            return _type(cmd.destination)

    telemetry = TelemetryMiddleware(settings_provider_factory=lambda _: ByType(), tracer_provider=provider)
    return lambda msg, *, context: _InTheTraceOfTheEvent(telemetry(msg, context=context), msg, context=context)


class _InTheTraceOfTheEvent(BaseMiddleware):
    """FastStream's middleware, around which the context is that of the event.

    Alone it begins a trace of its own for each event that is published, and writes that into the event's header.
    """

    def __init__(self, telemetry: BaseMiddleware, msg: Any, /, *, context: Any) -> None:
        super().__init__(msg, context=context)
        self._telemetry = telemetry

    async def publish_scope(self, call_next: Callable[[Any], Awaitable[Any]], cmd: Any) -> Any:
        stored = cmd.headers.get(TRACEPARENT, "")

        async def publish_as_stored(cmd: Any) -> Any:
            cmd.headers[TRACEPARENT] = stored
            return await call_next(cmd)

        with _attached(cmd.headers):
            return await self._telemetry.publish_scope(publish_as_stored, cmd)

    async def consume_scope(self, call_next: Any, msg: StreamMessage[Any]) -> Any:
        # After an exception FastStream leaves its context attached to the task.
        with _attached(msg.headers):
            return await self._telemetry.consume_scope(call_next, msg)

    async def after_processed(self, *error: Any) -> bool | None:
        return await self._telemetry.after_processed(*error)


@contextmanager
def _attached(headers: dict[str, Any]) -> Iterator[None]:
    """The context that the headers of an event carry."""
    from opentelemetry.context import attach, detach
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    token = attach(TraceContextTextMapPropagator().extract(headers))
    try:
        yield
    finally:
        detach(token)


@cache
def _served(port: int) -> "CollectorRegistry":
    """The metrics of this process, which Prometheus fetches on this port."""
    try:
        from prometheus_client import CollectorRegistry, start_http_server
    except ImportError as error:
        raise _missing("ASSKOMM_METRICS_PORT", "prometheus-client") from error
    registry = CollectorRegistry()
    start_http_server(port, registry=registry)
    return registry


def _exported(service: str) -> "TracerProvider":
    """Export spans through the exporter named by OTEL_TRACES_EXPORTER, which is configured by OTEL_…."""
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise _missing("ASSKOMM_TRACING", "opentelemetry-sdk") from error
    name = os.environ.get("OTEL_TRACES_EXPORTER", "console")
    found = list(entry_points(group="opentelemetry_traces_exporter", name=name))
    if not found:
        raise NotInstalled(f"there is no exporter {name} of OpenTelemetry: install it, or set OTEL_TRACES_EXPORTER")
    provider = TracerProvider(resource=Resource.create({"service.name": f"asskomm-{service}"}))
    provider.add_span_processor(BatchSpanProcessor(found[0].load()()))
    return provider


def _missing(setting: str, package: str) -> NotInstalled:
    return NotInstalled(f"{setting} needs {package}, which is not installed: pip install 'asskomm[observability]'")


def _type(subject: str) -> str:
    """The type of event on a NATS subject: all but the id of the aggregate."""
    return subject.rpartition(".")[0]
