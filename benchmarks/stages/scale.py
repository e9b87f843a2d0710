"""Whether a write, an event and a read cost the same whatever is stored already; and how long a replay takes.

The same is done in turn on a service with 1,000 events and on one with many more. A write and a read are timed by
themselves, an event from the commit's return until it is stored in the stream; the first one of an aggregate since the
start by itself, because the relay then asks MongoDB for the one before.
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
"""Events of an aggregate: with 100,000 of them there are 10,000 aggregates."""
ONE_BY_ONE = 150
FIRST = 10
"""All rounds together are content with the aggregates of the smaller one."""

CHANGED = 20
"""Aggregates that are changed again and again, as many in both."""

PAGE = 20
EXAMINED = 100
"""A query may look at so many documents more than it returns before we call that a search without an index."""


async def run(bench: Bench) -> list[Row]:
    """Fill, measure, look at what the queries did, lose the stream, publish all of it again."""
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
    """A service with so much in it, and what is done with it."""

    def __init__(self, jars: Jars) -> None:
        self.jars = jars
        self.arrivals: asyncio.Queue[float] = asyncio.Queue()
        nothing: Iterator[str] = iter(())
        self._changed = self._firsts = self._looked_at = nothing
        """Ids to change again and again, to change once, and to look at."""

    async def stock(self, events: int) -> None:
        """Store so many events, as if they had all been published."""
        async with self.jars.written():
            ids = await self.jars.stock(events // EACH, events=EACH)
            for start in range(0, len(ids), 100):  # Not all at once: every request has to be answered within 5 s.
                some = {"subject": {"$in": ids[start : start + 100]}}
                await self.jars.service.database[EVENTS].update_many(some, {"$unset": {"unpublished": 1}})
        # From all over the collection; behind each there is a whole page of others.
        chosen = sorted(ids)[: -PAGE : max(1, len(ids) // 1000)]
        changed = chosen[:: len(chosen) // CHANGED]
        others = [id for id in chosen if id not in changed]
        self._changed, self._firsts, self._looked_at = cycle(changed), iter(others), cycle(others)

    async def settle(self) -> None:
        """As if it had all been published long ago: an index keeps removed entries for a while."""
        await self.jars.service.database[EVENTS].drop_indexes()
        await set_up_database(Jars(self.jars.settings, self.jars.name).service)

    async def write(self) -> float:
        """Seconds for a change with its event."""
        began = time.perf_counter()
        await self.jars.fill(next(self._changed))
        took = time.perf_counter() - began
        await self.arrivals.get()
        return took

    async def event(self) -> float:
        """Seconds from the return of a change to its event's arrival."""
        return await since(self.jars.fill(next(self._changed)), self.arrivals)

    async def first(self) -> float:
        """The same of an aggregate that nobody has changed since the start."""
        return await since(self.jars.fill(next(self._firsts)), self.arrivals)

    async def read(self) -> float:
        """Seconds to get an aggregate, its history, and a page of others."""
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
    """What MongoDB had to look for without an index, while everything was done a few times."""
    database = size.jars.service.database.database
    await database.command("profile", 2)
    for work in (size.event, size.first, size.read):
        for _ in range(5):
            await work()
    # Meanwhile the relay looks for what others left, and holds its lease.
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
    """Every aggregate is made anew from its events, and compared with what is stored."""
    KINDS[JarFilled.type] = JarFilled
    began = time.perf_counter()
    found = await audit(jars.service)
    took = time.perf_counter() - began
    assert not found.differences, found.differences[:3]
    return Row(
        stage=NAME,
        what=f"audit: {found.aggregates:,} aggregates made anew from {found.events:,} events, and compared",
        value=took,
        unit="s",
        note=f"{found.events / took:,.0f} events/s",
    )


async def _replay(jars: Jars, events: int) -> Row:
    """NATS comes back with an empty stream: everything is marked, then published again."""
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
        note=f"{marked:.1f} s until all are marked; {replayed.missing / took:,.0f} events/s in all",
    )
