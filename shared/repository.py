"""How state changes: load, decide, then save the state and its events in one transaction."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeAlias, TypeVar
from weakref import WeakValueDictionary

import msgspec
from pymongo import InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from shared.cause import Cause
from shared.errors import KeyReused, NotFound, Refused, Stale, Taken
from shared.events import Event
from shared.mongo import Database, Document, Session, clashing_values
from shared.outbox import event_rows

S = TypeVar("S")

Decision: TypeAlias = tuple[S, Sequence[Event]]

CAUSES = "causes"
"""Collection of what has had its effect: keys of requests with the answer, ids of events (the inbox)."""

ANSWERS_KEPT = timedelta(days=30)
"""For how long the same Idempotency-Key gets the same answer."""

CONFLICTS = 100
"""How often a change is decided again because another one came first, before it is given up as stale."""


@dataclass(frozen=True)
class Index:
    """An index over fields of a collection, made by the set-up step; a unique one lets a second value raise Taken."""

    fields: tuple[str, ...]
    unique: bool = False
    where: Mapping[str, Any] | None = None
    """Only documents that match are in the index."""


class _Conflict(Exception):  # noqa: N818 -- never leaves this module
    """Another change of the same aggregate was quicker."""


class _Known(Exception):  # noqa: N818 -- never leaves this module
    """This cause has had its effect already."""


@dataclass(frozen=True)
class Step(Generic[S]):
    """One intended change of one aggregate."""

    repository: "Repository[S]"
    id: str
    decide: Callable[[S], Decision[S]]
    new: S | None = None
    """What `decide` begins with where nothing is stored; None if there must be something."""
    adds: bool = False
    """There must be nothing yet."""
    expected: int | None = None


@dataclass(frozen=True)
class _Write:
    collection: str
    document: Document
    replaces: int
    """The version that it replaces; 0 for a new document."""
    rows: list[Document]
    """Its events."""
    adds: bool = False
    """There must be nothing yet."""


class Store:
    """The writing side of one service's database: every change passes through `commit`."""

    def __init__(self, database: Database, on_commit: Callable[[], None] = lambda: None) -> None:
        self.database = database
        self.on_commit = on_commit
        # Changes of one aggregate take turns in this process, so that they need not meet in the database.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def commit(self, cause: Cause, *steps: Step[Any]) -> list[Any]:
        """Decide and write all steps in one transaction, or none of them; returns the states after it.

        A second time the same `cause.once` changes nothing: a request gets the same states again, an event nothing.
        Without events, and without a cause that acts once, there is nothing to keep together: each step stands alone.
        Raises what the rules refuse, NotFound, Taken where something may exist only once, Stale after CONFLICTS lost
        races, KeyReused.
        """
        async with AsyncExitStack() as turns:
            for id in sorted({step.id for step in steps if not step.adds}):
                await turns.enter_async_context(self._turns.setdefault(id, asyncio.Lock()))
            return await self._commit(cause, steps)

    async def _commit(self, cause: Cause, steps: Sequence[Step[Any]]) -> list[Any]:
        for _ in range(CONFLICTS):
            try:
                stored = await self._load(steps)
                writes = [step.repository.decide(step, one, cause) for step, one in zip(steps, stored, strict=True)]
                await self._write(writes, cause)
            except _Conflict:
                await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 -- only keeps rivals apart
            except (_Known, Refused, Stale):
                # The twin of this request may have changed things since it was checked: then its answer is ours.
                if (answer := await self._answer(cause, steps)) is not None:
                    return answer
                raise
            else:
                if any(write.rows for write in writes):
                    self.on_commit()
                return [step.repository.state(write.document) for step, write in zip(steps, writes, strict=True)]
        raise Stale(f"{', '.join(step.id for step in steps)} changed {CONFLICTS} times meanwhile; try again")

    async def _load(self, steps: Sequence[Step[Any]]) -> list[Document | None]:
        """The documents that the steps begin with, in one round trip per collection."""
        wanted: dict[str, list[str]] = {}
        for step in steps:
            if not step.adds:
                wanted.setdefault(step.repository.collection, []).append(step.id)
        found: dict[tuple[str, str], Document] = {}
        for collection, ids in wanted.items():
            documents = self.database[collection].find({"_id": {"$in": ids}})
            found |= {(collection, one["_id"]): one for one in await documents.to_list(None)}
        return [found.get((step.repository.collection, step.id)) for step in steps]

    async def _write(self, writes: list[_Write], cause: Cause) -> None:
        changed = [write for write in writes if write.document["version"] != write.replaces]
        if not changed and not cause.once:
            return
        if not cause.once and not any(write.rows for write in changed):
            await _save(self.database, changed, None)
            return

        async def write(session: Session) -> None:
            if cause.once:
                await self._remember(cause, writes, session)
            await _save(self.database, changed, session)
            if rows := [row for write in changed for row in write.rows]:
                await self.database["events"].insert_many(rows, session=session)

        await self.database.transaction(write)

    async def _remember(self, cause: Cause, writes: list[_Write], session: Session) -> None:
        known: Document = {"_id": cause.once, "at": cause.at}
        if cause.digest:
            known |= {
                "digest": cause.digest,
                "answer": [write.document for write in writes],
                "expires_at": datetime.now(cause.at.tzinfo) + ANSWERS_KEPT,
            }
        try:
            await self.database[CAUSES].insert_one(known, session=session)
        except DuplicateKeyError as error:
            raise _Known from error

    async def _answer(self, cause: Cause, steps: Sequence[Step[Any]]) -> list[Any] | None:
        known = await self.database[CAUSES].find_one({"_id": cause.once}) if cause.once else None
        if known is None:
            return None
        if known.get("digest", "") != cause.digest:
            raise KeyReused("this Idempotency-Key was used for another request; choose a new one for each request")
        return [step.repository.state(one) for step, one in zip(steps, known.get("answer", ()), strict=False)]


