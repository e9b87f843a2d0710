"""A rolling update: the previous version and this one run side by side."""

import asyncio
import subprocess
from pathlib import Path

from tests.chaos.fault import NotHere, fault
from tests.chaos.office import Offices
from tests.chaos.world import Shape, World

PROJECT = Path(__file__).resolve().parents[3]
FORMER = "652d596"
"""The oldest commit that this version may run beside: the first that reads many messages at a time."""


@fault("upgrade", "two replicas of the former version are replaced by this one, one by one, under load",
       Shape(replicas=2), short=True, seconds=25)  # fmt: skip
async def upgrade(world: World, offices: Offices) -> None:
    """Each version reads what the other has written."""
    world.allowance.versions_differ = True
    code = world.folder / "former"
    await asyncio.to_thread(_check_out, code)
    for process in world.processes.values():
        process.code = code
        await world.restart(process)
    async with offices.at_work(2):
        for process in world.processes.values():
            process.code = PROJECT
            await world.restart(process)
        world.healed()


def _check_out(code: Path) -> None:
    code.mkdir()
    archive = subprocess.run(["git", "-C", str(PROJECT), "archive", FORMER], capture_output=True, check=False)
    if archive.returncode:
        raise NotHere(f"this copy of the repository has no commit {FORMER}")
    subprocess.run(["tar", "-x", "-C", str(code)], input=archive.stdout, check=True)
