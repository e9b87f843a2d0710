"""The cost of a write, an event and a read, which should not depend on the amount stored; and the time of a replay.

The operations take turns on a service with 1,000 events and on one with many more. A write and a read are timed alone,
an event from the commit's return until it is stored in the stream. The first event of an aggregate since the start is
timed separately, because the relay then looks up its predecessor in MongoDB.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import cycle
from typing import Any

from benchmarks.jar import JarFilled, Jars, fresh, fresh_streams
from benchmarks.measure import Bench, Results, Row, Sample, Variant
from benchmarks.stages.relay import arrivals, since
from operations.care.audit import KINDS, audit
from operations.care.replay import replay, until_published
from operations.running.setup import set_up_database
from shared.store.rows import EVENTS, history

NAME = "scale"
FEW = 1_000
MANY, FULL = 100_000, 1_000_000
EACH = 10
"""Events per aggregate: 100,000 events make 10,000 aggregates."""
ONE_BY_ONE = 150
FIRST = 10
"""Few enough for all rounds to fit into the aggregates of the smaller service."""

CHANGED = 20
"""Aggregates that are changed repeatedly, the same number in both services."""

PAGE = 20
EXAMINED = 100
"""If a query examines so many more documents than it returns, it lacks an index."""


async def run(bench: Bench) -> list[Row]:
    """Fill, measure, inspect the queries, lose the stream, and replay it."""
    settings, events = bench.settings(), FULL if bench.full else bench.scaled(MANY)
    many, few = Jars(settings, "jars"), Jars(settings, "jugs")
    await fresh(settings, many.service, few.service)
    bench.say(f"store {events} events")
    sizes = {"many": Size(many), "few": Size(few)}
    await sizes["few"].stock(FEW)
    await sizes["many"].stock(events)
    async with AsyncExitStack() as stack:
        for size in sizes.values():
            size.arrivals = await stack.enter_async_context(arrivals(settings, f"{size.jars.name}.>"))
            await stack.enter_async_context(size.jars.running())
        bench.say("events, just after all were published")
        first, event = await _measured(bench, sizes, "first"), await _measured(bench, sizes, "event")
        rows = [_row("event, just after", events, event), _row("first of an aggregate, just after", events, first)]
        await asyncio.gather(*(size.settle() for size in sizes.values()))
        for what in ("write", "event", "read"):
            bench.say(what)
            rows.append(_row(f"{what} with", events, await _measured(bench, sizes, what)))
        bench.say("indexes")
        rows.append(_indexes(await _searched(sizes["many"])))
    bench.say("audit")
    async with many.written():
        rows.append(await _audit(many))
    bench.say("replay")
    return [*rows, await _replay(Jars(settings), events)]


class Size:
    """A service with so many events, and the operations on it."""

    def __init__(self, jars: Jars) -> None:
        self.jars = jars
        self.arrivals: asyncio.Queue[float] = asyncio.Queue()
        nothing: Iterator[str] = iter(())
        self._changed = self._firsts = self._looked_at = nothing
        """Ids to change repeatedly, to change once, and to read."""

    async def stock(self, events: int) -> None:
        """Store so many events as if they had all been published."""
        async with self.jars.written():
            ids = await self.jars.stock(events // EACH, events=EACH)
            for start in range(0, len(ids), 100):  # In parts, because every request must finish within 5 s.
                some = {"subject": {"$in": ids[start : start + 100]}}
                await self.jars.service.database[EVENTS].update_many(some, {"$unset": {"unpublished": 1}})
        # Spread over the collection, each with a whole page behind it.
        chosen = sorted(ids)[: -PAGE : max(1, len(ids) // 1000)]
        changed = chosen[:: len(chosen) // CHANGED]
        others = [id for id in chosen if id not in changed]
        self._changed, self._firsts, self._looked_at = cycle(changed), iter(others), cycle(others)

    async def settle(self) -> None:
        """Rebuild the indexes, as if publishing were long past: an index keeps removed entries for a while."""
        await self.jars.service.database[EVENTS].drop_indexes()
        await set_up_database(Jars(self.jars.settings, self.jars.name).service)

    async def write(self) -> float:
        """Return the seconds for a change with its event."""
        began = time.perf_counter()
        await self.jars.fill(next(self._changed))
        took = time.perf_counter() - began
        await self.arrivals.get()
        return took

    async def event(self) -> float:
        """Return the seconds from the return of a change to its event's arrival."""
        return await since(self.jars.fill(next(self._changed)), self.arrivals)

    async def first(self) -> float:
        """Return the same for an aggregate that has not changed since the start."""
        return await since(self.jars.fill(next(self._firsts)), self.arrivals)

    async def read(self) -> float:
        """Return the seconds to read an aggregate, its history, and a page of others."""
        id = next(self._looked_at)
        began = time.perf_counter()
        await self.jars.jars.get(id)
        await history(self.jars.service.database, id)
        await self.jars.jars.page({}, after=id, limit=PAGE)
        return time.perf_counter() - began


