"""A process dies exactly where it matters: every named point of the code, at its first and at its second pass."""

import asyncio
import re
import time
from functools import partial
from pathlib import Path

from tests.chaos.fault import Fault, add
from tests.chaos.office import Offices
from tests.chaos.process import Process
from tests.chaos.world import World

PROJECT = Path(__file__).resolve().parents[3]
REACHED_WITHIN_SECONDS = 25.0
CONNECTIONS = 4
"""So many emails a mailer has on the wire at most."""

IN_DOUBT = CONNECTIONS + 16
"""So many more may have been taken and not be recorded yet: all of these come twice when it is killed."""

WHERE = {
    "mongo": ("membership", "notifications"),
    "relay": ("membership",),
    "inbox": ("membership", "notifications"),
    "parking": ("notifications",),
    "mailer": ("notifications",),
}
"""Which services pass the points of a module."""
SHORT = {"relay.after_publish", "inbox.before_ack", "mongo.after_commit"}


def points() -> list[str]:
    """Every point that the code names."""
    code = [file.read_text() for folder in ("shared", "services") for file in (PROJECT / folder).rglob("*.py")]
    return sorted({name for text in code for name in re.findall(r'crashpoint\("([a-z_.]+)"\)', text)})


async def crash(world: World, offices: Offices, *, service: str, point: str, hit: int) -> None:
    """Let a service die at a point while offices are at work; it is started again, as a container would be."""
    process = world.replicas(service)[0]
    deaths = len(process.deaths)
    if service == "notifications":
        world.allowance.unknown_emails += IN_DOUBT
    if point.startswith("mailer.claimed"):
        await _let_emails_wait(world, offices)
    await world.crash_at(process, point, hit)
    async with offices.at_work(2):
        await crashed(process, deaths)
    world.healed()


async def crashed(process: Process, before: int) -> None:
    """Wait until a process has died once more."""
    deadline = time.monotonic() + REACHED_WITHIN_SECONDS
    while len(process.deaths) == before:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{process.name} did not pass the point")
        await asyncio.sleep(0.02)


async def _let_emails_wait(world: World, offices: Offices) -> None:
    """Emails that could not be sent at once are claimed later, which is another way through the code."""
    world.mail.kill()
    await offices.accessions(2)
    await asyncio.to_thread(world.mail.start)


for point in points():
    if point.startswith("parking."):
        continue  # These are passed only where something fails: see poison.py.
    for service in WHERE[point.partition(".")[0]]:
        for hit in (1, 2):
            add(
                Fault(
                    f"crash.{service}.{point}.{hit}",
                    f"{service} dies at `{point}`, pass {hit}",
                    partial(crash, service=service, point=point, hit=hit),
                    short=hit == 1 and point in SHORT,
                )
            )
