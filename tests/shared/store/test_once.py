"""What may come twice, at the same time, or to nobody who waits for the answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from shared.kernel.chain import check
from shared.kernel.errors import KeyReused, NotAllowed, NotFound
from shared.kernel.ids import new_id
from shared.store.mongo import Document
from shared.store.repository import Repository
from tests.shared.failpoints import fail_command
from tests.shared.kitchen import Jar, JarFilled, Kitchen, Sealed, cause, fill_jar, seal_jar


@dataclass(frozen=True)
class Race:
    """What fifty changes at once, from ten processes, have left behind."""

    jar: Jar
    version: int
    head: str
    chain: str
    rows: list[Document]


def only_empty(jar: Jar) -> None:
    """A guard that has a reason to change its mind."""
    if jar.content:
        raise NotAllowed(f"jar {jar.id} has something in it")


@pytest.fixture(scope="module")
async def race(set_up_kitchen: Kitchen) -> Race:
    id = f"race-{new_id()}"
    await set_up_kitchen.jars.add(Jar(id=id, label=id, content=1), [JarFilled(jar=id, amount=1)], cause())
    processes = [set_up_kitchen.replica() for _ in range(10)]
    await asyncio.gather(*(jars.change(id, lambda jar: fill_jar(jar, 1), cause()) for jars in processes * 5))
    document = await set_up_kitchen.jars.load(id)
    return Race(
        jar=await set_up_kitchen.jars.get(id),
        version=document["version"],
        head=document["head"],
        chain=document["chain"],
        rows=await set_up_kitchen.rows(subject=id),
    )


async def at_once(kitchen: Kitchen, act: Callable[[Repository[Jar]], Awaitable[Jar]]) -> list[Any]:
    """What ten processes are answered, or refused with, that do the same at the same time."""
    return await asyncio.gather(*(act(kitchen.replica()) for _ in range(10)), return_exceptions=True)


def test_fifty_changes_at_once_are_all_made_once(race: Race) -> None:
    assert race.jar.content == 1 + 50


def test_events_have_versions_without_gaps_in_the_order_of_their_ids(race: Race) -> None:
    assert [row["version"] for row in race.rows] == list(range(1, 1 + 51))


def test_an_aggregate_knows_its_last_event(race: Race) -> None:
    last = race.rows[-1]
    assert (race.version, race.head, race.chain) == (last["version"], last["_id"], last["hash"])


def test_events_are_one_chain_though_ten_processes_wrote_them(race: Race) -> None:
    assert check(race.rows, race.jar.id) == []


async def test_an_event_is_kept_with_who_when_and_why(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    why = cause(actor="grandmother", history=True)
    await kitchen.fill("jam", 3, why)
    [row] = await kitchen.rows()
    del row["_id"], row["hash"]
    assert row == {
        "type": "kitchen.jar_filled.v1", "subject": "jam", "version": 2, "at": why.at, "actor": "grandmother",
        "cause": why.id, "trace": why.trace, "history": True, "data": {"jar": "jam", "amount": 3}, "unpublished": True,
    }  # fmt: skip


async def test_the_same_cause_changes_once_and_is_answered_the_same(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    first = await kitchen.fill("jam", 1, cause("key", "digest"))
    await kitchen.fill("jam", 5)
    assert await kitchen.fill("jam", 1, cause("key", "digest")) == first
    assert (await kitchen.jars.get("jam")).content == 1 + 5


async def test_the_same_event_changes_once(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    for _ in range(2):
        await kitchen.fill("jam", 1, cause("event:1"))
    assert (await kitchen.jars.get("jam")).content == 1


async def test_another_cause_changes_again(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    for once in ("event:1", "event:2"):
        await kitchen.fill("jam", 1, cause(once))
    assert (await kitchen.jars.get("jam")).content == 2


async def test_parts_of_one_cause_each_have_their_effect_once(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    for _ in range(2):
        for part in ("a", "b"):
            await kitchen.fill("jam", 1, cause("event:1").part(part))
    assert (await kitchen.jars.get("jam")).content == 2


async def test_a_cause_that_changed_nothing_is_remembered_too(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    await kitchen.fill("jam", 0, cause("key", "digest"))
    with pytest.raises(KeyReused):
        await kitchen.fill("jam", 1, cause("key", "another digest"))


async def test_a_key_of_another_request_is_refused(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    await kitchen.fill("jam", 1, cause("key", "digest"))
    with pytest.raises(KeyReused):
        await kitchen.fill("jam", 2, cause("key", "another digest"))
    assert (await kitchen.jars.get("jam")).content == 1


async def test_a_key_of_a_request_that_was_refused_may_be_used_again(kitchen: Kitchen) -> None:
    with pytest.raises(NotFound):
        await kitchen.fill("jam", 1, cause("key", "digest"))
    await kitchen.add("jam")
    assert (await kitchen.fill("jam", 1, cause("key", "digest"))).content == 1


async def test_what_a_guard_refuses_changes_nothing_and_is_not_remembered(kitchen: Kitchen) -> None:
    full = await kitchen.add("jam", content=1)
    with pytest.raises(NotAllowed):
        await kitchen.jars.guarded(only_empty).change("jam", seal_jar, cause("key", "digest"))
    assert await kitchen.jars.get("jam") == full
    assert (await kitchen.jars.change("jam", seal_jar, cause("key", "digest"))).sealed


async def test_who_lost_the_right_is_not_answered_from_memory(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    own = kitchen.jars.guarded(only_empty)
    await own.change("jam", lambda jar: fill_jar(jar, 1), cause("key", "digest"))
    for digest in ("digest", "another digest"):
        with pytest.raises(NotAllowed):
            await own.change("jam", lambda jar: fill_jar(jar, 1), cause("key", digest))


async def test_what_a_guard_refuses_leaves_others_that_come_with_it_alone(kitchen: Kitchen) -> None:
    await kitchen.add("jam", content=1)
    own = kitchen.jars.guarded(only_empty)
    changes = [jars.change("jam", lambda jar: fill_jar(jar, 1), cause()) for jars in [own, kitchen.jars] * 5]
    answers = await asyncio.gather(*changes, return_exceptions=True)
    assert [type(answer) for answer in answers] == [NotAllowed, Jar] * 5
    assert (await kitchen.jars.get("jam")).content == 1 + 5


async def test_where_there_is_nothing_a_guard_has_nothing_to_refuse(kitchen: Kitchen) -> None:
    with pytest.raises(NotFound):
        await kitchen.jars.guarded(only_empty).change("jam", seal_jar, cause("key", "digest"))


async def test_what_was_added_under_a_key_is_answered_the_same(kitchen: Kitchen) -> None:
    for id in ("first", "second"):
        added = await kitchen.jars.add(Jar(id=id, label="Jam"), [], cause("key", "digest"))
        assert added.id == "first"


async def test_a_request_sent_again_is_answered_the_same_though_the_rule_refuses_by_now(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    first = await kitchen.jars.change("jam", seal_jar, cause("key", "digest"))
    assert await kitchen.jars.change("jam", seal_jar, cause("key", "digest")) == first


async def test_twins_at_once_have_one_effect_and_equal_answers(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    answers = await at_once(
        kitchen, lambda jars: jars.change("jam", lambda jar: fill_jar(jar, 3), cause("key", "digest"))
    )
    assert set(answers) == {await kitchen.jars.get("jam")} == {Jar(id="jam", label="Label jam", content=3)}


async def test_twins_at_once_have_equal_answers_though_the_rule_refuses_the_second(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    answers = await at_once(kitchen, lambda jars: jars.change("jam", seal_jar, cause("key", "digest")))
    assert set(answers) == {await kitchen.jars.get("jam")}
    assert len(await kitchen.rows()) == 1


async def test_twins_at_once_that_add_have_equal_answers(kitchen: Kitchen) -> None:
    def add(jars: Repository[Jar]) -> Awaitable[Jar]:
        id = new_id()
        return jars.add(Jar(id=id, label="Jam"), [JarFilled(jar=id, amount=0)], cause("key", "digest"))

    assert set(await at_once(kitchen, add)) == set(await kitchen.jars.all({}))
    assert len(await kitchen.rows()) == 1


async def test_twins_at_once_in_one_process_have_one_effect(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    answers = await asyncio.gather(*(kitchen.fill("jam", 3, cause("key", "digest")) for _ in range(10)))
    assert set(answers) == {await kitchen.jars.get("jam")} == {Jar(id="jam", label="Label jam", content=3)}


async def test_of_strangers_at_once_one_seals_and_the_others_are_refused(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    answers = await at_once(kitchen, lambda jars: jars.change("jam", seal_jar, cause(new_id(), "digest")))
    assert [type(answer) for answer in answers].count(Sealed) == len(answers) - 1


@pytest.mark.parametrize("command", ["insert", "update", "commitTransaction"])
async def test_a_change_whose_caller_goes_away_is_made_whole_and_leaves_no_lock(kitchen: Kitchen, command: str) -> None:
    await kitchen.add("jam")
    async with fail_command(kitchen.database, command, blockConnection=True, blockTimeMS=300) as entered:
        changing = asyncio.create_task(kitchen.fill("jam", 1, cause("key", "digest")))
        await entered()
        changing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await changing
    # The next one waits for it, and finds it made.
    async with asyncio.timeout(2):
        assert (await kitchen.fill("jam", 1)).content == 2
    assert [row["version"] for row in await kitchen.rows()] == [2, 3]
