import asyncio
import time
from dataclasses import dataclass

import pytest

from shared.store.lease import LEASE_SECONDS, Lease
from shared.store.mongo import Database
from tests.shared.kitchen import Kitchen

PATIENCE_SECONDS = LEASE_SECONDS + 3


async def test_the_first_who_asks_holds_it(database: Database) -> None:
    assert await Lease(database).held()


async def test_who_holds_it_goes_on_holding_it(database: Database) -> None:
    lease = Lease(database)
    assert [await lease.held() for _ in range(3)] == [True] * 3


async def test_of_two_one_holds_it(database: Database) -> None:
    first, second = Lease(database), Lease(database)
    assert [await first.held(), await second.held(), await first.held()] == [True, False, True]


@pytest.mark.parametrize("attempt", range(5))
async def test_of_ten_at_once_one_holds_it(database: Database, attempt: int) -> None:
    assert sum(await asyncio.gather(*(Lease(database, f"job {attempt}").held() for _ in range(10)))) == 1


async def test_two_jobs_have_a_lease_each(database: Database) -> None:
    assert [await Lease(database, "mail").held(), await Lease(database, "relay").held()] == [True, True]


async def test_who_releases_it_lets_another_one_take_over_at_once(database: Database) -> None:
    first, second = Lease(database), Lease(database)
    await first.held()
    await first.release()
    assert [await second.held(), await first.held()] == [True, False]


async def test_nobody_releases_what_another_one_holds(database: Database) -> None:
    first, second = Lease(database), Lease(database)
    await first.held()
    await second.release()
    assert [await second.held(), await first.held()] == [False, True]


@dataclass(frozen=True)
class Watched:
    """What was seen of two leases for longer than LEASE_SECONDS: one renewed, one left behind by a crash."""

    taken_over_after: float
    back_after_crash: bool
    renewed: list[bool]
    rival: list[bool]


@pytest.fixture(scope="module")
async def watched(set_up_kitchen: Kitchen) -> Watched:
    crashed, heir = (Lease(set_up_kitchen.database, "crashed") for _ in range(2))
    holder, rival = (Lease(set_up_kitchen.database, "renewed") for _ in range(2))
    began = time.monotonic()
    await crashed.held()
    renewed, refused, taken_over_after = [], [], 0.0
    while not taken_over_after or time.monotonic() - began < LEASE_SECONDS * 1.2:
        renewed.append(await holder.held())
        refused.append(await rival.held())
        if await heir.held() and not taken_over_after:
            taken_over_after = time.monotonic() - began
        if time.monotonic() - began > PATIENCE_SECONDS:
            break
        await asyncio.sleep(0.02)
    return Watched(taken_over_after, await crashed.held(), renewed, refused)


def test_who_crashed_loses_it_after_a_while_and_not_before(watched: Watched) -> None:
    assert LEASE_SECONDS <= watched.taken_over_after < PATIENCE_SECONDS


def test_who_comes_back_after_a_crash_does_not_hold_it_any_more(watched: Watched) -> None:
    assert not watched.back_after_crash


def test_who_renews_it_does_not_lose_it(watched: Watched) -> None:
    assert all(watched.renewed)


def test_nobody_holds_what_another_one_renews(watched: Watched) -> None:
    assert not any(watched.rival)
