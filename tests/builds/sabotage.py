"""What can be broken on purpose, by name: each takes one guarantee out of the mechanisms, as a mistake would.

What brings each of them to light stands in tests/chaos/faults/sabotage.py.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from faststream import BaseMiddleware
from litestar import Litestar
from litestar.types import ControllerRouterHandler
from nats.aio.msg import Msg

from services.notifications import mailer
from services.notifications.domain.deliveries import Delivery
from services.notifications.mailer.mime import mime
from shared.inbox.inbox import Inbox
from shared.inbox.parking import Parked
from shared.inbox.pipeline import Pipeline, Swallowed
from shared.kernel.cause import Cause
from shared.kernel.ids import new_id
from shared.outbox.relay import Relay
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.store.mongo import Document, Session
from shared.store.rows import EVENTS, row_envelope
from shared.store.store import CAUSES, Store
from shared.store.unit_of_work import Change, UnitOfWork
from tests.builds.purse import domain, use_cases
from tests.builds.purse.domain import Grant, Overdrawn, Purse, evolve_purse
from tests.builds.purse.events import MoneyDrawn
from tests.builds.purse.use_cases import Grants, Purses

LOOK_AWAY_SECONDS = 0.1
"""Between reading a sum and relying on it: the gap is there without it, and is met every time with it."""
DETOUR_SECONDS = 0.05
"""How much longer every other event takes: without it, events overtake one another only sometimes."""

SABOTAGES: dict[str, Callable[[], None]] = {}


def sabotage(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Enter a sabotage under its name."""

    def enter(apply: Callable[[], None]) -> Callable[[], None]:
        SABOTAGES[name] = apply
        return apply

    return enter


def _put(target: object, name: str, new: object) -> None:
    """Put something in another's place, for as long as this process lives."""
    setattr(target, name, new)


@sabotage("publish-before-commit")
def publish_before_commit() -> None:
    """Events are published, and then the transaction begins."""
    put_together = Service.application

    def application(service: Service, routes: Sequence[ControllerRouterHandler]) -> Litestar:
        write = service.store.write

        async def publish_first(units: Sequence[UnitOfWork], patience: float | None = None) -> None:
            for row in [row for unit in units for row in unit.rows]:
                await service.broker.publish(row_envelope(row))
            await write(units, patience)

        _put(service.store, "write", publish_first)
        return put_together(service, routes)

    _put(Service, "application", application)


@sabotage("acknowledge-before-commit")
def acknowledge_before_commit() -> None:
    """A message is acknowledged before the reaction to it."""
    react = Inbox._react_in_turn

    async def acknowledge_first(inbox: Inbox, aggregate: str) -> None:
        for taken in inbox._in_hand[aggregate]:
            await taken.message.ack_sync()
        await react(inbox, aggregate)

    _put(Inbox, "_react_in_turn", acknowledge_first)


@sabotage("no-inbox")
def no_inbox() -> None:
    """That an event has had its effect is written down, and nobody looks it up."""
    remember, answer = Store._insert_causes, Store._answer

    async def write_down(store: Store, causes: list[Document], session: Session) -> None:
        if requests := [one for one in causes if "digest" in one]:
            await remember(store, requests, session)
        for one in causes:
            if "digest" not in one:
                known = {"$setOnInsert": {"at": one["at"]}}
                await store.database[CAUSES].update_one({"_id": one["_id"]}, known, upsert=True, session=session)

    async def of_requests(store: Store, change: Any) -> list[Any] | None:
        return await answer(store, change) if change.cause.digest else None

    _put(Store, "_insert_causes", write_down)
    _put(Store, "_answer", of_requests)


