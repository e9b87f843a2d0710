"""Detection of a stream that has lost acknowledged events; nothing is published to it until it is repaired.

NATS may come back without its store, or with an older copy of it. The lost events must then be published first, or a
later event of an aggregate would precede an earlier one. So the last acknowledged sequence and the creation time of the
stream are recorded in the service's own database, before any row loses the `unpublished` flag.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog
from nats.errors import Error as NatsError
from nats.js.api import StreamInfo
from nats.js.errors import NoStreamResponseError, NotFoundError

from shared.kernel.cloudevents import Envelope
from shared.nats.connection import Broker
from shared.nats.streams import stream_name
from shared.store.mongo import Database, Document
from shared.store.rows import EVENTS

STREAMS = "streams"
MEND = "nothing is published until `asskomm setup`, then `asskomm replay` has mended it"

T = TypeVar("T")

log = structlog.get_logger()


class OwnStream:
    """The stream of a service as its relay sees it; checked once per connection, before anything is published."""

    def __init__(self, publisher: str, database: Database, broker: Broker) -> None:
        self._name = stream_name(publisher)
        self._database, self._broker = database, broker
        self._seen = 0
        """Number of the connection on which the stream was found whole; 0 is none."""
        self._acknowledged = 0
        """The highest acknowledged sequence that is not recorded yet."""
        self._loss = ""

    async def whole(self) -> bool:
        """Return True if the stream has lost nothing; checked once per connection, and only if there are events."""
        if (connection := self._broker.connections) == self._seen:
            return True
        noted = await self._database[STREAMS].find_one({"_id": self._name})
        if noted is None and await self._database[EVENTS].find_one({}, {"_id": 1}) is None:
            return True
        try:
            found = await self._broker.client.jetstream().stream_info(self._name)
        except NotFoundError:
            found = None
        except NatsError as error:
            log.warning("stream not checked", stream=self._name, error=repr(error))
            return False
        if found is not None and noted is None:
            noted = await note_stream(self._database, found)
        loss = _loss(found, noted or {}, self._acknowledged)
        if loss and loss != self._loss:
            log.error("stream has lost events", stream=self._name, loss=loss, mend=MEND)
        self._loss = loss
        self._seen = self._seen if loss else connection
        return not loss

    async def publish(self, envelope: Envelope) -> None:
        """Publish an event; raises ConnectionError if the stream was not found whole on this connection."""
        await self._acknowledged_by(self._broker.publish, envelope)

    async def publish_batch(self, envelopes: Sequence[Envelope]) -> None:
        """Publish all of them or none; raises as `publish` does."""
        await self._acknowledged_by(self._broker.publish_batch, envelopes)

    async def _acknowledged_by(self, publish: Callable[[T], Awaitable[int]], what: T) -> None:
        if self._seen != self._broker.connections:
            raise ConnectionError(f"stream {self._name} was not checked on this connection")
        try:
            sequence = await publish(what)
        except NoStreamResponseError as error:
            self._seen = -1
            raise ConnectionError(f"stream {self._name} is gone") from error
        self._acknowledged = max(self._acknowledged, sequence)

    async def note(self) -> None:
        """Record the last acknowledged sequence; if that fails, forget it."""
        sequence = self._acknowledged
        try:
            await self._database[STREAMS].update_one({"_id": self._name}, {"$max": {"sequence": sequence}})
        except BaseException:
            # The rows keep the `unpublished` flag and are published again.
            self._acknowledged = 0
            raise
        if self._acknowledged == sequence:
            self._acknowledged = 0


async def note_stream(database: Database, found: StreamInfo) -> Document:
    """Record the stream as whole in its present state; returns the record."""
    noted: Document = {"sequence": found.state.last_seq, "created": str(found.created)}
    await database[STREAMS].update_one({"_id": found.config.name}, {"$set": noted}, upsert=True)
    return noted


def _loss(found: StreamInfo | None, noted: Document, acknowledged: int) -> str:
    """Describe what the stream has lost; empty if nothing."""
    sequence = max(noted.get("sequence", 0), acknowledged)
    if found is None:
        return f"it does not exist; it has acknowledged events up to {sequence}"
    if str(found.created) != noted["created"]:
        return f"it was created {found.created}; the one of {noted['created']} has acknowledged events up to {sequence}"
    if found.state.last_seq < sequence:
        return f"it ends at {found.state.last_seq}, but has acknowledged events up to {sequence}"
    return ""
