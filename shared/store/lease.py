"""The lease that lets one replica of a service do the background work."""

import asyncio
import secrets
import time
from datetime import UTC, datetime

from pymongo.errors import DuplicateKeyError

from shared.store.mongo import Database

LEASE_SECONDS = 3.0
SEIZE_POLL_SECONDS = 0.1


class Lease:
    """Held by one process at a time; expires LEASE_SECONDS after a crash, by the clock of the database."""

    def __init__(self, database: Database, name: str = "background") -> None:
        self._database, self._name = database, name
        self._holder = secrets.token_hex(8)
        self._until = 0.0

    async def held(self) -> bool:
        """Take or renew the lease if possible; returns True if this process holds it."""
        if time.monotonic() < self._until - LEASE_SECONDS / 2:
            return True
        asked = time.monotonic()
        if not await self._take() and not (await self._exists_now() and await self._take()):
            return False
        self._until = asked + LEASE_SECONDS
        return True

    @property
    def is_sure(self) -> bool:
        """True if nobody else can hold the lease now, because `held` was true recently enough."""
        return time.monotonic() < self._until

    async def seize(self) -> None:
        """Take the lease from its holder; returns once the former holder must know that it has lost it."""
        lasts = {"$add": [{"$max": ["$until", "$$NOW"]}, int(LEASE_SECONDS * 1000)]}
        leases = self._database["leases"]
        former = await leases.find_one_and_update(
            {"_id": self._name}, [{"$set": {"holder": self._holder, "until": lasts}}], upsert=True
        )
        mine = {"_id": self._name, "holder": self._holder}
        over = {"$expr": {"$lt": [former["until"] if former else None, "$$NOW"]}}
        while not await leases.find_one(mine | over):  # noqa: ASYNC110 -- the clock of the database is asked
            await asyncio.sleep(SEIZE_POLL_SECONDS)

    async def _take(self) -> bool:
        free_or_ours = {"$or": [{"holder": self._holder}, {"$expr": {"$lt": ["$until", "$$NOW"]}}]}
        until = {"$add": ["$$NOW", int(LEASE_SECONDS * 1000)]}
        taken = await self._database["leases"].update_one(
            {"_id": self._name, **free_or_ours}, [{"$set": {"holder": self._holder, "until": until}}]
        )
        return taken.matched_count == 1

    async def _exists_now(self) -> bool:
        """Insert a free lease if there is none yet."""
        try:
            await self._database["leases"].insert_one({"_id": self._name, "until": datetime.fromtimestamp(0, UTC)})
        except DuplicateKeyError:
            return False
        return True

    async def release(self) -> None:
        """Let another replica take over at once."""
        self._until = 0.0
        await self._database["leases"].delete_one({"_id": self._name, "holder": self._holder})
