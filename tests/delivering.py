"""Events delivered to the subscribers of a service by FastStream's test broker; no server is needed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

from faststream.nats import NatsBroker, TestNatsBroker

from shared.inbox.pipeline import ReactionMiddleware
from shared.inbox.reactions import Reactions
from shared.kernel.clock import Clock
from shared.kernel.cloudevents import Envelope
from shared.nats.streams import stream_name
from shared.store.store import Store

Deliver: TypeAlias = Callable[[Envelope], Awaitable[None]]


@asynccontextmanager
async def delivering(service: str, reactions: Reactions, store: Store, clock: Clock) -> AsyncIterator[Deliver]:
    """A function that delivers an event as its stream would, and raises what its reaction raises."""
    broker = NatsBroker(logger=None, apply_types=False)
    broker.add_middleware(ReactionMiddleware(service, store, clock))
    broker.include_router(reactions.router)
    async with TestNatsBroker(broker):

        async def deliver(event: Envelope) -> None:
            stream = stream_name(event.publisher)
            await broker.publish(event.body, event.address, headers=event.headers(), stream=stream)

        yield deliver
