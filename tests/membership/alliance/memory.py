"""Dictionaries in place of MongoDB."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar, cast

from services.membership.domain.term import ACTIVE
from shared.kernel.cause import Cause
from shared.kernel.errors import Taken
from shared.store.mongo import Document
from shared.store.repository import Index, Repository
from shared.store.store import Store
from shared.store.unit_of_work import Change
from tests.queries import matches

S = TypeVar("S")
T = TypeVar("T")

ONE_ACTIVE = Index(("covered",), unique=True, where={"stage": {"$in": list(ACTIVE)}})
"""At most one active agreement per municipality, as app.py has it guarded."""


class Interrupted(Exception):  # noqa: N818 -- says what happens
    """The process ends in the middle of a reaction."""


def run(awaited: Awaitable[T]) -> T:
    """What comes of it; with dictionaries nothing has to wait for anything."""
    try:
        awaited.__await__().send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waits for something")


class Memory(Store):
    """The writing side of a database that is a dictionary; `tell` gets each row of events."""

    def __init__(self, tell: Callable[[Document], None]) -> None:
        self.documents: dict[str, dict[str, Document]] = defaultdict(dict)
        self.interrupted_after: int | None = None
        """So many more commits succeed; None for all."""
        self._known: set[str] = set()
        self._tell = tell

    async def commit(self, cause: Cause, *changes: Change[Any]) -> list[Any]:
        """Decide and write all changes, or none of them; the same `cause.once` changes nothing a second time."""
        if self.interrupted_after == 0:
            raise Interrupted
        if self.interrupted_after:
            self.interrupted_after -= 1
        if cause.once in self._known:
            return []
        writes = [change.repository.decide(change, self._stored(change), cause) for change in changes]
        for change, write in zip(changes, writes, strict=True):
            self._refuse_second(cast("Repository[Any]", change.repository), write.document)
        self._known |= {cause.once} if cause.once else set()
        for write in writes:
            self.documents[write.collection][write.document["_id"]] = write.document
            for row in write.rows:
                self._tell(row)
        return [change.repository.state(write.document) for change, write in zip(changes, writes, strict=True)]

    def _stored(self, change: Change[Any]) -> Document | None:
        return None if change.adds else self.documents[change.repository.collection].get(change.id)

    def _refuse_second(self, repository: Repository[Any], document: Document) -> None:
        others = [one for one in self.documents[repository.collection].values() if one["_id"] != document["_id"]]
        for index in (one for one in repository.indexes if one.unique):
            where, [field] = index.where or {}, index.fields
            taken = {value for one in others if matches(one, where) for value in _listed(one[field])}
            if matches(document, where) and (clash := taken & set(_listed(document[field]))):
                raise Taken(f"{min(clash)} exists already", {field: min(clash)})


class Kept(Repository[S]):
    """The aggregates of one kind, in a dictionary."""

    store: Memory

    async def load(self, id: str) -> Document:
        return self._required(self.store.documents[self.collection].get(id), id)

    async def all(self, where: Mapping[str, Any], *, order: str = "_id", limit: int = 0) -> list[S]:
        found = [one for one in self.store.documents[self.collection].values() if matches(one, where)]
        return [self.state(one) for one in islice(sorted(found, key=lambda one: one[order]), limit or None)]

    async def ids(self, where: Mapping[str, Any], *, limit: int = 0) -> list[str]:
        found = sorted(id for id, one in self.store.documents[self.collection].items() if matches(one, where))
        return found[: limit or None]


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]
