"""Failures that the real MongoDB makes up when it is asked to (its own test command `configureFailPoint`)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from shared.store.mongo import Database

WITHIN_MILLISECONDS = 5000


@asynccontextmanager
async def fail_command(
    database: Database, command: str, *, times: int = 1, **how: Any
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Let a command of this database's client fail a number of times; yields what waits until it has begun to.

    Clients of other databases, on the same server, are left alone.
    """
    admin = database.client.admin
    data = {"failCommands": [command], "appName": f"asskomm-{database.database.name}", **how}
    armed = await admin.command("configureFailPoint", "failCommand", mode={"times": times}, data=data)

    async def entered() -> None:
        await admin.command(
            "waitForFailPoint", "failCommand", timesEntered=armed["count"] + 1, maxTimeMS=WITHIN_MILLISECONDS
        )

    try:
        yield entered
    finally:
        await admin.command("configureFailPoint", "failCommand", mode="off")
