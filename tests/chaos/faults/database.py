"""MongoDB fails during commits, runs out of space, or returns unexpected errors."""

import asyncio
from functools import partial
from typing import Any

import pymongo

from tests.chaos.fault import Fault, add, fault
from tests.chaos.faults.streams import fill
from tests.chaos.office import Offices
from tests.chaos.world import Shape, World

TRANSIENT = {"errorCode": 251, "errorLabels": ["TransientTransactionError"]}
WRITE_CONCERN = {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}}
FAILPOINTS: dict[str, tuple[str, dict[str, Any]]] = {
    "commit-closed": ("the connection is closed at every third commit", {"closeConnection": True}),
    "commit-transient": ("every third commit meets a transient error", TRANSIENT),
    "commit-write-concern": ("every third commit is not acknowledged by the majority in time", WRITE_CONCERN),
    "commit-stepdown": ("every third commit meets a primary that steps down", {"errorCode": 189}),
}


async def failpoint(world: World, offices: Offices, *, answer: dict[str, Any]) -> None:
    """Let the server fail commits repeatedly for a while."""
    with pymongo.MongoClient[dict[str, Any]](world.mongo_uri) as client:
        data = {"failCommands": ["commitTransaction"], **answer}
        async with offices.at_work():
            mode = {"activationProbability": 0.33}
            await asyncio.to_thread(_configure, client, mode, data)
            await asyncio.sleep(4)
            await asyncio.to_thread(_configure, client, "off", {})
            world.healed()


def _configure(client: "pymongo.MongoClient[dict[str, Any]]", mode: object, data: dict[str, Any]) -> None:
    client.admin.command("configureFailPoint", "failCommand", mode=mode, data=data)


@fault("mongod.killed-in-commits", "mongod is killed while a commit hangs in it, four times", short=True, seconds=15)
async def killed_in_commits(world: World, offices: Offices) -> None:
    """Kill mongod while it has a commit that it has not answered."""
    async with offices.at_work():
        for _ in range(4):
            with pymongo.MongoClient[dict[str, Any]](world.mongo_uri) as client:
                hang = {"failCommands": ["commitTransaction"], "blockConnection": True, "blockTimeMS": 3000}
                await asyncio.to_thread(_configure, client, "alwaysOn", hang)
            await asyncio.sleep(offices.random.uniform(0.3, 1.0))
            world.mongod.kill()
            await asyncio.to_thread(world.mongod.start)
        world.healed()


@fault("mongod.disk-full", "the disk of MongoDB is full (ENOSPC); then there is room, and it is restarted",
       Shape(mongo_megabytes=420), seconds=30)  # fmt: skip
async def disk_full(world: World, offices: Offices) -> None:
    """Use a tmpfs of 420 MB, filled to the last byte; mongod exits when it cannot write."""
    filler = world.mongod.data_path / "filler"
    async with offices.at_work():
        await asyncio.sleep(0.5)
        await asyncio.to_thread(fill, filler)
        await asyncio.sleep(6)
        world.notes.append("mongod had ended itself" if not world.mongod.running else "mongod ran on")
        filler.unlink()
        world.mongod.kill()
        await asyncio.to_thread(world.mongod.start)
        world.healed()


for name, (title, answer) in FAILPOINTS.items():
    add(Fault(f"mongod.{name}", title, partial(failpoint, answer=answer), short=name == "commit-closed"))
