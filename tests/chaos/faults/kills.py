"""SIGKILL and SIGSTOP of every process and server, and starts in any order."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from tests.chaos.fault import Fault, add, fault
from tests.chaos.faults.crashes import CONNECTIONS, IN_DOUBT
from tests.chaos.office import Offices
from tests.chaos.world import SERVICES, World

SERVERS = ("mongod", "nats", "mail")


@fault("calm", "nothing goes wrong", short=True)
async def calm(world: World, offices: Offices) -> None:
    """Let the referee judge an undisturbed system."""
    await offices.accessions(6)


async def kill_service(world: World, offices: Offices, *, service: str) -> None:
    """SIGKILL the process at random moments, several times; it is restarted at once."""
    times = 4
    if service == "notifications":
        world.allowance.unknown_emails += IN_DOUBT * times
    async with offices.at_work():
        for _ in range(times):
            await asyncio.sleep(offices.random.uniform(0.2, 1.5))
            for process in world.replicas(service):
                world.kill(process)
            await world.ready()


async def kill_server(world: World, offices: Offices, *, server: str) -> None:
    """SIGKILL the server at random moments, several times; it is back after a moment."""
    times = 4
    if server == "mail":
        world.allowance.unknown_emails += CONNECTIONS * times
    async with offices.at_work():
        for _ in range(times):
            await asyncio.sleep(offices.random.uniform(0.2, 1.2))
            world.servers[server].kill()
            await asyncio.sleep(offices.random.uniform(0, 1.0))
            await asyncio.to_thread(world.servers[server].start)
        world.healed()


async def pause_service(world: World, offices: Offices, *, service: str) -> None:
    """SIGSTOP the process for longer than its lease, its claims and the stream's ack wait."""
    if service == "notifications":
        world.allowance.unknown_emails += IN_DOUBT
    async with offices.at_work():
        await asyncio.sleep(offices.random.uniform(0.3, 1.0))
        for process in world.replicas(service):
            process.pause()
        await asyncio.sleep(7)
        for process in world.replicas(service):
            process.resume()
        world.healed()


async def pause_server(world: World, offices: Offices, *, server: str, seconds: float) -> None:
    """SIGSTOP the server: connections stay open, nothing answers."""
    if server == "mail":
        world.allowance.unknown_emails += CONNECTIONS
    async with offices.at_work():
        await asyncio.sleep(offices.random.uniform(0.3, 1.0))
        world.servers[server].pause()
        await asyncio.sleep(seconds)
        world.servers[server].resume()
        world.healed()


@fault("kill.everything", "all processes and servers are killed at once, and come back in any order, twice", seconds=25)
async def kill_everything(world: World, offices: Offices) -> None:
    """Kill everything, as in a power failure, except for the contents of the disks; tests/chaos/power/ tests those."""
    world.allowance.unknown_emails += 2 * IN_DOUBT
    async with offices.at_work():
        for _ in range(2):
            await asyncio.sleep(offices.random.uniform(0.5, 1.5))
            for process in world.processes.values():
                process.wanted = False
                process.kill()
            for server in world.servers.values():
                server.kill()
            await _start_in_any_order(world, offices, pause=0.5)
        world.healed()


@fault("start.any-order", "a cold start in any order, each server missing for some seconds", seconds=25)
async def start_in_any_order(world: World, offices: Offices) -> None:
    """Start the services long before the servers that they need."""
    for process in world.processes.values():
        await world.end(process)
    for server in world.servers.values():
        await asyncio.to_thread(server.stop)
    async with offices.at_work():
        await _start_in_any_order(world, offices, pause=3.0)
        world.healed()


async def _start_in_any_order(world: World, offices: Offices, pause: float) -> None:
    starts: list[Callable[[], Awaitable[None]]] = [
        partial(asyncio.to_thread, server.start) for server in world.servers.values()
    ]
    starts += [partial(asyncio.to_thread, process.spawn) for process in world.processes.values()]
    offices.random.shuffle(starts)
    for start in starts:
        await start()
        await asyncio.sleep(offices.random.uniform(0, pause))


for service in SERVICES:
    add(
        Fault(
            f"kill.{service}",
            f"{service} is killed four times at random moments",
            partial(kill_service, service=service),
            short=service == "membership",
        )
    )
    add(Fault(f"pause.{service}", f"{service} is frozen for 7 s", partial(pause_service, service=service), seconds=14))
for server in SERVERS:
    add(
        Fault(
            f"kill.{server}",
            f"{server} is killed four times at random moments",
            partial(kill_server, server=server),
            short=server == "mongod",
        )
    )
for server, seconds in (("mongod", 12.0), ("nats", 35.0), ("mail", 6.0)):
    add(
        Fault(
            f"pause.{server}",
            f"{server} is frozen for {seconds:.0f} s",
            partial(pause_server, server=server, seconds=seconds),
            seconds=seconds + 8,
        )
    )
