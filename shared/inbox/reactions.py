"""The registry of a service's reactions: one FastStream subscriber for each type of event."""

import inspect
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, TypeAlias, TypeVar

import msgspec
from faststream import AckPolicy
from faststream.nats import JStream, NatsMessage, NatsRouter

from shared.kernel.cause import Cause
from shared.kernel.event import Event
from shared.nats.streams import stream_name

E = TypeVar("E", bound=Event)

Reaction: TypeAlias = Callable[[E, Cause], Awaitable[None]]

CAUSE: ContextVar[Cause] = ContextVar("cause")
"""The cause of the message that is being reacted to; the innermost middleware sets it."""


class Reactions:
    """The events of one publisher that a service reacts to; a NatsRouter holds their subscribers.

    FastStream describes, measures, traces and tests these subscribers; the reader fetches for
    them instead, to keep the order of each aggregate (docs/decisions/0022).
    """

    def __init__(self, publisher: str) -> None:
        self.publisher = publisher
        self.router = NatsRouter()
        self.functions: dict[type[Event], Reaction[Any]] = {}
        """The function that reacts to each kind of event."""
        self.subscribers: dict[str, Any] = {}
        """FastStream's subscriber for each type of event."""
        self._stream = JStream(stream_name(publisher), declare=False)

    def to(self, kind: type[E]) -> Callable[[Reaction[E]], Reaction[E]]:
        """Register the decorated function, which takes an event of this type and its cause."""
        if kind.type in self.subscribers:
            raise ValueError(f"{kind.type} has a reaction already")

        async def decode(message: NatsMessage) -> E:
            return msgspec.json.decode(message.body, type=kind)

        def register(react: Reaction[E]) -> Reaction[E]:
            async def handle(event: E) -> None:
                await react(event, CAUSE.get())

            handle.__annotations__ = {"event": kind, "return": None}
            subscriber = self.router.subscriber(
                f"{kind.type}.{{aggregate}}",
                stream=self._stream,
                pull_sub=True,
                # The inbox acknowledges once order and effect are certain.
                ack_policy=AckPolicy.MANUAL,
                # A forged `reply_to` would otherwise publish with our rights.
                no_reply=True,
                decoder=decode,
                title=f"ReactTo{kind.__name__}",
                description=inspect.getdoc(react),
            )
            subscriber(handle)
            self.functions[kind], self.subscribers[kind.type] = react, subscriber
            return react

        return register
