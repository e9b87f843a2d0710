"""A replica set of three MongoDB nodes loses its primary in every way."""

import asyncio
import shutil

from tests.chaos.fault import NotHere, fault
from tests.chaos.office import Offices
from tests.chaos.trio import Trio
from tests.chaos.world import Shape, World

THREE = Shape(nodes=3)


@fault("set.primary-killed", "the primary of three nodes is killed, twice", THREE, seconds=30)
async def killed(world: World, offices: Offices) -> None:
    """Another node takes over; the killed one comes back as a secondary."""
    trio = _trio(world)
    async with offices.at_work():
        for _ in range(2):
            await asyncio.sleep(0.8)
            primary = await asyncio.to_thread(trio.primary)
            primary.kill()
            await asyncio.to_thread(trio.primary)
            await asyncio.to_thread(primary.start)
        world.healed()


@fault("set.stepdown", "the primary of three nodes steps down, three times", THREE, seconds=25)
async def stepdown(world: World, offices: Offices) -> None:
    """The primary steps down, as for maintenance."""
    async with offices.at_work():
        for _ in range(3):
            await asyncio.sleep(1.0)
            await asyncio.to_thread(_trio(world).step_down)
            await asyncio.to_thread(_trio(world).primary)
        world.healed()


@fault("set.primary-paused", "the primary of three nodes is frozen for 8 s", THREE, seconds=20)
async def paused(world: World, offices: Offices) -> None:
    """The frozen node still believes that it is the primary when it resumes."""
    async with offices.at_work():
        await asyncio.sleep(0.8)
        primary = await asyncio.to_thread(_trio(world).primary)
        primary.pause()
        await asyncio.sleep(8)
        primary.resume()
        world.healed()


@fault("set.primary-cut-off", "the primary of three nodes is cut off from everybody for 8 s", THREE, seconds=20)
async def cut_off(world: World, offices: Offices) -> None:
    """The isolated primary keeps running, but must not acknowledge writes."""
    trio = _trio(world)
    if not shutil.which("iptables"):
        raise NotHere("there is no iptables")
    async with offices.at_work():
        await asyncio.sleep(0.8)
        trio.cut_off(await asyncio.to_thread(trio.primary))
        await asyncio.sleep(8)
        trio.reconnect()
        world.healed()


def _trio(world: World) -> Trio:
    assert isinstance(world.mongod, Trio)
    return world.mongod
