"""The only door to MongoDB: the driver, its transactions and its errors stay behind it.

Motor is past its end of life (docs/decisions/0003); a move to PyMongo's AsyncMongoClient touches this module alone.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias, TypeVar

from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorDatabase,
)
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern

from shared.store.crashpoints import crashpoint

T = TypeVar("T")

Document: TypeAlias = dict[str, Any]
Collection: TypeAlias = AsyncIOMotorCollection[Document]
Session: TypeAlias = AsyncIOMotorClientSession


class Blocked(PyMongoError):  # noqa: N818 -- named after its cause
    """A transaction kept conflicting until its patience ran out, perhaps with one left by a crash."""


class Undecided(PyMongoError):  # noqa: N818 -- as above
    """The outcome of a commit is unknown; the transaction may be repeated only under the same cause."""


OUTAGES = (ConnectionFailure, ExecutionTimeout, WTimeoutError, Blocked, Undecided)
"""Errors that mean "not now" or "unknown"; the same request may be sent again."""

UNKNOWN_COMMIT = "UnknownTransactionCommitResult"
PATIENCE_SECONDS = 10.0
"""Time for which a transaction is retried before its error is raised."""

# Writes are acknowledged by the majority with journal, and only such writes are read. timeoutMS bounds every wait,
# because cancelling a task of Motor leaves its thread and a lock behind.
_OPTIONS: dict[str, Any] = {
    "w": "majority",
    "journal": True,
    "readConcernLevel": "majority",
    "retryWrites": True,
    "timeoutMS": 5000,
    # Closing the client also selects a server; only this option bounds that.
    "serverSelectionTimeoutMS": 4000,
    "tz_aware": True,
}


class Database:
    """One service's database; open it inside the event loop that uses it."""

    def __init__(self, uri: str, name: str) -> None:
        self._uri, self._name = uri, name
        self._client: AsyncIOMotorClient[Document] | None = None
        self._collections: dict[str, Collection] = {}
        """Cached, because creating one costs a tenth of a request to it."""
        self._sessions: list[Session] = []
        """Idle sessions, reused because starting one costs as much as a request."""
        self._running: set[asyncio.Task[Any]] = set()

    def open(self) -> None:
        """Create the client, which connects when needed and reconnects by itself."""
        self._collections, self._sessions = {}, []
        self._client = AsyncIOMotorClient(self._uri, appname=f"asskomm-{self._name}", **_OPTIONS)

    async def close(self, within: float | None = None) -> None:
        """Wait for running transactions, at most `within` seconds, then disconnect."""
        if self._running:
            await asyncio.wait(self._running, timeout=within)
        self.client.close()

    @property
    def client(self) -> AsyncIOMotorClient[Document]:
        """The driver's client."""
        assert self._client is not None, f"database {self._name} is not open"
        return self._client

    @property
    def database(self) -> AsyncIOMotorDatabase[Document]:
        """The driver's database."""
        return self.client[self._name]

    def __getitem__(self, collection: str) -> Collection:
        if (kept := self._collections.get(collection)) is None:
            kept = self._collections[collection] = self.database[collection]
        return kept

    def as_of_now(self, collection: str) -> Collection:
        """Return a collection whose cursors read a snapshot taken when opened, for at most five minutes."""
        return self[collection].with_options(read_concern=ReadConcern("snapshot"))

    async def ping(self) -> None:
        """Make one round trip; raises one of OUTAGES if no server answers."""
        await self.client.admin.command("ping")

    async def transaction(self, work: Callable[[Session], Awaitable[T]], patience: float | None = None) -> T:
        """Run `work` in one transaction, retry it on conflicts, and make sure that it is committed.

        Retries last for `patience` seconds, by default PATIENCE_SECONDS; then one of OUTAGES is raised. `work` may run
        several times. It is shielded: cancelling the caller does not stop it halfway.
        """
        task = asyncio.create_task(self._until_committed(work, PATIENCE_SECONDS if patience is None else patience))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Session]:
        """Borrow a session for one transaction; it is not reused after an error."""
        # Reads see only majority-acknowledged writes, so causal consistency would add nothing.
        session = self._sessions.pop() if self._sessions else await self.client.start_session(causal_consistency=False)
        try:
            yield session
        except BaseException:
            await session.end_session()
            raise
        self._sessions.append(session)

    async def _until_committed(self, work: Callable[[Session], Awaitable[T]], patience: float) -> T:
        began = time.monotonic()
        async with self._session() as session:
            while True:
                session.start_transaction()
                try:
                    result = await work(session)
                    crashpoint("mongo.before_commit")
                    await _commit(session, began + PATIENCE_SECONDS)
                    crashpoint("mongo.after_commit")
                except BaseException as error:
                    # Motor declares a method here, but it is a property.
                    if session.in_transaction:  # type: ignore[truthy-function]
                        # If aborting fails, the server rolls back by itself.
                        with suppress(PyMongoError):
                            await session.abort_transaction()
                    if not _may_try_again(error, "TransientTransactionError", began + patience):
                        if isinstance(error, OperationFailure) and error.has_error_label("TransientTransactionError"):
                            raise Blocked(str(error)) from error
                        raise
                    await asyncio.sleep(random.uniform(0, 0.01))  # noqa: S311 -- only keeps rivals apart
                else:
                    return result


async def _commit(session: Session, deadline: float) -> None:
    while True:
        try:
            await session.commit_transaction()
        except PyMongoError as error:
            if _may_try_again(error, UNKNOWN_COMMIT, deadline):
                continue
            if error.has_error_label(UNKNOWN_COMMIT):
                raise Undecided(str(error)) from error
            raise
        else:
            return


def _may_try_again(error: BaseException, label: str, deadline: float) -> bool:
    return isinstance(error, PyMongoError) and error.has_error_label(label) and time.monotonic() < deadline


def clashing_values(error: BulkWriteError | DuplicateKeyError) -> dict[str, str] | None:
    """Return the values that a unique index refused, or None for any other error."""
    details = error.details or {}
    first = details["writeErrors"][0] if isinstance(error, BulkWriteError) else details
    return {key: str(value) for key, value in first["keyValue"].items()} if first.get("code") == 11000 else None  # noqa: PLR2004
