"""The relay: publishes the rows of the events collection into the stream of their service.

Rows are selected by the `unpublished` flag, never by time or id: a transaction may commit late. The rule that keeps
the order (docs/decisions/0021): a version of an aggregate is published only after the stream has all lower ones. A row
enqueued by its commit is published at once if it is the first of its aggregate, or if its predecessor was acknowledged
to this process or is no longer flagged. All others are left to the sweep: it reads a snapshot of the flagged rows, so
it sees every flagged predecessor of a row along with it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from itertools import groupby
from typing import Protocol

import structlog

from shared.kernel.cloudevents import Envelope
from shared.store.crashpoints import crashpoint
from shared.store.lease import LEASE_SECONDS, Lease
from shared.store.mongo import OUTAGES, Database, Document
from shared.store.rows import EVENTS, row_envelope

BATCH = 500
"""Maximum number of events in flight to the stream."""

TOGETHER = 16
"""Minimum size of an atomic batch, for which NATS waits for the disk only once."""

SWEEP_SECONDS = 0.5
"""Interval between sweeps for rows that a crash or another replica left unpublished."""

SWEPT = 20_000
"""Maximum number of rows per sweep, so that the database does not have to keep its snapshot for long."""

CLEAR_SECONDS = 0.05
"""Pause between two removals of flags; rows acknowledged meanwhile are updated together."""

REMEMBERED = 10_000
"""Number of aggregates whose last acknowledged version is remembered; about 2 MB."""

log = structlog.get_logger()


class Stream(Protocol):
    """The stream a relay publishes to; in a service, `shared.outbox.continuity.OwnStream`."""

    async def whole(self) -> bool:
        """Return True if the stream has lost nothing, so that new events follow all earlier ones."""

    async def publish(self, envelope: Envelope) -> None:
        """Publish one event; raises if it is not acknowledged."""

    async def publish_batch(self, envelopes: Sequence[Envelope]) -> None:
        """Publish all events in this order, or none; raises if they are not acknowledged."""

    async def note(self) -> None:
        """Record what was acknowledged, before the rows lose the `unpublished` flag."""


class Relay:
    """Publishes unpublished rows, in the order of each aggregate's versions.

    Commits of the same process enqueue their rows; a sweep finds the rest. Only the holder of the lease publishes, so
    that two replicas do not duplicate work. The outcome of an unacknowledged publish is unknown, so it is retried with
    the same id. Flags are removed while publishing goes on: a flag that a crash leaves behind costs a second publish.
    """

    def __init__(self, database: Database, stream: Stream, lease: Lease, public_url: str = "") -> None:
        self._database, self._stream, self._lease, self._public_url = database, stream, lease, public_url
        self._woken, self._acknowledged = asyncio.Event(), asyncio.Event()
        self._next_sweep = self._asked = 0.0
        """Times on the loop's clock: of the next sweep, and of the last check whether we may publish."""
        self._queue: list[Document] = []
        self._failing: set[str] = set()
        """Aggregates whose last event was not acknowledged; swept last, so that they do not fill the batch."""
        self._last_acknowledged: OrderedDict[str, int] = OrderedDict()
        """The last acknowledged version by aggregate; only a lost stream invalidates it."""
        self._still_flagged: set[str] = set()
        """Ids of acknowledged rows that still have the `unpublished` flag."""
        self._acknowledged_ids: set[str] = set()
        """The same ids, and those of rows that lost the flag after the current sweep took its snapshot."""

    def enqueue(self, rows: Sequence[Document]) -> None:
        """Pass on rows that this process has just committed, to be published at once."""
        # If the queue is full because nothing gets through, a sweep finds the rest.
        if len(self._queue) < 2 * BATCH:
            self._queue += rows
        else:
            self._next_sweep = 0.0
        self._woken.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish_for_ever())
            tasks.create_task(self._clear_flags_for_ever())

    async def _publish_for_ever(self) -> None:
        while True:
            # Not `wait_for`, which in Python 3.11 loses a cancellation that arrives together with the wake-up.
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._next_sweep):
                    await self._woken.wait()
            self._woken.clear()
            try:
                if await self._may_publish():
                    await self._publish_queued()
                    if self._now() >= self._next_sweep:
                        await self.drain()
                    continue
            except OUTAGES as error:
                log.warning("relay waits for mongodb", error=repr(error))
            self._queue.clear()
            await asyncio.sleep(SWEEP_SECONDS)
            self._next_sweep = 0.0

    async def _clear_flags_for_ever(self) -> None:
        while True:
            await self._acknowledged.wait()
            self._acknowledged.clear()
            try:
                await self.clear_flags()
            except OUTAGES as error:
                log.warning("relay waits for mongodb", error=repr(error))
            await asyncio.sleep(CLEAR_SECONDS)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _may_publish(self) -> bool:
        """Return True if we hold the lease and the stream has lost nothing."""
        asked = self._now()
        may = await self._stream.whole() and await self._lease.held()
        # After a long pause, another holder of the lease may have found the stream lost and flagged its rows again:
        # then earlier acknowledgements no longer count.
        if not may or self._now() - self._asked > LEASE_SECONDS / 2:
            self._last_acknowledged.clear()
        self._asked = asked
        return may

    async def _publish_queued(self) -> None:
        while self._queue:
            rows, self._queue = sorted(self._queue[:BATCH], key=_order), self._queue[BATCH:]
            if following := self._following(rows, await self._latest_versions(rows)):
                await self._publish(following)

    async def _latest_versions(self, rows: list[Document]) -> dict[str, int]:
        """Find the last version of each aggregate in the stream, from memory or from rows without the flag.

        A stale answer may show a flag that has been removed since, but never the other way round.
        """
        latest = {row["subject"]: self._last_acknowledged.get(row["subject"], 0) for row in rows}
        first = {row["subject"]: row["version"] for row in reversed(rows)}
        gaps = [{"subject": id, "version": first[id] - 1} for id in first if first[id] > latest[id] + 1]
        if 0 < len(gaps) < TOGETHER:
            wanted = {"$or": gaps, "unpublished": {"$exists": False}}
            found = await self._database[EVENTS].find(wanted, {"subject": 1, "version": 1}).to_list(None)
            latest |= {row["subject"]: row["version"] for row in found}
        return latest

    def _following(self, rows: list[Document], latest: dict[str, int]) -> list[Document]:
        """Select the rows whose predecessors are all in the stream; if any are left over, schedule a sweep."""
        following: list[Document] = []
        for row in rows:
            previous = latest[row["subject"]]
            if row["version"] == previous + 1:
                latest[row["subject"]] = row["version"]
                following.append(row)
            elif row["version"] > previous:
                self._next_sweep = 0.0
        return following

    async def drain(self) -> int:
        """Publish all flagged rows, one at a time per aggregate; returns the number of acknowledged rows."""
        self._next_sweep = self._now() + SWEEP_SECONDS
        failing = list(self._failing)
        count = await self._sweep({"$nin": failing}, SWEPT)
        again = await self._sweep({"$in": failing}, BATCH) if failing else 0
        if count >= SWEPT or again >= BATCH:
            self._next_sweep = 0.0
        return count + again

    async def _sweep(self, subjects: dict[str, list[str]], limit: int) -> int:
        self._acknowledged_ids = set(self._still_flagged)
        count, held = 0, set[str]()
        async with aclosing(self._rows(subjects, limit)) as batches:
            async for rows in batches:
                found = [row for row in rows if row["_id"] not in self._acknowledged_ids and row["subject"] not in held]
                stored = await self._publish(found)
                count += len(stored)
                held |= {row["subject"] for row in found if row["_id"] not in stored}
                if found and not stored:
                    break
        return count

    async def _rows(self, subjects: dict[str, list[str]], limit: int) -> AsyncGenerator[list[Document], None]:
        """Read a snapshot of the flagged rows in batches, ordered by id; the next is read while one is published."""
        flagged = self._database.as_of_now(EVENTS).find({"unpublished": True, "subject": subjects})
        found = flagged.sort("_id").limit(limit).batch_size(BATCH)
        coming = asyncio.ensure_future(found.to_list(BATCH))
        try:
            while rows := await self._while_publishing(coming):
                coming = asyncio.ensure_future(found.to_list(BATCH))
                yield rows
        finally:
            coming.cancel()

    async def _while_publishing(self, coming: asyncio.Future[list[Document]]) -> list[Document]:
        """Await the next batch while publishing enqueued rows; empty if publishing is no longer allowed."""
        coming.add_done_callback(lambda _: self._woken.set())
        while await self._may_publish():
            await self._publish_queued()
            if coming.done():
                return await coming
            await self._woken.wait()
            self._woken.clear()
        return []

    async def _publish(self, rows: list[Document]) -> set[str]:
        """Publish rows and remember the acknowledged ones; returns their ids."""
        if not rows:
            return set()
        rows.sort(key=_order)
        crashpoint("relay.before_publish")
        if await self._publish_batch(rows):
            stored = {row["_id"] for row in rows}
        else:
            aggregates = [list(group) for _, group in groupby(rows, key=lambda row: row["subject"])]
            stored = {id for ids in await asyncio.gather(*map(self._publish_all, aggregates)) for id in ids}
        crashpoint("relay.after_publish")
        self._remember([row for row in rows if row["_id"] in stored])
        return stored

    async def _publish_batch(self, rows: list[Document]) -> bool:
        """Try to publish many rows as one; a single duplicate in the stream makes the whole batch fail."""
        if len(rows) < TOGETHER or any(row["subject"] in self._failing for row in rows):
            return False
        try:
            await self._stream.publish_batch([row_envelope(row, self._public_url) for row in rows])
        except Exception as error:  # noqa: BLE001 -- whatever the cause, each row is then tried alone
            log.info("events not stored together", count=len(rows), error=repr(error))
            return False
        return True

    async def _publish_all(self, rows: list[Document]) -> list[str]:
        """Publish one aggregate's rows in order up to the first failure; the rest waits for the next sweep."""
        published: list[str] = []
        for row in rows:
            try:
                await self._stream.publish(row_envelope(row, self._public_url))
            except ConnectionError:  # NATS or its stream is unavailable; the aggregate is not to blame.
                break
            except Exception as error:  # noqa: BLE001 -- whatever the cause: unacknowledged, so retried
                self._failing.add(row["subject"])
                log.warning("event not acknowledged", id=row["_id"], type=row["type"], error=repr(error))
                break
            self._failing.discard(row["subject"])
            published.append(row["_id"])
        return published

    def _remember(self, rows: list[Document]) -> None:
        for row in rows:
            self._last_acknowledged[row["subject"]] = row["version"]
            self._last_acknowledged.move_to_end(row["subject"])
        while len(self._last_acknowledged) > REMEMBERED:
            self._last_acknowledged.popitem(last=False)
        ids = {row["_id"] for row in rows}
        self._still_flagged |= ids
        self._acknowledged_ids |= ids
        if ids:
            self._acknowledged.set()

    async def clear_flags(self) -> None:
        """Remove the `unpublished` flag of acknowledged rows; raises the errors of MongoDB."""
        if not (ids := list(self._still_flagged)):
            return
        try:
            await self._stream.note()
            await self._database[EVENTS].update_many({"_id": {"$in": ids}}, {"$unset": {"unpublished": 1}})
        except BaseException:
            # The acknowledgement may not have been recorded, so all rows keep the flag and are published again.
            self._still_flagged.clear()
            self._acknowledged_ids.clear()
            raise
        self._still_flagged.difference_update(ids)
        crashpoint("relay.after_mark")


def _order(row: Document) -> tuple[str, int]:
    return row["subject"], row["version"]
