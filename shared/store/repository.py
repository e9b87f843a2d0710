"""Repositories: the aggregates of one kind, and the one way to change them: load, decide, save state and events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from shared.kernel.cause import Cause
from shared.kernel.decision import Decision, Evolve
from shared.kernel.errors import NotFound, Stale
from shared.kernel.event import Event
from shared.store.mongo import Document
from shared.store.rows import event_rows
from shared.store.store import Store
from shared.store.unit_of_work import Change, Write

S = TypeVar("S")


@dataclass(frozen=True)
class Index:
    """An index over fields of a collection, created by the set-up step; a duplicate in a unique one raises Taken."""

    fields: tuple[str, ...]
    unique: bool = False
    where: Mapping[str, Any] | None = None
    """Only matching documents are indexed."""


@dataclass(frozen=True)
class Page(Generic[S]):
    """A page of a list, and the cursor of the next page; None at the end."""

    items: list[S]
    next: str | None


class Repository(Generic[S]):
    """The aggregates of one kind: frozen dataclasses, each a document of one collection with a version.

    `key` names the field that holds the id. `evolve` is the table of its events; aggregates without events have none. A
    repository that `remembers` decides on the documents that this process has written last without reading them again:
    for aggregates that the same process changes soon after.
    """

    def __init__(
        self,
        store: Store,
        collection: str,
        kind: type[S],
        *,
        key: str = "id",
        indexes: Sequence[Index] = (),
        guard: Callable[[S], object] | None = None,
        remembers: bool = False,
        evolve: Evolve[S] | None = None,
    ) -> None:
        # msgspec leaves out fields of a dataclass without slots that were missing when it was read.
        assert hasattr(kind, "__slots__"), f"{kind.__name__} needs slots=True"
        self.store, self.collection, self.kind, self.key, self.indexes = store, collection, kind, key, indexes
        self.guard, self.remembers, self.evolve = guard, remembers, evolve

    def guarded(self, guard: Callable[[S], object]) -> "Repository[S]":
        """The same aggregates for a caller with limited rights: `guard` refuses a state that is off limits.

        It is asked about the very state that is read, or that a change decides on, so no one has to read it first.
        """
        return type(self)(
            self.store, self.collection, self.kind,
            key=self.key, indexes=self.indexes, guard=guard, remembers=self.remembers, evolve=self.evolve,
        )  # fmt: skip

    async def get(self, id: str) -> S:
        """The stored state; raises NotFound and refusals of the guard."""
        return (await self.versioned(id))[0]

    async def versioned(self, id: str) -> tuple[S, int]:
        """The stored state and its version, for an ETag; raises as `get` does."""
        document = await self.load(id)
        return self.permitted(document), document["version"]

    async def page(self, where: Mapping[str, Any], *, after: str | None, limit: int) -> Page[S]:
        """Up to `limit` aggregates sorted by id, starting after `after`."""
        beyond = {"_id": {"$gt": after}} if after else {}
        found = self.store.database[self.collection].find({"$and": [where, beyond]}).sort("_id").limit(limit + 1)
        documents = await found.to_list(limit + 1)
        more = len(documents) > limit
        return Page(
            [self.state(document) for document in documents[:limit]], documents[limit - 1]["_id"] if more else None
        )

    async def all(self, where: Mapping[str, Any], *, order: str = "_id", limit: int = 0) -> list[S]:
        """The matching aggregates sorted by a field, all or the first few; for collections that stay small."""
        found = self.store.database[self.collection].find(where).sort(order).limit(limit)
        return [self.state(document) for document in await found.to_list(None)]

    async def ids(self, where: Mapping[str, Any], *, limit: int = 0) -> list[str]:
        """The sorted ids of matching aggregates, all or the first few."""
        found = self.store.database[self.collection].find(where, {"_id": 1}).sort("_id").limit(limit)
        return [document["_id"] for document in await found.to_list(None)]

    async def add(self, state: S, events: Sequence[Event], cause: Cause) -> S:
        """Store a new aggregate and its events; raises Taken if its id or a unique value exists already."""
        added = await self.store.commit(cause, self.adding(state, events))
        return self.kind_of(added[0]) if added else state

    async def change(
        self, id: str, decide: Callable[[S], Decision[S]], cause: Cause, *, expected: int | None = None
    ) -> S:
        """Load, decide, save the state and its events; decide again if another change was committed first.

        Raises Stale if the version is no longer `expected`, NotFound, and whatever the rule or the guard refuses.
        """
        changed = await self.store.commit(cause, self.changing(id, decide, expected=expected))
        return self.kind_of(changed[0]) if changed else await self.get(id)

    def adding(self, state: S, events: Sequence[Event] = ()) -> Change[S]:
        """A change that stores a new aggregate, for `Store.commit`."""
        return Change(self, getattr(state, self.key), lambda _: (state, [*events]), new=state, adds=True)

    def changing(
        self, id: str, decide: Callable[[S], Decision[S]], *, expected: int | None = None, new: S | None = None
    ) -> Change[S]:
        """A change of an aggregate, for `Store.commit`; it starts from `new` if none is stored."""
        return Change(self, id, decide, new=new, expected=expected)

    def putting(self, state: S, events: Sequence[Event] = ()) -> Change[S]:
        """Create a change that inserts or replaces an aggregate, for `Store.commit`."""
        return Change(self, getattr(state, self.key), lambda _: (state, [*events]), new=state)

    def kind_of(self, state: Any) -> S:
        """The state, checked to be of this repository's kind."""
        assert isinstance(state, self.kind)
        return state

    def state(self, document: Document) -> S:
        """The aggregate in a document."""
        return msgspec.convert({**document, self.key: document["_id"]}, self.kind)

    def permitted(self, document: Document) -> S:
        """The aggregate in a document; raises refusals of the guard."""
        state = self.state(document)
        if self.guard:
            self.guard(state)
        return state

    async def load(self, id: str) -> Document:
        """The document of an aggregate; raises NotFound."""
        document = await self.store.database[self.collection].find_one({"_id": id})
        return self._required(document, id)

    def decide(self, change: Change[S], stored: Document | None, cause: Cause) -> Write:
        """Apply the rule to the stored document; raises Stale, NotFound, and refusals of rule and guard."""
        before = stored or {"_id": change.id, "version": 0, "head": "", "chain": ""}
        version: int = before["version"]
        if change.expected is not None and change.expected != version:
            raise Stale(
                f"{change.id} has version {version} by now, not {change.expected}; read it again and decide anew"
            )
        old = self.admit(change, stored)
        new, events = change.decide(old)
        if stored and new == old and not events:
            return Write(self.collection, stored, stored, [])
        rows = event_rows(events, change.id, before=before, cause=cause)
        after = self.plain(new) | {
            "_id": change.id,
            "version": rows[-1]["version"] if rows else version + 1,
            "head": rows[-1]["_id"] if rows else before["head"],
            "chain": rows[-1]["hash"] if rows else before["chain"],
        }
        return Write(self.collection, after, stored, rows, change.adds)

    def admit(self, change: Change[S], stored: Document | None) -> S:
        """The state that a change starts from; raises NotFound and refusals of the guard."""
        if change.new is None or stored:
            return self.permitted(self._required(stored, change.id))
        if self.guard:
            self.guard(change.new)
        return change.new

    def _required(self, document: Document | None, id: str) -> Document:
        if document is None:
            raise NotFound.of(self.kind.__name__.lower(), id)
        return document

    def plain(self, state: S) -> Document:
        """The stored fields of an aggregate, without its id."""
        plain: Document = msgspec.to_builtins(state, builtin_types=(datetime,))
        del plain[self.key]
        return plain
