"""Clocks that jump an hour forward or back."""

import asyncio
from functools import partial

from tests.chaos.fault import Fault, add
from tests.chaos.office import Offices
from tests.chaos.world import Shape, World

JUMPS = {"forth": "+3600", "back": "-3600"}


async def jump(world: World, offices: Offices, *, whose: str, by: str) -> None:
    """Let the clock jump under load, and return after some seconds."""
    world.allowance.clocks_jumped = True
    async with offices.at_work(2):
        for offset in (by, "+0"):
            await asyncio.sleep(offices.random.uniform(0.8, 1.5))
            world.set_clock(whose, offset)
        await asyncio.sleep(2)
        world.healed()


for whose in ("services", "mongod"):
    for word, by in JUMPS.items():
        add(
            Fault(
                f"clock.{whose}.{word}",
                f"the clock of {whose} jumps an hour {word}, and returns",
                partial(jump, whose=whose, by=by),
                Shape(faketime=True),
                # The faketime library intercepts each call to the clock, which slows MongoDB down most of all.
                quiet_within=60,
                short=(whose, word) == ("services", "forth"),
            )
        )
