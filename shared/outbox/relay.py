"""The relay: publishes the rows of the events collection into the stream of their service.

Rows are selected by their mark, never by time or id: a transaction may commit late. What keeps the order
(docs/decisions/0021): nobody publishes a version of an aggregate before the stream has all those below it. A row that
is handed over by its commit is published at once if it is the first of its aggregate, follows the last one that this
process has seen acknowledged, or one that has lost its mark. All others are left to the sweep: it reads what is marked
as of one moment, so that with a row it sees every marked one below it.
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
"""How many events are on their way to the stream at once."""

TOGETHER = 16
"""From so many on, they are published as one: NATS then waits for the disk once, not for each."""

SWEEP_SECONDS = 0.5
"""How often the relay looks for what a crash, or another replica, left unpublished."""

SWEPT = 20_000
"""How many rows a sweep reads before it begins anew, so that the database need not keep its moment for long."""

MARK_SECONDS = 0.05
"""From the removal of marks to the next one; what is acknowledged meanwhile is marked together."""

REMEMBERED = 10_000
"""Of how many aggregates the last acknowledged version is remembered; some 2 MB."""

log = structlog.get_logger()


class Stream(Protocol):
    """Where a relay publishes; in a service that is `shared.outbox.continuity.OwnStream`."""

    async def whole(self) -> bool:
        """Whether it has lost nothing, so that what is published next comes after what was published before."""

    async def publish(self, envelope: Envelope) -> None:
        """Publish one event; raises what kept it from being acknowledged."""

    async def publish_batch(self, envelopes: Sequence[Envelope]) -> None:
        """Publish all of them in this order, or none; raises what kept them from being acknowledged."""

    async def note(self) -> None:
        """Remember what was acknowledged, before it loses its marks."""


class Relay:
    """Publishes the rows that are not yet published, in the order of each aggregate's versions.

    Commits of the same process hand their rows over; it sweeps for the rest. Only the holder of the lease publishes, so
    that two replicas do not do the same twice. A publish that was not acknowledged is unknown, and made again under the
    same id. Marks are removed beside the next publishing: one that a crash leaves behind costs a second publish.
    """

    def __init__(self, database: Database, stream: Stream, lease: Lease, public_url: str = "") -> None:
        self._database, self._stream, self._lease, self._public_url = database, stream, lease, public_url
        self._woken, self._acknowledged = asyncio.Event(), asyncio.Event()
        self._next_sweep = self._asked = 0.0
        """In seconds of the loop's clock: when to sweep, and when it was last asked whether we may publish."""
        self._handed: list[Document] = []
        self._failing: set[str] = set()
        """Aggregates whose last event was not acknowledged: looked at last, so that they do not fill the batch."""
        self._reached: OrderedDict[str, int] = OrderedDict()
        """The last version of an aggregate that was acknowledged; nothing but a lost stream takes it back."""
        self._unmarked: set[str] = set()
        """Ids of what is acknowledged, and has its mark in the database."""
        self._known: set[str] = set()
        """The same, and of what lost its mark after the sweep that is under way has begun to read."""

    def hand_over(self, rows: Sequence[Document]) -> None:
        """These rows were just committed by this process."""
        # What comes while nothing gets through is found by a sweep.
        if len(self._handed) < 2 * BATCH:
            self._handed += rows
        else:
            self._next_sweep = 0.0
        self._woken.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish_for_ever())
            tasks.create_task(self._mark_for_ever())

    async def _publish_for_ever(self) -> None:
        while True:
            # Not `wait_for`, which in Python 3.11 forgets its cancelling when it is woken at the same moment.
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._next_sweep):
                    await self._woken.wait()
            self._woken.clear()
            try:
                if await self._may_publish():
                    await self._publish_handed()
                    if self._now() >= self._next_sweep:
                        await self.drain()
                    continue
            except OUTAGES as error:
                log.warning("relay waits for mongodb", error=repr(error))
            self._handed.clear()
            await asyncio.sleep(SWEEP_SECONDS)
            self._next_sweep = 0.0

    async def _mark_for_ever(self) -> None:
        while True:
            await self._acknowledged.wait()
            self._acknowledged.clear()
            try:
                await self.mark()
            except OUTAGES as error:
                log.warning("relay waits for mongodb", error=repr(error))
            await asyncio.sleep(MARK_SECONDS)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _may_publish(self) -> bool:
        """Whether we hold the lease, and the stream has all that it ever had."""
        asked = self._now()
        may = await self._stream.whole() and await self._lease.held()
        # Who did not ask for so long may have missed that another one held the lease, who found the stream lost and
        # marked anew what it had: then nothing that was acknowledged counts any more.
        if not may or self._now() - self._asked > LEASE_SECONDS / 2:
            self._reached.clear()
        self._asked = asked
        return may

    async def _publish_handed(self) -> None:
        while self._handed:
            rows, self._handed = sorted(self._handed[:BATCH], key=_order), self._handed[BATCH:]
            if following := self._following(rows, await self._before(rows)):
                await self._publish(following)

    async def _before(self, rows: list[Document]) -> dict[str, int]:
        """The last version of aggregates that the stream has: from memory, or because its row has lost the mark.

        An answer that is too old shows a mark that is gone by now, never the other way round.
        """
        reached = {row["subject"]: self._reached.get(row["subject"], 0) for row in rows}
        first = {row["subject"]: row["version"] for row in reversed(rows)}
        gaps = [{"subject": id, "version": first[id] - 1} for id in first if first[id] > reached[id] + 1]
        if 0 < len(gaps) < TOGETHER:
            wanted = {"$or": gaps, "unpublished": {"$exists": False}}
            found = await self._database[EVENTS].find(wanted, {"subject": 1, "version": 1}).to_list(None)
            reached |= {row["subject"]: row["version"] for row in found}
        return reached

    def _following(self, rows: list[Document], reached: dict[str, int]) -> list[Document]:
        """Those that may be published now, because the stream has all that was before; for others there is a sweep."""
        following: list[Document] = []
        for row in rows:
            before = reached[row["subject"]]
            if row["version"] == before + 1:
                reached[row["subject"]] = row["version"]
                following.append(row)
            elif row["version"] > before:
                self._next_sweep = 0.0
        return following

    async def drain(self) -> int:
        """Publish what is marked now, each aggregate's one after the other; returns how many were acknowledged."""
        self._next_sweep = self._now() + SWEEP_SECONDS
        failing = list(self._failing)
        count = await self._sweep({"$nin": failing}, SWEPT)
        again = await self._sweep({"$in": failing}, BATCH) if failing else 0
        if count >= SWEPT or again >= BATCH:
            self._next_sweep = 0.0
        return count + again

    async def _sweep(self, subjects: dict[str, list[str]], limit: int) -> int:
        self._known = set(self._unmarked)
        count, held = 0, set[str]()
        async with aclosing(self._rows(subjects, limit)) as batches:
            async for rows in batches:
                found = [row for row in rows if row["_id"] not in self._known and row["subject"] not in held]
                stored = await self._publish(found)
                count += len(stored)
                held |= {row["subject"] for row in found if row["_id"] not in stored}
                if found and not stored:
                    break
        return count

    async def _rows(self, subjects: dict[str, list[str]], limit: int) -> AsyncGenerator[list[Document], None]:
        """What is marked at this moment, by batches, in the order of ids; the next is read while one is published."""
        marked = self._database.as_of_now(EVENTS).find({"unpublished": True, "subject": subjects})
        found = marked.sort("_id").limit(limit).batch_size(BATCH)
        coming = asyncio.ensure_future(found.to_list(BATCH))
        try:
            while rows := await self._while_publishing(coming):
                coming = asyncio.ensure_future(found.to_list(BATCH))
                yield rows
        finally:
            coming.cancel()

    async def _while_publishing(self, coming: asyncio.Future[list[Document]]) -> list[Document]:
        """What a sweep reads, nothing where it may not be published; what is handed over meanwhile does not wait."""
        coming.add_done_callback(lambda _: self._woken.set())
        while await self._may_publish():
            await self._publish_handed()
            if coming.done():
                return await coming
            await self._woken.wait()
            self._woken.clear()
        return []

    async def _publish(self, rows: list[Document]) -> set[str]:
        """Publish rows, and remember those that were acknowledged; returns their ids."""
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
        """All or nothing, where there are many; it takes only one that the stream has already, and it is nothing."""
        if len(rows) < TOGETHER or any(row["subject"] in self._failing for row in rows):
            return False
        try:
            await self._stream.publish_batch([row_envelope(row, self._public_url) for row in rows])
        except Exception as error:  # noqa: BLE001 -- whatever it was, each is tried by itself
            log.info("events not stored together", count=len(rows), error=repr(error))
            return False
        return True

    async def _publish_all(self, rows: list[Document]) -> list[str]:
        """Publish one aggregate's rows in order, as far as they are acknowledged; the rest waits for the next sweep."""
        published: list[str] = []
        for row in rows:
            try:
                await self._stream.publish(row_envelope(row, self._public_url))
            except ConnectionError:  # NATS is away, or its stream, which says nothing about this aggregate.
                break
            except Exception as error:  # noqa: BLE001 -- whatever it was: not acknowledged, so tried again
                self._failing.add(row["subject"])
                log.warning("event not acknowledged", id=row["_id"], type=row["type"], error=repr(error))
                break
            self._failing.discard(row["subject"])
            published.append(row["_id"])
        return published

    def _remember(self, rows: list[Document]) -> None:
        for row in rows:
            self._reached[row["subject"]] = row["version"]
            self._reached.move_to_end(row["subject"])
        while len(self._reached) > REMEMBERED:
            self._reached.popitem(last=False)
        ids = {row["_id"] for row in rows}
        self._unmarked |= ids
        self._known |= ids
        if ids:
            self._acknowledged.set()

    async def mark(self) -> None:
        """Remove the marks of what was acknowledged; raises what MongoDB has against it."""
        if not (ids := list(self._unmarked)):
            return
        try:
            await self._stream.note()
            await self._database[EVENTS].update_many({"_id": {"$in": ids}}, {"$unset": {"unpublished": 1}})
        except BaseException:
            # It may not be noted that the stream has them, so all keep their marks, and are published again.
            self._unmarked.clear()
            self._known.clear()
            raise
        self._unmarked.difference_update(ids)
        crashpoint("relay.after_mark")


def _order(row: Document) -> tuple[str, int]:
    return row["subject"], row["version"]
