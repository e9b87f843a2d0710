"""The stored state follows from the events, and the audit detects any change that bypasses them."""

from typing import Any

import pytest

from operations.care.audit import Audit, Difference, audit
from operations.demo.accessions import Staff, Town
from operations.running.local import System
from shared.runtime.service import Service

TOWN = Town("14627080", "PD Dresden")


@pytest.fixture(scope="module")
async def agreement(system: System, staff: Staff) -> str:
    """An agreement of TOWN, which has joined."""
    made = await staff.accession(TOWN)
    await system.quiet()
    return made


@pytest.fixture
def membership(system: System) -> Service:
    return next(service for service in system.services if service.name == "membership")


async def about(service: Service, id: str) -> list[Difference]:
    """Return the differences of one aggregate."""
    return [one for one in (await audit(service)).differences if one.id == id]


async def test_everything_that_is_stored_follows_from_the_events(membership: Service, agreement: str) -> None:
    found = await audit(membership)
    assert found.differences == []
    assert found.aggregates > 418
    assert found.events > found.aggregates
    assert set(found.without_events) == {"people"}
    assert agreement


async def test_progress_is_told_to_the_end(membership: Service, agreement: str) -> None:
    told: list[tuple[int, int]] = []
    found: Audit = await audit(membership, lambda done, total: told.append((done, total)))
    assert told[-1] == (found.aggregates, found.aggregates)
    assert agreement


@pytest.mark.parametrize(
    ("collection", "change", "reason"),
    [
        ("agreements", {"in_force_since": "2022-01-01"}, "in_force_since is '2022-01-01', '2023-01-27' by its events"),
        ("agreements", {"colour": "blue"}, "colour is 'blue', None by its events"),
        ("agreements", {"version": 99}, "its version is 99, 7 by its events"),
    ],
)
async def test_a_state_that_was_changed_past_the_events_is_named(
    membership: Service, agreement: str, collection: str, change: dict[str, Any], reason: str
) -> None:
    stored = membership.database[collection]
    before = await stored.find_one({"_id": agreement})
    assert before
    await stored.update_one({"_id": agreement}, {"$set": change})
    try:
        assert await about(membership, agreement) == [Difference(collection=collection, id=agreement, reason=reason)]
    finally:
        await stored.replace_one({"_id": agreement}, before)


async def test_an_event_that_was_changed_is_named(membership: Service, agreement: str) -> None:
    events = membership.database["events"]
    where = {"subject": agreement, "type": "membership.agreement_signed.v1"}
    await events.update_one(where, {"$set": {"data.in_force_since": "2022-01-01"}})
    try:
        reasons = [one.reason for one in await about(membership, agreement)]
        assert "was changed" in reasons[0]
        assert "in_force_since is '2023-01-27', '2022-01-01' by its events" in reasons
    finally:
        await events.update_one(where, {"$set": {"data.in_force_since": "2023-01-27"}})


async def test_an_event_without_a_state_is_named(membership: Service, agreement: str) -> None:
    agreements = membership.database["agreements"]
    stored = await agreements.find_one_and_delete({"_id": agreement})
    assert stored
    try:
        [found] = await about(membership, agreement)
        assert found.reason == "there are events of it, but nothing is stored"
    finally:
        await agreements.insert_one(stored)
