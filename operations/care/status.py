"""The status of all services: work in progress and work that is stuck."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import nats
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from shared.inbox.parking import State
from shared.runtime.service import Service
from shared.store.rows import EVENTS


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceStatus:
    """The status of one service."""

    events: int
    """Events that it has stored."""
    outbox: int
    """Of these, not yet published."""
    lag: int | None = None
    """Events not yet reacted to; None where the durable is missing or the service reacts to nothing."""
    parked: int = 0
    retrying: int = 0
    """Aggregates whose first parked event is retried automatically; the others need an operator."""
    deliveries: dict[str, int] = field(default_factory=dict)
    """Emails by state."""

    @property
    def busy(self) -> bool:
        """True if there is work in progress that will finish by itself."""
        waiting = self.deliveries.get("queued", 0) + self.deliveries.get("sending", 0)
        return bool(self.outbox or self.lag or self.retrying or waiting)


async def status(services: Sequence[Service], nats_url: str) -> dict[str, ServiceStatus]:
    """Read the status of every service; their databases must be open."""
    client = await nats.connect(nats_url, name="asskomm-status", max_reconnect_attempts=1)
    try:
        found = await asyncio.gather(*(service_status(service, client.jetstream()) for service in services))
    finally:
        await client.close()
    return {service.name: current for service, current in zip(services, found, strict=True)}


async def service_status(service: Service, js: JetStreamContext) -> ServiceStatus:
    """The status of one service."""
    # First the outbox, then the stream, then the emails: what moves on in between is seen further on.
    events = await service.database[EVENTS].estimated_document_count()
    outbox = await service.database[EVENTS].count_documents({"unpublished": True})
    lags = [await _lag(js, inbox.durable.stream, service.name) for inbox in service.inboxes]
    known = [lag for lag in lags if lag is not None]
    parked = await service.parking.list()
    first = {event.aggregate: event.state for event in reversed(parked)}
    return ServiceStatus(
        events=events,
        outbox=outbox,
        lag=sum(known) if known else None,
        parked=len(parked),
        retrying=sum(state is State.WAITING for state in first.values()),
        deliveries=await _deliveries(service),
    )


async def _lag(js: JetStreamContext, stream: str, durable: str) -> int | None:
    try:
        info = await js.consumer_info(stream, durable)
    except NotFoundError:
        return None
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def _deliveries(service: Service) -> dict[str, int]:
    if not any(repository.collection == "deliveries" for repository in service.repositories):
        return {}
    # In the order of an index, which then says it all; else each email would be read, with its text.
    by_state: list[dict[str, Any]] = [{"$sort": {"state": 1}}, {"$group": {"_id": "$state", "count": {"$sum": 1}}}]
    return {row["_id"]: row["count"] async for row in service.database["deliveries"].aggregate(by_state)}
