"""The servers under test: how to start one, write until it acknowledges, and read what it still has."""

import asyncio
import time
from pathlib import Path
from typing import Any, Protocol

import nats
from nats.js.errors import NotFoundError
from pymongo import MongoClient, WriteConcern
from pymongo.collection import Collection

from operations.embedded.servers import Mongod, NatsServer
from tests.chaos.power.counting import Acknowledged
from tests.chaos.power.recording import RecordedMongod, RecordedNats

STREAM = "POWER"
# These spread a stream of fifty writes over several files of 32 kB.
PADDING = "x" * 1500
MAX_BYTES = 120_000


class Subject(Protocol):
    """A server with one way of writing."""

    def recorded(self, folder: Path) -> RecordedNats | RecordedMongod:
        """Start a recorded server on an empty folder."""

    def write(self, server: Any, count: int) -> list[Acknowledged]:
        """Write sequentially, each write after the acknowledgement of the previous one."""

    def survivors(self, folder: Path, port: int) -> set[int]:
        """Return the numbers of the intact writes in a server started on this folder."""


class Nats:
    """A file-backed stream with JetStream acknowledgements."""

    def __init__(self, *, sync_always: bool) -> None:
        self.sync_always = sync_always

    def recorded(self, folder: Path) -> RecordedNats:
        return RecordedNats(folder, sync_always=self.sync_always)

    def write(self, server: RecordedNats, count: int) -> list[Acknowledged]:
        return asyncio.run(self._publish(server.url, count))

    def survivors(self, folder: Path, port: int) -> set[int]:
        server = NatsServer(folder, port, sync_always=self.sync_always)
        server.start()
        try:
            return asyncio.run(self._stored(server.url))
        finally:
            server.kill()

    async def _publish(self, url: str, count: int) -> list[Acknowledged]:
        async with await nats.connect(url) as client:
            stream = client.jetstream()
            await stream.add_stream(name=STREAM, subjects=[f"{STREAM}.>"], max_bytes=MAX_BYTES)
            writes = []
            for number in range(count):
                sent_at = time.time()
                await stream.publish(f"{STREAM}.{number}", _text(number).encode())
                writes.append(Acknowledged(number, sent_at, time.time()))
            return writes

    async def _stored(self, url: str) -> set[int]:
        async with await nats.connect(url) as client:
            stream = client.jetstream()
            try:
                last = (await stream.stream_info(STREAM)).state.last_seq
            except NotFoundError:
                return set()
            messages = [await stream.get_msg(STREAM, each) for each in range(1, last + 1)]
        numbered = ((int(each.subject.removeprefix(f"{STREAM}.")), each.data) for each in messages if each.subject)
        return {number for number, data in numbered if data == _text(number).encode()}


class Mongo:
    """A collection; every second write is a transaction, and a checkpoint truncates the journal halfway."""

    def __init__(self, *, journal: bool) -> None:
        self.journal = journal
        self.concern = WriteConcern(w="majority", j=True) if journal else WriteConcern(w=1, j=False)

    def recorded(self, folder: Path) -> RecordedMongod:
        return RecordedMongod(folder)

    def write(self, server: RecordedMongod, count: int) -> list[Acknowledged]:
        with MongoClient[dict[str, Any]](server.uri) as client:
            rows = client.power.rows.with_options(write_concern=self.concern)
            rows.database.create_collection(rows.name)
            first = [self._insert(client, rows, number) for number in range(count // 2)]
            if self.journal:
                client.admin.command("fsync")
            return first + [self._insert(client, rows, number) for number in range(count // 2, count)]

    def survivors(self, folder: Path, port: int) -> set[int]:
        server = Mongod(folder, port)
        server.start()
        try:
            with MongoClient[dict[str, Any]](server.uri) as client:
                return {row["_id"] for row in client.power.rows.find() if row["text"] == _text(row["_id"])}
        finally:
            server.kill()

    def _insert(
        self, client: MongoClient[dict[str, Any]], rows: Collection[dict[str, Any]], number: int
    ) -> Acknowledged:
        row = {"_id": number, "text": _text(number)}
        sent_at = time.time()
        if number % 2:
            with client.start_session() as session, session.start_transaction(write_concern=self.concern):
                client.power.rows.insert_one(row, session=session)
        else:
            rows.insert_one(row)
        return Acknowledged(number, sent_at, time.time())


def _text(number: int) -> str:
    return f"{number} {PADDING}"
