"""The driver of the MongoDB made of dictionaries, with what our code uses of Motor: each call is one request."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from types import SimpleNamespace
from typing import Any, Self, TypeVar

import bson
from pymongo import InsertOne, ReturnDocument, UpdateOne
from pymongo.errors import AutoReconnect, BulkWriteError, DuplicateKeyError

from shared.store.mongo import Database, Document
from tests.models.mongo import Mongo, State, Transaction, read
from tests.models.wire import NotYet
from tests.queries import grouped, matches, projected, sorted_by, updated

T = TypeVar("T")


class Connected(Database):
    """The database of one process; the real transactions run on it."""

    def __init__(self, server: Mongo) -> None:
        super().__init__("mongodb://nowhere", "model")
        self.server = server

    @property
    def client(self) -> Any:
        return self

    async def start_session(self, **_: bool) -> "Session":
        return Session(self.server)

    def __getitem__(self, collection: str) -> Any:
        return Collection(self.server, collection)

    def as_of_now(self, collection: str) -> Any:
        return Collection(self.server, collection, as_of_now=True)


class Session:
    """The driver's session."""

    def __init__(self, server: Mongo) -> None:
        self._server = server
        self.transaction = Transaction(server)
        self.in_transaction = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def end_session(self) -> None: ...

    def start_transaction(self) -> None:
        self.transaction, self.in_transaction = Transaction(self._server), True

    async def commit_transaction(self) -> None:
        self.in_transaction = False
        under_way, lost = self.transaction, lambda: _lost("UnknownTransactionCommitResult")
        if under_way.state is not State.NEW:
            await self._server.wire.ask("mongodb", "commit", lambda: self._server.commit(under_way), lost)

    async def abort_transaction(self) -> None:
        self.in_transaction = False
        under_way = self.transaction
        if under_way.state is not State.NEW:
            await self._server.wire.ask("mongodb", "abort", lambda: self._server.end(under_way), _lost)


