"""A process dies at each crash point in the code, at its first and at its second pass."""

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
"""The most emails that a mailer sends at the same time."""

IN_DOUBT = CONNECTIONS + 16
"""The most emails accepted but not yet recorded; all of them are sent twice after a kill."""

WHERE = {
    "mongo": ("membership", "notifications"),
    "relay": ("membership",),
    "inbox": ("membership", "notifications"),
    "parking": ("notifications",),
    "mailer": ("notifications",),
}
"""The services that pass the crash points of each module."""
SHORT = {"relay.after_publish", "inbox.before_ack", "mongo.after_commit"}


def points() -> list[str]:
    """Return the names of all crash points in the code."""
    code = [file.read_text() for folder in ("shared", "services") for file in (PROJECT / folder).rglob("*.py")]
    return sorted({name for text in code for name in re.findall(r'crashpoint\("([a-z_.]+)"\)', text)})


async def crash(world: World, offices: Offices, *, service: str, point: str, hit: int) -> None:
    """Let a service die at a crash point while offices are at work; it is restarted, as a container would be."""
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
    """Wait until the process has died once more."""
    deadline = time.monotonic() + REACHED_WITHIN_SECONDS
    while len(process.deaths) == before:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{process.name} did not pass the point")
        await asyncio.sleep(0.02)


async def _let_emails_wait(world: World, offices: Offices) -> None:
    """Let emails queue while the mail server is down, because claiming them later takes another code path."""
    world.mail.kill()
    await offices.accessions(2)
    await asyncio.to_thread(world.mail.start)


for point in points():
    if point.startswith("parking."):
        continue  # These are passed only when a reaction fails: see poison.py.
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
