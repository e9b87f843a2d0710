"""Transactions while the server fails, refuses, or does not answer at all."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from operations.embedded.servers import Mongod
from shared.store import mongo
from shared.store.mongo import OUTAGES, Database, Session
from shared.store.repository import Repository
from shared.store.store import Store
from tests.shared.failpoints import fail_command
from tests.shared.kitchen import Jar, JarFilled, Kitchen, cause, fill_jar

pytestmark = pytest.mark.servers

WRITE_CONFLICT = 112
NETWORK_TIMEOUT = 89
WRITE_CONCERN_TIMED_OUT = 64
PERMANENT = 8000
STOPPED_WITHIN_SECONDS = 10
"""PyMongo by itself looks for half a minute."""

MET_ANOTHER: dict[str, Any] = {"errorCode": WRITE_CONFLICT, "errorLabels": ["TransientTransactionError"]}
MADE_BUT_UNKNOWN: dict[str, Any] = {"writeConcernError": {"code": WRITE_CONCERN_TIMED_OUT, "errmsg": "too slow"}}


async def counted(database: Database, work_done: list[int] | None = None) -> int:
    """Add one to a counter in a transaction, and tell how often the work was done for that; the answer is 7."""

    async def work(session: Session) -> int:
        if work_done is not None:
            work_done.append(1)
        await database["jars"].update_one({"_id": "counter"}, {"$inc": {"content": 1}}, session=session)
        return 7

    return await database.transaction(work)


@pytest.fixture
async def counter(kitchen: Kitchen) -> Callable[[], Awaitable[int]]:
    """Reads the counter."""
    await kitchen.add("counter")

    async def read() -> int:
        return (await kitchen.jars.get("counter")).content

    return read


Read = Callable[[], Awaitable[int]]


async def test_a_transaction_answers_what_its_work_answers(database: Database, counter: Read) -> None:
    assert (await counted(database), await counter()) == (7, 1)


async def test_work_that_fails_is_rolled_back(database: Database, counter: Read) -> None:
    async def work(session: Session) -> None:
        await database["jars"].update_one({"_id": "counter"}, {"$inc": {"content": 1}}, session=session)
        raise LookupError("no spoon")

    with pytest.raises(LookupError):
        await database.transaction(work)
    assert await counter() == 0


async def test_nobody_sees_what_is_not_committed(database: Database, counter: Read) -> None:
    seen = []

    async def work(session: Session) -> None:
        await database["jars"].update_one({"_id": "counter"}, {"$inc": {"content": 1}}, session=session)
        seen.append(await counter())

    await database.transaction(work)
    assert [*seen, await counter()] == [0, 1]


async def test_work_that_met_another_transaction_is_done_again(database: Database, counter: Read) -> None:
    done: list[int] = []
    async with fail_command(database, "update", times=3, **MET_ANOTHER):
        await counted(database, done)
    assert (len(done), await counter()) == (4, 1)


async def test_work_is_done_again_when_the_connection_breaks(database: Database, counter: Read) -> None:
    done: list[int] = []
    async with fail_command(database, "update", closeConnection=True):
        await counted(database, done)
    assert (len(done), await counter()) == (2, 1)


async def test_a_commit_that_met_another_transaction_is_done_again_from_the_start(
    database: Database, counter: Read
) -> None:
    done: list[int] = []
    async with fail_command(database, "commitTransaction", **MET_ANOTHER):
        await counted(database, done)
    assert (len(done), await counter()) == (2, 1)


@pytest.mark.parametrize(
    "how",
    [
        {"closeConnection": True},
        {"errorCode": NETWORK_TIMEOUT},
        # The commit is made, and only its answer is lost.
        MADE_BUT_UNKNOWN,
    ],
    ids=["connection broke", "server has no network", "made"],
)
@pytest.mark.parametrize("times", [1, 2])
async def test_a_commit_whose_outcome_is_unknown_is_made_exactly_once(
    database: Database, counter: Read, how: dict[str, Any], times: int
) -> None:
    done: list[int] = []
    async with fail_command(database, "commitTransaction", times=times, **how):
        await counted(database, done)
    assert (len(done), await counter()) == (1, 1)


async def test_a_transaction_that_never_gets_through_is_an_outage(
    database: Database, counter: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo, "PATIENCE_SECONDS", 0.1)
    async with fail_command(database, "update", times=1000, **MET_ANOTHER):
        with pytest.raises(OUTAGES):
            await counted(database)
    assert await counter() == 0


async def test_closing_does_not_look_for_a_server_that_is_gone(tmp_path: Path) -> None:
    server = Mongod(tmp_path)
    server.start()
    database = Database(server.uri, "kitchen")
    database.open()
    await database.ping()
    server.destroy()
    began = time.monotonic()
    await database.close()
    assert time.monotonic() - began < STOPPED_WITHIN_SECONDS


async def test_a_failure_for_good_is_passed_on_and_rolled_back(database: Database, counter: Read) -> None:
    async with fail_command(database, "update", errorCode=PERMANENT):
        with pytest.raises(OperationFailure):
            await counted(database)
    assert await counter() == 0


async def test_a_change_is_made_once_though_its_commit_is_unknown(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    why = cause("key", "digest")
    async with fail_command(kitchen.database, "commitTransaction", **MADE_BUT_UNKNOWN):
        filled = await kitchen.fill("jam", 1, why)
    assert filled == await kitchen.jars.get("jam") == Jar(id="jam", label="Label jam", content=1)
    assert len(await kitchen.rows()) == 1


async def test_a_change_is_made_once_though_its_commit_met_another_one(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    async with fail_command(kitchen.database, "commitTransaction", **MET_ANOTHER):
        await kitchen.fill("jam", 1, cause("key", "digest"))
    assert (await kitchen.jars.get("jam")).content == len(await kitchen.rows()) == 1


async def test_closing_waits_for_a_transaction_under_way(kitchen: Kitchen, counter: Read) -> None:
    database = Database(kitchen.service.settings.mongo_uri, kitchen.service.name)
    database.open()
    async with fail_command(kitchen.database, "update", blockConnection=True, blockTimeMS=300) as entered:
        counting = asyncio.create_task(counted(database))
        await entered()
        await database.close()
    assert (await counting, await counter()) == (7, 1)


@pytest.fixture(scope="module")
async def paused(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, tuple[BaseException, float]]]:
    """What each kind of access said to a server that has stopped to answer, and after how many seconds."""
    mongod = Mongod(tmp_path_factory.mktemp("paused"))
    mongod.start()
    database = Database(mongod.uri, "paused")
    database.open()
    jars = Repository(Store(database), "jars", Jar)
    try:
        await jars.add(Jar(id="jam", label="Jam"), [], cause())
        await jars.change("jam", lambda jar: (jar, [JarFilled(jar="jam", amount=0)]), cause("warm"))
        mongod.pause()
        accesses: dict[str, Awaitable[Any]] = {
            "ping": database.ping(),
            "read": jars.get("jam"),
            "list": jars.page({}, after=None, limit=10),
            "change": jars.change("jam", lambda jar: fill_jar(jar, 1), cause()),
        }
        said = await asyncio.gather(*map(_timed, accesses.values()))
        yield dict(zip(accesses, said, strict=True))
    finally:
        mongod.resume()
        await database.close()
        mongod.destroy()


async def _timed(access: Awaitable[Any]) -> tuple[BaseException, float]:
    began = time.monotonic()
    try:
        await access
    except BaseException as error:  # noqa: BLE001 -- whatever it was is what the tests look at
        return error, time.monotonic() - began
    return AssertionError("a paused server has answered"), time.monotonic() - began


@pytest.mark.parametrize("access", ["ping", "read", "list", "change"])
def test_a_server_that_does_not_answer_is_an_outage(
    paused: dict[str, tuple[BaseException, float]], access: str
) -> None:
    error, _ = paused[access]
    assert isinstance(error, OUTAGES)


@pytest.mark.parametrize("access", ["ping", "read", "list", "change"])
def test_nobody_waits_long_for_a_server_that_does_not_answer(
    paused: dict[str, tuple[BaseException, float]], access: str
) -> None:
    _, seconds = paused[access]
    assert seconds < 7
