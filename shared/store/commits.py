"""How everything is written: changes are decided and written together as they come, in one transaction.

A change that waits while another one is written joins all others that wait; so many at once cost little more than one,
and a single one waits for nobody. Where the changes of a group get into each other's way, or one of them is refused,
it is made once more by itself, so that nobody is answered with the trouble of another one.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any

from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from shared.kernel.cause import Cause
from shared.kernel.errors import KeyReused, Refused, Stale, Taken
from shared.store.changes import Change, Place, Step, Write, admit, decide, decide_together, merged, remembered
from shared.store.mongo import Collection, Database, Document, Session, Undecided, clashing_values
from shared.store.turns import Turns

CAUSES = "causes"
"""Collection of what has had its effect: keys of requests with the answer, ids of events (the inbox)."""

CONFLICTS = 100
"""How often a change is decided again because another one came first, before it is given up as stale."""

GROUP = 256
"""How many changes are written together at most."""

CROWD = 4
"""From so many on, those who were answered together are expected to come back."""

GATHER_SECONDS = 0.003
"""For how long: half of what it takes to write the first of them alone."""

RECENT = 1024
"""How many documents a store remembers as it has written them last, of repositories that want that."""


class _Conflict(Exception):  # noqa: N818 -- never leaves this module
    """Another change of the same aggregate was quicker."""


class _Known(Exception):  # noqa: N818 -- never leaves this module
    """This cause has had its effect already."""


class Store:
    """The writing side of one service's database: every change passes through `commit`."""

    def __init__(self, database: Database, on_commit: Callable[[list[Document]], None] = lambda _: None) -> None:
        self.database = database
        self.on_commit = on_commit
        self._waiting: list[Change] = []
        self._crowd = asyncio.Event()
        """As many wait as were answered last."""
        self._answered = 0
        self._writing = False
        self._tasks: set[asyncio.Task[None]] = set()
        # Changes of one aggregate that are made alone take turns, so that they need not meet in the database.
        self._turns = Turns()
        self._recent: dict[Place, Document] = {}
        """Decided on at first without being read; where one has changed since, it is read and decided on again."""

    async def commit(self, cause: Cause, *steps: Step[Any]) -> list[Any]:
        """Decide and write all steps in one transaction, or none of them; returns the states after it.

        A second time the same `cause.once` changes nothing: a request gets the same states again, an event nothing.
        Without events, and without a cause that acts once, there is nothing to keep together: each step stands alone.
        Raises what the rules refuse, NotFound, Taken where something may exist only once, Stale after CONFLICTS lost
        races, KeyReused.
        """
        change = Change(cause, steps)
        self._waiting.append(change)
        if len(self._waiting) >= self._answered:
            self._crowd.set()
        if not self._writing:
            self._writing = True
            self._begin(self._write_waiting())
        return await change.done

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Whoever waits for a change may go away; the change goes on."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                await self._until_gathered()
                group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
                for change in await self._write_together(group):
                    self._begin(self._write_alone(change))
                self._answered = len(group)
        finally:
            self._writing = False

    async def _until_gathered(self) -> None:
        """Who was answered together may come back together, a moment after the first; who comes alone does not wait."""
        if len(self._waiting) < self._answered and self._answered >= CROWD:
            self._crowd.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_SECONDS):
                    await self._crowd.wait()

    async def _write_together(self, group: list[Change]) -> list[Change]:
        """Write what can be written together; returns the changes that have to be made alone."""
        steps = [step for change in group for step in change.steps if not step.adds]
        recent = {step.place: self._recent[step.place] for step in steps if step.place in self._recent}
        try:
            documents = await self._load([step for step in steps if step.place not in recent])
        except PyMongoError as error:
            _fail(group, error)
            return []
        together, alone = decide_together(group, documents, recent)
        for change in together:
            if not change.is_kept:
                self._begin(self._write_plain(change))
        together = [change for change in together if change.is_kept]
        try:
            await self._write(together, patience=0)
        except _Known:
            return alone + await self._known_ones(together)
        except Exception as error:  # noqa: BLE001 -- whose fault it was, each finds out alone
            if not isinstance(error, Undecided):
                return alone + together
            _fail(together, error)
        else:
            for change in together:
                self._is_written(change)
        return alone

    async def _known_ones(self, group: list[Change]) -> list[Change]:
        """Those that have had their effect already, as events have that come again; the others wait once more."""
        wanted = {"_id": {"$in": [change.cause.once for change in group if change.cause.once]}}
        try:
            known = {one["_id"] for one in await self.database[CAUSES].find(wanted, {"_id": 1}).to_list(None)}
        except PyMongoError:
            return group
        if known:
            self._waiting[:0] = [change for change in group if change.cause.once not in known]
        return [change for change in group if not known or change.cause.once in known]

    async def _write_plain(self, change: Change) -> None:
        try:
            await _save(self.database, change.changed, None)
        except Exception:  # noqa: BLE001 -- as above
            await self._write_alone(change)
        else:
            self._is_written(change)

    async def _write_alone(self, change: Change) -> None:
        try:
            async with AsyncExitStack() as turns:
                for id in sorted({step.id for step in change.steps if not step.adds}):
                    await turns.enter_async_context(self._turns.of(id))
                await self._until_written(change)
        except BaseException as error:  # noqa: BLE001 -- whoever waits raises it
            change.fail(error)

    async def _until_written(self, change: Change) -> None:
        for _ in range(CONFLICTS):
            documents = await self._load(change.steps)
            admit(change, documents)
            try:
                change.writes = decide(change, documents)
                await self._write([change])
            except _Conflict:
                await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 -- only keeps rivals apart
            except (_Known, Refused, Stale):
                # The twin of this request may have changed things since it was checked: then its answer is ours.
                if (answer := await self._answer(change)) is None:
                    raise
                change.succeed(answer)
                return
            else:
                self._is_written(change)
                return
        ids = ", ".join(step.id for step in change.steps)
        raise Stale(f"{ids} changed {CONFLICTS} times meanwhile; try again")

    def _is_written(self, change: Change) -> None:
        """Tell who waits, and remember what may be changed again soon."""
        for step, write in zip(change.steps, change.writes, strict=True):
            if step.repository.remembers:
                self._recent.pop(step.place, None)
                self._recent[step.place] = write.document
        while len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]
        change.answer()

    async def _load(self, steps: Sequence[Step[Any]]) -> dict[Place, Document]:
        """The documents that steps begin with, in one round trip per collection."""
        wanted: dict[str, set[str]] = {}
        for step in steps:
            if not step.adds:
                wanted.setdefault(step.repository.collection, set()).add(step.id)
        found: dict[Place, Document] = {}
        for collection, ids in wanted.items():
            documents = self.database[collection].find({"_id": {"$in": sorted(ids)}})
            found |= {(collection, one["_id"]): one for one in await documents.to_list(None)}
        return found

    async def _write(self, changes: Sequence[Change], patience: float | None = None) -> None:
        """Write changes in one transaction, if they need one."""
        writes = merged([write for one in changes for write in one.changed])
        if not any(one.is_kept for one in changes):
            await _save(self.database, writes, None)
            return
        causes = [known for one in changes if (known := remembered(one))]
        rows = [row for one in changes for row in one.rows]

        async def write(session: Session) -> None:
            if causes:
                await self._remember(causes, session)
            await _save(self.database, writes, session)
            if rows:
                await _insert(self.database["events"], rows, session)

        await self.database.transaction(write, patience)
        if rows:
            self.on_commit(rows)

    async def _remember(self, causes: list[Document], session: Session) -> None:
        try:
            await _insert(self.database[CAUSES], causes, session)
        except (BulkWriteError, DuplicateKeyError) as error:
            if clashing_values(error) is None:
                raise
            raise _Known from error

    async def _answer(self, change: Change) -> list[Any] | None:
        cause = change.cause
        known = await self.database[CAUSES].find_one({"_id": cause.once}) if cause.once else None
        if known is None:
            return None
        if known.get("digest", "") != cause.digest:
            raise KeyReused("this Idempotency-Key was used for another request; choose a new one for each request")
        return [step.repository.state(one) for step, one in zip(change.steps, known.get("answer", ()), strict=False)]


