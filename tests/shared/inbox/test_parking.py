from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.inbox.parking import PARKED, PAUSES, Parked, Parking, State
from shared.kernel.errors import NotFound
from shared.store.mongo import Database

NOW = datetime(2023, 1, 27, 10, 30, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def event(sequence: int, aggregate: str = "jam") -> Parked:
    """What has come from the stream."""
    address = f"kitchen.jar_filled.v1.{aggregate}"
    return Parked.of(address, {"ce-id": f"kitchen-{sequence}"}, b'{"amount":1}', "kitchen", sequence)


@pytest.fixture
def parking(database: Database) -> Parking:
    return Parking(database)


async def stuck(parking: Parking, parked: Parked) -> Parked:
    """Try in vain until it is given up."""
    for _ in range(len(PAUSES) + 1):
        await parking.failed(parked, "no spoon", NOW)
        [parked] = [one for one in await parking.list() if one.id == parked.id]
    return parked


async def due(parking: Parking, now: datetime = LATER) -> str | None:
    found = await parking.due("kitchen", now)
    return found.id if found else None


def test_even_a_message_without_headers_has_a_name_and_a_place() -> None:
    parked = Parked.of("kitchen.nonsense", {}, b"\xff", "kitchen", 7)
    assert (parked.id, parked.aggregate, parked.sequence) == ("kitchen-7", "kitchen/nonsense", 7)


def test_events_of_all_types_and_versions_of_an_aggregate_belong_together() -> None:
    kinds = ["kitchen.jar_filled.v1.jam", "kitchen.jar_filled.v2.jam", "kitchen.jar_sealed.v1.jam"]
    assert {Parked.of(kind, {}, b"", "kitchen", 1).aggregate for kind in kinds} == {"kitchen/jam"}


async def test_nothing_waits_at_first(parking: Parking) -> None:
    assert (await parking.holds("kitchen/jam"), await parking.list(), await due(parking)) == (False, [], None)


async def test_a_parked_event_is_kept_as_it_came(parking: Parking) -> None:
    await parking.park(event(1), "waits", NOW)
    assert await parking.list() == [replace(event(1), reason="waits", due_at=NOW, parked_at=NOW)]


async def test_a_parked_event_holds_its_aggregate_and_no_other(parking: Parking) -> None:
    await parking.park(event(1), "waits", NOW)
    assert (await parking.holds("kitchen/jam"), await parking.holds("kitchen/honey")) == (True, False)


async def test_the_pauses_grow_with_each_try(parking: Parking) -> None:
    parked, pauses = event(1), []
    for _ in PAUSES:
        await parking.failed(parked, "no spoon", NOW)
        [parked] = await parking.list()
        assert parked.due_at
        pauses.append(parked.due_at - NOW)
    assert pauses == sorted(PAUSES)


async def test_an_event_is_due_when_its_pause_is_over_and_not_before(parking: Parking) -> None:
    await parking.failed(event(1), "no spoon", NOW)
    before, after = NOW + PAUSES[0] - timedelta(milliseconds=1), NOW + PAUSES[0]
    assert [await due(parking, before), await due(parking, after)] == [None, "kitchen-1"]


async def test_after_the_last_try_an_event_is_stuck(parking: Parking) -> None:
    given_up = await stuck(parking, event(1))
    assert (given_up.state, given_up.reason, given_up.due_at) == (State.STUCK, "no spoon", None)


async def test_when_an_event_was_parked_first_is_kept_through_all_tries(parking: Parking) -> None:
    await parking.failed(event(1), "no spoon", NOW)
    [parked] = await parking.list()
    await parking.failed(parked, "no spoon", LATER)
    [parked] = await parking.list()
    assert parked.parked_at == NOW


async def test_a_later_event_waits_for_the_earlier_one(parking: Parking) -> None:
    await parking.park(event(2), "waits", NOW)
    await parking.failed(event(1), "no spoon", NOW)
    assert await due(parking, NOW) is None


async def test_the_first_of_its_aggregate_is_due(parking: Parking) -> None:
    for sequence in (10, 9, 11):
        await parking.park(event(sequence), "waits", NOW)
    assert await due(parking) == "kitchen-9"


async def test_a_stuck_event_stops_its_own_aggregate(parking: Parking) -> None:
    await stuck(parking, event(1))
    held = await parking.holds("kitchen/jam")
    await parking.park(event(2), "waits", NOW)
    assert (held, await due(parking)) == (True, None)


async def test_a_stuck_event_does_not_stop_another_aggregate(parking: Parking) -> None:
    await stuck(parking, event(1))
    await parking.park(event(2, "honey"), "waits", NOW)
    assert await due(parking) == "kitchen-2"


async def test_only_events_of_the_publisher_are_due(parking: Parking) -> None:
    await parking.park(event(1), "waits", NOW)
    assert await parking.due("cellar", LATER) is None


async def test_the_next_one_is_due_when_the_first_is_done(parking: Parking) -> None:
    for sequence in (1, 2):
        await parking.park(event(sequence), "waits", NOW)
    [first, _] = await parking.list()
    await parking.done(first)
    assert await due(parking) == "kitchen-2"


async def test_what_is_done_leaves_nothing_behind(parking: Parking, database: Database) -> None:
    await parking.park(event(1), "waits", NOW)
    [first] = await parking.list()
    await parking.done(first)
    assert await database[PARKED].count_documents({}) == 0


async def test_all_that_wait_are_listed_each_aggregate_in_order(parking: Parking) -> None:
    for sequence, aggregate in ((10, "jam"), (9, "jam"), (3, "plums"), (11, "honey")):
        await parking.park(event(sequence, aggregate), "waits", NOW)
    assert [parked.id for parked in await parking.list()] == ["kitchen-11", "kitchen-9", "kitchen-10", "kitchen-3"]


async def test_an_event_that_is_retried_is_tried_as_often_as_at_first(parking: Parking) -> None:
    given_up = await stuck(parking, event(1))
    retried = await parking.retry(given_up.id, LATER)
    assert (retried.state, retried.tries, await due(parking)) == (State.WAITING, 0, "kitchen-1")


async def test_behind_a_dropped_event_the_next_one_goes_on(parking: Parking) -> None:
    given_up = await stuck(parking, event(1))
    await parking.park(event(2), "waits", NOW)
    await parking.drop(given_up.id, "operator", LATER)
    assert await due(parking) == "kitchen-2"


async def test_a_dropped_event_holds_nobody_back(parking: Parking) -> None:
    given_up = await stuck(parking, event(1))
    await parking.drop(given_up.id, "operator", LATER)
    assert (await parking.holds("kitchen/jam"), await parking.list()) == (False, [])


async def test_a_dropped_event_is_kept_with_who_dropped_it_and_when(parking: Parking, database: Database) -> None:
    given_up = await stuck(parking, event(1))
    await parking.drop(given_up.id, "operator", LATER)
    record = await database[PARKED].find_one({"_id": "kitchen-1"})
    assert record
    assert (record["state"], record["dropped_by"], record["dropped_at"]) == (State.DROPPED, "operator", LATER)


async def test_what_is_not_parked_is_not_retried(parking: Parking) -> None:
    with pytest.raises(NotFound, match="kitchen-1"):
        await parking.retry("kitchen-1", NOW)


async def test_what_was_dropped_is_not_dropped_again(parking: Parking) -> None:
    await parking.park(event(1), "waits", NOW)
    await parking.drop("kitchen-1", "operator", NOW)
    with pytest.raises(NotFound, match="kitchen-1"):
        await parking.drop("kitchen-1", "somebody else", LATER)


# A bug once: the outcome of the try overwrites the record, and the event waits again.
async def test_an_event_that_is_dropped_while_it_is_tried_stays_dropped(parking: Parking, database: Database) -> None:
    await parking.park(event(1), "waits", NOW)
    tried = await parking.due("kitchen", LATER)
    assert tried
    await parking.drop("kitchen-1", "operator", LATER)
    await parking.failed(tried, "no spoon", LATER)
    record = await database[PARKED].find_one({"_id": "kitchen-1"})
    assert record
    assert record["state"] == State.DROPPED


async def test_an_event_that_comes_again_from_another_place_stays_where_it_is(parking: Parking) -> None:
    held = await stuck(parking, event(7))
    again = replace(event(3), id=held.id)
    await parking.park(again, "waits", LATER)
    assert await parking.list() == [held]


async def test_a_dropped_event_never_has_an_effect(parking: Parking, database: Database) -> None:
    held = await stuck(parking, event(7))
    await parking.drop(held.id, "operator", NOW)
    assert await database["causes"].find_one({"_id": "event:kitchen-7"}) == {"_id": "event:kitchen-7", "at": NOW}
