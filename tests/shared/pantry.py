"""A running service whose events go into a stream of its own NATS, which may be taken away and brought back."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import pytest
from nats.js import JetStreamContext

from operations.embedded.servers import EmbeddedServers, NatsServer
from operations.running.setup import set_up_database
from shared.kernel.cloudevents import Envelope
from shared.nats.streams import set_up_streams
from shared.outbox import relay
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.store.mongo import Database
from shared.store.repository import Index
from shared.store.rows import EVENTS, row_envelope
from tests.shared.kitchen import Jar, JarFilled, cause, evolve, fill_jar
from tests.waiting import until

SWEEP_SECONDS = 0.1
"""Less than in production, so that tests are quick."""


class Pantry:
    """The service `kitchen`, with its stream KITCHEN."""

    def __init__(self, servers: EmbeddedServers, folder: Path) -> None:
        self.server = NatsServer(folder)
        self.database = Database(servers.mongo_uri, "kitchen")
        settings = Settings(mongo_uri=servers.mongo_uri, nats_url=self.server.url, token_public_key="")
        self.service = Service("kitchen", settings)
        # Not a second, as in production.
        self.service.broker.nats._connection_kwargs["reconnect_time_wait"] = 0.05
        self.jars = self.service.repository("jars", Jar, evolve=evolve, indexes=[Index(("label",), unique=True)])

    async def set_up(self) -> None:
        """What `asskomm setup` does with the stream."""
        async with self.jetstream() as js:
            await set_up_streams(js, ["kitchen"], [])

    async def fill(self, *ids: str) -> None:
        """Put something into each jar, in a change of its own."""
        for id in ids:
            if await self.jars.ids({"_id": id}):
                await self.jars.change(id, lambda jar: fill_jar(jar, 1), cause())
            else:
                await self.jars.add(Jar(id=id, label=id), [JarFilled(jar=id, amount=1)], cause())

    async def rows(self) -> list[Envelope]:
        """The events that are stored, by jar and version."""
        found = self.database[EVENTS].find().sort([("subject", 1), ("version", 1)])
        return [row_envelope(row) async for row in found]

    async def waiting(self) -> int:
        """How many events are not published."""
        return await self.database[EVENTS].count_documents({"unpublished": True})

    async def all_is_published(self) -> None:
        await until(self.waiting, lambda count: count == 0)

    async def has_swept(self) -> None:
        """Wait until the relay has published what it would."""
        await asyncio.sleep(3 * SWEEP_SECONDS)

    async def is_found_lost(self) -> None:
        await until(self.service.stream.whole, lambda whole: not whole)

    async def published(self) -> list[tuple[str, str, int, bytes]]:
        """Id, jar, version and body of each message, in the order of the stream."""
        async with self.jetstream() as js:
            count = (await js.stream_info("KITCHEN")).state.messages
            found = [await js.get_msg("KITCHEN", number) for number in range(1, count + 1)]
        return [
            (one.headers["ce-id"], one.headers["ce-subject"], int(one.headers["ce-aggregateversion"]), one.data or b"")
            for one in found
            if one.headers
        ]

    def copy(self, to: str) -> None:
        """Copy the store of NATS, at rest."""
        self.server.stop()
        shutil.copytree(self.server.data_path, self.server.folder / to)
        self.server.start()

    def lose(self, back_to: str = "") -> None:
        """NATS comes back with a copy of its store, or with none at all."""
        self.server.destroy()
        if back_to:
            shutil.copytree(self.server.folder / back_to, self.server.data_path)
        self.server.start()

    @asynccontextmanager
    async def jetstream(self) -> AsyncIterator[JetStreamContext]:
        async with await nats.connect(self.server.url) as client:
            yield client.jetstream()


@asynccontextmanager
async def running_pantry(servers: EmbeddedServers, folder: Path) -> AsyncIterator[Pantry]:
    """Set up from nothing, and running."""
    pantry = Pantry(servers, folder)
    pantry.server.start()
    pantry.database.open()
    await pantry.database.client.drop_database("kitchen")
    await set_up_database(pantry.service)
    await pantry.set_up()
    started, ended = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(relay, "SWEEP_SECONDS", SWEEP_SECONDS)
            async with pantry.service.application([]).lifespan():
                started.set()
                await ended.wait()

    # Litestar wants to be stopped by the task that started it; pytest ends a fixture in another one.
    task = asyncio.create_task(run())
    await started.wait()
    try:
        yield pantry
    finally:
        ended.set()
        await task
        await pantry.database.close()
        pantry.server.destroy()
