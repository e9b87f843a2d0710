"""Units of work: the intended changes of a cause, and the rules' decisions on them. Nothing here talks to a server."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from shared.kernel.cause import Cause
from shared.kernel.decision import Decision
from shared.store.mongo import Document

S = TypeVar("S")

Place: TypeAlias = tuple[str, str]
"""Collection and id."""
Documents: TypeAlias = Mapping[Place, Document]

ANSWERS_KEPT = timedelta(days=30)
"""Time for which a repeated Idempotency-Key gets the same answer."""


class Aggregates(Protocol):
    """The part of a repository that a unit of work needs."""

    collection: str
    remembers: bool

    def admit(self, change: "Change[Any]", stored: Document | None) -> object:
        """Return the state that a change starts from; raises NotFound and refusals of the guard."""

    def decide(self, change: "Change[Any]", stored: Document | None, cause: Cause) -> "Write":
        """Apply the rule to the stored document; raises its refusals."""

    def state(self, document: Document) -> Any:
        """Return the aggregate in a document."""


@dataclass(frozen=True)
class Change(Generic[S]):
    """One intended change of one aggregate."""

    repository: Aggregates
    id: str
    decide: Callable[[S], Decision[S]]
    new: S | None = None
    """The state to start from if nothing is stored; None if something must be."""
    adds: bool = False
    """Nothing may be stored yet."""
    expected: int | None = None
    """The version that the author of the change has seen; None for any."""

    @property
    def place(self) -> Place:
        """The place of its aggregate in the database."""
        return self.repository.collection, self.id


@dataclass(frozen=True)
class Write:
    """The outcome of a change: the document to store, and its events."""

    collection: str
    document: Document
    before: Document | None
    """The document that was decided on; None if nothing is stored yet."""
    rows: list[Document]
    """Its events."""
    adds: bool = False
    """Nothing may be stored yet."""

    @property
    def place(self) -> Place:
        """Its place in the database."""
        return self.collection, self.document["_id"]

    @property
    def changes(self) -> bool:
        """There is something to write."""
        return self.before is None or bool(self.document["version"] != self.before["version"])

    @property
    def difference(self) -> Document:
        """The update from the stored document to the new one: only whole fields that differ."""
        before, after = self.before or {}, self.document
        update = {"$set": {name: after[name] for name in after if name not in before or after[name] != before[name]}}
        gone = {name: "" for name in before if name not in after}
        return update | {"$unset": gone} if gone else update


@dataclass(eq=False)
class UnitOfWork:
    """One cause and its changes, committed together or not at all; its caller waits for `done`."""

    cause: Cause
    changes: Sequence[Change[Any]]
    done: "asyncio.Future[list[Any]]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    writes: list[Write] = field(default_factory=list)

    @property
    def rows(self) -> list[Document]:
        """All its events."""
        return [row for write in self.writes for row in write.rows]

    @property
    def changed(self) -> list[Write]:
        """The writes that have something to write."""
        return [write for write in self.writes if write.changes]

    @property
    def needs_transaction(self) -> bool:
        """It has an idempotency key or events, and not documents alone."""
        return bool(self.cause.once or self.rows)

    def admit(self, documents: Documents) -> None:
        """Raise refusals of the guards; checked first, so that nobody gets a stored answer after losing the right."""
        for change in self.changes:
            change.repository.admit(change, _stored(change, documents))

    def decide(self, documents: Documents) -> None:
        """Apply the rules to the stored documents; raises their refusals."""
        self.writes = [
            change.repository.decide(change, _stored(change, documents), self.cause) for change in self.changes
        ]

    def idempotency(self) -> Document | None:
        """The document that makes the cause idempotent; None if the cause has no key."""
        cause = self.cause
        if not cause.once:
            return None
        document: Document = {"_id": cause.once, "at": cause.at}
        if cause.digest:
            document |= {
                "digest": cause.digest,
                "answer": [write.document for write in self.writes],
                "expires_at": datetime.now(cause.at.tzinfo) + ANSWERS_KEPT,
            }
        return document

    def answer(self) -> None:
        """Return the states after the changes to the caller."""
        changes = zip(self.changes, self.writes, strict=True)
        self.succeed([change.repository.state(write.document) for change, write in changes])

    def succeed(self, states: list[Any]) -> None:
        """Return these states to the caller, if it still waits."""
        if not self.done.done():
            self.done.set_result(states)

    def fail(self, error: BaseException) -> None:
        """Raise an error to the caller, if it still waits."""
        if not self.done.done():
            self.done.set_exception(error)


def merged(writes: Sequence[Write]) -> list[Write]:
    """One write per document: from the stored version to the one that the last change leads to."""
    merged: dict[Place, Write] = {}
    for write in writes:
        first = merged.get(write.place)
        merged[write.place] = replace(write, before=first.before, adds=first.adds) if first else write
    return list(merged.values())


def _stored(change: Change[Any], documents: Documents) -> Document | None:
    return None if change.adds else documents.get(change.place)
