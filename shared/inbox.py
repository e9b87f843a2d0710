"""How a service reacts to events: each has its effect once, in order per aggregate, and a stuck one stops only its own.

Three outcomes, in one place: done, and acknowledged; refused by a rule, logged and acknowledged; anything else, parked
with its reason, tried again after growing pauses, and left to the operators after the last try. Later events of the
same aggregate wait behind it; others flow on at once. Only when even the parking fails, because MongoDB is away, does
the message go back to the stream.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from faststream.exceptions import NackMessage
from faststream.nats import NatsMessage
from nats.errors import Error as NatsError

from shared.cause import Cause
from shared.clock import Clock
from shared.cloudevents import Envelope, read_envelope
from shared.crashpoints import crashpoint
from shared.errors import NotFound, Refused, Taken
from shared.events import Event
from shared.lease import Lease
from shared.mongo import OUTAGES
from shared.parking import Parked, Parking
from shared.repository import Store
from shared.streams import ACK_WAIT_SECONDS, Durable

NACK_PAUSES = (0.2, 1.0, 5.0, 15.0)
"""Seconds until a message comes again that could not even be parked; the last one from then on."""

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


class Inbox:
    """The reading side of one service: takes messages in, lets the service react, and parks what fails."""

    def __init__(self, service: str, subscription: Subscription, parking: Parking, store: Store, clock: Clock) -> None:
        self._actor = f"service:{service}"
        self._publisher, self._parking, self._store, self._clock = subscription.publisher, parking, store, clock
        self._reactions = {kind.type: (kind, react) for kind, react in subscription.reactions.items()}
        self.durable = Durable(service, subscription.publisher, frozenset(self._reactions))

    async def receive(self, message: NatsMessage) -> None:
        """React to one message of the stream; raises NackMessage when not even its parking could be stored."""
        working = asyncio.create_task(_say_in_progress(message))
        crashpoint("inbox.before_reaction")
        try:
            await self._receive(message)
        finally:
            working.cancel()
        crashpoint("inbox.before_ack")

    async def _receive(self, message: NatsMessage) -> None:
        address, headers = message.raw_message.subject, dict(message.raw_message.headers or {})
        parked = Parked.of(
            address, headers, message.body, self._publisher, message.raw_message.metadata.sequence.stream
        )
        try:
            if await self._parking.holds(parked.aggregate):
                await self._parking.park(parked, "waits behind an earlier event of the same aggregate", self._clock())
            else:
                await self._try(parked)
        except OUTAGES as error:
            tries = message.raw_message.metadata.num_delivered or 1
            log.warning("mongodb is away, event goes back", address=address, error=repr(error), tries=tries)
            raise NackMessage(delay=NACK_PAUSES[min(tries, len(NACK_PAUSES)) - 1]) from error

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


async def _say_in_progress(message: NatsMessage) -> None:
    """Keep the stream from handing out a message again that is still being worked on."""
    while True:
        await asyncio.sleep(ACK_WAIT_SECONDS / 3)
        with suppress(NatsError):  # NATS is away; the message comes again in any case.
            await message.in_progress()
