"""SIGKILL and SIGSTOP of every process and server, and restarts in any order."""

from tests.chaos.fault import fault
from tests.chaos.office import Offices
from tests.chaos.world import World


@fault("calm", "nothing goes wrong", short=True)
async def calm(world: World, offices: Offices) -> None:
    """What the referee says of a system at peace."""
    await offices.accessions(6)
    world.healed()
