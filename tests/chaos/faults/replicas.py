"""Two replicas of everything."""

import asyncio

from tests.chaos.fault import fault
from tests.chaos.faults.crashes import IN_DOUBT
from tests.chaos.office import Offices
from tests.chaos.world import Shape, World

TWO = Shape(replicas=2)


@fault("replicas.calm", "two replicas of everything, and nothing goes wrong", TWO, short=True)
async def calm(world: World, offices: Offices) -> None:
    """The replicas share the work."""
    await offices.accessions(8, workers=4)


@fault("replicas.paused", "one of two replicas is frozen beyond its lease, then the other one", TWO, seconds=35)
async def paused(world: World, offices: Offices) -> None:
    """A resumed process does not know that time has passed."""
    world.allowance.unknown_emails += 2 * IN_DOUBT
    async with offices.at_work():
        for replica in (0, 1):
            await asyncio.sleep(offices.random.uniform(0.3, 0.8))
            frozen = [world.replicas(service)[replica] for service in ("membership", "notifications")]
            for process in frozen:
                process.pause()
            await asyncio.sleep(7)
            for process in frozen:
                process.resume()
        world.healed()


@fault("replicas.killed", "one of two replicas is killed, again and again", TWO, seconds=20)
async def killed(world: World, offices: Offices) -> None:
    """The other replica takes over."""
    async with offices.at_work():
        for _ in range(5):
            await asyncio.sleep(offices.random.uniform(0.3, 1.0))
            process = offices.random.choice(list(world.processes.values()))
            world.allowance.unknown_emails += IN_DOUBT * (process.service == "notifications")
            world.kill(process)
        world.healed()


@fault("replicas.rolling", "every replica is ended and started, one after the other, under load", TWO, seconds=20)
async def rolling(world: World, offices: Offices) -> None:
    """Restart the replicas one by one, as when rolling out a new version."""
    async with offices.at_work(2):
        for process in world.processes.values():
            await world.restart(process)
        world.healed()
