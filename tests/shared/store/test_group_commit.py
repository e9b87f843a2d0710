"""Changes that come at the same time are written together, and none of them notices the others."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.kernel.chain import check
from shared.kernel.errors import NotFound, Taken
from shared.store import group_commit
from shared.store.mongo import OUTAGES, Database, Document
from shared.store.repository import Repository
from shared.store.rows import history
from shared.store.store import Store
from shared.store.unit_of_work import Change, Place
from tests.shared.failpoints import fail_command
from tests.shared.kitchen import Jar, JarFilled, Kitchen, Sealed, cause, fill_jar, seal_jar

MANY = 40
WRITE_CONCERN_TIMED_OUT = {"writeConcernError": {"code": 64, "errmsg": "too slow"}}


@pytest.fixture
def transactions(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One entry for each transaction that was begun."""
    begun: list[object] = []
    transaction = kitchen.database.transaction

    async def counted(work: Any, patience: float | None = None) -> Any:
        begun.append(work)
        return await transaction(work, patience)

    monkeypatch.setattr(kitchen.database, "transaction", counted)
    return begun


async def at_once(*changes: Awaitable[Any]) -> list[Any]:
    """What each of them is answered, or refused with."""
    return await asyncio.gather(*changes, return_exceptions=True)


def put(kitchen: Kitchen, id: str, content: int = 1) -> Awaitable[Jar]:
    return kitchen.jars.add(Jar(id=id, label=id, content=content), [JarFilled(jar=id, amount=content)], cause())


async def test_many_changes_at_once_take_few_transactions(kitchen: Kitchen, transactions: list[object]) -> None:
    stored = await at_once(*(put(kitchen, f"jar-{number}", number) for number in range(MANY)))
    assert [jar.content for jar in stored] == list(range(MANY))
    assert len(transactions) <= 2
    assert len(await kitchen.rows()) == MANY


