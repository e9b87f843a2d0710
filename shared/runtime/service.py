"""A service at work: its database, its outbox and relay, its inboxes, its connection to NATS, and its HTTP API."""

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
"""How long each part of a stop may take; with requests and reactions under way it all ends within 30 s."""

Job = Callable[[], Awaitable[None]]

log = structlog.get_logger()


class Service:
    """One service, put together from its parts by its `app.py`; it runs for as long as its application does."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self.clock = settings.clock
        self.database = Database(settings.mongo_uri, name)
        self.broker = Broker(name, settings.nats_url)
        self.lease = Lease(self.database)
        self.stream = OwnStream(name, self.database, self.broker)
        self.relay = Relay(self.database, self.stream, self.lease, settings.public_url)
        self.store = Store(self.database, on_commit=self.relay.hand_over)
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
        """The aggregates of one kind, in a collection of this service."""
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
        """Handle what becomes due as time passes."""
        self.schedule = Schedule(self.name, deadlines, self.lease, self.clock)
        self._jobs.append(self.schedule.run)

    def in_background(self, job: Job) -> None:
        """Run this, too, for as long as the service does."""
        self._jobs.append(job)

    def application(self, routes: Sequence[ControllerRouterHandler]) -> Litestar:
        """The HTTP API; the service comes up and goes down with it, and is found in its state as `service`."""
        tokens = Tokens(self.settings.token_public_key)
        routes = [*routes, *schema_routes(self.name)]
        app = application(self.name, routes, tokens=tokens, ready=self.ready, lifespan=self._lifespan)
        app.state["service"] = self
        return app

    async def ready(self) -> dict[str, bool]:
        """Which of the servers that this service needs answer now, and whether its stream holds what it should."""
        parts = {"mongodb": True, "nats": await self.broker.ready(), "stream": True}
        try:
            await self.database.ping()
            parts["stream"] = await self.stream.whole()
        except OUTAGES:
            parts["mongodb"] = False
        return parts

    @asynccontextmanager
    async def _lifespan(self, _: Litestar) -> AsyncIterator[None]:
        """Requests are taken at once: neither NATS nor MongoDB has to be there before we are."""
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
            # What cannot be finished in time, because something is down, is left to the next process.
            await asyncio.wait(tasks + reading, timeout=STOP_SECONDS)
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self.lease.release()
            except (TimeoutError, *OUTAGES):
                log.warning("mongodb does not answer, it is left without a word")
            else:
                await self.database.close(STOP_SECONDS)


def _cancel(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()


async def _for_ever(job: Job) -> None:
    """Run a job until cancelled; what it did not expect is logged, and it begins anew."""
    while True:
        try:
            await job()
        except Exception:
            log.exception("job failed, begins anew")
            await asyncio.sleep(1)