async def _measured(bench: Bench, sizes: dict[str, Size], what: str) -> Results:
    def variant(size: Size) -> Variant:
        work: Callable[[], Awaitable[float]] = getattr(size, what)

        async def sample() -> Sample:
            with bench.measured() as sample:
                sample.count = FIRST if what == "first" else bench.scaled(ONE_BY_ONE)
                sample.latencies += [await work() for _ in range(sample.count)]
            return sample

        return sample

    return await bench.interleaved(few=variant(sizes["few"]), many=variant(sizes["many"]))


def _row(what: str, events: int, results: Results) -> Row:
    ratio = results.ratio("many", "few", lambda one: one.median)
    few = results.of("few", lambda one: one.median)
    return Row(
        stage=NAME,
        what=f"{what} {events:,} events, median",
        value=results.of("many", lambda one: one.median),
        unit="ms",
        ratio=ratio,
        goal=f"at most 1.1 × with {FEW:,}",
        met=ratio <= 1.1,  # noqa: PLR2004 -- the goal
        note=f"{few:.2f} ms with {FEW:,} events; {results.cpus()}",
    )


async def _searched(size: Size) -> list[str]:
    """Return the queries without an index, after a few runs of each operation."""
    database = size.jars.service.database.database
    await database.command("profile", 2)
    for work in (size.event, size.first, size.read):
        for _ in range(5):
            await work()
    # Meanwhile the relay sweeps and renews its lease.
    await asyncio.sleep(2)
    await database.command("profile", 0)
    found = await database["system.profile"].find({"docsExamined": {"$exists": True}}).to_list(None)
    return sorted({_named(one) for one in found if one["docsExamined"] > one.get("nreturned", 0) + EXAMINED})


def _named(operation: dict[str, Any]) -> str:
    collection = operation["ns"].partition(".")[2]
    return f"{operation['op']} on {collection} by {operation.get('planSummary', 'no plan')}"


def _indexes(searched: list[str]) -> Row:
    return Row(
        stage=NAME,
        what="queries without an index",
        value=len(searched),
        unit="",
        goal="none",
        met=not searched,
        note="; ".join(searched),
    )


async def _audit(jars: Jars) -> Row:
    """Rebuild every aggregate from its events, and compare it with the stored state."""
    KINDS[JarFilled.type] = JarFilled
    began = time.perf_counter()
    found = await audit(jars.service)
    took = time.perf_counter() - began
    assert not found.differences, found.differences[:3]
    return Row(
        stage=NAME,
        what=f"audit: {found.aggregates:,} aggregates rebuilt from {found.events:,} events, and compared",
        value=took,
        unit="s",
        note=f"{found.events / took:,.0f} events/s",
    )


async def _replay(jars: Jars, events: int) -> Row:
    """Restart NATS with an empty stream; every row is flagged, then published again."""
    settings = jars.settings
    await fresh_streams(settings, jars.service)
    async with jars.written():
        began = time.perf_counter()
        replayed = await replay(jars.service, settings.nats_url)
        marked = time.perf_counter() - began
        async with Jars(settings).running():
            await until_published(jars.service)
        took = time.perf_counter() - began
    assert replayed.missing >= events, "all of it was lost"
    return Row(
        stage=NAME,
        what=f"replay of {replayed.missing:,} events",
        value=took,
        unit="s",
        note=f"{marked:.1f} s until all are flagged; {replayed.missing / took:,.0f} events/s in all",
    )
