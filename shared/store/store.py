"""The writing side of a service's database. The plain path is here: load, decide, write in one transaction.

Concurrent units of work are committed together where that is possible (`group_commit`); what is not, takes this path.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from shared.kernel.cause import Cause
from shared.kernel.errors import KeyReused, Refused, Stale, Taken
from shared.store.group_commit import AlreadyDone, GroupCommit
from shared.store.locks import KeyedLocks
from shared.store.mongo import Collection, Database, Document, Session, clashing_values
from shared.store.unit_of_work import Change, Place, UnitOfWork, Write, merged

CAUSES = "causes"
"""The collection of causes that have taken effect: idempotency keys with their answers, ids of events."""

CONFLICTS = 100
"""Number of retries of a conflicting unit of work before it is given up as stale."""


class _Conflict(Exception):  # noqa: N818 -- never leaves this module
    """Another change of the same aggregate was committed first."""


class Store:
    """Commits units of work: state, events and cause together, or nothing."""

    def __init__(self, database: Database, on_commit: Callable[[list[Document]], None] = lambda _: None) -> None:
        self.database = database
        self.on_commit = on_commit
        self._group = GroupCommit(self)
        # Changes of one aggregate that are made alone take turns, so they do not conflict in the database.
        self._locks = KeyedLocks()

    async def commit(self, cause: Cause, *changes: Change[Any]) -> list[Any]:
        """Decide and write all changes in one transaction, or none of them; returns the states after it.

        The same `cause.once` has no second effect: a request gets the same states again, an event gets none. Without
        events and without a key there is nothing to keep together: each change stands alone.
        Raises what the rules refuse, NotFound, Taken for a duplicate of something unique, Stale after CONFLICTS lost
        races, and KeyReused.
        """
        unit = UnitOfWork(cause, changes)
        self._group.join(unit)
        return await unit.done

    async def commit_alone(self, unit: UnitOfWork) -> None:
        """Commit a unit of work alone and answer its caller; never raises."""
        try:
            async with AsyncExitStack() as locks:
                for id in sorted({change.id for change in unit.changes if not change.adds}):
                    await locks.enter_async_context(self._locks.of(id))
                await self._commit_until_decided(unit)
        except BaseException as error:  # noqa: BLE001 -- the caller raises it
            unit.fail(error)

    async def _commit_until_decided(self, unit: UnitOfWork) -> None:
        for _ in range(CONFLICTS):
            documents = await self.load(unit.changes)
            unit.admit(documents)
            try:
                unit.decide(documents)
                await self.write([unit])
            except _Conflict:
                await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 -- only keeps rivals apart
            except (AlreadyDone, Refused, Stale):
                # The same request may have been committed since it was checked: then its answer is the answer.
                if (answer := await self._answer(unit)) is None:
                    raise
                unit.succeed(answer)
                return
            else:
                self._group.remember(unit)
                unit.answer()
                return
        ids = ", ".join(change.id for change in unit.changes)
        raise Stale(f"{ids} changed {CONFLICTS} times meanwhile; try again")

    async def load(self, changes: Sequence[Change[Any]]) -> dict[Place, Document]:
        """The documents that changes start from, in one round trip per collection."""
        wanted: dict[str, set[str]] = {}
        for change in changes:
            if not change.adds:
                wanted.setdefault(change.repository.collection, set()).add(change.id)
        found: dict[Place, Document] = {}
        for collection, ids in wanted.items():
            documents = self.database[collection].find({"_id": {"$in": sorted(ids)}})
            found |= {(collection, document["_id"]): document for document in await documents.to_list(None)}
        return found

    async def write(self, units: Sequence[UnitOfWork], patience: float | None = None) -> None:
        """Write decided units of work, in one transaction if one of them needs it."""
        writes = merged([write for unit in units for write in unit.changed])
        if not any(unit.needs_transaction for unit in units):
            await _save(self.database, writes, None)
            return
        causes = [cause for unit in units if (cause := unit.idempotency())]
        rows = [row for unit in units for row in unit.rows]

        async def write(session: Session) -> None:
            if causes:
                await self._insert_causes(causes, session)
            await _save(self.database, writes, session)
            if rows:
                await _insert(self.database["events"], rows, session)

        await self.database.transaction(write, patience)
        if rows:
            self.on_commit(rows)

    async def done_already(self, units: Sequence[UnitOfWork]) -> set[str]:
        """The idempotency keys among these units that have taken effect already."""
        wanted = {"_id": {"$in": [unit.cause.once for unit in units if unit.cause.once]}}
        return {cause["_id"] for cause in await self.database[CAUSES].find(wanted, {"_id": 1}).to_list(None)}

    async def _insert_causes(self, causes: list[Document], session: Session) -> None:
        try:
            await _insert(self.database[CAUSES], causes, session)
        except (BulkWriteError, DuplicateKeyError) as error:
            if clashing_values(error) is None:
                raise
            raise AlreadyDone from error

    async def _answer(self, unit: UnitOfWork) -> list[Any] | None:
        """The answer that the cause got the first time; None if it has not taken effect."""
        cause = unit.cause
        known = await self.database[CAUSES].find_one({"_id": cause.once}) if cause.once else None
        if known is None:
            return None
        if known.get("digest", "") != cause.digest:
            raise KeyReused("this Idempotency-Key was used for another request; choose a new one for each request")
        answers = zip(unit.changes, known.get("answer", ()), strict=False)
        return [change.repository.state(document) for change, document in answers]


async def _insert(collection: Collection, documents: list[Document], session: Session) -> None:
    """Insert documents; the driver has a shorter way for a single one."""
    if len(documents) == 1:
        await collection.insert_one(documents[0], session=session)
    else:
        await collection.insert_many(documents, session=session)


async def _save(database: Database, writes: Sequence[Write], session: Session | None) -> None:
    """Write the differences of documents that still have the version that was decided on."""
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
    updated = await collection.update_one(_version_of(batch[0]), batch[0].difference, session=session)
    return updated.matched_count


def _operation(write: Write) -> InsertOne[Document] | UpdateOne:
    return UpdateOne(_version_of(write), write.difference) if write.before else InsertOne(write.document)


def _version_of(write: Write) -> Document:
    """A filter that only the document that was decided on matches."""
    assert write.before
    return {"_id": write.document["_id"], "version": write.before["version"]}
