"""Publishing into a stream: a single event through FastStream, many as one atomic batch.

Both return the sequence of the last event in the stream once it is stored, and raise NoStreamResponseError if there is
no stream, APIError if the stream refuses, and TimeoutError if it does not answer: then the event may be stored, and is
to be published again under the same id.
"""

import asyncio
from collections.abc import Sequence

import msgspec
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.js.errors import APIError, NoStreamResponseError

from shared.kernel.cloudevents import Envelope
from shared.kernel.ids import new_id
from shared.nats.streams import stream_name

TIMEOUT_SECONDS = 5.0
"""Until a missing acknowledgement counts as lost."""

STRETCH = 64
"""Number of events passed to the connection before other tasks get their turn."""


class _Answer(msgspec.Struct):
    """The answer of a stream: the sequence of the last event, or an error."""

    seq: int = 0
    error: dict[str, str | int] | None = None


async def publish(broker: NatsBroker, event: Envelope) -> int:
    """Publish one event."""
    acknowledgement = await broker.publish(
        event.body,
        event.address,
        headers=event.headers(),
        stream=stream_name(event.publisher),
        timeout=TIMEOUT_SECONDS,
        correlation_id=event.cause,
    )
    return acknowledgement.seq


async def publish_batch(client: Client, events: Sequence[Envelope]) -> int:
    """Publish at most 1000 events, all in this order or none.

    Raises APIError also if the stream has stored one of them before, and ConnectionError if the connection is lost; the
    server forgets a batch that is not complete.
    """
    batch = new_id()
    for number, event in enumerate(events[:-1], start=1):
        await client.publish(event.address, event.body, headers=_batch_headers(event, batch, number))
        if number % STRETCH == 0:
            await asyncio.sleep(0)
            if not client.is_connected:
                raise ConnectionError("connection to nats lost in the middle of a batch")
    headers = _batch_headers(events[-1], batch, len(events)) | {"Nats-Batch-Commit": "1"}
    try:
        reply = await client.request(events[-1].address, events[-1].body, TIMEOUT_SECONDS, headers=headers)
    except NoRespondersError as error:
        raise NoStreamResponseError from error
    answer = msgspec.json.decode(reply.data, type=_Answer)
    if answer.error is not None:
        APIError.from_error(answer.error)  # It raises, whatever its name says.
    return answer.seq


def _batch_headers(event: Envelope, batch: str, number: int) -> dict[str, str]:
    return event.headers() | {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
