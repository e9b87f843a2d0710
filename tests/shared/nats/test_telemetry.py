"""What FastStream's Prometheus and OpenTelemetry middlewares record of events, without servers."""

import socket
import subprocess
import sys
import urllib.request
from typing import Any, ClassVar, cast

import msgspec
import pytest
from faststream.nats import NatsBroker, TestNatsBroker
from opentelemetry.context import get_current
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from shared.inbox.pipeline import ReactionMiddleware
from shared.inbox.reactions import Reactions
from shared.kernel.cause import Cause
from shared.kernel.clock import system_clock
from shared.kernel.cloudevents import Envelope
from shared.kernel.errors import Refused
from shared.kernel.ids import new_id, new_trace
from shared.kernel.value import value
from shared.nats.telemetry import NotInstalled, metrics, switch_on, traces
from shared.store.store import Store

TYPE = "authors.page_written.v1"


@value
class PageWritten:
    type: ClassVar[str] = TYPE
    page: int


class Bookworm:
    """A service that is measured and traced."""

    def __init__(self) -> None:
        self.raises: Exception | None = None
        self.causes: list[Cause] = []
        self.refused: list[Cause] = []
        self.spans, self.registry = InMemorySpanExporter(), CollectorRegistry()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.spans))
        reactions = Reactions("authors")
        reactions.to(PageWritten)(self._read)
        self.broker = NatsBroker(logger=None, apply_types=False)
        self.broker.add_middleware(ReactionMiddleware("bookworm", cast("Store", self), system_clock))
        self.broker.include_router(reactions.router)
        self.broker.insert_middleware(traces(provider))
        self.broker.insert_middleware(metrics("bookworm", self.registry))

    async def _read(self, _: PageWritten, cause: Cause) -> None:
        if self.raises:
            raise self.raises
        self.causes.append(cause)

    async def commit(self, cause: Cause) -> list[Any]:
        self.refused.append(cause)
        return []

    async def publish_and_read(self) -> Envelope:
        event = Envelope(
            id=new_id(), publisher="authors", type=TYPE, subject="novel", time=system_clock(), version=1,
            actor="author", cause="muse", trace=new_trace(), history=False,
            body=msgspec.json.encode(PageWritten(page=1)),
        )  # fmt: skip
        async with TestNatsBroker(self.broker) as broker:
            await broker.publish(event.body, event.address, headers=event.headers(), stream="AUTHORS")
        return event

    def span(self, action: str) -> ReadableSpan:
        [found] = [span for span in self.spans.get_finished_spans() if span.name == f"{TYPE} {action}"]
        return found

    def count(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"asskomm_{name}", {"app_name": "bookworm", "broker": "nats", **labels})


async def test_the_trace_of_an_event_survives_its_publication() -> None:
    bookworm = Bookworm()
    event = await bookworm.publish_and_read()
    assert [cause.trace for cause in bookworm.causes] == [event.trace]


@pytest.mark.parametrize("action", ["create", "process"])
async def test_a_span_is_the_child_of_what_the_event_carries(action: str) -> None:
    bookworm = Bookworm()
    event = await bookworm.publish_and_read()
    span = bookworm.span(action)
    assert span.context
    assert span.parent
    assert f"00-{span.context.trace_id:032x}-{span.parent.span_id:016x}" == event.trace.rpartition("-")[0]


async def test_spans_are_named_by_type_and_never_by_aggregate() -> None:
    bookworm = Bookworm()
    await bookworm.publish_and_read()
    spans = bookworm.spans.get_finished_spans()
    assert {span.name for span in spans} == {f"{TYPE} create", f"{TYPE} publish", f"{TYPE} process"}
    assert not [span.attributes for span in spans if "novel" in repr(dict(span.attributes or {}))]


async def test_a_span_has_the_ids_of_the_event_and_its_cause() -> None:
    bookworm = Bookworm()
    event = await bookworm.publish_and_read()
    attributes = bookworm.span("process").attributes or {}
    assert attributes["messaging.message.id"] == event.id
    assert attributes["messaging.message.conversation_id"] == event.cause


async def test_labels_are_types_and_never_aggregates() -> None:
    bookworm = Bookworm()
    await bookworm.publish_and_read()
    assert bookworm.count("received_messages_total", handler=TYPE) == 1
    assert bookworm.count("published_messages_total", destination=TYPE, status="success") == 1
    samples = [sample for metric in bookworm.registry.collect() for sample in metric.samples]
    assert not [sample for sample in samples if "novel" in repr(sample.labels)]


async def test_an_exception_is_recorded_and_comes_out_again() -> None:
    bookworm, before = Bookworm(), get_current()
    bookworm.raises = ValueError("broken")
    with pytest.raises(ValueError, match="broken"):
        await bookworm.publish_and_read()
    assert not bookworm.span("process").status.is_ok
    failed = {"exception_type": "ValueError", "handler": TYPE}
    assert bookworm.count("received_processed_messages_exceptions_total", **failed) == 1
    assert get_current() == before


async def test_a_refusal_is_no_failure() -> None:
    bookworm = Bookworm()
    bookworm.raises = Refused("that is not how it goes")
    await bookworm.publish_and_read()
    assert (len(bookworm.refused), bookworm.span("process").status.description) == (1, None)
    assert bookworm.count("received_processed_messages_total", handler=TYPE, status="acked") == 1


def test_prometheus_fetches_the_metrics_of_all_services_of_a_process() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for service in ("bookworm", "bookbinder"):
        switch_on(NatsBroker(), service, metrics_port=port, tracing=False)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
        assert b"asskomm_received_messages_total" in page.read()


@pytest.mark.parametrize(
    ("package", "setting"), [("prometheus_client", {"metrics_port": 9}), ("opentelemetry.sdk.trace", {"tracing": True})]
)
def test_a_missing_package_is_named(package: str, setting: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(NotInstalled, match=r"which is not installed: pip install 'asskomm\[observability\]'"):
        switch_on(NatsBroker(), "bookworm", **{"metrics_port": 0, "tracing": False, **setting})


def test_an_unknown_exporter_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "pigeon")
    with pytest.raises(NotInstalled, match="there is no exporter pigeon"):
        switch_on(NatsBroker(), "bookworm", metrics_port=0, tracing=True)


def test_nothing_is_imported_unless_it_is_switched_on() -> None:
    script = "import sys, operations.cli; print({'opentelemetry', 'prometheus_client'} & sys.modules.keys())"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
