"""Concurrent draws from purses with too little money, while something breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pymongo

from tests.chaos.fault import Fault, add, fault
from tests.chaos.journal import Attempt, Outcome
from tests.chaos.office import Offices
from tests.chaos.world import Shape, World

PURSE = Shape(purse=True)
PURSE_TWO = Shape(replicas=2, purse=True)
PURSES = 3
DRAWS = 40
TOTAL_CENTS = 500
AMOUNTS = (20, 140)
"""Cents per draw; together the draws ask for twice as much as there is."""
AGAIN = 0.3
"""The share of draws that are sent again, long after their answer."""
USED_UP_SECONDS = 20.0
APP = "asskomm-purse"
"""The name under which the service connects to MongoDB."""

COMMITS: dict[str, tuple[str, dict[str, Any]]] = {
    "closed": ("the connection is closed at every third commit", {"closeConnection": True}),
    "transient": (
        "every third commit meets a transient error",
        {"errorCode": 251, "errorLabels": ["TransientTransactionError"]},
    ),
    "write-concern": (
        "every third commit is not acknowledged by the majority in time",
        {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}},
    ),
    "late": ("every third commit comes half a second late", {"blockConnection": True, "blockTimeMS": 500}),
}


@asynccontextmanager
async def failing(
    world: World, command: str, app: str, mode: dict[str, Any], answer: dict[str, Any]
) -> AsyncIterator[None]:
    """Let MongoDB fail one command of one service in this way, for the duration of `with`."""
    data = {"failCommands": [command], "appName": app, **answer}
    with pymongo.MongoClient[dict[str, Any]](world.mongo_uri, timeoutMS=10_000) as client:
        set_to = partial(client.admin.command, "configureFailPoint", "failCommand")
        await asyncio.to_thread(set_to, mode=mode, data=data)
        try:
            yield
        finally:
            await asyncio.to_thread(set_to, mode="off")


async def used_up(world: World, times: int) -> None:
    """Wait until MongoDB has failed this many times."""
    name = "failpoint.failCommand"
    with pymongo.MongoClient[dict[str, Any]](world.mongo_uri, timeoutMS=10_000) as client:
        async with asyncio.timeout(USED_UP_SECONDS):
            while True:
                asked = {"getParameter": 1, name: 1}
                if (await asyncio.to_thread(client.admin.command, asked))[name]["timesEntered"] >= times:
                    return
                await asyncio.sleep(0.05)


@asynccontextmanager
async def drawing(world: World, offices: Offices, seconds: float) -> AsyncIterator[None]:
    """Open purses and draw from all of them within so many seconds; every draw has its answer at the end of `with`."""
    purses = [await _open(offices, number) for number in range(PURSES)]
    draws = [asyncio.create_task(_draw(offices, offices.random.choice(purses), seconds)) for _ in range(DRAWS)]
    try:
        yield
    finally:
        made = await asyncio.gather(*draws)
    world.healed()
    refused = sum(attempt.outcome is Outcome.FAILED for attempt, _ in made)
    world.notes.append(f"{refused} of {DRAWS} draws were refused")
    await asyncio.to_thread(_refused_for_a_reason, world, made)


async def _open(offices: Offices, number: int) -> str:
    attempt = Attempt("lpr", "purses", str(number), expects={"purse.purse_opened.v1": 1})
    await offices.send(attempt, "/purse/v1/purses", {"total_cents": TOTAL_CENTS}, service="purse")
    if attempt.outcome is not Outcome.OK:
        raise RuntimeError(f"no purse could be opened: {attempt}")
    return str(attempt.answer["id"])


async def _draw(offices: Offices, purse: str, seconds: float) -> tuple[Attempt, int]:
    amount = offices.random.randint(*AMOUNTS)
    expects = {"purse.money_drawn.v1": 1, "purse.money_granted.v1": 1}
    attempt = Attempt("lpr", "grants", purse, expects=expects, may_refuse="overdrawn")
    again = offices.random.random() < AGAIN
    await asyncio.sleep(offices.random.uniform(0, seconds))
    path, body = f"/purse/v1/purses/{purse}/grants", {"amount_cents": amount}
    await offices.send(attempt, path, body, service="purse")
    first = attempt.answer
    if again:
        await asyncio.sleep(offices.random.uniform(0, seconds))
        await offices.send(attempt, path, body, service="purse")
        if first is not None and attempt.answer != first:
            offices.world.journal.complain(f"grants {purse}: one key, two answers: {first} {attempt.answer}")
    return attempt, amount


def _refused_for_a_reason(world: World, made: list[tuple[Attempt, int]]) -> None:
    """A purse only gets emptier, so a refused draw must still be refusable now."""
    with pymongo.MongoClient[dict[str, Any]](world.mongo_uri, timeoutMS=10_000) as client:
        left = {one["_id"]: one["left_cents"] for one in client["purse"]["purses"].find()}
    for attempt, amount in made:
        if attempt.outcome is Outcome.FAILED and amount <= left[attempt.about]:
            world.journal.complain(f"{amount} of {left[attempt.about]} cents were refused by purse {attempt.about}")


@fault("purse.calm", "many draw at once from purses that have too little", PURSE, short=True)
async def calm(world: World, offices: Offices) -> None:
    """Nothing else goes wrong."""
    async with drawing(world, offices, 0):
        pass


@fault("purse.replicas", "many draw at once by way of two replicas", PURSE_TWO, short=True)
async def replicas(world: World, offices: Offices) -> None:
    """Only the database coordinates the replicas."""
    await calm(world, offices)


@fault("purse.replicas-killed", "the replicas are killed in turn while many draw", PURSE_TWO)
async def replicas_killed(world: World, offices: Offices) -> None:
    """A retry may reach the other replica."""
    async with drawing(world, offices, 3):
        for process in world.replicas("purse"):
            await asyncio.sleep(0.7)
            world.kill(process)


@fault("purse.mongod-killed", "mongod is killed twice while many draw", PURSE, short=True)
async def mongod_killed(world: World, offices: Offices) -> None:
    """Kill mongod while commits are in progress."""
    async with drawing(world, offices, 2):
        for _ in range(2):
            await asyncio.sleep(offices.random.uniform(0.1, 0.5))
            world.mongod.kill()
            await asyncio.to_thread(world.mongod.start)


@fault("purse.mongod-paused", "mongod is frozen for 6 s while many draw", PURSE, seconds=15)
async def mongod_paused(world: World, offices: Offices) -> None:
    """Freeze mongod for longer than a service waits for it."""
    async with drawing(world, offices, 1):
        await asyncio.sleep(offices.random.uniform(0.1, 0.5))
        world.mongod.pause()
        await asyncio.sleep(6)
        world.mongod.resume()


@fault("purse.killed", "the purse is killed, again and again, while many draw", PURSE)
async def killed(world: World, offices: Offices) -> None:
    """The process is restarted each time."""
    process = world.replicas("purse")[0]
    async with drawing(world, offices, 5):
        for _ in range(3):
            await asyncio.sleep(offices.random.uniform(0.1, 0.5))
            world.kill(process)
            await asyncio.sleep(0.1)  # Until the process is restarted.
            await asyncio.to_thread(process.wait_ready)


async def crash(world: World, offices: Offices, *, point: str) -> None:
    """Let the purse die at a crash point of its transactions during concurrent draws."""
    process = world.replicas("purse")[0]
    # The purses are opened before.
    await world.crash_at(process, point, PURSES + offices.random.randint(1, 8))
    async with drawing(world, offices, 1):
        pass


async def commits(world: World, offices: Offices, *, answer: dict[str, Any]) -> None:
    """Let commits of the purse fail at random during concurrent draws."""
    third = {"activationProbability": 0.33}
    async with drawing(world, offices, 2), failing(world, "commitTransaction", APP, third, answer):
        await asyncio.sleep(3)


for point in ("mongo.before_commit", "mongo.after_commit"):
    # MongoDB keeps the locks of a dead transaction for some seconds.
    add(Fault(f"purse.crash.{point}", f"the purse dies at `{point}`", partial(crash, point=point), PURSE, seconds=25))
for name, (title, answer) in COMMITS.items():
    for shape in (PURSE, PURSE_TWO):
        where, by = ("-replicas", ", by two replicas") if shape == PURSE_TWO else ("", "")
        add(Fault(f"purse.commit-{name}{where}", f"{title}{by}", partial(commits, answer=answer), shape))
