"""SIGTERM under load, whatever is down: a service exits within 30 s with status 0, and loses nothing."""

import asyncio
import signal
import time
from functools import partial

from tests.chaos.fault import Fault, add
from tests.chaos.faults.crashes import IN_DOUBT
from tests.chaos.office import Offices
from tests.chaos.world import World

WITHIN_SECONDS = 30.0
DOWN = {
    "nothing": "nothing is down",
    "nats.killed": "NATS is away",
    "nats.paused": "NATS is frozen",
    "mongod.killed": "MongoDB is away",
    "mongod.paused": "MongoDB is frozen",
    "mail.killed": "the mail server is away",
    "mail.paused": "the mail server is frozen",
}


async def stop(world: World, offices: Offices, *, down: str, twice: bool = False) -> None:
    """Take something down, stop the services gracefully, and bring everything back."""
    server, _, how = down.partition(".")
    if server in {"mail", "mongod"} or twice:
        world.allowance.unknown_emails += IN_DOUBT
    async with offices.at_work():
        await asyncio.sleep(0.8)
        if how == "killed":
            world.servers[server].kill()
        elif how == "paused":
            world.servers[server].pause()
        await asyncio.sleep(offices.random.uniform(0.1, 1.0))
        await _end_all(world, twice=twice)
        if how == "killed":
            await asyncio.to_thread(world.servers[server].start)
        elif how == "paused":
            world.servers[server].resume()
        world.start_services()
        world.healed()


async def _end_all(world: World, *, twice: bool) -> None:
    began = time.monotonic()
    for process in world.processes.values():
        process.wanted = False
        process.signal(signal.SIGTERM)
    if twice:
        await asyncio.sleep(0.05)
        for process in world.processes.values():
            if process.running:
                process.signal(signal.SIGTERM)
    for process in world.processes.values():
        while process.running and time.monotonic() < began + WITHIN_SECONDS + 5:
            await asyncio.sleep(0.05)
        seconds = time.monotonic() - began
        if process.running or process.status != 0 or seconds > WITHIN_SECONDS:
            world.journal.complain(f"{process.name} ended with {process.status} after {seconds:.1f} s")
            process.kill()
    world.notes.append(f"all ended after {time.monotonic() - began:.1f} s")


for down, words in DOWN.items():
    add(
        Fault(
            f"stop.{down}",
            f"SIGTERM to all services under load, {words}",
            partial(stop, down=down),
            short=down == "nats.killed",
            seconds=20,
        )
    )
add(Fault("stop.twice", "SIGTERM twice to all services under load", partial(stop, down="nothing", twice=True)))
