"""The set-up step: the only owner of streams, durables, collections and indexes; it is idempotent."""

import asyncio
from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any

import nats
import pymongo
from pymongo import ASCENDING, IndexModel
from pymongo.errors import CollectionInvalid

from operations.services import publishers
from shared.inbox import parking
from shared.nats.streams import set_up_streams
from shared.outbox import continuity
from shared.runtime.service import Service
from shared.store import rows
from shared.store.mongo import Database
from shared.store.repository import Index, Repository
from shared.store.store import CAUSES

INDEX_SECONDS = 3600
"""The time limit for building an index over existing documents; for other requests it is 5 s."""

_UNPUBLISHED = Index(("unpublished", "_id"), where={"unpublished": True})
_BY_AGGREGATE = Index(("subject", "version"), unique=True)


async def set_up(services: Sequence[Service], nats_url: str) -> None:
    """Create or update everything that the services need; raises the errors of MongoDB and NATS."""
    await asyncio.gather(_set_up_nats(services, nats_url), *(set_up_database(service) for service in services))


async def _set_up_nats(services: Sequence[Service], nats_url: str) -> None:
    client = await nats.connect(nats_url, name="asskomm-setup", max_reconnect_attempts=5)
    try:
        durables = [inbox.durable for service in services for inbox in service.inboxes]
        await set_up_streams(client.jetstream(), publishers(), durables)
    finally:
        await client.close()


async def set_up_database(service: Service) -> None:
    """Create or update the collections of one service, with their validators and indexes."""
    service.database.open()
    try:
        there = set(await service.database.database.list_collection_names())
        await asyncio.gather(
            *(
                _collection(service.database, name, there, validator, indexes)
                for name, validator, indexes in _collections(service)
            )
        )
    finally:
        await service.database.close()


def _collections(service: Service) -> list[tuple[str, dict[str, Any], list[IndexModel]]]:
    fields_of_a_row = ("type", "subject", "version", "at", "actor", "cause", "trace", "history", "data", "hash")
    expire = IndexModel([("expires_at", ASCENDING)], name="expires_at", expireAfterSeconds=0)
    return [
        (rows.EVENTS, _validator(fields_of_a_row), [_model(_UNPUBLISHED), _model(_BY_AGGREGATE)]),
        (CAUSES, _validator(("at",)), [expire]),
        (parking.PARKED, _validator(("state", "reason")), [_model(index) for index in parking.INDEXES]),
        ("leases", _validator(("until",)), []),
        (continuity.STREAMS, _validator(("sequence", "created")), []),
        *(_aggregates(repository) for repository in service.repositories),
    ]


def _aggregates(repository: Repository[Any]) -> tuple[str, dict[str, Any], list[IndexModel]]:
    always = [
        field.name for field in fields(repository.kind) if field.default is MISSING and field.name != repository.key
    ]
    return (
        repository.collection,
        _validator(("version", "head", "chain", *always)),
        [_model(index) for index in repository.indexes],
    )


def _validator(required: Sequence[str]) -> dict[str, Any]:
    """The last line of defence against writes that bypass the model."""
    return {"$jsonSchema": {"required": ["_id", *required], "properties": {"_id": {"bsonType": "string"}}}}


def _model(index: Index) -> IndexModel:
    more = {"partialFilterExpression": dict(index.where)} if index.where else {}
    return IndexModel(
        [(field, ASCENDING) for field in index.fields], name="_".join(index.fields), unique=index.unique, **more
    )


async def _collection(
    database: Database, name: str, there: set[str], validator: dict[str, Any], indexes: list[IndexModel]
) -> None:
    if name not in there:
        try:
            await database.database.create_collection(name, validator=validator)
        except CollectionInvalid:  # A concurrent set-up was quicker.
            there.add(name)
    if name in there:
        await database.database.command("collMod", name, validator=validator)
    if indexes:
        with pymongo.timeout(INDEX_SECONDS):
            await database[name].create_indexes(indexes)
