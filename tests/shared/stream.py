"""A stream that a test can look into, and that refuses what a test wants refused; and relays that publish into it."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from shared.kernel.cloudevents import Envelope
from shared.outbox.relay import Relay
from shared.store.lease import Lease
from shared.store.mongo import Document
from shared.store.rows import event_rows
from tests.shared.kitchen import Jar, JarFilled, Kitchen, cause
from tests.waiting import until

NEW: Document = {"version": 0, "head": "", "chain": ""}


class Stream:
    """Keeps what is published; refuses the events of some aggregates, with or without having stored them."""

    def __init__(self, *, slow: bool = False) -> None:
        self.published: list[Envelope] = []
        self.refuses: set[str] = set()
        self.stores_and_refuses: set[str] = set()
        self.lost = self.found_lost = False
        self.batches: list[int] = []
        """How many were published together."""
        self._slow = slow

    async def whole(self) -> bool:
        self.found_lost = self.lost
        return not self.lost

    async def note(self) -> None:
        """Nothing is remembered: what is published stays."""

    async def publish_batch(self, envelopes: Sequence[Envelope]) -> None:
        if {one.subject for one in envelopes} & self.refuses:
            raise TimeoutError("refused")
        self.batches.append(len(envelopes))
        for one in envelopes:
            await self.publish(one)

    async def publish(self, envelope: Envelope) -> None:
        await asyncio.sleep(0.001 if self._slow else 0)
        if envelope.subject in self.refuses:
            raise TimeoutError("refused")
        self.published.append(envelope)
        if envelope.subject in self.stores_and_refuses:
            raise TimeoutError("no acknowledgement")

    @property
    def order(self) -> dict[str, list[int]]:
        """The versions of each aggregate as they came."""
        found = defaultdict(list)
        for envelope in self.published:
            found[envelope.subject].append(envelope.version)
        return dict(found)


def relay(kitchen: Kitchen, stream: Stream) -> Relay:
    return Relay(kitchen.database, stream, Lease(kitchen.database))


@asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one.run()) for one in relays]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def drained(sender: Relay) -> int:
    """Publish all flagged rows, then remove their flags."""
    count = await sender.drain()
    await sender.clear_flags()
    return count


async def until_all_is_published(kitchen: Kitchen) -> None:
    await until(lambda: kitchen.rows(unpublished=True), lambda waiting: not waiting)


def made(id: str, *versions: int) -> list[Document]:
    """The rows of some versions of a jar, which nobody has stored."""
    rows = event_rows([JarFilled(jar=id, amount=1)] * max(versions), id, before=NEW, cause=cause())
    return [row for row in rows if row["version"] in versions]


async def fill(kitchen: Kitchen, id: str, times: int) -> None:
    """A jar with as many events, stored in one change."""
    events = [JarFilled(jar=id, amount=number) for number in range(times)]
    await kitchen.jars.add(Jar(id=id, label=id), events, cause())
