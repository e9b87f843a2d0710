"""The relay, with a stream that a test can look into, and that refuses what a test wants refused."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from shared.clock import system_clock
from shared.cloudevents import Envelope
from shared.ids import new_id
from shared.lease import Lease
from shared.mongo import Document
from shared.outbox import BATCH, EVENTS, SWEEP_SECONDS, Relay, event_rows, history
from tests.shared.kitchen import Jar, JarFilled, JarSealed, Kitchen, cause

PATIENCE_SECONDS = 10
NEW: Document = {"version": 0, "head": "", "chain": ""}


class Stream:
    """Keeps what is published; refuses the events of some aggregates, with or without having stored them."""

    def __init__(self, *, slow: bool = False) -> None:
        self.published: list[Envelope] = []
        self.refuses: set[str] = set()
        self.stores_and_refuses: set[str] = set()
        self._slow = slow

    async def whole(self) -> bool:
        return True

    async def note(self) -> None:
        """Nothing is remembered: what is published stays."""

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


async def until_all_is_published(kitchen: Kitchen) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while waiting := await kitchen.rows(unpublished=True):
        assert time.monotonic() < deadline, f"{len(waiting)} still wait after {PATIENCE_SECONDS} s"
        await asyncio.sleep(0.01)


async def fill(kitchen: Kitchen, id: str, times: int) -> None:
    """A jar with as many events, stored in one change."""
    events = [JarFilled(jar=id, amount=number) for number in range(times)]
    await kitchen.jars.add(Jar(id=id, label=id), events, cause())


async def test_what_happened_is_published_as_it_was_stored(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    why = cause(history=True)
    await kitchen.fill("jam", 3, why)
    stream = Stream()
    await relay(kitchen, stream).drain()
    [row] = await kitchen.rows()
    assert stream.published == [
        Envelope(
            id=row["_id"], publisher="kitchen", type="kitchen.jar_filled.v1", subject="jam", time=why.at, version=2,
            actor=why.actor, cause=why.id, trace=why.trace, history=True, body=b'{"jar":"jam","amount":3}',
        )
    ]  # fmt: skip


# A bug once: MongoDB answers integers beyond 32 bits as a subclass of int, which msgspec does not encode by itself.
async def test_a_large_number_is_published(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    await kitchen.fill("jam", 2**40)
    stream = Stream()
    await relay(kitchen, stream).drain()
    assert [envelope.body for envelope in stream.published] == [b'{"jar":"jam","amount":1099511627776}']


async def test_what_is_published_is_not_published_again(kitchen: Kitchen) -> None:
    await fill(kitchen, "jam", 3)
    stream = Stream()
    sender = relay(kitchen, stream)
    assert [await sender.drain(), await sender.drain()] == [3, 0]
    assert stream.order == {"jam": [1, 2, 3]}


async def test_each_aggregate_is_published_in_the_order_of_its_versions(kitchen: Kitchen) -> None:
    for id in ("jam", "honey", "plums"):
        await fill(kitchen, id, 5)
    for id in ("plums", "jam"):
        await kitchen.jars.change(id, Jar.seal, cause())
    stream = Stream(slow=True)
    await relay(kitchen, stream).drain()
    assert stream.order == {"jam": [1, 2, 3, 4, 5, 6], "honey": [1, 2, 3, 4, 5], "plums": [1, 2, 3, 4, 5, 6]}


async def test_the_order_holds_beyond_a_batch(kitchen: Kitchen) -> None:
    await fill(kitchen, "jam", BATCH + 10)
    stream = Stream()
    sender = relay(kitchen, stream)
    assert [await sender.drain(), await sender.drain()] == [BATCH, 10]
    assert stream.order == {"jam": list(range(1, BATCH + 11))}


async def test_a_failed_event_holds_back_its_aggregate_and_no_other(kitchen: Kitchen) -> None:
    for id in ("jam", "honey"):
        await fill(kitchen, id, 3)
    stream = Stream()
    stream.refuses = {"jam"}
    await relay(kitchen, stream).drain()
    assert stream.order == {"honey": [1, 2, 3]}


# A bug once: rows that fail fill the batch, and others wait for as long as that lasts.
async def test_many_failed_events_hold_back_no_other_aggregate(kitchen: Kitchen) -> None:
    await fill(kitchen, "jam", BATCH)
    await fill(kitchen, "honey", 1)
    stream = Stream()
    stream.refuses = {"jam"}
    sender = relay(kitchen, stream)
    for _ in range(3):
        await sender.drain()
    assert stream.order == {"honey": [1]}


async def test_what_failed_is_published_later_in_its_order(kitchen: Kitchen) -> None:
    await fill(kitchen, "jam", 3)
    stream = Stream()
    stream.refuses = {"jam"}
    sender = relay(kitchen, stream)
    await sender.drain()
    stream.refuses = set()
    await sender.drain()
    assert stream.order == {"jam": [1, 2, 3]}


async def test_what_was_not_acknowledged_is_published_again_the_same(kitchen: Kitchen) -> None:
    await fill(kitchen, "jam", 1)
    stream = Stream()
    stream.stores_and_refuses = {"jam"}
    sender = relay(kitchen, stream)
    await sender.drain()
    stream.stores_and_refuses = set()
    await sender.drain()
    first, again = stream.published
    assert first == again


async def test_a_row_that_is_committed_late_with_a_smaller_id_is_published(kitchen: Kitchen) -> None:
    [early] = event_rows([JarSealed(jar="early")], "early", before=NEW, cause=cause())
    stream = Stream()
    sender = relay(kitchen, stream)
    await fill(kitchen, "late", 1)
    await sender.drain()
    await kitchen.database[EVENTS].insert_one(early)
    await sender.drain()
    assert [envelope.subject for envelope in stream.published] == ["late", "early"]


async def test_a_relay_that_is_woken_publishes_before_its_next_sweep(kitchen: Kitchen) -> None:
    stream = Stream()
    sender = relay(kitchen, stream)
    async with running(sender):
        # The first sweep is over when it has published something; the next one is then SWEEP_SECONDS away.
        await fill(kitchen, "honey", 1)
        await until_all_is_published(kitchen)
        began = time.monotonic()
        await fill(kitchen, "jam", 1)
        sender.wake()
        await until_all_is_published(kitchen)
    assert time.monotonic() - began < SWEEP_SECONDS / 2


async def test_a_relay_that_nobody_wakes_finds_what_a_crash_left(kitchen: Kitchen) -> None:
    await fill(kitchen, "jam", BATCH + 1)
    stream = Stream()
    async with running(relay(kitchen, stream)):
        await until_all_is_published(kitchen)
    assert stream.order == {"jam": list(range(1, BATCH + 2))}


# A bug once: `asyncio.wait_for` of Python 3.11 forgets that it was cancelled when what it waits for comes at the same
# moment; the relay runs on, and its service never ends.
@pytest.mark.parametrize("steps", range(5))
async def test_a_relay_that_is_woken_while_it_is_stopped_stops(kitchen: Kitchen, steps: int) -> None:
    sender = relay(kitchen, Stream())
    task = asyncio.create_task(sender.run())
    await asyncio.sleep(0)
    sender.wake()
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    stopped, running_on = await asyncio.wait([task], timeout=SWEEP_SECONDS * 2)
    for one in running_on:
        one.cancel()
    assert stopped


async def test_two_relays_neither_lose_nor_double_nor_reorder(kitchen: Kitchen) -> None:
    stream = Stream(slow=True)
    relays = [relay(kitchen, stream) for _ in range(2)]
    async with running(*relays):
        for round in range(5):
            await asyncio.gather(*(fill(kitchen, f"{round}-{id}", 5) for id in range(5)))
            for one in relays:
                one.wake()
        await until_all_is_published(kitchen)
    assert stream.order == {f"{round}-{id}": [1, 2, 3, 4, 5] for round in range(5) for id in range(5)}


async def test_history_tells_what_happened_oldest_first(kitchen: Kitchen) -> None:
    await fill(kitchen, "honey", 1)
    await fill(kitchen, "jam", 1)
    await kitchen.jars.change("jam", Jar.seal, cause())
    told = await history(kitchen.database, "jam")
    assert [(one["version"], one["type"]) for one in told] == [(1, JarFilled.type), (2, JarSealed.type)]


async def test_history_tells_who_when_and_why_but_not_what_is_published(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    why = cause()
    await kitchen.fill("jam", 3, why)
    [told] = await history(kitchen.database, "jam")
    [row] = await kitchen.rows()
    assert told == {
        "id": row["_id"], "type": JarFilled.type, "subject": "jam", "version": 2, "at": why.at, "actor": why.actor,
        "cause": why.id, "trace": why.trace, "history": False, "data": {"jar": "jam", "amount": 3},
        "hash": row["hash"],
    }  # fmt: skip


def test_rows_of_one_change_have_growing_ids_after_the_last_one() -> None:
    future = new_id(after=str(replace(_envelope(), id="ffffffff-ffff-7fff-bfff-000000000000").id))
    rows = event_rows([JarSealed(jar="jam")] * 3, "jam", before={**NEW, "version": 4, "head": future}, cause=cause())
    ids = [future, *(row["_id"] for row in rows)]
    assert ids == sorted(set(ids))


def _envelope() -> Envelope:
    return Envelope(
        id="", publisher="", type="", subject="", time=system_clock(), version=1, actor="", cause="", trace="",
        history=False, body=b"",
    )  # fmt: skip
