import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from shared.kernel.decision import Decision
from shared.kernel.errors import NotFound, Stale, Taken
from shared.store.repository import Repository
from tests.shared.kitchen import Jar, JarFilled, JarSealed, Kitchen, Sealed, cause, fill_jar, seal_jar


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """What stands on it, by names that may be anything."""

    id: str
    jars: dict[str, Any] = field(default_factory=dict)


async def test_what_is_added_is_found(kitchen: Kitchen) -> None:
    await kitchen.add("jam", content=3)
    assert await kitchen.jars.get("jam") == Jar(id="jam", label="Label jam", content=3)


async def test_a_change_is_answered_as_it_is_stored(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    assert await kitchen.fill("jam", 2) == await kitchen.jars.get("jam") == Jar(id="jam", label="Label jam", content=2)


async def test_what_is_not_there_is_not_found(kitchen: Kitchen) -> None:
    with pytest.raises(NotFound, match="there is no jar honey"):
        await kitchen.jars.get("honey")


async def test_what_is_not_there_is_not_changed(kitchen: Kitchen) -> None:
    with pytest.raises(NotFound, match="there is no jar honey"):
        await kitchen.fill("honey")


async def test_what_a_rule_refuses_leaves_no_trace(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    await kitchen.jars.change("jam", seal_jar, cause())
    with pytest.raises(Sealed):
        await kitchen.fill("jam", why=cause(once="filling"))
    assert [row["type"] for row in await kitchen.rows()] == [JarSealed.type]
    assert await kitchen.database["causes"].count_documents({}) == 0


async def test_a_rule_that_changes_nothing_leaves_the_version(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    _, before = await kitchen.jars.versioned("jam")
    await kitchen.fill("jam", 0)
    assert await kitchen.jars.versioned("jam") == (Jar(id="jam", label="Label jam"), before)


async def test_only_what_differs_is_written(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    elsewhere = {"$set": {"label": "changed by hand meanwhile"}}

    def decide(jar: Jar) -> Decision[Jar]:
        kitchen.database.client.delegate[kitchen.service.name]["jars"].update_one({"_id": "jam"}, elsewhere)
        return replace(jar, content=2), []

    await kitchen.jars.change("jam", decide, cause())
    assert await kitchen.jars.get("jam") == Jar(id="jam", label="changed by hand meanwhile", content=2)


async def test_a_field_that_there_is_no_more_disappears(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    await kitchen.database["jars"].update_one({"_id": "jam"}, {"$set": {"flavour": "plum"}})
    await kitchen.fill("jam", 1)
    assert "flavour" not in await kitchen.jars.load("jam")


async def test_any_names_may_stand_inside_of_a_field(kitchen: Kitchen) -> None:
    shelves = Repository(kitchen.store, "shelves", Shelf)
    await shelves.add(Shelf(id="cellar"), [], cause())
    odd: dict[str, Any] = {"a.b": {"$inc": 1, ".": {"": "$label"}}, "$set": {"$x": {"$y.z": 2}}}
    put = await shelves.change("cellar", lambda shelf: (replace(shelf, jars=odd), []), cause())
    assert put == await shelves.get("cellar") == Shelf(id="cellar", jars=odd)


async def test_an_id_is_taken_only_once(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    with pytest.raises(Taken, match="jam exists already in jars") as refused:
        await kitchen.jars.add(Jar(id="jam", label="another"), [], cause())
    assert refused.value.values == {"_id": "jam"}


async def test_a_unique_value_is_taken_only_once(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    with pytest.raises(Taken) as refused:
        await kitchen.jars.add(Jar(id="honey", label="Label jam"), [], cause())
    assert refused.value.values == {"label": "Label jam"}


async def test_a_unique_value_is_not_taken_by_a_change_with_an_event(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    await kitchen.add("honey")
    with pytest.raises(Taken):
        await kitchen.jars.change(
            "honey", lambda jar: (replace(jar, label="Label jam"), [JarFilled(jar="honey", amount=1)]), cause()
        )
    assert await kitchen.rows() == []


async def test_a_value_is_free_again_once_it_is_given_up(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    await kitchen.jars.change("jam", lambda jar: (replace(jar, label="Marmelade"), []), cause())
    await kitchen.jars.add(Jar(id="honey", label="Label jam"), [], cause())


async def test_the_version_that_was_seen_may_be_changed(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    _, seen = await kitchen.jars.versioned("jam")
    changed = await kitchen.jars.change("jam", lambda jar: fill_jar(jar, 1), cause(), expected=seen)
    assert changed.content == 1


async def test_another_version_than_the_one_seen_is_stale(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    _, seen = await kitchen.jars.versioned("jam")
    await kitchen.fill("jam")
    with pytest.raises(Stale, match=rf"jam has version {seen + 1} by now, not {seen}"):
        await kitchen.jars.change("jam", lambda jar: fill_jar(jar, 1), cause(), expected=seen)


async def test_of_two_who_saw_the_same_version_one_is_stale(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    _, seen = await kitchen.jars.versioned("jam")
    processes = [kitchen.replica(), kitchen.replica()]
    both = [jars.change("jam", lambda jar: fill_jar(jar, 1), cause(), expected=seen) for jars in processes]
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Jar", "Stale"]


async def test_several_steps_are_made_together(kitchen: Kitchen) -> None:
    await kitchen.add("jam", content=5)
    honey = Jar(id="honey", label="Honey")
    emptied, added = await kitchen.store.commit(
        cause(),
        kitchen.jars.changing("jam", lambda jar: fill_jar(jar, -5)),
        kitchen.jars.adding(honey, [JarFilled(jar="honey", amount=5)]),
    )
    assert (emptied.content, added) == (0, honey)
    assert {row["subject"] for row in await kitchen.rows()} == {"jam", "honey"}


async def test_several_steps_are_made_all_or_none(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    steps = [
        kitchen.jars.changing("jam", lambda jar: fill_jar(jar, 5)),
        kitchen.jars.adding(Jar(id="new", label="New")),
        kitchen.jars.adding(Jar(id="another", label="Label jam")),
    ]
    with pytest.raises(Taken):
        await kitchen.store.commit(cause(), *steps)
    assert await kitchen.jars.all({}) == [Jar(id="jam", label="Label jam")]
    assert await kitchen.rows() == []


async def test_putting_stores_what_was_there_and_what_was_not(kitchen: Kitchen) -> None:
    for content in (1, 2):
        await kitchen.store.commit(cause(), kitchen.jars.putting(Jar(id="jam", label="Jam", content=content)))
    assert await kitchen.jars.all({}) == [Jar(id="jam", label="Jam", content=2)]


async def test_pages_walk_through_all_in_order(kitchen: Kitchen) -> None:
    ids = [f"{number:02}" for number in range(7)]
    await asyncio.gather(*(kitchen.add(id) for id in reversed(ids)))
    pages = [await kitchen.jars.page({}, after=None, limit=3)]
    while pages[-1].next is not None:
        pages.append(await kitchen.jars.page({}, after=pages[-1].next, limit=3))
    assert [[jar.id for jar in page.items] for page in pages] == [ids[:3], ids[3:6], ids[6:]]


async def test_the_last_page_has_no_next_one_even_when_it_is_full(kitchen: Kitchen) -> None:
    for id in ("a", "b"):
        await kitchen.add(id)
    assert (await kitchen.jars.page({}, after=None, limit=2)).next is None


async def test_a_page_shows_only_what_matches(kitchen: Kitchen) -> None:
    for id in ("a", "b", "c"):
        await kitchen.add(id, content=ord(id))
    page = await kitchen.jars.page({"content": {"$gt": ord("a")}}, after="b", limit=5)
    assert [jar.id for jar in page.items] == ["c"]


async def test_a_new_field_of_a_class_has_its_default_in_old_documents(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    await kitchen.database["jars"].update_one({"_id": "jam"}, {"$unset": {"sealed": 1}})
    assert (await kitchen.jars.get("jam")).sealed is False


def test_a_class_without_slots_is_refused(kitchen: Kitchen) -> None:
    @dataclass(frozen=True)
    class Lid:
        id: str

    with pytest.raises(AssertionError, match="Lid needs slots"):
        Repository(kitchen.store, "lids", Lid)
