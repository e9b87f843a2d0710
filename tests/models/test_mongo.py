"""The MongoDB made of dictionaries answers as the real one does."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from secrets import token_hex
from typing import Any

import pytest
from pymongo import InsertOne, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from operations.embedded.servers import EmbeddedServers
from shared.store.mongo import Database
from tests.models.driver import Connected
from tests.models.mongo import Mongo
from tests.models.wire import NotYet, Wire

NOW = datetime(2023, 1, 27, 10, 30, 0, 123456, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


class AtOnce(Wire):
    """Answers at once."""

    async def ask(self, server: str, name: str, do: Callable[[], Any], lost: object = None) -> Any:
        _ = server, name, lost
        return do()


@pytest.fixture
def made_of_dictionaries() -> Iterator[Database]:
    wire = AtOnce()
    yield Connected(Mongo(wire))
    wire.close()


@pytest.fixture(params=["made of dictionaries", "real"])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    if request.param != "real":
        yield request.getfixturevalue("made_of_dictionaries")
        return
    servers: EmbeddedServers = request.getfixturevalue("servers")
    real = Database(servers.mongo_uri, f"model_{token_hex(6)}")
    real.open()
    yield real
    await real.client.drop_database(real.database.name)
    await real.close()


async def outcome(asked: Awaitable[Any]) -> Any:
    """What comes back, or what it says where it fails."""
    try:
        return await asked
    except BulkWriteError as error:
        first = error.details["writeErrors"][0]
        return "BulkWriteError", first["code"], first["keyValue"]
    except DuplicateKeyError as error:
        return "DuplicateKeyError", error.code, (error.details or {})["keyValue"]
    except PyMongoError as error:
        return getattr(error, "code", None), sorted(error._error_labels)


async def test_documents_are_found_and_changed_alike(database: Database) -> None:
    things = database["things"]
    await things.insert_one({"_id": "a", "n": 1, "at": NOW, "colour": Colour.RED, "raw": b"\0"})
    await things.insert_many([{"_id": "b", "n": 3, "tags": ("x", "y")}, {"_id": "c", "n": 2, "due": None}])
    assert await outcome(things.insert_one({"_id": "a"})) == ("DuplicateKeyError", 11000, {"_id": "a"})
    whole = {"n": 1, "at": NOW.replace(microsecond=123000), "colour": "red", "raw": b"\0"}
    assert await things.find_one({"at": {"$lte": NOW}}) == {"_id": "a", **whole}
    for where, ids in FOUND:
        assert [one["_id"] for one in await things.find(where).sort("_id").to_list(None)] == ids, where
    assert [one async for one in things.find({}, {"_id": 1}).sort([("n", -1)]).limit(2)] == [{"_id": "b"}, {"_id": "c"}]
    assert await things.find_one({"_id": "c"}, {"n": 0}) == {"_id": "c", "due": None}
    await things.update_many({"n": {"$gte": 2}}, {"$unset": {"n": 1}, "$set": {"late": True}})
    assert await things.find({"n": {"$exists": False}}).sort("_id").to_list(None) == [
        {"_id": "b", "tags": ["x", "y"], "late": True},
        {"_id": "c", "due": None, "late": True},
    ]


FOUND: list[tuple[dict[str, Any], list[str]]] = [
    ({"colour": {"$in": [Colour.RED]}}, ["a"]),
    ({"colour": {"$nin": ["red"]}}, ["b", "c"]),
    ({"colour": {"$ne": Colour.RED}, "n": {"$gt": 2}}, ["b"]),
    ({"due": None}, ["a", "b", "c"]),
    ({"at": {"$lt": NOW}}, []),
    ({"due": {"$lte": NOW}}, []),
    ({"$or": [{"n": 1}, {"n": 2}]}, ["a", "c"]),
    ({"$and": [{"n": {"$lt": 3}}, {"_id": {"$gt": "a"}}]}, ["c"]),
]


async def test_single_documents_are_replaced_and_deleted_alike(database: Database) -> None:
    things = database["things"]
    here, gone = {"_id": "a", "state": {"$ne": "gone"}}, {"$set": {"state": "gone"}}
    assert (await things.replace_one(here, {"n": 1}, upsert=True)).matched_count == 0
    assert (await things.replace_one(here, {"n": 2}, upsert=True)).matched_count == 1
    after = await things.find_one_and_update(here, gone, return_document=ReturnDocument.AFTER)
    assert after == {"_id": "a", "n": 2, "state": "gone"}
    assert await things.find_one_and_update(here, gone, return_document=ReturnDocument.AFTER) is None
    assert (await outcome(things.replace_one(here, {"n": 3}, upsert=True)))[:2] == ("DuplicateKeyError", 11000)
    once = {"$setOnInsert": {"n": 9}}
    assert [(await things.update_one({"_id": id}, once, upsert=True)).matched_count for id in ("a", "b", "b")] == [
        1,
        0,
        1,
    ]
    assert (await things.delete_one({"_id": "a"})).deleted_count == 1
    assert await things.find({}).to_list(None) == [{"_id": "b", "n": 9}]


async def test_many_writes_at_once_go_as_far_as_the_first_that_fails(database: Database) -> None:
    things = database["things"]
    first = await things.bulk_write([InsertOne({"_id": "a", "version": 1}), InsertOne({"_id": "b", "version": 1})])
    assert (first.inserted_count, first.matched_count) == (2, 0)
    stale = UpdateOne({"_id": "a", "version": 0}, {"$set": {"version": 9}})
    right = UpdateOne({"_id": "b", "version": 1}, {"$set": {"version": 2}, "$unset": {"old": ""}})
    assert (await things.bulk_write([stale, right])).matched_count == 1
    twice = [InsertOne({"_id": "c"}), InsertOne({"_id": "a"}), InsertOne({"_id": "d"})]
    assert await outcome(things.bulk_write(twice)) == ("BulkWriteError", 11000, {"_id": "a"})
    assert [one["_id"] for one in await things.find({}).sort("_id").to_list(None)] == ["a", "b", "c"]


async def test_the_first_of_each_group_is_found_alike(database: Database) -> None:
    things = database["things"]
    await things.insert_many(
        [{"_id": n, "of": of, "due": due} for n, of, due in ((3, "x", 1), (1, "x", 9), (2, "y", 1))]
    )
    stages: list[dict[str, Any]] = [
        {"$match": {"due": {"$gt": 0}}},
        {"$sort": {"of": 1, "_id": 1}},
        {"$group": {"_id": "$of", "first": {"$first": {"id": "$_id", "due": "$due", "none": "$none"}}}},
        {"$match": {"first.due": {"$lte": 1}}},
        {"$limit": 1},
    ]
    found = [one async for one in database["things"].aggregate(stages)]
    assert found == [{"_id": "y", "first": {"id": 2, "due": 1}}]


async def test_transactions_see_and_exclude_each_other_alike(database: Database) -> None:
    things = database["things"]
    await things.insert_one({"_id": "a", "n": 0})
    await things.insert_one({"_id": "known"})
    async with await database.client.start_session() as one, await database.client.start_session() as two:
        one.start_transaction()
        two.start_transaction()
        await things.update_one({"_id": "a"}, {"$set": {"n": 1}}, session=one)
        await things.insert_one({"_id": "b"}, session=one)
        assert await things.find_one({"_id": "a"}) == {"_id": "a", "n": 0}
        transient = (112, ["TransientTransactionError"])
        assert await outcome(things.update_one({"_id": "a"}, {"$set": {"n": 2}}, session=two)) == transient
        await one.commit_transaction()
        await two.abort_transaction()
    assert await things.find({}).sort("_id").to_list(None) == [{"_id": "a", "n": 1}, {"_id": "b"}, {"_id": "known"}]


async def test_what_came_after_a_transaction_began_conflicts_with_it_alike(database: Database) -> None:
    things = database["things"]
    await things.insert_one({"_id": "a", "n": 0})
    async with await database.client.start_session() as session:
        for write, says in (
            (lambda: things.insert_one({"_id": "late"}, session=session), (112, ["TransientTransactionError"])),
            (lambda: things.insert_one({"_id": "a"}, session=session), ("DuplicateKeyError", 11000, {"_id": "a"})),
            (
                lambda: things.update_one({"_id": "a"}, {"$set": {"n": 2}}, session=session),
                (112, ["TransientTransactionError"]),
            ),
        ):
            session.start_transaction()
            await things.insert_one({"_id": "mine"}, session=session)
            await things.update_one({"_id": "late"}, {"$set": {"n": 1}}, upsert=True)
            if says[0] == 112:
                await things.update_one({"_id": "a"}, {"$inc": {"n": 1}})
            assert await outcome(write()) == says
            await session.abort_transaction()
            assert await outcome(things.find_one({"_id": "mine"})) is None
            await things.delete_one({"_id": "late"})


async def test_who_writes_without_a_transaction_waits_for_one_that_is_under_way(made_of_dictionaries: Database) -> None:
    database = made_of_dictionaries
    async with await database.client.start_session() as session:
        session.start_transaction()
        await database["things"].insert_one({"_id": "a"}, session=session)
        with pytest.raises(NotYet):
            await database["things"].update_one({"_id": "a"}, {"$set": {"n": 1}}, upsert=True)
        await session.commit_transaction()
        await session.commit_transaction()
    assert await database["things"].find_one({"_id": "a"}) == {"_id": "a"}
