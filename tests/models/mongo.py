"""A MongoDB made of dictionaries, for the operations that our code uses; test_mongo.py compares it with the real one.

Transactions see the state at their first operation, and conflict with what was written since then, as in MongoDB. One
operation is done as a whole: that an update of many documents may stop in the middle is left out.
"""

from collections import defaultdict
from enum import Enum
from typing import Any

import bson
from bson.codec_options import CodecOptions
from pymongo.errors import OperationFailure

from shared.store.mongo import Document
from tests.models.wire import NotYet, Wire
from tests.queries import matches

LIFETIME_SECONDS = 5.0
"""After which the server ends a transaction that somebody has left behind."""

_AWARE: CodecOptions[Document] = CodecOptions(tz_aware=True)

Stored = dict[str, dict[Any, bytes]]
"""By collection and id."""


class State(Enum):
    """How a transaction stands."""

    NEW = "nothing was done in it yet"
    OPEN = "under way"
    COMMITTED = "all of it is visible"
    ABORTED = "it has never been"


class Transaction:
    """One transaction; it sees what was committed before its first operation."""

    def __init__(self, server: "Mongo") -> None:
        self._server = server
        self.state = State.NEW
        self.begun = 0.0
        self.before: Stored = defaultdict(dict)
        self.after: Stored = defaultdict(dict)
        self.written: set[tuple[str, Any]] = set()

    def join(self) -> "Transaction":
        """The same, for one more operation in it."""
        if self.state is State.NEW:
            self.state, self.begun = State.OPEN, self._server.wire.now
            for name, kept in self._server.stored.items():
                self.before[name], self.after[name] = dict(kept), dict(kept)
        if self.state is not State.OPEN:
            raise transient("NoSuchTransaction", 251)
        return self


class Mongo:
    """The server: what is committed, and the transactions under way."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.stored: Stored = defaultdict(dict)
        self._locks: dict[tuple[str, Any], Transaction] = {}

    def all(self, collection: str, **where: Any) -> list[Document]:
        """What is committed, in the order in which it was first stored."""
        return [one for one in map(read, self.stored[collection].values()) if matches(one, where)]

    def view(self, transaction: Transaction | None) -> Stored:
        """What an operation sees."""
        return transaction.after if transaction else self.stored

    def write(self, collection: str, id: Any, raw: bytes | None, transaction: Transaction | None) -> None:
        """Store a document, or remove it."""
        self._end_left_behind()
        key, holder = (collection, id), self._locks.get((collection, id))
        if transaction is None:
            if holder:
                raise NotYet
            put(self.stored[collection], id, raw)
            return
        current = self.stored[collection].get(id)
        if holder not in {None, transaction} or current is not transaction.before[collection].get(id):
            self.end(transaction)
            raise transient("WriteConflict", 112)
        self._locks[key] = transaction
        transaction.written.add(key)
        put(transaction.after[collection], id, raw)

    def commit(self, transaction: Transaction) -> None:
        """Make all of it visible at once; a second time, nothing."""
        self._end_left_behind()
        if transaction.state is not State.COMMITTED:
            for collection, id in transaction.join().written:
                put(self.stored[collection], id, transaction.after[collection].get(id))
            self.end(transaction, State.COMMITTED)

    def end(self, transaction: Transaction, state: State = State.ABORTED) -> None:
        """Let go of all that it has locked."""
        if transaction.state is not State.COMMITTED:
            transaction.state = state
        for key in [key for key, holder in self._locks.items() if holder is transaction]:
            del self._locks[key]

    def _end_left_behind(self) -> None:
        for transaction in set(self._locks.values()):
            if self.wire.now - transaction.begun > LIFETIME_SECONDS:
                self.end(transaction)


def read(raw: bytes) -> Document:
    """A document as the driver answers it: dates in whole milliseconds, tuples as lists."""
    return bson.decode(raw, _AWARE)


def put(kept: dict[Any, bytes], id: Any, raw: bytes | None) -> None:
    if raw is None:
        kept.pop(id, None)
    else:
        kept[id] = raw


def transient(name: str, code: int) -> OperationFailure:
    return OperationFailure(name, code, {"errorLabels": ["TransientTransactionError"], "code": code})
