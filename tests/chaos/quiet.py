"""Waiting until nothing moves any more, according to the servers, not the services."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import nats
import pymongo
from nats.js.errors import NotFoundError

from tests.chaos.evidence import STREAMS
from tests.chaos.world import World

WITHIN_SECONDS = 60.0


@dataclass(frozen=True)
class Restlessness:
    """The work still pending, and the totals."""

    outbox: int
    lag: int
    parked: int
    emails: int
    events: int
    causes: int

    @property
    def quiet(self) -> bool:
        return not (self.outbox or self.lag or self.parked or self.emails)


async def quiet(world: World, within: float = WITHIN_SECONDS) -> float:
    """Wait until no work is pending; return the seconds it took. Raises TimeoutError with the rest."""
    began = time.monotonic()
    before, same = None, 0
    with pymongo.MongoClient[dict[str, Any]](world.mongo_uri, timeoutMS=10_000) as client:
        while same < 2:
            now = await _look(world, client)
            same = same + 1 if now is not None and now == before and now.quiet else 0
            before = now
            if time.monotonic() - began > within:
                raise TimeoutError(f"not quiet after {within:.0f} s: {now}")
            await asyncio.sleep(0.1)
    return time.monotonic() - began


async def until_others_are_quiet(world: World) -> None:
    """Wait until nothing but parked events is pending; raises TimeoutError."""
    async with asyncio.timeout(WITHIN_SECONDS):
        with pymongo.MongoClient[dict[str, Any]](world.mongo_uri, timeoutMS=10_000) as client:
            while (now := await _look(world, client)) is None or now.outbox or now.lag or now.emails:
                await asyncio.sleep(0.1)


async def _look(world: World, client: "pymongo.MongoClient[dict[str, Any]]") -> Restlessness | None:
    try:
        connection = await nats.connect(world.nats.url, max_reconnect_attempts=1, connect_timeout=2)
        try:
            lag = await _lag(connection.jetstream())
        finally:
            await connection.close()
        return await asyncio.to_thread(_count, client, lag, world.allowance.parked)
    except (nats.errors.Error, OSError, pymongo.errors.PyMongoError):
        return None


async def _lag(js: nats.js.JetStreamContext) -> int:
    lag = 0
    for stream in STREAMS.values():
        try:
            consumers = await js.consumers_info(stream)
        except NotFoundError:
            continue
        durable = [consumer for consumer in consumers if consumer.config.durable_name]
        lag += sum((consumer.num_pending or 0) + (consumer.num_ack_pending or 0) for consumer in durable)
    return lag


def _count(client: "pymongo.MongoClient[dict[str, Any]]", lag: int, expected: set[str]) -> Restlessness:
    names = ("membership", "notifications", "purse")
    under_way = {"state": {"$in": ["queued", "sending"]}}
    waits: Mapping[str, Any] = {"state": {"$ne": "dropped"}, "_id": {"$nin": sorted(expected)}}
    return Restlessness(
        outbox=sum(client[name]["events"].count_documents({"unpublished": True}) for name in names),
        lag=lag,
        parked=sum(client[name]["parked"].count_documents(waits) for name in names),
        emails=client["notifications"]["deliveries"].count_documents(under_way),
        events=sum(client[name]["events"].estimated_document_count() for name in names),
        causes=sum(client[name]["causes"].estimated_document_count() for name in names),
    )
