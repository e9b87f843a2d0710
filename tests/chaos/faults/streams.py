"""NATS is down, rejects our password, is full, forgets a durable, or loses stored data."""

import asyncio
import json
import shutil
from pathlib import Path

import nats
import nats.errors

from tests.chaos.evidence import STREAMS
from tests.chaos.fault import fault
from tests.chaos.office import Offices
from tests.chaos.process import Process
from tests.chaos.quiet import quiet
from tests.chaos.servers import PASSWORD
from tests.chaos.world import Shape, World

SEEN_WITHIN_SECONDS = 60.0


@fault("nats.away-5-minutes", "NATS is away for five minutes", seconds=340)
async def away(world: World, offices: Offices) -> None:
    """Keep NATS down for longer than any limit of the libraries; the watchdog may end processes."""
    deaths = _deaths(world)
    offices.pause = 2.0
    async with offices.at_work(2):
        world.nats.kill()
        await asyncio.sleep(300)
        await asyncio.to_thread(world.nats.start)
        world.healed()
        offices.pause = 0.05
    world.notes.append(f"{_deaths(world) - deaths} processes were renewed by their watchdogs")


@fault("nats.credentials", "NATS knows another password for 10 s, then the right one again", seconds=20)
async def credentials(world: World, offices: Offices) -> None:
    """A rejected connection wedges some versions of the library."""
    async with offices.at_work():
        for password, seconds in (("wrong", 10.0), (PASSWORD, 0.0)):
            world.nats.kill()
            world.nats.password = password
            await asyncio.to_thread(world.nats.start)
            await asyncio.sleep(seconds)
        world.healed()


@fault("nats.durable-deleted", "the durable of notifications is deleted; `asskomm setup` makes it anew", seconds=25)
async def durable_deleted(world: World, offices: Offices) -> None:
    """The whole stream is delivered again."""
    client = await nats.connect(world.nats.url)
    await client.jetstream().delete_consumer(STREAMS["membership"], "notifications")
    await client.close()
    async with offices.at_work(1):
        await _seen_not_ready(world, world.replicas("notifications")[0])
        await world.run("setup")
        world.healed()


@fault("nats.lost", "NATS loses all it had; `asskomm setup` and `asskomm replay` make it anew", short=True, seconds=20)
async def lost(world: World, offices: Offices) -> None:
    """Every event is published again, and nobody is notified again."""
    async with offices.at_work(1):
        world.nats.kill()
        shutil.rmtree(world.nats.data_path)
        await asyncio.to_thread(world.nats.start)
        await _seen_not_ready(world, world.replicas("membership")[0])
        await world.run("setup")
        await world.run("replay", "membership", "--no-wait")
        world.healed()


@fault("nats.rolled-back", "NATS comes back as it was before; `asskomm replay` publishes what is missing", seconds=20)
async def rolled_back(world: World, offices: Offices) -> None:
    """Roll NATS back, as if its disk had been restored from a copy."""
    await asyncio.to_thread(world.nats.stop)
    copy = world.folder / "nats-copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(world.nats.data_path, copy)
    await asyncio.to_thread(world.nats.start)
    await offices.accessions(4)
    await quiet(world)
    world.nats.kill()
    shutil.rmtree(world.nats.data_path)
    shutil.copytree(copy, world.nats.data_path)
    await asyncio.to_thread(world.nats.start)
    async with offices.at_work(1):
        await _seen_not_ready(world, world.replicas("membership")[0])
        await world.run("replay", "membership", "--no-wait")
        world.healed()


@fault("nats.full", "the stream has reached its limit; `asskomm setup` lifts it", seconds=15)
async def full(world: World, offices: Offices) -> None:
    """The server rejects whatever exceeds the limit."""
    client = await nats.connect(world.nats.url)
    js = client.jetstream()
    info = await js.stream_info(STREAMS["membership"])
    await js.update_stream(info.config.evolve(max_bytes=info.state.bytes + 20_000))
    async with offices.at_work():
        await _seen(world, "membership", "outbox")
        await world.run("setup")
        world.healed()
    await client.close()


@fault("nats.disk-full", "the disk of NATS is full (ENOSPC); then there is room, and it is restarted",
       Shape(nats_megabytes=48), seconds=30)  # fmt: skip
async def disk_full(world: World, offices: Offices) -> None:
    """Use a tmpfs of 48 MB, filled to the last byte."""
    filler = world.nats.data_path / "filler"
    async with offices.at_work():
        await asyncio.sleep(0.5)
        await asyncio.to_thread(fill, filler)
        await _seen(world, "membership", "outbox")
        filler.unlink()
        await asyncio.to_thread(world.nats.stop)
        await asyncio.to_thread(world.nats.start)
        world.healed()


@fault("nats.duplicates", "every event comes once more, in any order", short=True)
async def duplicates(world: World, offices: Offices) -> None:
    """Publish the copies raw, without the id by which the server would drop them."""
    world.allowance.stream_doubles = True
    await offices.accessions(3)
    await quiet(world)
    client = await nats.connect(world.nats.url)
    js = client.jetstream()
    info = await js.stream_info(STREAMS["membership"])
    subscription = await js.subscribe("membership.>", ordered_consumer=True)
    messages = [await subscription.next_msg(timeout=10) for _ in range(info.state.messages)]
    await subscription.unsubscribe()
    offices.random.shuffle(messages)
    async with offices.at_work(1):
        for message in messages:
            headers = {name: value for name, value in (message.headers or {}).items() if not name.startswith("Nats-")}
            await js.publish(message.subject, message.data, headers=headers)
        world.healed()
    await client.close()


def fill(filler: Path) -> None:
    """Write until the disk is full."""
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


async def _seen(world: World, service: str, what: str) -> None:
    """Operators can see within a minute that something is stuck."""
    async with asyncio.timeout(SEEN_WITHIN_SECONDS):
        while not json.loads(json.dumps(await world.run("status", "--json")))[service][what]:
            await asyncio.sleep(0.2)


async def _seen_not_ready(world: World, process: Process) -> None:
    """Container monitoring can see within a minute that a service is not ready."""
    async with asyncio.timeout(SEEN_WITHIN_SECONDS):
        while await asyncio.to_thread(process.answers, "/health/ready"):
            await asyncio.sleep(0.1)


def _deaths(world: World) -> int:
    return sum(len(process.deaths) for process in world.processes.values())
