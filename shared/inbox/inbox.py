"""How a service reacts to events: each has its effect once, in order per aggregate, and a stuck one stops only its own.

Three outcomes, in one place: done, and acknowledged; refused by a rule, logged and acknowledged; anything else, parked
with its reason, tried again after growing pauses, and left to the operators after the last try. Later events of the
same aggregate wait behind it; others flow on at once. Aggregates are dealt with side by side, so that what they change
is written together. While MongoDB is away, all that was taken waits here.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from nats.aio.msg import Msg

from shared.inbox.parking import Parked, Parking
from shared.kernel.cause import Cause
from shared.kernel.clock import Clock
from shared.kernel.cloudevents import Envelope, read_envelope
from shared.kernel.errors import NotFound, Refused, Taken
from shared.kernel.event import Event
from shared.nats.streams import ACK_WAIT_SECONDS, Durable
from shared.store.crashpoints import crashpoint
from shared.store.lease import Lease
from shared.store.mongo import OUTAGES
from shared.store.repository import Store

PAUSES = (0.2, 1.0)
"""Seconds until an event is tried again that could not even be parked; the last one from then on."""

SWEEP_SECONDS = 0.5

Reaction = Callable[[Any, Cause], Awaitable[None]]

log = structlog.get_logger()


@dataclass(frozen=True)
class Subscription:
    """Which facts of one publisher a service reacts to, and how: fact and cause go in."""

    publisher: str
    reactions: Mapping[type[Event], Reaction]


class Unknown(Exception):  # noqa: N818 -- says what is the matter
    """An event of a type or version that this service does not know yet."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """A message in hand, and the event in it, which may have to be parked."""

    message: Msg
    event: Parked
    since: float


class Inbox:
    """The reacting side of one service: lets it react to what `shared.inbox.reader` brings, and parks what fails."""

    def __init__(self, service: str, subscription: Subscription, parking: Parking, store: Store, clock: Clock) -> None:
        self._actor = f"service:{service}"
        self._publisher, self._parking, self._store, self._clock = subscription.publisher, parking, store, clock
        self._reactions = {kind.type: (kind, react) for kind, react in subscription.reactions.items()}
        self.durable = Durable(service, subscription.publisher, frozenset(self._reactions))
        self._in_hand: dict[str, deque[_Taken]] = {}
        """By aggregate, in order: the first one is being reacted to."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: set[str] = set()
        """Aggregates of which events may be parked; of all others, none is."""

    async def finish(self) -> None:
        """Be done with all that was taken."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def look_up_parked(self) -> None:
        """Know what is parked: from now on only this process parks, until it stops reading."""
        self._held = await self._parking.aggregates(self._publisher)

    def take(self, message: Msg) -> None:
        """React to a message, after those of the same aggregate that were taken before, and acknowledge it then."""
        headers, sequence = message.headers or {}, message.metadata.sequence.stream
        event = Parked.of(message.subject, headers, message.data, self._publisher, sequence)
        taken = _Taken(message, event, time.monotonic())
        if (waiting := self._in_hand.get(event.aggregate)) is not None:
            waiting.append(taken)
            return
        self._in_hand[event.aggregate] = deque([taken])
        task = asyncio.create_task(self._react_in_turn(event.aggregate))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def say_in_progress(self) -> None:
        """Keep the stream from handing out again what is still worked on, or waits for MongoDB."""
        long_ago = time.monotonic() - ACK_WAIT_SECONDS / 3
        for taken in [one for waiting in self._in_hand.values() for one in waiting]:
            if taken.since < long_ago:
                await taken.message.in_progress()

    async def stop(self, within: float) -> None:
        """Finish what is in hand, for so many seconds at most; what is left then comes again."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)
        for task in self._tasks:
            task.cancel()

    async def _react_in_turn(self, aggregate: str) -> None:
        waiting = self._in_hand[aggregate]
        try:
            while waiting:
                crashpoint("inbox.before_reaction")
                await self._until_dealt_with(waiting[0].event)
                crashpoint("inbox.before_ack")
                with suppress(Exception):  # NATS is away; the message comes again, and is known.
                    await waiting[0].message.ack()
                waiting.popleft()
        finally:
            del self._in_hand[aggregate]

    async def _until_dealt_with(self, event: Parked) -> None:
        """Whatever keeps it even from being parked, such as a full disk, holds up what follows it as well."""
        tries = 0
        while True:
            try:
                await self._deal_with(event)
            except Exception as error:  # noqa: BLE001 -- were it let go, later ones would overtake it
                log.warning("event waits, it cannot even be parked", address=event.address, error=repr(error))
                await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
                tries += 1
            else:
                return

    async def _deal_with(self, event: Parked) -> None:
        if event.aggregate in self._held:
            if await self._parking.holds(event.aggregate):
                await self._parking.park(event, "waits behind an earlier event of the same aggregate", self._clock())
                return
            self._held.discard(event.aggregate)
        await self._try(event)

    async def retry(self, lease: Lease) -> None:
        """Try parked events again as they become due, until cancelled; each aggregate's in order."""
        while True:
            try:
                while (
                    await lease.held()
                    and (parked := await self._parking.due(self._publisher, self._clock())) is not None
                ):
                    await self._try(parked)
            except OUTAGES as error:
                log.warning("parking waits for mongodb", error=repr(error))
            await asyncio.sleep(SWEEP_SECONDS)

    async def _try(self, parked: Parked) -> None:
        structlog.contextvars.clear_contextvars()
        try:
            await self._react(read_envelope(parked.address, parked.headers, parked.body))
        except OUTAGES:
            raise
        except Exception as error:
            log.warning("event parked", address=parked.address, id=parked.id, exc_info=True)
            self._held.add(parked.aggregate)
            await self._parking.failed(parked, f"{type(error).__name__}: {error}", self._clock())
        else:
            await self._parking.done(parked)

    async def _react(self, event: Envelope) -> None:
        structlog.contextvars.bind_contextvars(trace=event.trace, cause=event.id)
        if event.type not in self._reactions:
            raise Unknown(f"no reaction to {event.type}; this service knows {', '.join(sorted(self._reactions))}")
        kind, react = self._reactions[event.type]
        fact = msgspec.json.decode(event.body, type=kind)
        at = event.time if event.history else self._clock()
        cause = Cause(
            actor=self._actor, at=at, id=event.id, trace=event.trace, once=f"event:{event.id}", history=event.history
        )
        try:
            await react(fact, cause)
        except (NotFound, Taken):
            raise  # Nothing that a rule has decided: what is missing may come yet, or deserves a look.
        except Refused as refusal:
            log.info("event refused by a rule", type=event.type, subject=event.subject, code=refusal.code)
            # An answer like any other: should the event come again, the rule is not asked anew, in another state.
            await self._store.commit(cause)