class Collection:
    """The driver's collection: each operation is one request to the server."""

    def __init__(self, server: Mongo, name: str, *, as_of_now: bool = False) -> None:
        self._server, self.name, self._as_of_now = server, name, as_of_now

    async def _ask(self, what: str, do: Callable[[Transaction | None], T], session: Session | None = None) -> T:
        transaction = session.transaction if session else None
        return await self._server.wire.ask(
            "mongodb",
            f"{what} {self.name}",
            lambda: do(transaction.join() if transaction else None),
            lambda: _lost("TransientTransactionError" if transaction else None),
        )

    def _found(self, where: Mapping[str, Any], transaction: Transaction | None = None) -> list[Document]:
        wanted = read(bson.encode(where))
        return [one for one in map(read, self._server.view(transaction)[self.name].values()) if matches(one, wanted)]

    def _insert(self, document: Document, transaction: Transaction | None) -> None:
        id = document["_id"]
        if id in self._server.view(transaction)[self.name]:
            if transaction:
                self._server.end(transaction)
            clash = {"code": 11000, "keyValue": {"_id": id}}
            raise DuplicateKeyError(f"E11000 duplicate key {id}", 11000, clash)
        self._server.write(self.name, id, bson.encode(document), transaction)

    def _replace(self, where: Any, document: Document, transaction: Transaction | None, *, upsert: bool) -> int:
        for found in self._found(where, transaction)[:1]:
            raw = bson.encode({"_id": found["_id"], **document})
            self._server.write(self.name, found["_id"], raw, transaction)
            return 1
        if upsert:
            self._insert({"_id": where["_id"], **document}, transaction)
        return 0

    def _update(
        self, where: Any, change: Any, transaction: Transaction | None, *, limit: int | None, upsert: bool
    ) -> list[Document]:
        wanted = read(bson.encode(change))
        after = [updated(one, wanted) for one in self._found(where, transaction)[:limit]]
        with self._unless_not_yet():
            for one in after:
                self._server.write(self.name, one["_id"], bson.encode(one), transaction)
        if upsert and not after:
            self._insert(updated({"_id": where["_id"]}, wanted, inserted=True), transaction)
        return after

    @contextmanager
    def _unless_not_yet(self) -> Iterator[None]:
        """An operation that has to wait has not begun."""
        before = copy(self._server.stored[self.name])
        try:
            yield
        except NotYet:
            self._server.stored[self.name] = before
            raise

    def find(self, where: Mapping[str, Any], fields: Mapping[str, int] | None = None) -> "Cursor":
        return Cursor(
            lambda: self._ask("find", lambda _: self._found(where)),
            fields,
            lambda: self._ask("go on", lambda _: None) if self._as_of_now else None,
        )

    def aggregate(self, stages: Sequence[Mapping[str, Any]]) -> "Cursor":
        return Cursor(lambda: self._ask("aggregate", lambda _: grouped(self._found({}), stages)))

    async def find_one(self, where: Mapping[str, Any], fields: Mapping[str, int] | None = None) -> Document | None:
        return next(iter(await self.find(where, fields).to_list(1)), None)

    async def insert_one(self, document: Document, session: Session | None = None) -> None:
        await self._ask("insert", lambda transaction: self._insert(document, transaction), session)

    async def insert_many(self, documents: Sequence[Document], session: Session | None = None) -> None:
        await self.bulk_write([InsertOne(one) for one in documents], session)

    async def bulk_write(
        self, operations: Sequence[InsertOne[Document] | UpdateOne], session: Session | None = None
    ) -> Any:
        return await self._ask("write", lambda transaction: self._write_all(operations, transaction), session)

    def _write_all(self, operations: Sequence[Any], transaction: Transaction | None) -> Any:
        inserted = matched = 0
        try:
            with self._unless_not_yet():
                for one in operations:
                    if isinstance(one, InsertOne):
                        self._insert(one._doc, transaction)
                        inserted += 1
                    else:
                        matched += len(self._update(one._filter, one._doc, transaction, limit=1, upsert=False))
        except DuplicateKeyError as error:
            raise BulkWriteError({"writeErrors": [error.details]}) from error
        return SimpleNamespace(inserted_count=inserted, matched_count=matched)

    async def replace_one(self, where: Mapping[str, Any], document: Document, *, upsert: bool = False) -> Any:
        matched = await self._ask("replace", lambda _: self._replace(where, document, None, upsert=upsert))
        return SimpleNamespace(matched_count=matched)

    async def update_one(
        self,
        where: Mapping[str, Any],
        change: Mapping[str, Any],
        *,
        upsert: bool = False,
        session: Session | None = None,
    ) -> Any:
        done = await self._ask("update", lambda at: self._update(where, change, at, limit=1, upsert=upsert), session)
        return SimpleNamespace(matched_count=len(done))

    async def update_many(self, where: Mapping[str, Any], change: Mapping[str, Any]) -> Any:
        done = await self._ask("update", lambda at: self._update(where, change, at, limit=None, upsert=False))
        return SimpleNamespace(matched_count=len(done))

    async def delete_one(self, where: Mapping[str, Any]) -> Any:
        def delete(_: object) -> int:
            found = self._found(where)[:1]
            for one in found:
                self._server.write(self.name, one["_id"], None, None)
            return len(found)

        return SimpleNamespace(deleted_count=await self._ask("delete", delete))

    async def find_one_and_update(
        self,
        where: Mapping[str, Any],
        change: Mapping[str, Any],
        *,
        return_document: bool,
        session: Session | None = None,
    ) -> Document | None:
        assert return_document is ReturnDocument.AFTER
        found = await self._ask("update", lambda at: self._update(where, change, at, limit=1, upsert=False), session)
        return next(iter(found), None)


class Cursor:
    """The driver's cursor: asks when it is read; one as of a moment gives what it found then, batch by batch."""

    def __init__(
        self,
        ask: Callable[[], Awaitable[list[Document]]],
        fields: Mapping[str, int] | None = None,
        go_on: Callable[[], Awaitable[None] | None] = lambda: None,
    ) -> None:
        self._ask, self._fields, self._go_on, self._limit = ask, fields, go_on, 0
        self._order: list[tuple[str, int]] = []
        self._rest: list[Document] | None = None

    def sort(self, order: str | list[tuple[str, int]]) -> Self:
        self._order = [(order, 1)] if isinstance(order, str) else order
        return self

    def limit(self, limit: int) -> Self:
        self._limit = limit
        return self

    def batch_size(self, _: int) -> Self:
        return self

    async def to_list(self, length: int | None = None) -> list[Document]:
        if self._rest is None:
            self._rest = sorted_by(await self._ask(), self._order)[: self._limit or None]
        elif self._rest and (answer := self._go_on()):
            await answer
        found, self._rest = self._rest[:length], self._rest[length:] if length else []
        return [projected(one, self._fields) for one in found]

    async def __aiter__(self) -> AsyncIterator[Document]:
        for one in await self.to_list():
            yield one


def _lost(label: str | None = None) -> AutoReconnect:
    return AutoReconnect("connection lost", {"errorLabels": [label]} if label else None)
