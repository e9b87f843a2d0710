"""The relay, and what it finds by a sweep."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from pymongo.errors import AutoReconnect

from shared.kernel.cloudevents import Envelope
from shared.outbox import relay as relaying
from shared.outbox.relay import BATCH, SWEEP_SECONDS, TOGETHER
from shared.store.rows import EVENTS, event_rows
from tests.shared.kitchen import JarSealed, Kitchen, cause, seal_jar
from tests.shared.stream import NEW, Stream, drained, fill, made, relay, running, until_all_is_published


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
    assert [await drained(sender), await drained(sender)] == [3, 0]
    assert stream.order == {"jam": [1, 2, 3]}


async def test_each_aggregate_is_published_in_the_order_of_its_versions(kitchen: Kitchen) -> None:
    for id in ("jam", "honey", "plums"):
        await fill(kitchen, id, 5)
    for id in ("plums", "jam"):
        await kitchen.jars.change(id, seal_jar, cause())
    stream = Stream(slow=True)
    await relay(kitchen, stream).drain()
    assert stream.order == {"jam": [1, 2, 3, 4, 5, 6], "honey": [1, 2, 3, 4, 5], "plums": [1, 2, 3, 4, 5, 6]}


async def test_the_order_holds_beyond_a_batch(kitchen: Kitchen) -> None:
    await fill(kitchen, "jam", BATCH + 10)
    stream = Stream()
    sender = relay(kitchen, stream)
    assert await sender.drain() == BATCH + 10
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


async def test_an_enqueued_row_is_published_before_the_next_sweep(kitchen: Kitchen) -> None:
    stream = Stream()
    sender = relay(kitchen, stream)
    async with running(sender):
        # The first sweep is over when it has published something; the next one is then SWEEP_SECONDS away.
        await fill(kitchen, "honey", 1)
        await until_all_is_published(kitchen)
        began = time.monotonic()
        await fill(kitchen, "jam", 1)
        sender.enqueue(await kitchen.rows(subject="jam"))
        await until_all_is_published(kitchen)
    assert time.monotonic() - began < SWEEP_SECONDS / 2


async def test_a_relay_with_an_empty_queue_finds_what_a_crash_left(kitchen: Kitchen) -> None:
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
    sender.enqueue(made("jam", 1))
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
                one.enqueue(await kitchen.rows(unpublished=True))
        await until_all_is_published(kitchen)
    assert stream.order == {f"{round}-{id}": [1, 2, 3, 4, 5] for round in range(5) for id in range(5)}


async def test_an_enqueued_row_that_is_still_flagged_is_not_published_twice(kitchen: Kitchen) -> None:
    await fill(kitchen, "jam", 2)
    stream = Stream()
    sender = relay(kitchen, stream)
    assert [await sender.drain(), await sender.drain()] == [2, 0]
    await sender.clear_flags()
    assert await kitchen.rows(unpublished=True) == []


async def test_what_could_not_be_noted_keeps_its_mark_and_is_published_again(kitchen: Kitchen) -> None:
    await fill(kitchen, "jam", 2)
    stream = Forgetful()
    sender = relay(kitchen, stream)
    await sender.drain()
    with pytest.raises(AutoReconnect):
        await sender.clear_flags()
    assert [await drained(sender), await drained(sender)] == [2, 0]
    assert stream.order["jam"] == [1, 2, 1, 2]


class Forgetful(Stream):
    """Cannot note the first time."""

    refused = False

    async def note(self) -> None:
        if not self.refused:
            self.refused = True
            raise AutoReconnect("away")


# Its id is one that the sweep has passed; that of what follows it is not.
async def test_what_is_committed_while_a_sweep_reads_is_not_overtaken(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "BATCH", 2)
    first, second = made("late", 1, 2)
    early = [{**made(f"{number}", 1)[0], "_id": f"1-{number}"} for number in range(8)]
    late = [{**first, "_id": "0"}, {**second, "_id": "2"}]
    await kitchen.database[EVENTS].insert_many(early)

    async def commit() -> None:
        await kitchen.database[EVENTS].insert_many(late)

    stream = Interrupted(commit)
    sender = relay(kitchen, stream)
    await drained(sender)
    await drained(sender)
    assert stream.order["late"] == [1, 2]


class Interrupted(Stream):
    """Something happens when the first event is published."""

    def __init__(self, happens: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._happens = [happens]

    async def publish(self, envelope: Envelope) -> None:
        if self._happens:
            await self._happens.pop()()
        await super().publish(envelope)


async def test_many_are_published_together(kitchen: Kitchen) -> None:
    await fill(kitchen, "jam", TOGETHER)
    stream = Stream()
    await relay(kitchen, stream).drain()
    assert stream.batches == [TOGETHER]
    assert stream.order == {"jam": list(range(1, TOGETHER + 1))}


async def test_one_that_is_refused_holds_back_none_of_those_published_with_it(kitchen: Kitchen) -> None:
    await fill(kitchen, "honey", TOGETHER)
    await fill(kitchen, "jam", 2)
    stream = Stream()
    stream.refuses = {"jam"}
    sender = relay(kitchen, stream)
    assert [await drained(sender), await drained(sender)] == [TOGETHER, 0]
    assert stream.order == {"honey": list(range(1, TOGETHER + 1))}
