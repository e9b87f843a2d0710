"""A durable consumer of NATS: one message at a time, and again until it is acknowledged."""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

from faststream.nats import NatsMessage

from shared.cloudevents import Envelope
from shared.streams import ACK_WAIT_SECONDS
from tests.models.wire import NotYet, Wire


@dataclass(eq=False)
class Message:
    """An event as it was handed out, once of several times."""

    envelope: Envelope
    sequence: int
    deliveries: int
    in_progress: Callable[[], object] = field(repr=False)

    def as_of_faststream(self) -> NatsMessage:
        """The same with the attributes that the inbox looks at."""
        metadata = SimpleNamespace(sequence=SimpleNamespace(stream=self.sequence), num_delivered=self.deliveries)
        raw = SimpleNamespace(subject=self.envelope.address, headers=self.envelope.headers(), metadata=metadata)
        made = SimpleNamespace(raw_message=raw, body=self.envelope.body, in_progress=self.in_progress)
        return cast("NatsMessage", made)


class Consumer:
    """All replicas pull from it; whose acknowledgement does not come in time is taken for dead."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.stored: list[Envelope] = []
        self.acknowledged: list[Message] = []
        self._deliveries = 0
        self._again_at = -math.inf
        """When the one message that is handed out may be handed out again."""

    @property
    def all_acknowledged(self) -> bool:
        return len(self._done) == len(self.stored)

    @property
    def _done(self) -> set[int]:
        return {one.sequence for one in self.acknowledged}

    async def next(self) -> Message:
        """The next message, once there is one."""
        while True:
            with suppress(TimeoutError):
                return await self._wire.ask("nats", "pull", self._hand_out, TimeoutError)

    async def ack(self, message: Message) -> None:
        """Have done with it; nobody waits for an answer to that."""
        await self._wire.ask("nats", f"ack {message.sequence}", lambda: self._acknowledge(message))

    async def nack(self, message: Message, delay: float) -> None:
        """Have it handed out again after a while."""
        await self._wire.ask("nats", f"nack {message.sequence}", lambda: self._again(message, delay))

    def _hand_out(self) -> Message:
        sequence = len(self._done) + 1
        if sequence > len(self.stored) or self._wire.now < self._again_at:
            raise NotYet
        self._again_at = self._wire.now + ACK_WAIT_SECONDS
        self._deliveries += 1
        made = Message(self.stored[sequence - 1], sequence, self._deliveries, lambda: self._in_progress(made))
        return made

    async def _in_progress(self, message: Message) -> None:
        lasts = lambda: self._again(message, ACK_WAIT_SECONDS)  # noqa: E731 -- short
        await self._wire.ask("nats", f"in progress {message.sequence}", lasts)

    def _again(self, message: Message, delay: float) -> None:
        if message.sequence not in self._done:
            self._again_at = self._wire.now + delay

    def _acknowledge(self, message: Message) -> None:
        if message.sequence not in self._done:
            self.acknowledged.append(message)
            self._deliveries, self._again_at = 0, -math.inf
