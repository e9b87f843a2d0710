"""Messages are read many at a time, and reacted to in order, whoever else has some of them in hand."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
import nats
import pytest
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from pymongo.errors import OperationFailure

from operations.embedded.servers import EmbeddedServers
from operations.running.setup import set_up_database
from shared.inbox import reader
from shared.inbox.reactions import Reactions
from shared.kernel.cause import Cause
from shared.kernel.clock import system_clock
from shared.kernel.cloudevents import Envelope
from shared.kernel.ids import new_trace
from shared.nats import streams
from shared.nats.streams import set_up_streams
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from tests.lifespan import in_a_task_of_its_own
from tests.waiting import until


@dataclass(frozen=True, kw_only=True, slots=True)
class PageWritten:
    """Somebody has written a page."""

    type: ClassVar[str] = "authors.page_written.v1"

    page: int


class Bookworm:
    """A service that reads all pages, and whoever snatches some from it."""

    def __init__(self, servers: EmbeddedServers, js: JetStreamContext) -> None:
        settings = Settings(mongo_uri=servers.mongo_uri, nats_url=servers.nats_url, token_public_key="")
        self.service, self.js = Service("bookworm", settings), js
        self.read: list[int] = []
        self.unreadable: set[int] = set()
        reactions = Reactions("authors")
        reactions.to(PageWritten)(self._read)
        self.service.subscribe(reactions)

    async def _read(self, event: PageWritten, cause: Cause) -> None:
        if event.page in self.unreadable:
            raise ValueError("nobody can read that")
        if await self.service.store.commit(cause) == []:
            self.read.append(event.page)

    async def write(self, *pages: int) -> None:
        for page in pages:
            made = Envelope(
                id=f"page-{page}", publisher="authors", type=PageWritten.type, subject="novel", time=system_clock(),
                version=page, actor="author", cause="muse", trace=new_trace(), history=False,
                body=msgspec.json.encode(PageWritten(page=page)),
            )  # fmt: skip
            await self.js.publish(made.address, made.body, headers=made.headers())

    async def has_read(self, *pages: int) -> None:
        async def read() -> list[int]:
            return sorted(set(self.read))

        await until(read, lambda found: found == sorted(pages))
        assert list(dict.fromkeys(self.read)) == sorted(pages)

    async def asking(self) -> int:
        """How many requests for messages wait."""
        return (await self.js.consumer_info("AUTHORS", "bookworm")).num_waiting or 0

    async def snatch(self, count: int) -> list[Msg]:
        """Take messages out of its hands, and never acknowledge them."""
        subscription = await self.js.pull_subscribe_bind("bookworm", "AUTHORS")
        return await subscription.fetch(count, timeout=5)


@pytest.fixture
async def bookworm(servers: EmbeddedServers, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bookworm]:
    monkeypatch.setattr(streams, "ACK_WAIT_SECONDS", 0.4)
    monkeypatch.setattr(reader, "SETTLED_SECONDS", 0.5)
    async with await nats.connect(servers.nats_url) as client:
        made = Bookworm(servers, client.jetstream())
        await set_up_streams(made.js, ["authors"], [inbox.durable for inbox in made.service.inboxes])
        await set_up_database(made.service)
        yield made
        await made.js.delete_stream("AUTHORS")


async def test_what_another_process_had_in_hand_comes_first(bookworm: Bookworm) -> None:
    await bookworm.write(1, 2, 3, 4, 5)
    await bookworm.snatch(3)
    async with in_a_task_of_its_own(bookworm.service.application([]).lifespan()):
        await bookworm.has_read(1, 2, 3, 4, 5)


async def test_what_is_missing_is_waited_for(bookworm: Bookworm) -> None:
    async with in_a_task_of_its_own(bookworm.service.application([]).lifespan()):
        await bookworm.write(1)
        await bookworm.has_read(1)
        snatching = asyncio.create_task(bookworm.snatch(1))
        await until(bookworm.asking, lambda count: count == 2)
        await bookworm.write(2, 3, 4, 5)
        assert len(await snatching) == 1
        await bookworm.has_read(1, 2, 3, 4, 5)


async def test_what_cannot_even_be_parked_holds_up_what_follows(
    bookworm: Bookworm, monkeypatch: pytest.MonkeyPatch
) -> None:
    parking, refused = bookworm.service.parking, asyncio.Event()
    park = parking.failed

    async def refuse_once(*_: Any) -> None:
        monkeypatch.setattr(parking, "failed", park)
        bookworm.unreadable.clear()
        refused.set()
        raise OperationFailure("out of disk space", 14031)

    monkeypatch.setattr(parking, "failed", refuse_once)
    bookworm.unreadable = {2}
    async with in_a_task_of_its_own(bookworm.service.application([]).lifespan()):
        await bookworm.write(1, 2)
        await refused.wait()
        await bookworm.write(3)
        await bookworm.has_read(1, 2, 3)
