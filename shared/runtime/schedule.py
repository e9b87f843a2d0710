"""What becomes due as time passes: found by the day that each aggregate carries, and done by one replica.

An aggregate says when something becomes due next (`due_on`, a day in Europe/Berlin); a rule decides what that is, from
the state and the clock alone. So nothing is due twice, and nothing is forgotten while the service was down.
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
"""How often to look whether the lease is ours by now."""
BATCH = 500

DUE_ON = Index(("due_on",))
"""What a repository with deadlines needs, so that looking for what is due costs next to nothing."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Deadline:
    """Aggregates that have something due on their `due_on`, and the use case that lets it happen."""

    repository: Repository[Any]
    fall_due: Callable[[str, Cause], Awaitable[None]]


class Schedule:
    """Lets everything happen that is due, as long as this process holds the lease."""

    def __init__(self, service: str, deadlines: Sequence[Deadline], lease: Lease, clock: Clock) -> None:
        self._actor, self._deadlines, self._lease, self._clock = f"service:{service}", deadlines, lease, clock

    async def run(self) -> None:
        """Look for what is due until cancelled."""
        while True:
            held = False
            try:
                if held := await self._lease.held():
                    await self.sweep()
            except OUTAGES as error:
                log.warning("schedule waits for mongodb", error=repr(error))
            await asyncio.sleep(SWEEP_SECONDS if held else WAIT_SECONDS)

    async def sweep(self) -> int:
        """Let everything happen that is due by now; returns how much that was. One that fails stops no other."""
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
