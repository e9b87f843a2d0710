"""Group commit: units of work that wait while another transaction is under way are committed together in the next one.

Many at once cost little more than one, and a single one waits for nobody. If a group conflicts or one change is
refused, that unit is retried alone, so no caller sees another's error.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, Protocol

from pymongo.errors import PyMongoError

from shared.store.mongo import Document, Undecided
from shared.store.unit_of_work import Change, Documents, Place, UnitOfWork, Write

GROUP = 256
"""Maximum number of units of work per commit."""

CROWD = 4
"""From this group size on, callers that were answered together are expected to come back together."""

GATHER_SECONDS = 0.003
"""Time to wait for them: half of what committing the first one alone takes."""

RECENT = 1024
"""Number of last written documents that are cached, for repositories that ask for it."""


class AlreadyDone(Exception):  # noqa: N818 -- named after its cause
    """A cause has taken effect before."""


class Writer(Protocol):
    """The plain path, which a group falls back to."""

    async def load(self, changes: Sequence[Change[Any]]) -> dict[Place, Document]:
        """Load the documents that changes start from."""

    async def write(self, units: Sequence[UnitOfWork], patience: float | None = None) -> None:
        """Write decided units of work in one transaction."""

    async def done_already(self, units: Sequence[UnitOfWork]) -> set[str]:
        """Return the idempotency keys that have taken effect already."""

    async def commit_alone(self, unit: UnitOfWork) -> None:
        """Commit one unit of work alone."""


class GroupCommit:
    """Gathers units of work, and commits them group by group; each unit answers its caller."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: list[UnitOfWork] = []
        self._crowd = asyncio.Event()
        """Set when as many callers wait as were answered last."""
        self._answered = 0
        self._writing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._recent: dict[Place, Document] = {}
        """Documents to decide on without reading them; one that has changed since is read and decided on again."""

    def join(self, unit: UnitOfWork) -> None:
        """Commit a unit of work with the next group."""
        self._waiting.append(unit)
        if len(self._waiting) >= self._answered:
            self._crowd.set()
        if not self._writing:
            self._writing = True
            self._begin(self._commit_waiting())

    def remember(self, unit: UnitOfWork) -> None:
        """Remember the documents of a committed unit that may change again soon."""
        for change, write in zip(unit.changes, unit.writes, strict=True):
            if change.repository.remembers:
                self._recent.pop(change.place, None)
                self._recent[change.place] = write.document
        while len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Start work that goes on even if the caller goes away."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _commit_waiting(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
                for unit in await self._commit_together(group):
                    self._begin(self._writer.commit_alone(unit))
                self._answered = len(group)
        finally:
            self._writing = False

    async def _gather(self) -> None:
        """Wait a moment for callers that were answered together; a caller that comes alone does not wait."""
        if len(self._waiting) < self._answered and self._answered >= CROWD:
            self._crowd.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_SECONDS):
                    await self._crowd.wait()

    async def _commit_together(self, group: list[UnitOfWork]) -> list[UnitOfWork]:
        """Commit the units that go together; returns those that have to be committed alone."""
        changes = [change for unit in group for change in unit.changes if not change.adds]
        recent = {change.place: self._recent[change.place] for change in changes if change.place in self._recent}
        try:
            documents = await self._writer.load([change for change in changes if change.place not in recent])
        except PyMongoError as error:
            _fail(group, error)
            return []
        together, alone = decide_together(group, documents, recent)
        for unit in together:
            if not unit.needs_transaction:
                self._begin(self._write_plainly(unit))
        together = [unit for unit in together if unit.needs_transaction]
        try:
            await self._writer.write(together, patience=0)
        except AlreadyDone:
            return alone + await self._done_already(together)
        except Undecided as error:
            _fail(together, error)
        except Exception:  # noqa: BLE001 -- each unit finds out alone whether it is the cause
            return alone + together
        else:
            for unit in together:
                self._committed(unit)
        return alone

    async def _done_already(self, group: list[UnitOfWork]) -> list[UnitOfWork]:
        """Find units that took effect before, such as redelivered events; the others wait for the next group."""
        try:
            known = await self._writer.done_already(group)
        except PyMongoError:
            return group
        if known:
            self._waiting[:0] = [unit for unit in group if unit.cause.once not in known]
        return [unit for unit in group if not known or unit.cause.once in known]

    async def _write_plainly(self, unit: UnitOfWork) -> None:
        try:
            await self._writer.write([unit])
        except Exception:  # noqa: BLE001 -- as above
            await self._writer.commit_alone(unit)
        else:
            self._committed(unit)

    def _committed(self, unit: UnitOfWork) -> None:
        self.remember(unit)
        unit.answer()


def decide_together(
    group: Sequence[UnitOfWork], documents: Documents, recent: Documents
) -> tuple[list[UnitOfWork], list[UnitOfWork]]:
    """Let each unit decide on the results of the previous ones; returns the units to commit together, and the others.

    A document that was only remembered must be written, because the write shows whether it still holds.
    """
    current = {**documents, **recent}
    together: list[UnitOfWork] = []
    alone: list[UnitOfWork] = []
    causes: set[str] = set()
    for unit in group:
        try:
            unit.decide(current)
        except Exception:  # noqa: BLE001 -- alone, it is refused in the same way, or for a reason of its own
            alone.append(unit)
            continue
        unsure = any(_exists(write, current) or (write.place in recent and not write.changes) for write in unit.writes)
        if (once := unit.cause.once) in causes or unsure:
            alone.append(unit)
            continue
        causes |= {once} if once else set()
        together.append(unit)
        current |= {write.place: write.document for write in unit.writes}
    return together, alone


def _exists(write: Write, documents: Documents) -> bool:
    """Another unit of the group has added the same document."""
    return write.adds and write.place in documents


def _fail(units: Sequence[UnitOfWork], error: Exception) -> None:
    for unit in units:
        unit.fail(error)
