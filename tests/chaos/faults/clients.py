"""Clients that disconnect before they get an answer, at every moment of a request."""

import asyncio
import json
from typing import Any

from tests.chaos.fault import fault
from tests.chaos.journal import Attempt
from tests.chaos.link import HOST
from tests.chaos.office import Offices
from tests.chaos.world import EVE, World

MOMENTS = 120
STEP_SECONDS = 0.0003


@fault("clients.gone", "clients go away at 120 moments of a request, 0.3 ms apart, and ask again later", short=True)
async def gone(world: World, offices: Offices) -> None:
    """Nothing is half done, nothing stays locked, and the same key reveals the outcome."""
    town = offices.next_town()
    path = f"/membership/v1/municipalities/{town.ags}/consultations"
    attempts: list[tuple[Attempt, dict[str, Any]]] = []
    for moment in range(MOMENTS):
        expects = {"membership.consultation_held.v1": 1}
        attempt = Attempt("lpr", "consultation", town.ags, expects=expects)
        attempts.append((attempt, {"held_on": EVE, "topics": [f"topic {moment}"]}))
        await _leave(world, offices, *attempts[-1], path, moment * STEP_SECONDS)
    async with asyncio.timeout(20):
        for attempt, body in attempts:
            await offices.send(attempt, path, body)


async def _leave(
    world: World, offices: Offices, attempt: Attempt, body: dict[str, Any], path: str, after: float
) -> None:
    process = world.replicas("membership")[0]
    content = json.dumps(body, separators=(",", ":")).encode()
    headers = offices.headers(attempt) | {"host": HOST, "content-type": "application/json"}
    head = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    world.journal.invoked(attempt)
    _, writer = await asyncio.open_connection(HOST, process.port)
    writer.write("\r\n".join([*head, f"content-length: {len(content)}", "", ""]).encode() + content)
    await writer.drain()
    await asyncio.sleep(after)
    writer.transport.abort()
    world.journal.unanswered(attempt, "went away")