async def test_who_were_answered_together_are_awaited_together(
    kitchen: Kitchen, transactions: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    await at_once(*(put(kitchen, f"jar-{number}") for number in range(MANY)))
    transactions.clear()
    monkeypatch.setattr(group_commit, "GATHER_SECONDS", 60)
    first = asyncio.ensure_future(put(kitchen, "first back"))
    await asyncio.sleep(0)
    await at_once(*(put(kitchen, f"back-{number}") for number in range(MANY - 1)))
    await first
    assert len(transactions) == 1


async def test_who_comes_alone_is_awaited_once_and_waits_for_nobody_then(
    kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch
) -> None:
    await at_once(*(put(kitchen, f"jar-{number}") for number in range(MANY)))
    monkeypatch.setattr(group_commit, "GATHER_SECONDS", 0.01)
    await put(kitchen, "alone")
    monkeypatch.setattr(group_commit, "GATHER_SECONDS", 60)
    await put(kitchen, "alone again")


async def test_changes_of_one_aggregate_build_on_each_other(kitchen: Kitchen, transactions: list[object]) -> None:
    await put(kitchen, "jam")
    answers = await at_once(*(kitchen.fill("jam", 1, cause(once=f"spoon {number}")) for number in range(MANY)))
    assert sorted(jar.content for jar in answers) == list(range(2, 2 + MANY))
    assert len(transactions) <= 3
    rows = await kitchen.rows(subject="jam")
    assert [row["version"] for row in rows] == list(range(1, 2 + MANY))
    assert check(await history(kitchen.database, "jam"), "jam") == []


async def test_changes_of_one_aggregate_in_one_group_are_written_as_one(kitchen: Kitchen) -> None:
    await put(kitchen, "jam", 1)
    sealing = kitchen.jars.change("jam", seal_jar, cause())
    await at_once(put(kitchen, "oil"), kitchen.fill("jam", 5), kitchen.fill("jam", -5), sealing)
    stored = await kitchen.jars.load("jam")
    rows = await kitchen.rows(subject="jam")
    assert (stored["content"], stored["sealed"], stored["version"]) == (1, True, 4)
    assert (stored["head"], stored["chain"]) == (rows[-1]["_id"], rows[-1]["hash"])


async def test_what_was_just_written_need_not_be_read(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    store, read = Store(kitchen.database), list[str]()
    jars, load = Repository(store, "jars", Jar, remembers=True), store.load

    async def noted(changes: Sequence[Change[Any]]) -> dict[Place, Document]:
        read.extend(change.id for change in changes)
        return await load(changes)

    monkeypatch.setattr(store, "load", noted)
    await jars.add(Jar(id="jam", label="jam"), [], cause())
    for amount in (1, 2):
        await jars.change("jam", lambda jar, more=amount: (replace(jar, content=jar.content + more), []), cause())  # type: ignore[misc]
    assert (await jars.versioned("jam"), read) == ((Jar(id="jam", label="jam", content=3), 3), [])


async def test_what_is_remembered_and_has_changed_since_is_decided_on_again(kitchen: Kitchen) -> None:
    jars, other = Repository(Store(kitchen.database), "jars", Jar, remembers=True), kitchen.replica()
    await jars.add(Jar(id="jam", label="jam", content=1), [], cause())
    await other.change("jam", lambda jar: fill_jar(jar, 10), cause())
    assert (await jars.change("jam", lambda jar: (replace(jar, content=jar.content + 1), []), cause())).content == 12
    await other.change("jam", lambda jar: fill_jar(jar, 10), cause())
    assert (await jars.change("jam", lambda jar: fill_jar(jar, 1), cause())).content == 23
    await other.change("jam", lambda jar: (replace(jar, content=0), []), cause())
    emptied = await jars.change("jam", lambda jar: (jar if jar.content else replace(jar, label="empty"), []), cause())
    assert emptied == await jars.get("jam") == Jar(id="jam", label="empty", content=0)
    await other.change("jam", seal_jar, cause())
    with pytest.raises(Sealed):
        await jars.change("jam", lambda jar: fill_jar(jar, 1), cause())
    assert check(await history(kitchen.database, "jam"), "jam") == []


async def test_who_is_refused_does_not_hold_up_the_others(kitchen: Kitchen) -> None:
    await put(kitchen, "jam")
    seal = kitchen.jars.change("jam", seal_jar, cause())
    answers = await at_once(
        put(kitchen, "honey"), kitchen.fill("nothing"), seal, kitchen.fill("jam"), put(kitchen, "oil")
    )
    assert [type(answer) for answer in answers] == [Jar, NotFound, Jar, Sealed, Jar]


async def test_of_two_who_add_the_same_one_is_taken(kitchen: Kitchen) -> None:
    answers = await at_once(put(kitchen, "jam", 1), put(kitchen, "jam", 2), put(kitchen, "honey", 3))
    assert [type(answer) for answer in answers] == [Jar, Taken, Jar]
    assert (await kitchen.jars.get("jam")).content == 1


async def test_events_that_come_again_do_not_keep_the_others_from_going_together(
    kitchen: Kitchen, transactions: list[object]
) -> None:
    def told(number: int) -> Awaitable[Any]:
        return kitchen.store.commit(
            cause(once=f"event:{number}"), kitchen.jars.adding(Jar(id=f"{number}", label=f"{number}"))
        )

    await at_once(*map(told, range(3)))
    transactions.clear()
    answers = await at_once(*map(told, range(MANY)))
    assert [len(one) for one in answers] == [0] * 3 + [1] * (MANY - 3)
    assert len(transactions) <= 6


async def test_one_request_that_is_sent_twice_at_once_is_made_once(kitchen: Kitchen) -> None:
    await put(kitchen, "jam")
    twins = [kitchen.fill("jam", 5, cause(once="request:cook:1", digest="same")) for _ in range(2)]
    first, second, _ = await at_once(*twins, kitchen.fill("jam"))
    assert first == second == Jar(id="jam", label="jam", content=6)
    assert (await kitchen.jars.get("jam")).content == 7


async def test_what_cannot_be_stored_fails_alone(kitchen: Kitchen) -> None:
    odd = kitchen.jars.add(Jar(id="odd", label="odd", content=2**70), [], cause(once="odd"))
    answers = await at_once(put(kitchen, "jam"), odd, put(kitchen, "honey"))
    assert [isinstance(answer, Jar) for answer in answers] == [True, False, True]


async def test_changes_whose_commit_stays_unknown_are_not_made_again(
    kitchen: Kitchen, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(kitchen, "jam")
    monkeypatch.setattr("shared.store.mongo.PATIENCE_SECONDS", 0.1)
    async with fail_command(database, "commitTransaction", times=1000, **WRITE_CONCERN_TIMED_OUT):
        answers = await at_once(*(kitchen.fill("jam") for _ in range(3)))
    assert all(isinstance(answer, OUTAGES) for answer in answers)
    assert (await kitchen.jars.get("jam")).content in {1, 4}
