"""What is to be changed, and what becomes of it: decided here, without any server; `shared.store.commits` writes it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from shared.kernel.cause import Cause
from shared.kernel.event import Event
from shared.store.mongo import Document

if TYPE_CHECKING:
    from shared.store.repository import Repository

S = TypeVar("S")

Decision: TypeAlias = tuple[S, Sequence[Event]]
Place: TypeAlias = tuple[str, str]
"""Collection and id."""

ANSWERS_KEPT = timedelta(days=30)
"""For how long the same Idempotency-Key gets the same answer."""


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

    @property
    def place(self) -> Place:
        """Where its aggregate is stored."""
        return self.repository.collection, self.id


@dataclass(frozen=True)
class Write:
    """What a step has decided on."""

    collection: str
    document: Document
    before: Document | None
    """What was decided on; None where nothing is stored yet."""
    rows: list[Document]
    """Its events."""
    adds: bool = False
    """There must be nothing yet."""

    @property
    def place(self) -> Place:
        """Where it is stored."""
        return self.collection, self.document["_id"]

    @property
    def changes(self) -> bool:
        """Whether there is anything to be written."""
        return self.before is None or bool(self.document["version"] != self.before["version"])

    @property
    def difference(self) -> Document:
        """The update that makes of what is stored what was decided on: only whole fields that differ."""
        before, after = self.before or {}, self.document
        update = {"$set": {name: after[name] for name in after if name not in before or after[name] != before[name]}}
        gone = {name: "" for name in before if name not in after}
        return update | {"$unset": gone} if gone else update


@dataclass(eq=False)
class Change:
    """One cause with its steps, and who waits for it."""

    cause: Cause
    steps: Sequence[Step[Any]]
    done: "asyncio.Future[list[Any]]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    writes: list[Write] = field(default_factory=list)

    @property
    def rows(self) -> list[Document]:
        """All its events."""
        return [row for write in self.writes for row in write.rows]

    @property
    def changed(self) -> list[Write]:
        """The documents that become other ones."""
        return [write for write in self.writes if write.changes]

    @property
    def is_kept(self) -> bool:
        """Whether there is more to it than documents, so that it needs a transaction."""
        return bool(self.cause.once or self.rows)

    def answer(self) -> None:
        """Tell who waits the states after it."""
        steps = zip(self.steps, self.writes, strict=True)
        self.succeed([step.repository.state(write.document) for step, write in steps])

    def succeed(self, states: list[Any]) -> None:
        """Tell who waits, if somebody does."""
        if not self.done.done():
            self.done.set_result(states)

    def fail(self, error: BaseException) -> None:
        """Tell who waits what went wrong."""
        if not self.done.done():
            self.done.set_exception(error)


def decide_together(
    group: Sequence[Change], documents: dict[Place, Document], recent: dict[Place, Document]
) -> tuple[list[Change], list[Change]]:
    """Let each change decide on what those before it leave; returns those that go together, and those that do not.

    What was only remembered must be written, because that shows whether it still holds.
    """
    documents = documents | recent
    together: list[Change] = []
    alone: list[Change] = []
    causes: set[str] = set()
    for change in group:
        try:
            change.writes = decide(change, documents)
        except Exception:  # noqa: BLE001 -- alone, it is refused in the same way, or for a reason of its own
            alone.append(change)
            continue
        unsure = any(_is_there(one, documents) or (one.place in recent and not one.changes) for one in change.writes)
        if (once := change.cause.once) in causes or unsure:
            alone.append(change)
            continue
        causes |= {once} if once else set()
        together.append(change)
        documents |= {write.place: write.document for write in change.writes}
    return together, alone


def _is_there(write: Write, documents: dict[Place, Document]) -> bool:
    """Whether something is to be added that another change of the group has added."""
    return write.adds and write.place in documents


def admit(change: Change, documents: dict[Place, Document]) -> None:
    """Raise what a guard refuses; asked before all else, so that nobody is answered from memory who lost the right."""
    for step in change.steps:
        if step.repository.guard:
            step.repository.before(step, _stored(step, documents))


def decide(change: Change, documents: dict[Place, Document]) -> list[Write]:
    """What each step decides on, from the documents as they are; raises what the rules refuse."""
    return [step.repository.decide(step, _stored(step, documents), change.cause) for step in change.steps]


def _stored(step: Step[Any], documents: dict[Place, Document]) -> Document | None:
    return None if step.adds else documents.get(step.place)


def remembered(change: Change) -> Document | None:
    """What is remembered of a cause that acts once, so that it does."""
    cause = change.cause
    if not cause.once:
        return None
    known: Document = {"_id": cause.once, "at": cause.at}
    if cause.digest:
        known |= {
            "digest": cause.digest,
            "answer": [write.document for write in change.writes],
            "expires_at": datetime.now(cause.at.tzinfo) + ANSWERS_KEPT,
        }
    return known


def merged(writes: Sequence[Write]) -> list[Write]:
    """One write for each document: from the version that is stored to the one that the last change leads to."""
    merged: dict[Place, Write] = {}
    for write in writes:
        first = merged.get(write.place)
        merged[write.place] = replace(write, before=first.before, adds=first.adds) if first else write
    return list(merged.values())
