import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

import pytest

from shared.kernel.cause import Cause
from shared.kernel.clock import berlin_day
from shared.kernel.decision import Decision
from shared.runtime.schedule import Deadline, Schedule
from shared.store.lease import Lease
from shared.store.repository import Repository
from shared.store.store import Store
from tests.shared.kitchen import Kitchen, cause

MONDAY = date(2023, 1, 23)


@dataclass(frozen=True, kw_only=True, slots=True)
class BreadFed:
    """A sourdough was fed, which it wants once a week."""

    type: ClassVar[str] = "kitchen.bread_fed.v1"

    due_on: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Sourdough:
    """A sourdough, and when it is fed next; None when it has become bread."""

    id: str
    due_on: date | None = MONDAY

    def feed(self, today: date) -> Decision["Sourdough"]:
        if self.due_on is None or today < self.due_on:
            return self, []
        if self.id == "spoilt":
            raise ValueError(self.id)
        return replace(self, due_on=today + timedelta(weeks=1)), [BreadFed(due_on=self.due_on)]


class Clock:
    """Shows a day that tests turn forward."""

    def __init__(self, day: date) -> None:
        self.day = day

    def __call__(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, 11, tzinfo=UTC)


Shift = Callable[[Clock], Schedule]


@pytest.fixture
def doughs(kitchen: Kitchen) -> Repository[Sourdough]:
    return Repository(kitchen.store, "doughs", Sourdough)


@pytest.fixture
def shift(kitchen: Kitchen) -> Shift:
    """One more replica that looks after the doughs."""

    def begin(clock: Clock) -> Schedule:
        doughs = Repository(Store(kitchen.database), "doughs", Sourdough)

        async def feed(id: str, why: Cause) -> None:
            await doughs.change(id, lambda dough: dough.feed(berlin_day(why.at)), why)

        return Schedule("bakery", [Deadline(doughs, feed)], Lease(kitchen.database), clock)

    return begin


async def test_nothing_happens_before_it_is_due(kitchen: Kitchen, doughs: Repository[Sourdough], shift: Shift) -> None:
    await doughs.add(Sourdough(id="rye"), [], cause())
    assert await shift(Clock(MONDAY - timedelta(days=1))).sweep() == 0
    assert await kitchen.rows() == []


async def test_what_is_due_happens_once_on_its_day(
    kitchen: Kitchen, doughs: Repository[Sourdough], shift: Shift
) -> None:
    await doughs.add(Sourdough(id="rye"), [], cause())
    schedule = shift(Clock(MONDAY))
    assert [await schedule.sweep(), await schedule.sweep()] == [1, 0]
    [row] = await kitchen.rows()
    assert (row["data"], row["actor"]) == ({"due_on": "2023-01-23"}, "service:bakery")


async def test_what_became_due_while_nobody_was_there_happens_later(
    doughs: Repository[Sourdough], shift: Shift
) -> None:
    await doughs.add(Sourdough(id="rye"), [], cause())
    await shift(Clock(MONDAY + timedelta(days=3))).sweep()
    assert (await doughs.get("rye")).due_on == MONDAY + timedelta(days=10)


async def test_two_replicas_let_it_happen_once(kitchen: Kitchen, doughs: Repository[Sourdough], shift: Shift) -> None:
    for number in range(20):
        await doughs.add(Sourdough(id=f"rye {number}"), [], cause())
    clock = Clock(MONDAY)
    await asyncio.gather(*(shift(clock).sweep() for _ in range(3)))
    assert sorted(row["subject"] for row in await kitchen.rows()) == sorted(f"rye {number}" for number in range(20))


async def test_one_that_fails_stops_no_other(kitchen: Kitchen, doughs: Repository[Sourdough], shift: Shift) -> None:
    for id in ("rye", "spoilt", "wheat"):
        await doughs.add(Sourdough(id=id), [], cause())
    assert await shift(Clock(MONDAY)).sweep() == 2
    assert [row["subject"] for row in await kitchen.rows()] == ["rye", "wheat"]


async def test_what_is_never_due_is_left_alone(doughs: Repository[Sourdough], shift: Shift) -> None:
    await doughs.add(Sourdough(id="bread", due_on=None), [], cause())
    assert await shift(Clock(MONDAY)).sweep() == 0
