"""Messages that no service can read: each is parked with the events behind it, and all others flow on."""

import asyncio
import secrets
from functools import partial
from typing import Any

import nats
import nats.errors
import nats.js.errors

from tests.chaos.fault import Fault, add
from tests.chaos.faults.crashes import IN_DOUBT, crashed
from tests.chaos.office import Offices
from tests.chaos.quiet import until_others_are_quiet
from tests.chaos.world import SERVICES, World

SEEN_WITHIN_SECONDS = 60.0
SIGNED = "membership.agreement_signed.v1"
POISONS: dict[str, tuple[str, bytes]] = {
    "bad-json": (SIGNED, b'{"agreement_id": '),
    "wrong-fields": (SIGNED, b'{"a": 1}'),
    "unknown-version": ("membership.agreement_signed.v9", b"{}"),
    "nested": (SIGNED, b"[" * 100_000),
    "large": (SIGNED, b'"' + b"x" * 200_000 + b'"'),
    "no-headers": (SIGNED, b"{}"),
}
TOO_LARGE = b"x" * 1_000_000


async def poison(world: World, offices: Offices, *, crash: str = "", hit: int = 1) -> None:
    """Publish poison about agreements that are being signed, inspect it as an operator would, and drop it."""
    process = world.replicas("notifications")[0]
    deaths = len(process.deaths)
    if crash:
        world.allowance.unknown_emails += IN_DOUBT
        await world.crash_at(process, crash, hit)
    files = {name: await offices.ready_agreement() for name in POISONS}
    for name, (agreement, _) in files.items():
        await _publish(world, name, agreement)
    await asyncio.gather(*(offices.sign_all(*file) for file in files.values()), offices.accessions(3))
    parked = await _seen(world, {agreement for agreement, _ in files.values()})
    await until_others_are_quiet(world)
    world.notes.append(f"{len(parked)} events were seen to wait while all others arrived")
    for service in SERVICES:
        poisons = [one["id"] for one in parked if one["service"] == service and _is_poison(one["id"])]
        await world.run("parked", "drop", service, *poisons, "--yes")
    if crash:
        await crashed(process, deaths)
    world.healed()


def _is_poison(id: str) -> bool:
    """True if the event is one of our poison messages, or has no id."""
    return id.startswith(("poison-", "membership-"))


async def _publish(world: World, name: str, agreement: str) -> None:
    kind, body = POISONS[name]
    id = f"poison-{secrets.token_hex(6)}"
    headers = {
        "ce-specversion": "1.0", "ce-id": id, "ce-source": "/asskomm/services/membership", "ce-type": kind,
        "ce-subject": agreement, "ce-time": "2023-01-27T10:00:00+00:00", "ce-aggregateversion": "99",
        "ce-actor": "nobody", "ce-causationid": id, "ce-history": "false",
        "traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
    }  # fmt: skip
    world.allowance.foreign |= {id, ""}
    client = await nats.connect(world.nats.url)
    js = client.jetstream()
    await js.publish(f"{kind}.{agreement}", body, headers=None if name == "no-headers" else headers)
    try:
        await js.publish(f"{kind}.{agreement}", TOO_LARGE, headers=headers)
    except (nats.js.errors.APIError, nats.errors.Error):
        pass
    else:
        world.journal.complain("the stream took a message of a megabyte")
    await client.close()


async def _seen(world: World, agreements: set[str]) -> list[dict[str, Any]]:
    """Wait until, in both services, operators see the poison of each agreement and the events behind it."""
    async with asyncio.timeout(SEEN_WITHIN_SECONDS):
        while True:
            parked: list[dict[str, Any]] = await world.run("parked", "list", "--json")
            places = {(one["service"], one["event"].rpartition(".")[2]) for one in parked}
            if all((service, id) in places for service in ("membership", "notifications") for id in agreements):
                return parked
            await asyncio.sleep(0.3)


add(Fault("poison", "events that nobody can read come in between", poison, short=True, seconds=20))
for point in ("parking.failed", "parking.parked", "parking.before_done"):
    for hit in (1, 2):
        add(
            Fault(
                f"crash.notifications.{point}.{hit}",
                f"notifications dies at `{point}`, pass {hit}, with events parked",
                partial(poison, crash=point, hit=hit),
                seconds=25,
            )
        )