def _fail(changes: Sequence[Change], error: Exception) -> None:
    for change in changes:
        change.fail(error)


async def _insert(collection: Collection, documents: list[Document], session: Session) -> None:
    """Insert documents; for a single one the driver has a shorter way."""
    if len(documents) == 1:
        await collection.insert_one(documents[0], session=session)
    else:
        await collection.insert_many(documents, session=session)


async def _save(database: Database, writes: Sequence[Write], session: Session | None) -> None:
    """Write what has changed of each document, if it still has the version that was decided on."""
    places: dict[str, list[Write]] = {}
    for write in writes:
        places.setdefault(write.collection, []).append(write)
    for collection, batch in places.items():
        try:
            written = await _write_all(database[collection], batch, session)
        except (BulkWriteError, DuplicateKeyError) as error:
            if (values := clashing_values(error)) is None:
                raise
            if any(write.document["_id"] == values.get("_id") and not write.adds for write in writes):
                raise _Conflict from error
            raise Taken(f"{', '.join(values.values())} exists already in {collection}", values) from error
        if written != len(batch):
            raise _Conflict


async def _write_all(collection: Collection, batch: Sequence[Write], session: Session | None) -> int:
    """Write documents of one collection; returns how many had the version that was decided on."""
    if len(batch) > 1:
        result = await collection.bulk_write([_operation(write) for write in batch], session=session)
        return result.inserted_count + result.matched_count
    if not batch[0].before:
        await collection.insert_one(batch[0].document, session=session)
        return 1
    updated = await collection.update_one(_place(batch[0]), batch[0].difference, session=session)
    return updated.matched_count


def _operation(write: Write) -> InsertOne[Document] | UpdateOne:
    return UpdateOne(_place(write), write.difference) if write.before else InsertOne(write.document)


def _place(write: Write) -> Document:
    """What only the document that was decided on has."""
    assert write.before
    return {"_id": write.document["_id"], "version": write.before["version"]}
