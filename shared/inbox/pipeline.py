"""The seam to FastStream: passes a message to the subscriber of its type, and lets every exception through.

Three things that FastStream does not document are used here, and here alone: a subscriber whose `subscription` is set
before `start` builds everything and subscribes to nothing; `process_message` runs all middlewares and the handler and
raises; and the private `_setup_logger` prepares the logger that a subscriber needs before there is a connection.
tests/shared/inbox/test_pipeline.py notices if a new version changes one of them (docs/decisions/0022).
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import structlog
from faststream import BaseMiddleware
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.aio.msg import Msg

from shared.inbox.reactions import CAUSE, Reactions
from shared.kernel.cause import Cause
from shared.kernel.clock import Clock
from shared.kernel.cloudevents import Envelope, read_envelope
from shared.kernel.errors import NotFound, Refused, Taken
from shared.store.store import Store

log = structlog.get_logger()


class Unknown(Exception):  # noqa: N818 -- named after its cause
    """An event of a type or version that this service does not know yet."""


class Swallowed(Exception):  # noqa: N818 -- as above
    """A middleware swallowed the failure of a reaction, which would have been acknowledged as done."""


@dataclass(slots=True)
class _Delivery:
    envelope: Envelope
    settled: bool = False
    """The reaction has returned, or a rule has refused it."""


_DELIVERY: ContextVar[_Delivery | None] = ContextVar("delivery", default=None)


class ReactionMiddleware:
    """The innermost middleware: provides a reaction with its cause, and accepts a rule's refusal as an answer."""

    def __init__(self, service: str, store: Store, clock: Clock) -> None:
        self._actor, self._store, self._clock = f"service:{service}", store, clock

    def __call__(self, msg: Any, /, *, context: Any) -> BaseMiddleware:
        """The middleware of one message."""
        return _Scope(self, msg, context=context)

    async def react(self, call_next: Any, message: Any) -> Any:
        """Run the reaction; a refusal is logged and recorded as the effect of the event."""
        delivery = _DELIVERY.get()
        raw = message.raw_message
        envelope = delivery.envelope if delivery else read_envelope(raw.subject, raw.headers or {}, raw.data)
        cause = self._cause_of(envelope)
        token = CAUSE.set(cause)
        try:
            result = await call_next(message)
        except (NotFound, Taken):
            raise  # Not a decision of a rule: the missing thing may still arrive, or someone must investigate.
        except Refused as refusal:
            log.info("event refused by a rule", type=envelope.type, subject=envelope.subject, code=refusal.code)
            # If the event is redelivered, the rule must not decide again in another state.
            await self._store.commit(cause)
            result = None
        finally:
            CAUSE.reset(token)
        if delivery:
            delivery.settled = True
        return result

    def _cause_of(self, event: Envelope) -> Cause:
        return Cause(
            actor=self._actor,
            at=event.time if event.history else self._clock(),
            id=event.id,
            trace=event.trace,
            once=f"event:{event.id}",
            history=event.history,
        )


class _Scope(BaseMiddleware):
    def __init__(self, reaction: ReactionMiddleware, msg: Any, *, context: Any) -> None:
        super().__init__(msg, context=context)
        self._reaction = reaction

    async def consume_scope(self, call_next: Any, msg: Any) -> Any:
        return await self._reaction.react(call_next, msg)


class _NoSubscription:
    """Placeholder for the subscription that FastStream would keep."""

    async def unsubscribe(self) -> None:
        """Do nothing, as there is no subscription."""


_OFFLINE = Client()
"""The client of messages passed to the pipeline; nothing is ever sent through it."""


class Pipeline:
    """The subscribers of a service for one publisher, ready to run without a connection."""

    def __init__(self, broker: NatsBroker, reactions: Reactions) -> None:
        broker.include_router(reactions.router)
        self._broker, self._subscribers = broker, reactions.subscribers

    async def start(self) -> None:
        """Build the subscribers without subscribing; needed again after each stop of the broker."""
        # FastStream sets its logger up only once it is connected, and a subscriber logs when it starts.
        self._broker._setup_logger()  # noqa: SLF001 -- part of the seam; FastStream has no public way
        for subscriber in self._subscribers.values():
            subscriber.subscription = _NoSubscription()
            await subscriber.start()

    async def run(self, address: str, headers: Mapping[str, str], body: bytes) -> None:
        """React to a message received from `address`.

        Raises Malformed, Unknown, Swallowed, and whatever the reaction raises except a rule's refusal.
        """
        envelope = read_envelope(address, dict(headers), body)
        structlog.contextvars.bind_contextvars(trace=envelope.trace, cause=envelope.id)
        if envelope.type not in self._subscribers:
            known = ", ".join(sorted(self._subscribers))
            raise Unknown(f"no reaction to {envelope.type}; this service knows {known}")
        delivery = _Delivery(envelope)
        token = _DELIVERY.set(delivery)
        try:
            message = Msg(_OFFLINE, subject=address, data=body, headers=dict(headers))
            await self._subscribers[envelope.type].process_message(message)
        finally:
            _DELIVERY.reset(token)
        if not delivery.settled:
            raise Swallowed(f"a middleware swallowed the failure of the reaction to {envelope.type} {envelope.id}")
