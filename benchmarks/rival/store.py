"""State, outbox, inbox and emails in MongoDB: one transaction per request, and one per message."""

from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorClientSession
from pydantic import BaseModel
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

STREAM = "RIVAL"
FILLED = "rival.jar_filled"

Document = dict[str, Any]
Session = AsyncIOMotorClientSession


class JarFilled(BaseModel):
    """Something was put into a jar."""

    id: str
    jar: str
    amount: int
    version: int
    at: datetime


class JarSealedError(Exception):
    """A sealed jar cannot be filled."""


class Store:
    """The application's database."""

    def __init__(self, uri: str, name: str = "rival") -> None:
        self.client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            uri, w="majority", journal=True, readConcernLevel="majority", tz_aware=True
        )
        self.database = self.client[name]
        self.jars = self.database["jars"]
        self.outbox = self.database["outbox"]
        self.inbox = self.database["inbox"]
        self.mails = self.database["mails"]

    async def set_up(self) -> None:
        """Create collections and indexes."""
        there = await self.database.list_collection_names()
        for name in {"jars", "outbox", "inbox", "mails"}.difference(there):
            await self.database.create_collection(name)
        await self.outbox.create_index([("published", 1), ("_id", 1)], partialFilterExpression={"published": False})
        await self.mails.create_index([("state", 1), ("at", 1)])

    async def add(self, jar: str, content: int) -> Document:
        """Create a jar with something in it."""
        document = {"_id": jar, "label": jar, "content": content, "sealed": False, "version": 1}
        event = _event(jar, content, version=1)

        async def write(session: Session) -> None:
            await self.jars.insert_one(document, session=session)
            await self.outbox.insert_one(event, session=session)

        async with await self.client.start_session() as session:
            await session.with_transaction(write)
        return document

    async def fill(self, jar: str, amount: int) -> Document:
        """Fill a jar, creating it if necessary; raises JarSealedError."""
        event = _event(jar, amount, version=0)

        async def write(session: Session) -> Document:
            filled = await self.jars.find_one_and_update(
                {"_id": jar},
                {"$inc": {"content": amount, "version": 1}, "$setOnInsert": {"label": jar, "sealed": False}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
                session=session,
            )
            if filled["sealed"]:
                raise JarSealedError(jar)
            event["version"] = filled["version"]
            await self.outbox.insert_one(event, session=session)
            return filled

        async with await self.client.start_session() as session:
            return await session.with_transaction(write)

    async def react(self, event: JarFilled) -> bool:
        """Store an email about an event; return False if it is already stored."""
        now = datetime.now(UTC)
        mail = {"_id": event.id, "jar": event.jar, "amount": event.amount, "state": "queued", "at": now}

        async def write(session: Session) -> None:
            await self.inbox.insert_one({"_id": event.id, "at": now}, session=session)
            await self.mails.insert_one(mail, session=session)

        try:
            async with await self.client.start_session() as session:
                await session.with_transaction(write)
        except DuplicateKeyError:
            return False
        return True


def _event(jar: str, amount: int, version: int) -> Document:
    return {
        "_id": ObjectId(),
        "type": FILLED,
        "jar": jar,
        "amount": amount,
        "version": version,
        "at": datetime.now(UTC),
        "published": False,
    }
