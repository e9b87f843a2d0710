"""Publishing, on a real NATS."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.errors import ConnectionClosedError
from nats.js.errors import APIError, NoStreamResponseError

from operations.embedded.servers import EmbeddedServers
from shared.kernel.cloudevents import Envelope
from shared.kernel.ids import new_id, new_trace
from shared.nats.publishing import Publisher
from shared.nats.streams import set_up_streams, stream_config

MANY = 300


class Reluctant(Client):
    """A client that cannot subscribe the first time."""

    refused = False

    async def subscribe(self, *arguments: Any, **options: Any) -> Subscription:
        if not self.refused:
            self.refused = True
            raise ConnectionClosedError
        return await super().subscribe(*arguments, **options)


@pytest.fixture
async def client(servers: EmbeddedServers) -> AsyncIterator[Client]:
    client = Reluctant()
    await client.connect(servers.nats_url)
    js = (await nats.connect(servers.nats_url)).jetstream()
    await js.add_stream(name="PANTRY", subjects=["pantry.>"], max_msg_size=1000, allow_atomic=True)
    yield client
    await js.delete_stream("PANTRY")
    await js._nc.close()
    await client.close()


def event(publisher: str = "pantry", body: bytes = b"{}") -> Envelope:
    return Envelope(
        id=new_id(), publisher=publisher, type=f"{publisher}.jar_filled.v1", subject="jam", time=datetime.now(UTC),
        version=1, actor="cook", cause="1", trace=new_trace(), history=False, body=body,
    )  # fmt: skip


async def test_who_could_not_listen_at_first_listens_later(client: Client) -> None:
    publisher = Publisher()
    with pytest.raises(ConnectionClosedError):
        await publisher.publish(client, event())
    assert await publisher.publish(client, event()) == 1


async def test_each_of_many_gets_its_own_place(client: Reluctant) -> None:
    client.refused, publisher = True, Publisher()
    places = await asyncio.gather(*(publisher.publish(client, event()) for _ in range(MANY)))
    assert places == list(range(1, 1 + MANY))


async def test_the_same_event_keeps_its_place(client: Reluctant) -> None:
    client.refused, publisher, same = True, Publisher(), event()
    assert [await publisher.publish(client, one) for one in (same, event(), same)] == [1, 2, 1]


async def test_a_refusal_is_told_with_its_reason(client: Reluctant) -> None:
    client.refused, publisher = True, Publisher()
    with pytest.raises(APIError, match="message size exceeds maximum allowed"):
        await publisher.publish(client, event(body=b"x" * 2000))
    with pytest.raises(NoStreamResponseError):
        await publisher.publish(client, event("nobody"))


async def test_many_together_are_stored_in_their_order_and_the_last_place_is_told(client: Reluctant) -> None:
    client.refused, publisher, many = True, Publisher(), [event() for _ in range(MANY)]
    assert await publisher.publish_together(client, many) == MANY
    js = client.jetstream()
    stored = [await js.get_msg("PANTRY", place) for place in (1, 2, MANY)]
    assert [one.headers["ce-id"] for one in stored if one.headers] == [many[0].id, many[1].id, many[-1].id]


async def test_of_many_together_of_which_one_is_refused_none_is_stored(client: Reluctant) -> None:
    client.refused, publisher, known = True, Publisher(), event()
    await publisher.publish(client, known)
    others = [event(), event()]
    for refused in (known, event(body=b"x" * 2000)):
        with pytest.raises(APIError):
            await publisher.publish_together(client, [others[0], refused, others[1]])
    with pytest.raises(NoStreamResponseError):
        await publisher.publish_together(client, [event("nobody"), event("nobody")])
    # Nor does the server take them for stored.
    assert [await publisher.publish(client, one) for one in others] == [2, 3]


async def test_what_was_begun_together_and_not_ended_can_be_published_alone(client: Reluctant) -> None:
    client.refused, publisher, begun = True, Publisher(), [event() for _ in range(3)]
    for number, one in enumerate(begun, start=1):
        headers = one.headers() | {"Nats-Batch-Id": "begun", "Nats-Batch-Sequence": str(number)}
        await client.publish(one.address, one.body, headers=headers)
    assert [await publisher.publish(client, one) for one in begun] == [1, 2, 3]
    # Nor is it ended later, after some of it was stored alone.
    last = event()
    ended = last.headers() | {"Nats-Batch-Id": "begun", "Nats-Batch-Sequence": "4", "Nats-Batch-Commit": "1"}
    assert b'"error"' in (await client.request(last.address, last.body, headers=ended)).data
    assert (await client.jetstream().stream_info("PANTRY")).state.messages == 3


async def test_together_or_alone_the_same_event_is_stored_once(client: Reluctant) -> None:
    client.refused, publisher, many = True, Publisher(), [event() for _ in range(3)]
    assert await publisher.publish_together(client, many) == 3
    assert [await publisher.publish(client, one) for one in many] == [1, 2, 3]


async def test_a_stream_of_a_former_version_refuses_many_together_until_it_is_set_up(client: Reluctant) -> None:
    client.refused, publisher, js = True, Publisher(), client.jetstream()
    former = replace(stream_config("larder"), allow_atomic=None)
    await js.add_stream(former)
    with pytest.raises(APIError, match="atomic publish is disabled"):
        await publisher.publish_together(client, [event("larder"), event("larder")])
    await set_up_streams(js, ["larder"], [])
    assert await publisher.publish_together(client, [event("larder"), event("larder")]) == 2
    await js.delete_stream("LARDER")
