"""Parked events are retried as soon as the service is up, whatever else is down."""

import socket
from collections.abc import AsyncIterator
from typing import ClassVar

import msgspec
import pytest

from operations.embedded.servers import EmbeddedServers
from operations.running.setup import set_up_database
from shared.inbox.parking import Parked, Parking
from shared.inbox.reactions import Reactions
from shared.kernel.cause import Cause
from shared.kernel.clock import system_clock
from shared.kernel.cloudevents import Envelope
from shared.kernel.ids import new_trace
from shared.kernel.value import value
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.store.mongo import Database
from tests.lifespan import in_a_task_of_its_own
from tests.waiting import until


@value
class PageWritten:
    """Somebody has written a page."""

    type: ClassVar[str] = "authors.page_written.v1"

    page: int


class Bookbinder:
    """A service that binds pages, and cannot reach NATS."""

    def __init__(self, servers: EmbeddedServers) -> None:
        url = f"nats://127.0.0.1:{closed_port()}"
        settings = Settings(mongo_uri=servers.mongo_uri, nats_url=url, token_public_key="")
        self.service = Service("bookbinder", settings)
        self.database = Database(servers.mongo_uri, "bookbinder")
        self.bound: list[int] = []
        reactions = Reactions("authors")
        reactions.to(PageWritten)(self._bind)
        self.service.subscribe(reactions)

    async def _bind(self, event: PageWritten, cause: Cause) -> None:
        if await self.service.store.commit(cause) == []:
            self.bound.append(event.page)

    async def park(self, page: int) -> None:
        made = Envelope(
            id=f"page-{page}", publisher="authors", type=PageWritten.type, subject="novel", time=system_clock(),
            version=page, actor="author", cause="muse", trace=new_trace(), history=False,
            body=msgspec.json.encode(PageWritten(page=page)),
        )  # fmt: skip
        parked = Parked.of(made.address, made.headers(), made.body, "authors", page)
        await Parking(self.database).park(parked, "no glue", system_clock())

    async def pages(self) -> list[int]:
        return self.bound


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.fixture
async def bookbinder(servers: EmbeddedServers) -> AsyncIterator[Bookbinder]:
    made = Bookbinder(servers)
    await set_up_database(made.service)
    made.database.open()
    yield made
    await made.database.client.drop_database("bookbinder")
    await made.database.close()


async def test_parked_events_are_retried_before_nats_is_reached(bookbinder: Bookbinder) -> None:
    for page in (1, 2, 3):
        await bookbinder.park(page)
    async with in_a_task_of_its_own(bookbinder.service.application([]).lifespan()):
        await until(bookbinder.pages, lambda found: found == [1, 2, 3])
        assert not bookbinder.service.broker.connected
