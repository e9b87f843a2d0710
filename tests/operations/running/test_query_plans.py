"""Every MongoDB query uses an index, according to the profiler while the system does everything it can do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from operations.care.audit import audit
from operations.demo.accessions import LPR, Staff, Town, accepted
from operations.running.local import System
from shared.inbox.parking import Parked
from shared.runtime.service import Service
from shared.store.mongo import Document

TOWN = Town("14627340", "PD Dresden")
EVERYTHING = 2
"""The profiler level that records every operation, not only slow ones."""

SCANNED = {"membership.municipalities": "the figures look at all 418 of them"}
"""Scans that are allowed, with the reason; reading an arbitrary first document is always allowed."""

SORTED = {
    "membership.municipalities": "418, a page of those in one stage, district or directorate",
    "membership.agreements": "those of one municipality or directorate, which are a few hundred at most",
    "notifications.contacts": "those who hold an office in one area",
    "notifications.members": "the municipalities of one district",
    "notifications.deliveries": "the emails about one event; or a page of the few that are in a state",
}
"""In-memory sorts that are allowed, with the reason why they stay small."""


@asynccontextmanager
async def profiled(service: Service) -> AsyncIterator[list[Document]]:
    """Yield MongoDB's record of the queries to a service's database; it is complete at the end of `with`."""
    database, noted = service.database.database, list[Document]()
    await database.drop_collection("system.profile")
    await database.create_collection("system.profile", capped=True, size=16 * 1024 * 1024)
    await database.command("profile", EVERYTHING)
    try:
        yield noted
    finally:
        await database.command("profile", 0)
        noted += [one async for one in database["system.profile"].find({"planSummary": {"$exists": True}})]


async def ask(staff: Staff, agreement: str) -> None:
    """Send every kind of query, as users who see everything and as users who see a part."""
    found = accepted(await staff.get(LPR, f"/membership/v1/municipalities/{TOWN.ags}/history"))["items"]
    lists = (
        "/alliance", "/alliance/steps", "/board", "/municipalities", "/municipalities?district=14628&former=true",
        "/municipalities?q=dresden", "/municipalities?stage=member", "/municipalities?figure=members", "/agreements",
        "/agreements?stage=in_force", f"/agreements?ags={TOWN.ags}", "/security-analyses",
        f"/security-analyses?ags={TOWN.ags}", "/templates", f"/municipalities/{TOWN.ags}/journey",
        f"/municipalities/{TOWN.ags}/offices", f"/agreements/{agreement}/certificate",
    )  # fmt: skip
    for path in lists:
        for who in (LPR, TOWN.police, TOWN.office):
            assert (await staff.get(who, f"/membership/v1{path}")).is_success, path
    for path in ("/contacts", "/deliveries", "/deliveries?state=sent", f"/deliveries?event_id={found[-1]['id']}"):
        assert (await staff.get(LPR, f"/notifications/v1{path}")).is_success, path


async def park(service: Service) -> None:
    """Park an event, retry it, and drop it."""
    now, parking = service.clock(), service.parking
    waiting = Parked.of(f"{service.name}.x.v1.{TOWN.ags}", {}, b"", service.name, 0)
    await parking.park(waiting, "why", now + timedelta(days=1))
    await parking.failed(waiting, "why", now + timedelta(days=1))
    assert await parking.holds(waiting.aggregate)
    await parking.due(service.name, now)
    await parking.retry(waiting.id, now + timedelta(days=1))
    await parking.drop(waiting.id, "nobody", now)


@pytest.fixture(scope="session")
async def noted(system: System, staff: Staff) -> list[Document]:
    """All queries made while a municipality joins, everybody reads everything, and operators do their work."""
    membership, notifications = system.services
    membership.relay._last_acknowledged.clear()  # As after a restart.
    async with profiled(membership) as first, profiled(notifications) as second:
        agreement = await staff.accession(TOWN)
        await system.quiet()
        await ask(staff, agreement)
        for service in system.services:
            await park(service)
            await service.lease.seize()
            await service.schedule.sweep()
            await audit(service)
    return first + second


def question(one: Document) -> str:
    """Return each query, its collection and its plan."""
    return f"{one['ns']}: {one['planSummary']} for {str(one['command'])[:300]}"


def test_nothing_is_looked_through_without_an_index(noted: list[Document]) -> None:
    scans = [one for one in noted if one["planSummary"] == "COLLSCAN" and one["command"].get("limit") != 1]
    assert [question(one) for one in scans if one["ns"] not in SCANNED] == []


def test_nothing_that_grows_is_sorted_without_an_index(noted: list[Document]) -> None:
    sorts = [one for one in noted if one.get("hasSortStage")]
    assert [question(one) for one in sorts if one["ns"] not in SORTED] == []


def test_emails_are_counted_without_reading_them(noted: list[Document]) -> None:
    counts = [one for one in noted if "pipeline" in one["command"] and one["ns"] == "notifications.deliveries"]
    assert counts
    assert all(one["docsExamined"] == 0 for one in counts)


def test_the_event_before_is_looked_up(noted: list[Document]) -> None:
    """The relay makes these for the first event of an aggregate after a start; each reads one row."""
    asked = [one for one in noted if one["ns"] == "membership.events" and "$or" in one["command"].get("filter", {})]
    assert asked
    assert all(one["docsExamined"] <= len(one["command"]["filter"]["$or"]) for one in asked), question(asked[0])


def test_every_collection_was_asked(noted: list[Document], system: System) -> None:
    """Without this, the other tests would prove nothing."""
    aggregates = {f"{service.name}.{one.collection}" for service in system.services for one in service.repositories}
    mechanisms = {
        f"{service.name}.{name}" for service in system.services for name in ("events", "causes", "leases", "parked")
    }
    assert {one["ns"] for one in noted} >= aggregates | mechanisms
