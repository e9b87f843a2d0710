"""The relay and a NATS that loses its store, or comes back with an older copy of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from operations.embedded.servers import EmbeddedServers
from shared.outbox.continuity import STREAMS
from shared.store import lease
from shared.store.lease import Lease
from shared.store.mongo import Database
from tests.shared.pantry import Pantry, running_pantry

LEASE_SECONDS = 0.6
READY = {"mongodb": True, "nats": True, "stream": True}
LOST = READY | {"stream": False}


@pytest.fixture
async def pantry(servers: EmbeddedServers, tmp_path: Path) -> AsyncIterator[Pantry]:
    async with running_pantry(servers, tmp_path) as running:
        yield running


async def test_a_service_whose_stream_is_gone_stores_but_publishes_nothing(pantry: Pantry) -> None:
    await pantry.fill("jam", "honey")
    await pantry.all_is_published()
    assert await pantry.service.ready() == READY

    pantry.lose()
    await pantry.is_found_lost()
    assert await pantry.service.ready() == LOST
    await pantry.set_up()
    await pantry.fill("jam")
    await pantry.has_swept()
    assert await pantry.published() == []
    assert await pantry.waiting() == 1
    assert await pantry.service.ready() == LOST


async def test_each_loss_is_told_once_with_what_mends_it(pantry: Pantry) -> None:
    await pantry.fill("jam")
    await pantry.all_is_published()
    with capture_logs() as logs:
        pantry.lose()
        await pantry.is_found_lost()
        await pantry.set_up()
        await pantry.has_swept()
    told = [one for one in logs if one["log_level"] == "error"]
    assert ["does not exist" in one["loss"] for one in told] == [True, False]
    assert all("asskomm replay" in one["mend"] for one in told)


async def test_a_stream_that_is_older_than_what_it_acknowledged_gets_nothing(pantry: Pantry) -> None:
    await pantry.fill("jam")
    await pantry.all_is_published()
    pantry.copy("older")
    await pantry.fill("honey", "jam")
    await pantry.all_is_published()

    pantry.lose(back_to="older")
    await pantry.fill("jam")
    await pantry.is_found_lost()
    await pantry.has_swept()
    assert [(jar, version) for _, jar, version, _ in await pantry.published()] == [("jam", 1)]


async def test_a_stream_that_comes_back_as_it_was_gets_what_waits(pantry: Pantry) -> None:
    await pantry.fill("jam")
    await pantry.all_is_published()
    pantry.server.kill()
    await pantry.fill("jam")
    pantry.server.start()
    await pantry.all_is_published()
    assert [version for _, _, version, _ in await pantry.published()] == [1, 2]


async def test_a_stream_that_is_deleted_while_the_connection_stands_gets_nothing(pantry: Pantry) -> None:
    await pantry.fill("jam")
    await pantry.all_is_published()
    async with pantry.jetstream() as js:
        await js.delete_stream("KITCHEN")
    await pantry.fill("jam")
    await pantry.is_found_lost()
    await pantry.set_up()
    await pantry.has_swept()
    assert await pantry.published() == []


async def test_how_far_the_stream_has_acknowledged_is_noted(pantry: Pantry) -> None:
    await pantry.fill("jam", "honey", "jam")
    await pantry.all_is_published()
    noted = await pantry.database[STREAMS].find_one({"_id": "KITCHEN"})
    assert noted
    assert noted["sequence"] == 3


async def test_a_service_that_publishes_nothing_needs_no_stream(pantry: Pantry) -> None:
    async with pantry.jetstream() as js:
        await js.delete_stream("KITCHEN")
    assert await pantry.service.stream.whole()
    assert await pantry.database[STREAMS].find_one() is None


async def test_who_seizes_a_lease_waits_for_who_held_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE_SECONDS", LEASE_SECONDS)
    loop = asyncio.get_running_loop()
    former, heir = Lease(database), Lease(database)
    asked = loop.time()
    assert await former.held()
    seizing = asyncio.create_task(heir.seize())
    while not seizing.done():
        thinks = await former.held()
        await asyncio.sleep(0.02)
    assert not thinks
    assert loop.time() - asked >= LEASE_SECONDS
    assert [await heir.held(), await former.held()] == [True, False]


async def test_who_seizes_a_free_lease_does_not_wait(database: Database) -> None:
    first = Lease(database)
    await asyncio.wait_for(first.seize(), lease.LEASE_SECONDS / 2)
    assert await first.held()