@sabotage("relay-by-cursor")
def relay_by_cursor() -> None:
    """The relay goes on from the last id that it has seen, and takes what is behind it for published."""
    cursors: dict[Relay, str] = {}

    async def beyond_cursor(
        relay: Relay, subjects: dict[str, list[str]], limit: int
    ) -> AsyncGenerator[list[Document], None]:
        events = relay._database[EVENTS]
        if "$in" in subjects:
            return
        if relay not in cursors:
            last = await events.find_one({"unpublished": {"$exists": False}}, sort=[("_id", -1)])
            cursors[relay] = last["_id"] if last else ""
        rows: list[Document] = await events.find({"_id": {"$gt": cursors[relay]}}).sort("_id").to_list(limit)
        cursors[relay] = rows[-1]["_id"] if rows else cursors[relay]
        await events.update_many({"_id": {"$lt": cursors[relay]}}, {"$unset": {"unpublished": 1}})
        yield rows

    def look(relay: Relay, _: Sequence[Document]) -> None:
        relay._next_sweep = 0.0
        relay._woken.set()

    _put(Relay, "_rows", beyond_cursor)
    _put(Relay, "enqueue", look)


@sabotage("default-acknowledgement")
def default_acknowledgement() -> None:
    """What many a library does by itself: an exception is the end of the message."""

    async def try_once(inbox: Inbox, event: Parked) -> None:
        with suppress(Exception):
            await inbox._pipeline.run(event.address, event.headers, event.body)

    _put(Inbox, "_try", try_once)


@sabotage("swallowing-middleware")
def swallowing_middleware() -> None:
    """A middleware of FastStream swallows every exception, and the seam does not notice."""

    class Swallowing(BaseMiddleware):
        async def consume_scope(self, call_next: Any, msg: Any) -> Any:
            with suppress(Exception):
                return await call_next(msg)

    run, initialise = Pipeline.run, Service.__init__

    async def without_looking(pipeline: Pipeline, address: str, headers: Mapping[str, str], body: bytes) -> None:
        with suppress(Swallowed):
            await run(pipeline, address, headers, body)

    def with_middleware(service: Service, name: str, settings: Settings) -> None:
        initialise(service, name, settings)
        service.broker.nats.insert_middleware(Swallowing)

    _put(Pipeline, "run", without_looking)
    _put(Service, "__init__", with_middleware)


@sabotage("unguarded-quantity")
def unguarded_quantity() -> None:
    """Whether there is enough is decided by a sum that was read, and no condition guards what is written."""

    async def grant(purses: Purses, grants: Grants, purse: str, amount_cents: int, cause: Cause) -> Grant:
        spent = sum(one.amount_cents for one in await grants.all({"purse": purse}))
        if amount_cents > (left := (await purses.get(purse)).total_cents - spent):
            raise Overdrawn(f"purse {purse} has {left} cents left, not {amount_cents}")
        await asyncio.sleep(LOOK_AWAY_SECONDS)
        made, facts = domain.make_grant(new_id(), purse, amount_cents)
        drawn = MoneyDrawn(purse=purse, grant=made.id, amount_cents=amount_cents)
        drawing: Change[Purse] = purses.changing(purse, lambda one: evolve_purse.decision(one, drawn))
        _, stored = await purses.store.commit(cause, drawing, grants.adding(made, facts))
        return grants.kind_of(stored)

    _put(use_cases, "grant", grant)


@sabotage("new-message-id")
def new_message_id() -> None:
    """An email that is sent again is another email."""

    def anew(delivery: Delivery, sender: str) -> bytes:
        first = delivery.message_id
        id = first if delivery.attempts == 1 else f"<{new_id()}@{first.rpartition('@')[2]}"
        return mime(replace(delivery, message_id=id), sender)

    _put(mailer, "mime", anew)


@sabotage("concurrent-batch")
def concurrent_batch() -> None:
    """What is in hand is dealt with all at once, whichever aggregate it belongs to."""

    async def deal_with(inbox: Inbox, message: Msg) -> None:
        sequence = message.metadata.sequence.stream
        event = Parked.of(message.subject, message.headers or {}, message.data, inbox._publisher, sequence)
        await asyncio.sleep(sequence % 2 * DETOUR_SECONDS)
        await inbox._until_dealt_with(event)
        await message.ack()

    def take(inbox: Inbox, message: Msg) -> None:
        task = asyncio.create_task(deal_with(inbox, message))
        inbox._tasks.add(task)
        task.add_done_callback(inbox._tasks.discard)

    _put(Inbox, "take", take)
