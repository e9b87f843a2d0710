"""Publishing, on a real NATS."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.errors import ConnectionClosedError
from nats.js.errors import APIError, NoStreamResponseError

from operations.embedded import EmbeddedServers
from shared.cloudevents import Envelope
from shared.ids import new_id, new_trace
from shared.publisher import Publisher

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
    await js.add_stream(name="PANTRY", subjects=["pantry.>"], max_msg_size=1000)
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
