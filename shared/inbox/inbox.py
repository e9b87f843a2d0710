"""The reacting side of a service: each event takes effect once, in order per aggregate, and blocks only its own.

An event has one of three outcomes: done, acknowledged; refused by a rule, logged and acknowledged; anything else,
parked with its reason, retried after growing pauses, and left to the operators after the last retry. Later events of
the same aggregate wait behind it; others flow on. Aggregates are processed concurrently, so their changes are written
together. While MongoDB is away, everything that was read waits here.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

import structlog
from nats.aio.msg import Msg

from shared.inbox.parking import Parked, Parking
from shared.inbox.pipeline import Pipeline
from shared.inbox.reactions import Reactions
from shared.kernel.clock import Clock
from shared.nats.streams import ACK_WAIT_SECONDS, Durable
from shared.store.crashpoints import crashpoint
from shared.store.lease import Lease
from shared.store.mongo import OUTAGES

PAUSES = (0.2, 1.0)
"""Seconds until the next try for an event that could not even be parked; the last value repeats."""

SWEEP_SECONDS = 0.5

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Taken:
    """A message in progress and its event, which may have to be parked."""

    message: Msg
    event: Parked
    since: float


class Inbox:
    """Runs the reactions of a service to one publisher's events, in order, and parks what fails."""

    def __init__(self, service: str, reactions: Reactions, pipeline: Pipeline, parking: Parking, clock: Clock) -> None:
        self._publisher, self._pipeline, self._parking, self._clock = reactions.publisher, pipeline, parking, clock
        self.durable = Durable(service, reactions.publisher, frozenset(reactions.subscribers))
        self._in_hand: dict[str, deque[_Taken]] = {}
        """By aggregate, in order: the first event is being reacted to."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: set[str] = set()
        """Aggregates that may have parked events; no other aggregate has any."""

    async def start(self) -> None:
        """Get ready to react; needs neither NATS nor MongoDB."""
        await self._pipeline.start()

    async def finish(self) -> None:
        """Wait until everything taken so far is settled."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def look_up_parked(self) -> None:
        """Load which aggregates have parked events; until it stops reading, only this process parks."""
        self._held = await self._parking.aggregates(self._publisher)

    def take(self, message: Msg) -> None:
        """React to a message after the earlier ones of its aggregate, then acknowledge it."""
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
        """Keep the stream from redelivering messages that are still in hand."""
        long_ago = time.monotonic() - ACK_WAIT_SECONDS / 3
        for taken in [taken for waiting in self._in_hand.values() for taken in waiting]:
            if taken.since < long_ago:
                await taken.message.in_progress()

    async def stop(self, within: float) -> None:
        """Finish messages in progress, within at most `within` seconds; the rest is redelivered."""
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
                with suppress(Exception):  # NATS is away; the message is redelivered, and has no second effect.
                    await waiting[0].message.ack()
                waiting.popleft()
        finally:
            del self._in_hand[aggregate]

    async def _until_dealt_with(self, event: Parked) -> None:
        """Retry until the event is settled or parked; a cause such as a full disk holds up its successors as well."""
        tries = 0
        while True:
            try:
                await self._deal_with(event)
            except Exception as error:  # noqa: BLE001 -- if it were skipped, later ones would overtake it
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
        """Retry parked events as they become due, in order per aggregate, until cancelled."""
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
            await self._pipeline.run(parked.address, parked.headers, parked.body)
        except OUTAGES:
            raise
        except Exception as error:
            log.warning("event parked", address=parked.address, id=parked.id, exc_info=True)
            self._held.add(parked.aggregate)
            await self._parking.failed(parked, f"{type(error).__name__}: {error}", self._clock())
        else:
            await self._parking.done(parked)
