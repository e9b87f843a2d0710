"""The relay, and what commits hand over to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared.outbox import relay as relaying
from shared.outbox.relay import Relay
from shared.store.mongo import Document
from shared.store.rows import EVENTS, row_envelope
from tests.shared.failpoints import fail_command
from tests.shared.kitchen import Kitchen
from tests.shared.stream import Stream, fill, made, relay, running
from tests.waiting import until


async def test_what_is_enqueued_is_the_same_as_what_a_sweep_reads(kitchen: Kitchen) -> None:
    enqueued: list[Document] = []
    kitchen.store.on_commit = enqueued.extend
    await kitchen.add("jam")
    await kitchen.fill("jam", 2**40)
    assert [row_envelope(row) for row in enqueued] == [row_envelope(row) for row in await kitchen.rows()]


@asynccontextmanager
async def waiting(kitchen: Kitchen, stream: Stream) -> AsyncIterator[Relay]:
    """A relay that has swept, and has no reason to do so again."""
    sender = relay(kitchen, stream)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relaying, "SWEEP_SECONDS", 60)
        async with running(sender):
            await enqueue(sender, stream, "first", 1)
            yield sender


async def enqueue(sender: Relay, stream: Stream, id: str, *versions: int) -> None:
    """Enqueue rows that are stored nowhere, and wait until they are dealt with."""
    sender.enqueue([*made(id, *versions), *made(last := f"{len(stream.published)} after {id}", 1)])
    await until_published(stream, last)


async def until_published(stream: Stream, id: str) -> None:
    """Wait for an event of this aggregate."""

    async def order() -> dict[str, list[int]]:
        return stream.order

    await until(order, lambda order: id in order)


async def test_what_follows_is_published_without_a_look_at_the_database(kitchen: Kitchen) -> None:
    stream = Stream()
    async with waiting(kitchen, stream) as sender:
        await enqueue(sender, stream, "jam", 1)
        await enqueue(sender, stream, "jam", 2, 3)
    assert stream.order["jam"] == [1, 2, 3]


async def test_what_follows_nothing_known_is_left_to_the_sweep(kitchen: Kitchen) -> None:
    stream = Stream()
    async with waiting(kitchen, stream) as sender:
        await enqueue(sender, stream, "jam", 2)
        await enqueue(sender, stream, "jam", 1)
        await enqueue(sender, stream, "jam", 3)
    assert stream.order["jam"] == [1]


async def test_what_follows_one_without_a_mark_is_published(kitchen: Kitchen) -> None:
    stream = Stream()
    await fill(kitchen, "jam", 2)
    await kitchen.database[EVENTS].update_many({}, {"$unset": {"unpublished": 1}})
    async with waiting(kitchen, stream) as sender:
        await enqueue(sender, stream, "jam", 3, 4)
    assert stream.order["jam"] == [3, 4]


async def test_what_follows_one_with_its_mark_is_left_to_the_sweep(kitchen: Kitchen) -> None:
    stream = Stream()
    async with waiting(kitchen, stream) as sender:
        await fill(kitchen, "jam", 2)
        await enqueue(sender, stream, "jam", 3)
    assert 3 not in stream.order.get("jam", [])


async def test_what_follows_a_failed_one_is_left_to_the_sweep(kitchen: Kitchen) -> None:
    stream = Stream()
    stream.refuses = {"jam"}
    async with waiting(kitchen, stream) as sender:
        await enqueue(sender, stream, "jam", 1)
        stream.refuses = set()
        await enqueue(sender, stream, "jam", 2)
    assert "jam" not in stream.order


async def test_an_enqueued_row_does_not_wait_for_a_slow_sweep(kitchen: Kitchen) -> None:
    await fill(kitchen, "stored", 1)
    stream = Stream()
    sender = relay(kitchen, stream)
    events = kitchen.database[EVENTS].full_name
    slowly: dict[str, Any] = {"namespace": events, "blockConnection": True, "blockTimeMS": 2000}
    async with fail_command(kitchen.database, "find", **slowly) as sweeping, running(sender):
        await sweeping()
        await enqueue(sender, stream, "jam", 1)
        assert "stored" not in stream.order
        await until_published(stream, "stored")


async def test_what_was_acknowledged_by_a_stream_that_was_lost_does_not_count(kitchen: Kitchen) -> None:
    async def found_lost() -> bool:
        return stream.found_lost

    stream = Stream()
    async with waiting(kitchen, stream) as sender:
        await enqueue(sender, stream, "jam", 1)
        stream.lost = True
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(relaying, "SWEEP_SECONDS", 0.01)
            sender.enqueue([])
            await until(found_lost, bool)
        stream.lost = False
        await enqueue(sender, stream, "jam", 2)
    assert stream.order["jam"] == [1]


async def test_what_was_acknowledged_before_others_may_have_had_the_lease_does_not_count(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Stream()
    monkeypatch.setattr(relaying, "LEASE_SECONDS", 0)
    async with waiting(kitchen, stream) as sender:
        await enqueue(sender, stream, "jam", 1)
        await enqueue(sender, stream, "jam", 2)
    assert stream.order["jam"] == [1]
