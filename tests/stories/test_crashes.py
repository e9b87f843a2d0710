"""Each process is killed at each point where it matters; after a restart everything has arrived, once."""

import asyncio
import time
from collections import Counter

import httpx
import pytest

from operations.accessions import Staff, Town
from operations.story import published
from services.notifications.mailer import CONNECTIONS
from tests.stories.processes import Process, World
from tests.waiting import until

# Municipalities of one district without an agreement, one for each point.
TOWNS = [Town(ags, "PD Görlitz") for ags in ("14626020", "14626050", "14626060", "14626085", "14626210", "14626245")]
# Readiness tells 5, each of 4 signatures 2, the agreement 3, the membership the new member and the 7 of its district;
# every accession here adds a neighbour to the next.
EMAILS = 5 + 4 * 2 + 3 + 1 + 7
POINTS = [
    ("membership", "relay.before_publish:1"),
    ("membership", "relay.after_publish:2"),
    ("membership", "inbox.before_ack:1"),
    ("notifications", "inbox.before_ack:2"),
    ("notifications", "mailer.before_record:2"),
]


@pytest.mark.parametrize(("number", "service", "point"), [(n, *point) for n, point in enumerate(POINTS)])
async def test_nothing_is_lost_or_doubled_by_a_kill(world: World, number: int, service: str, point: str) -> None:
    town = TOWNS[number]
    world.start({service: point})
    async with httpx.AsyncClient(base_url=world.processes["membership"].url, timeout=10) as http:
        office = Staff(http, world.settings.token_private_key, world.revive)
        agreement = await office.accession(town)
        await _killed_and_revived(world.processes[service])
    await _all_sent(world, agreement, EMAILS + number)
    await world.system.quiet()

    events = Counter(event["type"].split(".")[1] for event in await published(world.system, {agreement, town.ags}))
    assert events == {
        "agreement_drafted": 1,
        "agreement_ready": 1,
        "agreement_signed_by_party": 4,
        "agreement_signed": 1,
        "member_joined": 1,
    }
    emails = Counter(mail.message_id for mail in world.emails_about(agreement))
    expected = (
        await world.system.services[1]
        .database["deliveries"]
        .distinct("message_id", {"text.subject": {"$regex": agreement}})
    )
    assert set(emails) == set(expected)
    twice = [message_id for message_id, count in emails.items() if count > 1]
    # The process that sends had at most one email on the wire of each of its connections (RFC 1047).
    assert len(twice) <= (CONNECTIONS if service == "notifications" else 0)
    assert max(emails.values()) <= 2


async def test_an_orderly_stop_ends_well_and_sends_nothing_twice(world: World) -> None:
    world.start()
    async with httpx.AsyncClient(base_url=world.processes["membership"].url, timeout=10) as http:
        agreement = await Staff(http, world.settings.token_private_key).accession(TOWNS[-1])
    world.stop()
    assert [process.status for process in world.processes.values()] == [0, 0]
    world.start()
    await _all_sent(world, agreement, EMAILS + len(POINTS))
    await world.system.quiet()
    emails = Counter(mail.message_id for mail in world.emails_about(agreement))
    assert set(emails.values()) == {1}


async def _all_sent(world: World, agreement: str, emails: int) -> None:
    """Wait until all emails about an agreement are stored, and have been sent."""

    async def by_state() -> Counter[str]:
        about = {"text.subject": {"$regex": agreement}}
        return Counter([one["state"] async for one in world.system.services[1].database["deliveries"].find(about)])

    await until(by_state, lambda states: states == {"sent": emails})


async def _killed_and_revived(process: Process) -> None:
    """Wait until the process has died at its point, and start it again; what follows is up to the system alone."""
    deadline = time.monotonic() + 20
    while not process.killed and not process.revived:
        assert time.monotonic() < deadline, "the process did not pass the point"
        await asyncio.sleep(0.02)
    process.revive()