async def _save(database: Database, writes: list[_Write], session: Session | None) -> None:
    """Write each document if it still has the version that was decided on."""
    operations: dict[str, list[InsertOne[Document] | ReplaceOne[Document]]] = {}
    for write in writes:
        operations.setdefault(write.collection, []).append(
            ReplaceOne({"_id": write.document["_id"], "version": write.replaces}, write.document)
            if write.replaces
            else InsertOne(write.document),
        )
    for collection, batch in operations.items():
        try:
            result = await database[collection].bulk_write(batch, session=session)
        except BulkWriteError as error:
            if (values := clashing_values(error)) is None:
                raise
            if any(write.document["_id"] == values.get("_id") and not write.adds for write in writes):
                raise _Conflict from error
            raise Taken(f"{', '.join(values.values())} exists already in {collection}", values) from error
        if result.inserted_count + result.matched_count != len(batch):
            raise _Conflict


@dataclass(frozen=True)
class Page(Generic[S]):
    """A part of a list, and the cursor of the next part; None at the end."""

    items: list[S]
    next: str | None


class Repository(Generic[S]):
    """The aggregates of one kind: frozen dataclasses, each a document of one collection with a version.

    `key` names the field that holds the id; `indexes` are made by the set-up step.
    """

    def __init__(
        self, store: Store, collection: str, kind: type[S], *, key: str = "id", indexes: Sequence[Index] = ()
    ) -> None:
        # Of a dataclass without slots, msgspec leaves out fields that were missing when it was read.
        assert hasattr(kind, "__slots__"), f"{kind.__name__} needs slots=True"
        self.store, self.collection, self.kind, self.key, self.indexes = store, collection, kind, key, indexes

    async def get(self, id: str) -> S:
        """The state as it is stored; raises NotFound."""
        return self.state(await self.load(id))

    async def versioned(self, id: str) -> tuple[S, int]:
        """The state and its version, for an ETag; raises NotFound."""
        document = await self.load(id)
        return self.state(document), document["version"]

    async def page(self, where: Mapping[str, Any], *, after: str | None, limit: int) -> Page[S]:
        """At most `limit` aggregates in the order of their ids, from the one after `after`."""
        beyond = {"_id": {"$gt": after}} if after else {}
        found = self.store.database[self.collection].find({"$and": [where, beyond]}).sort("_id").limit(limit + 1)
        documents = await found.to_list(limit + 1)
        more = len(documents) > limit
        return Page([self.state(one) for one in documents[:limit]], documents[limit - 1]["_id"] if more else None)

    async def all(self, where: Mapping[str, Any], *, order: str = "_id", limit: int = 0) -> list[S]:
        """Aggregates that match, in the order of a field, all of them or a first few; for what is few by its nature."""
        found = self.store.database[self.collection].find(where).sort(order).limit(limit)
        return [self.state(document) for document in await found.to_list(None)]

    async def ids(self, where: Mapping[str, Any], *, limit: int = 0) -> list[str]:
        """The ids of aggregates that match, in their order, all of them or the first few."""
        found = self.store.database[self.collection].find(where, {"_id": 1}).sort("_id").limit(limit)
        return [document["_id"] for document in await found.to_list(None)]

    async def add(self, state: S, events: Sequence[Event], cause: Cause) -> S:
        """Store a new aggregate and its events; raises Taken when its id or a unique value exists already."""
        added = await self.store.commit(cause, self.adding(state, events))
        return self.kind_of(added[0]) if added else state

    async def change(
        self, id: str, decide: Callable[[S], Decision[S]], cause: Cause, *, expected: int | None = None
    ) -> S:
        """Load, decide, save the state and its events; decide again when another change came first.

        `expected` is the version that whoever asks has seen; raises Stale when it is another one by now, NotFound,
        and whatever the rule refuses.
        """
        changed = await self.store.commit(cause, self.changing(id, decide, expected=expected))
        return self.kind_of(changed[0]) if changed else await self.get(id)

    def adding(self, state: S, events: Sequence[Event] = ()) -> Step[S]:
        """The step that stores a new aggregate, for `Store.commit`."""
        return Step(self, getattr(state, self.key), lambda _: (state, events), new=state, adds=True)

    def changing(
        self, id: str, decide: Callable[[S], Decision[S]], *, expected: int | None = None, new: S | None = None
    ) -> Step[S]:
        """The step that changes an aggregate, for `Store.commit`; one that begins as `new` where there is none yet."""
        return Step(self, id, decide, new=new, expected=expected)

    def putting(self, state: S, events: Sequence[Event] = ()) -> Step[S]:
        """The step that stores an aggregate whether there was one before or not, for `Store.commit`."""
        return Step(self, getattr(state, self.key), lambda _: (state, events), new=state)

    def kind_of(self, state: Any) -> S:
        """The state, known to be of this repository's kind."""
        assert isinstance(state, self.kind)
        return state

    def state(self, document: Document) -> S:
        """The aggregate in a document."""
        return msgspec.convert({**document, self.key: document["_id"]}, self.kind)

    async def load(self, id: str) -> Document:
        """The document of an aggregate; raises NotFound."""
        document = await self.store.database[self.collection].find_one({"_id": id})
        return self._required(document, id)

    def decide(self, step: Step[S], stored: Document | None, cause: Cause) -> _Write:
        """Let the rule decide on what is stored."""
        before = stored or {"_id": step.id, "version": 0, "head": "", "chain": ""}
        version: int = before["version"]
        if step.expected is not None and step.expected != version:
            raise Stale(f"{step.id} has version {version} by now, not {step.expected}; read it again and decide anew")
        old = step.new if step.new is not None and not stored else self.state(self._required(stored, step.id))
        new, events = step.decide(old)
        if stored and new == old and not events:
            return _Write(self.collection, stored, version, [])
        rows = event_rows(events, step.id, before=before, cause=cause)
        after = self.plain(new) | {
            "_id": step.id,
            "version": rows[-1]["version"] if rows else version + 1,
            "head": rows[-1]["_id"] if rows else before["head"],
            "chain": rows[-1]["hash"] if rows else before["chain"],
        }
        return _Write(self.collection, after, version, rows, step.adds)

    def _required(self, document: Document | None, id: str) -> Document:
        if document is None:
            raise NotFound(f"there is no {self.kind.__name__.lower()} {id}")
        return document

    def plain(self, state: S) -> Document:
        """The fields of an aggregate as they are stored, without its id."""
        plain: Document = msgspec.to_builtins(state, builtin_types=(datetime,))
        del plain[self.key]
        return plain
