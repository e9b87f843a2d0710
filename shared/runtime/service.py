"""A running service: its database, outbox, relay, inboxes, NATS connection and HTTP API."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog
from litestar import Litestar
from litestar.types import ControllerRouterHandler

from shared.inbox.inbox import Inbox
from shared.inbox.parking import Parking
from shared.inbox.pipeline import Pipeline, ReactionMiddleware
from shared.inbox.reactions import Reactions
from shared.inbox.reader import Reader
from shared.kernel.decision import Evolve
from shared.nats.connection import Broker
from shared.nats.telemetry import switch_on
from shared.outbox.continuity import OwnStream
from shared.outbox.relay import Relay
from shared.runtime.schedule import Deadline, Schedule
from shared.runtime.settings import Settings
from shared.store.lease import Lease
from shared.store.mongo import OUTAGES, Database
from shared.store.repository import Index, Repository
from shared.store.store import Store
from shared.web.application import application
from shared.web.schemas import schema_routes
from shared.web.tokens import Tokens

S = TypeVar("S")

STOP_SECONDS = 3.0
"""Time limit for each part of a shutdown; with requests and reactions in progress, all of it takes at most 30 s."""

Job = Callable[[], Awaitable[None]]

log = structlog.get_logger()


class Service:
    """One service, assembled by its `app.py`; it runs for as long as its HTTP application."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self.clock = settings.clock
        self.database = Database(settings.mongo_uri, name)
        self.broker = Broker(name, settings.nats_url)
        self.lease = Lease(self.database)
        self.stream = OwnStream(name, self.database, self.broker)
        self.relay = Relay(self.database, self.stream, self.lease, settings.public_url)
        self.store = Store(self.database, on_commit=self.relay.enqueue)
        self.parking = Parking(self.database)
        self.broker.nats.add_middleware(ReactionMiddleware(name, self.store, self.clock))
        self.repositories: list[Repository[Any]] = []
        self.inboxes: list[Inbox] = []
        self.schedule = Schedule(name, (), self.lease, self.clock)
        self._jobs: list[Job] = [self.broker.run, self.relay.run]
        self._readers: list[Reader] = []

    def repository(
        self,
        collection: str,
        kind: type[S],
        *,
        key: str = "id",
        indexes: Sequence[Index] = (),
        remembers: bool = False,
        evolve: Evolve[S] | None = None,
    ) -> Repository[S]:
        """Create the repository of one kind of aggregate."""
        made = Repository(self.store, collection, kind, key=key, indexes=indexes, remembers=remembers, evolve=evolve)
        self.repositories.append(made)
        return made

    def subscribe(self, reactions: Reactions) -> None:
        """React to the events of a publisher, which may be this service itself."""
        pipeline = Pipeline(self.broker.nats, reactions)
        inbox = Inbox(self.name, reactions, pipeline, self.parking, self.clock)
        self.broker.watch(inbox.durable)
        self.inboxes.append(inbox)
        self._readers.append(Reader(self.broker, self.lease, inbox))
        self._jobs.append(lambda: inbox.retry(self.lease))

    def schedule_deadlines(self, *deadlines: Deadline) -> None:
        """Run use cases when their deadlines fall due."""
        self.schedule = Schedule(self.name, deadlines, self.lease, self.clock)
        self._jobs.append(self.schedule.run)

    def in_background(self, job: Job) -> None:
        """Run a job for as long as the service runs."""
        self._jobs.append(job)

    def application(self, routes: Sequence[ControllerRouterHandler]) -> Litestar:
        """Create the HTTP application, which starts and stops the service and holds it in its state as `service`."""
        tokens = Tokens(self.settings.token_public_key)
        routes = [*routes, *schema_routes(self.name)]
        app = application(self.name, routes, tokens=tokens, ready=self.ready, lifespan=self._lifespan)
        app.state["service"] = self
        return app

    async def ready(self) -> dict[str, bool]:
        """Report which servers of this service answer, and if its stream is whole."""
        parts = {"mongodb": True, "nats": await self.broker.ready(), "stream": True}
        try:
            await self.database.ping()
            parts["stream"] = await self.stream.whole()
        except OUTAGES:
            parts["mongodb"] = False
        return parts

    @asynccontextmanager
    async def _lifespan(self, _: Litestar) -> AsyncIterator[None]:
        """Run all jobs; requests are accepted at once, even if NATS and MongoDB are not up yet."""
        self.database.open()
        switch_on(self.broker.nats, self.name, metrics_port=self.settings.metrics_port, tracing=self.settings.tracing)
        for inbox in self.inboxes:
            await inbox.start()
        reading = [asyncio.create_task(_for_ever(reader.run)) for reader in self._readers]
        tasks = [asyncio.create_task(_for_ever(job)) for job in self._jobs]
        try:
            yield
        finally:
            _cancel(reading)
            await asyncio.gather(*(inbox.stop(STOP_SECONDS) for inbox in self.inboxes))
            await self.broker.stop()
            _cancel(tasks)
            # Work that an outage keeps from finishing in time is left to the next process.
            await asyncio.wait(tasks + reading, timeout=STOP_SECONDS)
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self.lease.release()
            except (TimeoutError, *OUTAGES):
                log.warning("mongodb does not answer, lease not released")
            else:
                await self.database.close(STOP_SECONDS)


def _cancel(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()


async def _for_ever(job: Job) -> None:
    """Run a job until cancelled; log any unexpected error and start over."""
    while True:
        try:
            await job()
        except Exception:
            log.exception("job failed, starts over")
            await asyncio.sleep(1)
