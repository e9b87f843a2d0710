"""A backlog of 100,000 events: memory stays bounded, and order is kept."""

import asyncio
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pymongo

from tests.chaos.fault import fault
from tests.chaos.office import Offices
from tests.chaos.world import World

EVENTS = 100_000
AGGREGATES = 2_000
MEGABYTES = 400
KIND = "membership.interest_shown.v1"


@fault("backlog", "100,000 events wait when the services start", seconds=400, quiet_within=600)
async def backlog(world: World, offices: Offices) -> None:
    """The events are history, so that nobody is notified; otherwise they are like any event."""
    for process in world.processes.values():
        await world.end(process)
    await asyncio.to_thread(_store, world.mongo_uri)
    world.start_services()
    await world.ready()
    world.healed()
    await offices.accessions(3)
    for process in world.processes.values():
        peak = _peak_megabytes(process.pid)
        world.notes.append(f"{process.service} took at most {peak} MB")
        if peak > MEGABYTES:
            world.journal.complain(f"{process.name} took {peak} MB")


def _store(uri: str) -> None:
    """Write rows and states as membership would, in bulk."""
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        database = client["membership"]
        states = []
        for number in range(AGGREGATES):
            rows = [_row(f"backlog-{number}", version) for version in range(1, EVENTS // AGGREGATES + 1)]
            database["events"].insert_many(rows)
            states.append({"_id": f"backlog-{number}", "version": len(rows), "head": rows[-1]["_id"]})
        database["backlog"].insert_many(states)


def _row(subject: str, version: int) -> dict[str, Any]:
    data = {
        "ags": "14626480", "name": subject, "district_key": "14626", "district": "Görlitz",
        "police_directorate": "PD Görlitz", "shown_on": "2023-01-27", "note": None,
    }  # fmt: skip
    return {
        "_id": f"{subject}-{version:04}-{secrets.token_hex(4)}", "type": KIND, "subject": subject, "version": version,
        "at": datetime(2023, 1, 1, tzinfo=UTC), "actor": "operator", "cause": "backlog", "trace": "backlog",
        "history": True, "data": data, "hash": "", "unpublished": True,
    }  # fmt: skip


def _peak_megabytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [peak] = [line for line in lines if line.startswith("VmHWM")]
    return int(peak.split()[1]) // 1024
