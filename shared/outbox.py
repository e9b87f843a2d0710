"""The events collection: outbox, audit log and source of a rebuild in one; and the relay that publishes from it.

A row is written in the transaction of the change it tells of, and kept. It carries the mark `unpublished` until the
stream has acknowledged it. Rows are selected by that mark, never by time or id: a transaction may commit late.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any, Protocol

import msgspec
import structlog

from shared.cause import Cause
from shared.chain import link
from shared.cloudevents import Envelope
from shared.crashpoints import crashpoint
from shared.events import Event
from shared.ids import new_id
from shared.lease import Lease
from shared.mongo import OUTAGES, Database, Document

EVENTS = "events"
BATCH = 256
SWEEP_SECONDS = 0.5
"""How often the relay looks for what a crash, or another replica, left unpublished."""

log = structlog.get_logger()


def event_rows(events: Sequence[Event], subject: str, *, before: Document, cause: Cause) -> list[Document]:
    """The rows for what a rule returned; versions, ids and hashes follow those the aggregate had `before`."""
    rows: list[Document] = []
    id, hash = before["head"], before["chain"]
    for version, event in enumerate(events, start=before["version"] + 1):
        id = new_id(after=id)
        row: Document = {
            "_id": id,
            "type": event.type,
            "subject": subject,
            "version": version,
            "at": cause.at,
            "actor": cause.actor,
            "cause": cause.id,
            "trace": cause.trace,
            "history": cause.history,
            "data": msgspec.to_builtins(event),
        }
        hash = link(hash, row)
        rows.append(row | {"hash": hash, "unpublished": True})
    return rows


def row_envelope(row: Document) -> Envelope:
    """The event of a row, the same bytes each time."""
    return Envelope(
        id=row["_id"],
        publisher=row["type"].partition(".")[0],
        type=row["type"],
        subject=row["subject"],
        time=row["at"],
        version=row["version"],
        actor=row["actor"],
        cause=row["cause"],
        trace=row["trace"],
        history=row["history"],
        # Large integers come back from MongoDB as a subclass of int, which msgspec does not take by itself.
        body=msgspec.json.encode(row["data"], enc_hook=int),
    )


class Stream(Protocol):
    """Where a relay publishes; in a service that is `shared.continuity.OwnStream`."""

    async def whole(self) -> bool:
        """Whether it has lost nothing, so that what is published next comes after what was published before."""

    async def publish(self, envelope: Envelope) -> None:
        """Publish one event; raises what kept it from being acknowledged."""

    async def note(self) -> None:
        """Remember what was acknowledged, before it loses its marks."""


class Relay:
    """Publishes the rows that are not yet published, in the order of each aggregate's versions.

    Woken by a commit in the same process; sweeps for the rest. Only the holder of the lease publishes, so that two
    replicas do not reorder. A publish that was not acknowledged is unknown, and made again under the same id.
    """

    def __init__(self, database: Database, stream: Stream, lease: Lease) -> None:
        self._database, self._stream, self._lease = database, stream, lease
        self._woken = asyncio.Event()
        self._failing: set[str] = set()
        """Aggregates whose last event was not acknowledged: looked at last, so that they do not fill the batch."""

    def wake(self) -> None:
        """There is something to publish."""
        self._woken.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            # Not `wait_for`, which in Python 3.11 forgets its cancelling when it is woken at the same moment.
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._woken.wait()
            self._woken.clear()
            try:
                while await self._stream.whole() and await self._lease.held() and await self.drain() == BATCH:
                    pass
            except OUTAGES as error:
                log.warning("relay waits for mongodb", error=repr(error))

    async def drain(self) -> int:
        """Publish up to BATCH rows, each aggregate's one after the other; returns how many were acknowledged."""
        rows = await self._rows({"$nin": list(self._failing)}, BATCH)
        rows += await self._rows({"$in": list(self._failing)}, BATCH - len(rows))
        if not rows:
            return 0
        rows.sort(key=lambda row: (row["subject"], row["version"]))
        aggregates = [list(group) for _, group in groupby(rows, key=lambda row: row["subject"])]
        crashpoint("relay.before_publish")
        published = [id for ids in await asyncio.gather(*map(self._publish_all, aggregates)) for id in ids]
        crashpoint("relay.after_publish")
        if published:
            await self._stream.note()
            await self._database[EVENTS].update_many({"_id": {"$in": published}}, {"$unset": {"unpublished": 1}})
            crashpoint("relay.after_mark")
        return len(published)

    async def _rows(self, subjects: dict[str, list[str]], limit: int) -> list[Document]:
        if not limit or subjects == {"$in": []}:
            return []
        found = self._database[EVENTS].find({"unpublished": True, "subject": subjects}).sort("_id").limit(limit)
        return await found.to_list(limit)

    async def _publish_all(self, rows: list[Document]) -> list[str]:
        """Publish one aggregate's rows in order, as far as they are acknowledged; the rest waits for the next sweep."""
        published: list[str] = []
        for row in rows:
            try:
                await self._stream.publish(row_envelope(row))
            except ConnectionError:  # NATS is away, or its stream, which says nothing about this aggregate.
                break
            except Exception as error:  # noqa: BLE001 -- whatever it was: not acknowledged, so tried again
                self._failing.add(row["subject"])
                log.warning("event not acknowledged", id=row["_id"], type=row["type"], error=repr(error))
                break
            self._failing.discard(row["subject"])
            published.append(row["_id"])
        return published


async def history(database: Database, subject: str) -> list[dict[str, Any]]:
    """What happened to an aggregate, oldest first: each event with who, when and why, and its hash in the chain."""
    found = database[EVENTS].find({"subject": subject}, {"unpublished": 0}).sort("version")
    return [{"id": row.pop("_id"), **row} async for row in found]
