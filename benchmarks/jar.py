"""Two small services for benchmarking the mechanisms that every service uses.

`jars` changes aggregates and publishes; `shelf` stores one note per event. Neither knows how the mechanisms work.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import ClassVar

import msgspec
import nats
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from operations.running.setup import set_up_database
from shared.inbox.reactions import Reactions
from shared.kernel.cause import Cause
from shared.kernel.clock import system_clock
from shared.kernel.cloudevents import Envelope
from shared.kernel.decision import Evolve
from shared.kernel.ids import new_id, new_trace
from shared.kernel.value import value
from shared.nats.streams import set_up_streams, stream_name
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.store.repository import Index

TOGETHER = 500
"""How many events one transaction stores if only their number matters."""


@value
class JarFilled:
    """Something was put into a jar."""

    type: ClassVar[str] = "jars.jar_filled.v1"

    jar: str
    amount: int


@value
class JugFilled(JarFilled):
    """The same event, published by another service."""

    type: ClassVar[str] = "jugs.jar_filled.v1"


EVENTS: dict[str, type[JarFilled]] = {"jars": JarFilled, "jugs": JugFilled}


@value
class Jar:
    """A jar on the shelf."""

    id: str
    label: str
    content: int = 0
    sealed: bool = False


def _created(event: JarFilled) -> Jar:
    return Jar(id=event.jar, label=f"Glas {event.jar}", content=event.amount)


def _filled(jar: Jar, event: JarFilled) -> Jar:
    return replace(jar, content=jar.content + event.amount)


evolve = Evolve[Jar](
    creates={JarFilled: _created, JugFilled: _created}, changes={JarFilled: _filled, JugFilled: _filled}
)


@value
class Note:
    """A note of one event, kept by the shelf."""

    id: str
    jar: str
    amount: int


class Jars:
    """The publishing service; under another name it has its own database and stream."""

    def __init__(self, settings: Settings, name: str = "jars") -> None:
        self.settings, self.name, self.event = settings, name, EVENTS[name]
        self.service = Service(name, settings)
        self.jars = self.service.repository("jars", Jar, evolve=evolve, indexes=[Index(("label",), unique=True)])

    async def add(self, id: str) -> Jar:
        """A new jar, and the event."""
        return await self.jars.add(*evolve.decision(None, self._filling(id)), cause())

    async def fill(self, id: str) -> Jar:
        """Put something into a jar, and the event."""
        return await self.jars.change(id, lambda jar: evolve.decision(jar, self._filling(id)), cause())

    async def stock(self, count: int, *, events: int = 1, prefix: str = "stock") -> list[str]:
        """Create many jars with so many events each, many per transaction; return their ids."""
        ids = [f"{prefix}-{number}" for number in range(count)]
        for start in range(0, count, max(1, TOGETHER // events)):
            some = ids[start : start + max(1, TOGETHER // events)]
            await self.service.store.commit(
                cause(), *(self.jars.adding(*evolve.decision(None, *[self._filling(id)] * events)) for id in some)
            )
        return ids

    def _filling(self, id: str) -> JarFilled:
        return self.event(jar=id, amount=1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run as in production, but without HTTP."""
        async with self.service.application([]).lifespan():
            yield

    @asynccontextmanager
    async def written(self) -> AsyncIterator[None]:
        """Open only the writing side: nothing is published."""
        self.service.database.open()
        yield
        await self.service.database.close()


def shelf(settings: Settings) -> Service:
    """Return the reacting service, which stores a note for each event."""
    service = Service("shelf", settings)
    notes = service.repository("notes", Note)

    reactions = Reactions("jars")

    @reactions.to(JarFilled)
    async def note(event: JarFilled, cause: Cause) -> None:
        await notes.add(Note(id=cause.id, jar=event.jar, amount=event.amount), [], cause)

    service.subscribe(reactions)
    return service


async def fresh(settings: Settings, *services: Service) -> None:
    """Set these services up as in production, from scratch."""
    await fresh_streams(settings, *services)
    for service in services:
        service.database.open()
        await service.database.client.drop_database(service.name)
        await service.database.close()
        await set_up_database(service)


async def fresh_streams(settings: Settings, *services: Service) -> None:
    """Set up what these services have in NATS, with nothing in it."""
    publishers = [service.name for service in services if service.name in EVENTS]
    durables = [inbox.durable for service in services for inbox in service.inboxes]
    async with jetstream(settings) as js:
        for publisher in publishers:
            with suppress(NotFoundError):
                await js.delete_stream(stream_name(publisher))
        for durable in durables:
            await forget(js, durable.stream, durable.service)
        await set_up_streams(js, publishers, durables)


async def forget(js: JetStreamContext, stream: str, durable: str) -> None:
    """Delete a durable, so that the next subscriber under its name starts from the beginning."""
    with suppress(NotFoundError):
        await js.delete_consumer(stream, durable)


@asynccontextmanager
async def jetstream(settings: Settings) -> AsyncIterator[JetStreamContext]:
    """A separate NATS connection."""
    client = await nats.connect(settings.nats_url)
    try:
        yield client.jetstream()
    finally:
        await client.close()


def bodies(count: int, *, jars: int = 1000) -> list[Envelope]:
    """Return events as the service publishes them, of several jars in turn, made without a database."""
    trace = new_trace()
    return [
        Envelope(
            id=new_id(),
            publisher="jars",
            type=JarFilled.type,
            subject=f"made-{number % jars}",
            time=system_clock(),
            version=number // jars + 1,
            actor="benchmark",
            cause=trace,
            trace=trace,
            history=False,
            body=msgspec.json.encode(JarFilled(jar=f"made-{number % jars}", amount=1)),
        )
        for number in range(count)
    ]


def names(prefix: str) -> Iterator[str]:
    """An endless supply of ids."""
    number = 0
    while True:
        number += 1
        yield f"{prefix}-{number}"


def cause() -> Cause:
    """Return a new cause for each change."""
    return Cause(actor="benchmark", at=system_clock(), id=new_id(), trace=new_trace())
