"""Publishing, on a real NATS."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from nats.aio.client import Client
from nats.js.errors import APIError, NoStreamResponseError
from opentelemetry.sdk.trace import TracerProvider

from operations.embedded.servers import EmbeddedServers
from shared.kernel.cloudevents import Envelope
from shared.kernel.ids import new_id, new_trace
from shared.nats.connection import Broker
from shared.nats.publishing import publish, publish_batch
from shared.nats.streams import set_up_streams, stream_config
from shared.nats.telemetry import traces

MANY = 300


class Connected:
    """A connected broker of FastStream, and its client."""

    def __init__(self, broker: Broker, client: Client) -> None:
        self.broker, self.client, self.js = broker, client, client.jetstream()

    async def publish(self, event: Envelope) -> int:
        return await publish(self.broker.nats, event)

    async def publish_batch(self, events: Sequence[Envelope]) -> int:
        return await publish_batch(self.client, events)


@pytest.fixture
async def nats(servers: EmbeddedServers) -> AsyncIterator[Connected]:
    broker = Broker("pantry", servers.nats_url)
    client = await broker.nats.connect()
    connected = Connected(broker, client)
    await connected.js.add_stream(name="PANTRY", subjects=["pantry.>"], max_msg_size=1000, allow_atomic=True)
    yield connected
    await connected.js.delete_stream("PANTRY")
    await broker.stop()


def event(publisher: str = "pantry", body: bytes = b"{}") -> Envelope:
    return Envelope(
        id=new_id(), publisher=publisher, type=f"{publisher}.jar_filled.v1", subject="jam", time=datetime.now(UTC),
        version=1, actor="cook", cause="1", trace=new_trace(), history=False, body=body,
    )  # fmt: skip


async def test_each_of_many_gets_its_own_place(nats: Connected) -> None:
    places = await asyncio.gather(*(nats.publish(event()) for _ in range(MANY)))
    assert places == list(range(1, 1 + MANY))


async def test_the_same_event_keeps_its_place(nats: Connected) -> None:
    same = event()
    assert [await nats.publish(one) for one in (same, event(), same)] == [1, 2, 1]


async def test_a_refusal_is_told_with_its_reason(nats: Connected) -> None:
    with pytest.raises(APIError, match="message size exceeds maximum allowed"):
        await nats.publish(event(body=b"x" * 2000))
    with pytest.raises(NoStreamResponseError):
        await nats.publish(event("nobody"))


async def test_tracing_leaves_the_trace_of_a_stored_event_alone(nats: Connected) -> None:
    nats.broker.nats.insert_middleware(traces(TracerProvider(shutdown_on_exit=False)))
    made = event()
    stored = await nats.js.get_msg("PANTRY", await nats.publish(made))
    assert stored.headers
    assert stored.headers["traceparent"] == made.trace


async def test_many_together_are_stored_in_their_order_and_the_last_place_is_told(nats: Connected) -> None:
    many, js = [event() for _ in range(MANY)], nats.js
    assert await nats.publish_batch(many) == MANY
    stored = [await js.get_msg("PANTRY", place) for place in (1, 2, MANY)]
    assert [one.headers["ce-id"] for one in stored if one.headers] == [many[0].id, many[1].id, many[-1].id]


async def test_of_many_together_of_which_one_is_refused_none_is_stored(nats: Connected) -> None:
    known = event()
    await nats.publish(known)
    others = [event(), event()]
    for refused in (known, event(body=b"x" * 2000)):
        with pytest.raises(APIError):
            await nats.publish_batch([others[0], refused, others[1]])
    with pytest.raises(NoStreamResponseError):
        await nats.publish_batch([event("nobody"), event("nobody")])
    # Nor does the server take them for stored.
    assert [await nats.publish(one) for one in others] == [2, 3]


async def test_what_was_begun_together_and_not_ended_can_be_published_alone(nats: Connected) -> None:
    begun = [event() for _ in range(3)]
    for number, one in enumerate(begun, start=1):
        headers = one.headers() | {"Nats-Batch-Id": "begun", "Nats-Batch-Sequence": str(number)}
        await nats.client.publish(one.address, one.body, headers=headers)
    assert [await nats.publish(one) for one in begun] == [1, 2, 3]
    # Nor is it ended later, after some of it was stored alone.
    last = event()
    ended = last.headers() | {"Nats-Batch-Id": "begun", "Nats-Batch-Sequence": "4", "Nats-Batch-Commit": "1"}
    assert b'"error"' in (await nats.client.request(last.address, last.body, headers=ended)).data
    assert (await nats.js.stream_info("PANTRY")).state.messages == 3


async def test_together_or_alone_the_same_event_is_stored_once(nats: Connected) -> None:
    many = [event() for _ in range(3)]
    assert await nats.publish_batch(many) == 3
    assert [await nats.publish(one) for one in many] == [1, 2, 3]


async def test_a_stream_of_a_former_version_refuses_many_together_until_it_is_set_up(nats: Connected) -> None:
    js = nats.js
    former = replace(stream_config("larder"), allow_atomic=None)
    await js.add_stream(former)
    with pytest.raises(APIError, match="atomic publish is disabled"):
        await nats.publish_batch([event("larder"), event("larder")])
    await set_up_streams(js, ["larder"], [])
    assert await nats.publish_batch([event("larder"), event("larder")]) == 2
    await js.delete_stream("LARDER")
