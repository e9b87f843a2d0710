"""A durable consumer of NATS: it hands out what it is asked for, and again what is not acknowledged in time."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeoutError

from shared.kernel.cloudevents import Envelope
from shared.nats.streams import ACK_WAIT_SECONDS, WINDOW
from tests.models.wire import NotYet, Wire


@dataclass(eq=False)
class Asked:
    """A request for messages, and where they go."""

    inbox: str
    left: int
    until: float


@dataclass(eq=False)
class Consumer:
    """The durable, as the server sees it."""

    wire: Wire
    stored: list[Envelope] = field(default_factory=list)
    acknowledged: list[Envelope] = field(default_factory=list)
    inboxes: dict[str, list[Msg]] = field(default_factory=dict)
    """What was handed out and is on its way, by subscription."""
    handed_out: int = 0
    _next: int = 1
    _pending: dict[int, float] = field(default_factory=dict)
    """When it is due to come again, by sequence."""
    _again: list[int] = field(default_factory=list)
    _deliveries: dict[int, int] = field(default_factory=dict)
    _asked: list[Asked] = field(default_factory=list)

    @property
    def all_acknowledged(self) -> bool:
        return not self._pending and self._next > len(self.stored)

    @property
    def under_way(self) -> list[list[Msg]]:
        """What was handed out and has not arrived."""
        self.go_on()
        return [messages for messages in self.inboxes.values() if messages]

    @property
    def info(self) -> Any:
        """What the server says of it."""
        self.go_on()
        delivered = SimpleNamespace(consumer_seq=self.handed_out)
        return SimpleNamespace(delivered=delivered, num_ack_pending=len(self._pending))

    def ask(self, inbox: str, wanted: dict[str, int]) -> None:
        self._asked.append(Asked(inbox, wanted["batch"], self.wire.now + wanted["expires"] / 1e9))
        self.go_on()

    def acknowledge(self, sequence: int) -> None:
        if self._pending.pop(sequence, None) is not None:
            self.acknowledged.append(self.stored[sequence - 1])
            self._again = [one for one in self._again if one != sequence]

    def in_progress(self, sequence: int) -> None:
        if sequence in self._pending and sequence not in self._again:
            self._pending[sequence] = self.wire.now + ACK_WAIT_SECONDS

    def receive(self, inbox: str) -> Msg:
        self.go_on()
        if not self.inboxes.get(inbox):
            raise NotYet
        return self.inboxes[inbox].pop(0)

    def go_on(self) -> None:
        """Hand out all that can be, what comes again first."""
        now = self.wire.now
        self._again += sorted(one for one, at in self._pending.items() if at <= now and one not in self._again)
        for one in [one for one in self._asked if one.until <= now and one.inbox in self.inboxes]:
            headers = {"Status": "408", "Nats-Pending-Messages": str(one.left)}
            self.inboxes[one.inbox].append(Msg(cast("Client", None), subject=one.inbox, headers=headers))
        self._asked = [one for one in self._asked if one.until > now and one.inbox in self.inboxes and one.left]
        while self._asked and (sequence := self._turn()):
            self._hand_out(sequence, self._asked[0])
            self._asked = [one for one in self._asked if one.left]

    def _turn(self) -> int:
        """What is to be handed out next; 0 if there is nothing."""
        if self._again:
            return self._again.pop(0)
        if self._next > len(self.stored) or len(self._pending) >= WINDOW:
            return 0
        self._next += 1
        return self._next - 1

    def _hand_out(self, sequence: int, asked: Asked) -> None:
        self.handed_out += 1
        asked.left -= 1
        count = self._deliveries[sequence] = self._deliveries.get(sequence, 0) + 1
        self._pending[sequence] = self.wire.now + ACK_WAIT_SECONDS
        event = self.stored[sequence - 1]
        reply = f"$JS.ACK.MODEL.model.{count}.{sequence}.{self.handed_out}.0.0"
        made = Msg(cast("Client", None), event.address, reply, event.body, event.headers())
        self.inboxes[asked.inbox].append(made)


class Connection:
    """One process's connection to it: what `shared.inbox.reader` asks of a broker and its client."""

    is_closed = False

    def __init__(self, consumer: Consumer, name: str) -> None:
        self._consumer, self._name = consumer, name
        self._subscribed = 0
        self.connections = 1
        self.in_place = asyncio.Event()
        self.in_place.set()
        self.client = self

    def new_inbox(self) -> str:
        self._subscribed += 1
        return f"{self._name}.{self._subscribed}"

    def jetstream(self) -> "Connection":
        return self

    async def consumer_info(self, _stream: str, _durable: str) -> Any:
        return await self._ask("info", lambda: self._consumer.info, NatsTimeoutError)

    async def publish(self, subject: str, payload: bytes = b"", reply: str = "") -> None:
        sequence = int(subject.split(".")[-4]) if subject.startswith("$JS.ACK") else 0
        if not sequence:
            await self._ask("pull", lambda: self._consumer.ask(reply, json.loads(payload)))
        elif payload == Msg.Ack.Progress:
            await self._ask(f"in progress {sequence}", lambda: self._consumer.in_progress(sequence))
        else:
            await self._ask(f"ack {sequence}", lambda: self._consumer.acknowledge(sequence))

    async def subscribe(self, inbox: str, cb: Callable[[Msg], Awaitable[None]]) -> "Subscribed":
        self._consumer.inboxes[inbox] = []
        return Subscribed(self._consumer, inbox, asyncio.create_task(self._receive(inbox, cb)))

    def begin_anew(self) -> None:
        """The connection was lost, with all that was on its way, and is made again."""
        self.connections += 1
        for inbox in self._consumer.inboxes:
            if inbox.startswith(f"{self._name}."):
                self._consumer.inboxes[inbox].clear()

    def end(self) -> None:
        """There is nobody there any more."""
        for inbox in [one for one in self._consumer.inboxes if one.startswith(f"{self._name}.")]:
            del self._consumer.inboxes[inbox]

    async def _receive(self, inbox: str, cb: Callable[[Msg], Awaitable[None]]) -> None:
        while True:
            with suppress(NatsTimeoutError):
                message = await self._ask("receive", lambda: self._consumer.receive(inbox), NatsTimeoutError)
                message._client = cast("Client", self)
                await cb(message)

    async def _ask(
        self, what: str, do: Callable[[], Any], lost: Callable[[], BaseException | None] = lambda: None
    ) -> Any:
        return await self._consumer.wire.ask("nats", what, do, lost)


@dataclass
class Subscribed:
    """A subscription, until its end."""

    consumer: Consumer
    inbox: str
    task: "asyncio.Task[None]"

    async def unsubscribe(self) -> None:
        self.consumer.inboxes.pop(self.inbox, None)
        self.task.cancel()
