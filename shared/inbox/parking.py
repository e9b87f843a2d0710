"""Storage of events whose reaction failed, and of the later events of their aggregates."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from shared.kernel.errors import NotFound
from shared.store.crashpoints import crashpoint
from shared.store.mongo import Database, Document, Session
from shared.store.repository import Index
from shared.store.store import CAUSES

PARKED = "parked"
PAUSES = tuple(timedelta(seconds=s) for s in (0.5, 2, 10, 30, 120))
"""Pauses before each retry of a parked event; after the last one it is stuck until an operator retries or drops it."""


class State(StrEnum):
    """The state of a parked event; settled events are deleted, dropped ones are kept as a record."""

    WAITING = "waiting"
    STUCK = "stuck"
    DROPPED = "dropped"


_WAITS = {"state": {"$in": [State.WAITING, State.STUCK]}}
INDEXES = [
    Index(("publisher", "aggregate", "sequence")),
    Index(("aggregate", "state")),
    # Dropped events are kept for ever, so the index leaves them out.
    Index(("aggregate", "sequence"), where=_WAITS),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parked:
    """A waiting event as it was received, with the reason."""

    id: str
    publisher: str
    address: str
    headers: dict[str, str]
    body: bytes
    aggregate: str
    """Publisher and id of the aggregate, whose later events wait behind this one."""
    sequence: int
    """Its place in the stream."""
    state: State = State.WAITING
    reason: str = ""
    tries: int = 0
    due_at: datetime | None = None
    parked_at: datetime | None = None

    @staticmethod
    def of(address: str, headers: Mapping[str, str], body: bytes, publisher: str, sequence: int) -> "Parked":
        """Build an event from any message of the stream; even one without headers gets an id and a sequence.

        The id is the event's own, because sequences change when a lost stream is published again.
        """
        aggregate = f"{publisher}/{address.rpartition('.')[2]}"
        return Parked(
            id=headers.get("ce-id") or f"{publisher}-{sequence}",
            publisher=publisher,
            address=address,
            headers=dict(headers),
            body=body,
            aggregate=aggregate,
            sequence=sequence,
        )


class Parking:
    """The parked events of one service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def holds(self, aggregate: str) -> bool:
        """Return True if an event of this aggregate waits, so that later ones must wait as well."""
        return await self._database[PARKED].find_one({"aggregate": aggregate, **_WAITS}, {"_id": 1}) is not None

    async def aggregates(self, publisher: str) -> set[str]:
        """Find all aggregates of a publisher with waiting events."""
        waits = {"publisher": publisher, "state": {"$in": [State.WAITING, State.STUCK]}}
        return {document["aggregate"] async for document in self._database[PARKED].find(waits, {"aggregate": 1})}

    async def park(self, parked: Parked, reason: str, now: datetime) -> None:
        """Store an event until its predecessors are settled; an event that is parked already stays unchanged."""
        kept = _plain(replace(parked, reason=reason, due_at=now, parked_at=now))
        await self._database[PARKED].update_one({"_id": kept.pop("_id")}, {"$setOnInsert": kept}, upsert=True)
        crashpoint("parking.parked")

    async def failed(self, parked: Parked, reason: str, now: datetime) -> None:
        """Record a failed try: the next one is due after a pause, or the event is stuck."""
        tries = parked.tries + 1
        stuck = tries > len(PAUSES)
        due_at = None if stuck else now + PAUSES[tries - 1]
        state = State.STUCK if stuck else State.WAITING
        await self._save(
            replace(parked, reason=reason, tries=tries, state=state, due_at=due_at, parked_at=parked.parked_at or now)
        )

    async def done(self, parked: Parked) -> None:
        """Delete an event that took effect, which makes way for the next one of its aggregate."""
        if parked.parked_at is not None:
            crashpoint("parking.before_done")
            await self._database[PARKED].delete_one({"_id": parked.id})

    async def due(self, publisher: str, now: datetime) -> Parked | None:
        """Find an event that is the first of its aggregate and whose pause is over."""
        first_of_each: list[dict[str, Any]] = [
            {"$match": {"publisher": publisher, **_WAITS}},
            {"$sort": {"aggregate": 1, "sequence": 1}},
            {
                "$group": {
                    "_id": "$aggregate",
                    "first": {"$first": {"id": "$_id", "state": "$state", "due_at": "$due_at"}},
                }
            },
            {"$match": {"first.state": State.WAITING, "first.due_at": {"$lte": now}}},
            {"$limit": 1},
        ]
        async for found in self._database[PARKED].aggregate(first_of_each):
            document = await self._database[PARKED].find_one({"_id": found["first"]["id"]})
            return _parked(document) if document else None
        return None

    async def list(self) -> list[Parked]:
        """List all waiting events, in order for each aggregate."""
        found = self._database[PARKED].find(_WAITS).sort([("aggregate", 1), ("sequence", 1)])
        return [_parked(document) async for document in found]

    async def retry(self, id: str, now: datetime) -> Parked:
        """Let the service retry an event with fresh tries; raises NotFound if none waits under this id."""
        return await self._set(id, {"state": State.WAITING, "tries": 0, "due_at": now})

    async def drop(self, id: str, by: str, now: datetime) -> Parked:
        """Give up an event so that later ones go on, and keep it as a record; raises NotFound as `retry` does.

        It is recorded as having taken effect, so that it has none when the stream is published again.
        """
        values = {"state": State.DROPPED, "due_at": None, "dropped_by": by, "dropped_at": now}

        async def drop(session: Session) -> Parked:
            dropped = await self._set(id, values, session)
            cause = {"_id": f"event:{dropped.headers.get('ce-id', id)}"}
            await self._database[CAUSES].update_one(cause, {"$setOnInsert": {"at": now}}, upsert=True, session=session)
            return dropped

        return await self._database.transaction(drop)

    async def _set(self, id: str, values: dict[str, Any], session: Session | None = None) -> Parked:
        document = await self._database[PARKED].find_one_and_update(
            {"_id": id, "state": {"$ne": State.DROPPED}},
            {"$set": values},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if document is None:
            raise NotFound(f"no event is parked under {id}; `asskomm parked list` shows those that are")
        return _parked(document)

    async def _save(self, parked: Parked) -> None:
        plain = _plain(parked)
        kept = {"_id": plain.pop("_id"), "state": {"$ne": State.DROPPED}}
        # An event dropped meanwhile stays dropped: it is not matched, and cannot be inserted again.
        with suppress(DuplicateKeyError):
            await self._database[PARKED].replace_one(kept, plain, upsert=True)
        crashpoint("parking.failed")


def _plain(parked: Parked) -> Document:
    plain: Document = msgspec.to_builtins(parked, builtin_types=(datetime, bytes))
    return {"_id": plain.pop("id"), **plain}


def _parked(document: Mapping[str, Any]) -> Parked:
    return msgspec.convert({**document, "id": document["_id"]}, Parked)
