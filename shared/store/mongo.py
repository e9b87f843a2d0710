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


class Blocked(PyMongoError):  # noqa: N818 -- says what is the matter
    """A transaction met others until patience ended: perhaps one that a crash left behind, which MongoDB ends soon."""


class Undecided(PyMongoError):  # noqa: N818 -- as above
    """Whether a transaction was committed is not known: it must not be made again but under the same cause."""


OUTAGES = (ConnectionFailure, ExecutionTimeout, WTimeoutError, Blocked, Undecided)
"""Errors that say "not now" or "unknown": the same request may be sent again."""

UNKNOWN_COMMIT = "UnknownTransactionCommitResult"
PATIENCE_SECONDS = 10.0
"""How long a transaction is tried again before its error is passed on."""

# Acknowledged by the majority with journal; read what is so acknowledged. Every wait is bounded by timeoutMS, because
# cancelling a task of Motor leaves its thread, and a lock, behind.
_OPTIONS: dict[str, Any] = {
    "w": "majority",
    "journal": True,
    "readConcernLevel": "majority",
    "retryWrites": True,
    "timeoutMS": 5000,
    # Closing the client looks for a server as well, and this alone bounds that.
    "serverSelectionTimeoutMS": 4000,
    "tz_aware": True,
}


class Database:
    """One service's database; open it inside the event loop that uses it."""

    def __init__(self, uri: str, name: str) -> None:
        self._uri, self._name = uri, name
        self._client: AsyncIOMotorClient[Document] | None = None
        self._collections: dict[str, Collection] = {}
        """Kept, because making one takes a tenth of what is then asked of it."""
        self._sessions: list[Session] = []
        """Those that are free: to begin one costs as much as a request."""
        self._running: set[asyncio.Task[Any]] = set()

    def open(self) -> None:
        """Make the client; connections are made when they are needed, and again when they were lost."""
        self._collections, self._sessions = {}, []
        self._client = AsyncIOMotorClient(self._uri, appname=f"asskomm-{self._name}", **_OPTIONS)

    async def close(self, within: float | None = None) -> None:
        """Wait for transactions under way, at most so many seconds, then let go."""
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
        """The same, where a cursor reads all as it was when it was opened, for at most five minutes."""
        return self[collection].with_options(read_concern=ReadConcern("snapshot"))

    async def ping(self) -> None:
        """One round trip; raises one of OUTAGES when there is no server to answer it."""
        await self.client.admin.command("ping")

    async def transaction(self, work: Callable[[Session], Awaitable[T]], patience: float | None = None) -> T:
        """Run `work` in one transaction, again when it met another one, and commit it for certain.

        It is run again for so many seconds of `patience`, PATIENCE_SECONDS by itself; raises one of OUTAGES then.

        `work` may run several times. A caller that goes away does not stop it halfway: it runs on, shielded.
        """
        task = asyncio.create_task(self._until_committed(work, PATIENCE_SECONDS if patience is None else patience))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Session]:
        """A session for one transaction after the other; one that met an error is not used again."""
        # What is read is acknowledged by the majority, so there is nothing to wait for that an earlier one has written.
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
                    # Motor declares a method here, and has a property.
                    if session.in_transaction:  # type: ignore[truthy-function]
                        # The server rolls back by itself what cannot be aborted now.
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
    """The values that a unique index refused, or None when the error is another one."""
    details = error.details or {}
    first = details["writeErrors"][0] if isinstance(error, BulkWriteError) else details
    return {key: str(value) for key, value in first["keyValue"].items()} if first.get("code") == 11000 else None  # noqa: PLR2004
