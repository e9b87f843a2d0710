"""Deadlines: found by the due date stored with each aggregate, and handled by one replica.

An aggregate states its next deadline (`due_on`, a day in Europe/Berlin); a rule decides what happens then, from the
state and the clock alone. So no deadline is handled twice, and none is missed while the service is down.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from shared.kernel.cause import Cause
from shared.kernel.clock import Clock, berlin_day
from shared.kernel.ids import new_id, new_trace
from shared.store.lease import Lease
from shared.store.mongo import OUTAGES
from shared.store.repository import Index, Repository

SWEEP_SECONDS = 30.0
WAIT_SECONDS = 1.0
"""Interval between two attempts to take the lease."""
BATCH = 500

DUE_ON = Index(("due_on",))
"""The index that a repository with deadlines needs for a cheap sweep."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Deadline:
    """A repository of aggregates with a `due_on`, and the use case to run on that day."""

    repository: Repository[Any]
    fall_due: Callable[[str, Cause], Awaitable[None]]


class Schedule:
    """Handles deadlines while this process holds the lease."""

    def __init__(self, service: str, deadlines: Sequence[Deadline], lease: Lease, clock: Clock) -> None:
        self._actor, self._deadlines, self._lease, self._clock = f"service:{service}", deadlines, lease, clock

    async def run(self) -> None:
        """Handle deadlines until cancelled."""
        while True:
            held = False
            try:
                if held := await self._lease.held():
                    await self.sweep()
            except OUTAGES as error:
                log.warning("schedule waits for mongodb", error=repr(error))
            await asyncio.sleep(SWEEP_SECONDS if held else WAIT_SECONDS)

    async def sweep(self) -> int:
        """Handle all deadlines due by now; returns the number that succeeded. A failure does not stop the others."""
        done = 0
        for deadline in self._deadlines:
            due = {"due_on": {"$lte": berlin_day(self._clock()).isoformat()}}
            for id in await deadline.repository.ids(due, limit=BATCH):
                try:
                    await deadline.fall_due(id, self._cause())
                except OUTAGES:
                    raise
                except Exception:
                    log.exception("deadline failed, tried again", id=id)
                else:
                    done += 1
        return done

    def _cause(self) -> Cause:
        return Cause(actor=self._actor, at=self._clock(), id=new_id(), trace=new_trace())
