"""Every link between a service and a server fails in every way."""

import asyncio
from functools import partial

from tests.chaos.fault import Fault, add
from tests.chaos.faults.crashes import CONNECTIONS
from tests.chaos.link import Link
from tests.chaos.office import Offices
from tests.chaos.world import Shape, World

LINKED = Shape(linked=True)
LINKS = [(service, server) for service in ("membership", "notifications") for server in ("mongo", "nats")]
LINKS.append(("notifications", "smtp"))
HOW = {
    "refuse": "nobody listens, connections are reset",
    "black-hole": "bytes go in and do not come out",
    "half-open": "questions arrive, answers do not",
    "delay": "everything takes 2 s longer in each direction",
    "cut": "each connection is reset in the middle of a message",
}
SECONDS = {"refuse": 3.0, "black-hole": 6.0, "half-open": 6.0, "delay": 6.0, "cut": 4.0}


async def fail(world: World, offices: Offices, *, service: str, server: str, how: str) -> None:
    """Break the links for some seconds while offices are at work."""
    links = world.link(service, server)
    if server == "smtp":
        # Each cut of the link can hit one email per connection after its final dot.
        world.allowance.unknown_emails += CONNECTIONS * (20 if how == "cut" else 2)
    async with offices.at_work(2):
        await asyncio.sleep(offices.random.uniform(0.3, 1.0))
        for link in links:
            await _break(link, how, offices)
        await asyncio.sleep(SECONDS[how])
        for link in links:
            await link.heal()
        world.healed()


async def _break(link: Link, how: str, offices: Offices) -> None:
    match how:
        case "refuse":
            await link.refuse()
        case "black-hole":
            link.black_hole()
        case "half-open":
            link.half_open()
        case "delay":
            link.delay(2.0)
        case "cut":
            link.cut_after(offices.random.randrange(100, 4000))


for service, server in LINKS:
    for how, words in HOW.items():
        add(
            Fault(
                f"network.{service}.{server}.{how}",
                f"{service} – {server}: {words}, {SECONDS[how]:.0f} s",
                partial(fail, service=service, server=server, how=how),
                LINKED,
                short=(server, how) in {("nats", "cut"), ("smtp", "half-open")} and service == "notifications",
                seconds=SECONDS[how] + 6,
            )
        )
