"""Builds that are broken on purpose (tests/builds), each with the trouble that exposes the defect.

The same trouble must not harm an intact build: where no other fault shows that, `control.<name>` does.
"""

import asyncio
from functools import partial
from typing import Any

import nats
import pymongo
from nats.js.api import ConsumerConfig, DeliverPolicy

from operations.embedded.mail_sink import set_faults
from tests.chaos.evidence import STREAMS
from tests.chaos.fault import Fault, Run, add
from tests.chaos.faults import purse
from tests.chaos.faults.crashes import crash
from tests.chaos.faults.purse import failing, used_up
from tests.chaos.office import Offices
from tests.chaos.quiet import quiet
from tests.chaos.world import Shape, World

RECENT = 24
"""How many messages at the end of the stream are published again."""
ODD_SECONDS = 2.0
"""How long every second insert fails."""
SETTLED_SECONDS = 6.0
"""How soon all must be quiet again if nothing new has come; permanently parked events keep it from being so."""


async def late_commits(world: World, offices: Offices) -> None:
    """Delay single commits while others overtake them."""
    hang = {"blockConnection": True, "blockTimeMS": 600}
    async with offices.at_work(4):
        for _ in range(4):
            async with failing(world, "commitTransaction", "asskomm-membership", {"times": 1}, hang):
                await asyncio.sleep(0.9)
    world.healed()


async def failing_writes(world: World, offices: Offices, *, service: str) -> None:
    """Let MongoDB reject three writes of a service, with an error that nobody foresaw."""
    odd, times = {"errorCode": 96}, 3
    async with offices.at_work(), failing(world, "insert", f"asskomm-{service}", {"times": times}, odd):
        await used_up(world, times)
    world.healed()


async def duplicates(world: World, offices: Offices) -> None:
    """Publish the latest events once more; this must have no effect."""
    await _settled_accessions(world, offices)
    await _come_again(world, offices)
    world.healed()
    try:
        await quiet(world, SETTLED_SECONDS)
    except TimeoutError as error:
        world.journal.complain(f"events that came twice did not pass without a trace: {error}")
        # The complaint is recorded; there is no need to wait for these events any longer.
        world.allowance.parked |= await asyncio.to_thread(_parked, world)


def _parked(world: World) -> set[str]:
    with pymongo.MongoClient[dict[str, Any]](world.mongo_uri, timeoutMS=10_000) as client:
        return {one["_id"] for name in ("membership", "notifications") for one in client[name]["parked"].find()}


async def _settled_accessions(world: World, offices: Offices) -> None:
    world.allowance.stream_doubles = True
    await offices.accessions(2)
    await quiet(world)


async def _come_again(world: World, offices: Offices) -> None:
    """Publish the last messages raw, under other ids, so that the server does not drop them."""
    client = await nats.connect(world.nats.url)
    js, stream = client.jetstream(), STREAMS["membership"]
    first = (await js.stream_info(stream)).state.last_seq - RECENT + 1
    config = ConsumerConfig(deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=first)
    subscription = await js.subscribe("membership.>", ordered_consumer=True, config=config)
    messages = [await subscription.next_msg(timeout=10) for _ in range(RECENT)]
    await subscription.unsubscribe()
    offices.random.shuffle(messages)
    for message in messages:
        headers = {name: value for name, value in (message.headers or {}).items() if not name.startswith("Nats-")}
        await js.publish(message.subject, message.data, headers=headers)
    await client.close()


async def cut_beyond_the_dot(world: World, offices: Offices) -> None:
    """Let the mail server accept two emails, and close the connections without an answer."""
    with pymongo.MongoClient[dict[str, Any]](world.mongo_uri, timeoutMS=10_000) as client:
        contact = client["notifications"]["contacts"].find_one({"role": "lpr_head", "active": True})
    if contact is None:
        raise RuntimeError("no contact is the head of the LPR")
    times = 2
    world.allowance.unknown_emails += times
    set_faults(world.mail.maildir, {"cut_after_dot": {"to": contact["email"], "times": times}})
    await offices.accessions(2)
    world.healed()


async def backlog(world: World, offices: Offices) -> None:
    """Restart notifications on a stream that has moved on, with many reactions failing at first."""
    process = world.replicas("notifications")[0]
    await world.end(process)
    await offices.accessions(12, workers=6)
    odd, often = {"errorCode": 96}, {"activationProbability": 0.5}
    async with failing(world, "insert", f"asskomm-{process.service}", often, odd):
        process.spawn()
        await asyncio.to_thread(process.wait_ready)
        await asyncio.sleep(ODD_SECONDS)
    world.healed()


SABOTAGES: dict[str, tuple[str, Run]] = {
    "publish-before-commit": (
        "events are published before the commit; three transactions of membership fail",
        partial(failing_writes, service="membership"),
    ),
    "acknowledge-before-commit": (
        "a message is acknowledged before the reaction; notifications dies in between",
        partial(crash, service="notifications", point="inbox.before_reaction", hit=2),
    ),
    "no-inbox": ("nobody looks up whether an event has had its effect; events come twice", duplicates),
    "relay-by-cursor": ("the relay goes on from the last id that it has seen; commits are late", late_commits),
    "default-acknowledgement": (
        "an exception is the end of a message; three reactions of notifications fail",
        partial(failing_writes, service="notifications"),
    ),
    "swallowing-middleware": (
        "a middleware of FastStream swallows exceptions, and nobody notices; three reactions of notifications fail",
        partial(failing_writes, service="notifications"),
    ),
    "unguarded-quantity": ("a sum that was read guards the purse; many draw at once", purse.calm),
    "new-message-id": ("an email that is sent again is another one; two are cut off", cut_beyond_the_dot),
    "concurrent-batch": ("messages are handled several at a time; there is a backlog, and reactions fail", backlog),
}
COVERED = {"acknowledge-before-commit", "swallowing-middleware", "unguarded-quantity"}
"""The same trouble on a build that is not broken is a fault of its own: crash.…, and purse.calm."""
OF_TWO = {"relay-by-cursor"}
"""One process commits sequentially, so a late commit needs two processes."""

for name, (title, run) in SABOTAGES.items():
    replicas = 2 if name in OF_TWO else 1
    shape = Shape(replicas, sabotage=name, purse=name == "unguarded-quantity")
    add(Fault(f"sabotage.{name}", title, run, shape, quiet_within=15.0, short=True, sabotage=True))
    if name not in COVERED:
        add(Fault(f"control.{name}", f"nothing is broken; {title.partition('; ')[2]}", run, Shape(replicas)))
