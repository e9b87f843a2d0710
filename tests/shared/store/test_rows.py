"""The rows of the events collection."""

from shared.kernel.ids import new_id
from shared.store.mongo import Document
from shared.store.rows import event_rows, history
from tests.shared.kitchen import JarFilled, JarSealed, Kitchen, cause, seal_jar
from tests.shared.stream import fill

NEW: Document = {"version": 0, "head": "", "chain": ""}


async def test_history_tells_what_happened_oldest_first(kitchen: Kitchen) -> None:
    await fill(kitchen, "honey", 1)
    await fill(kitchen, "jam", 1)
    await kitchen.jars.change("jam", seal_jar, cause())
    told = await history(kitchen.database, "jam")
    assert [(one["version"], one["type"]) for one in told] == [(1, JarFilled.type), (2, JarSealed.type)]


async def test_history_tells_who_when_and_why_but_not_what_is_published(kitchen: Kitchen) -> None:
    await kitchen.add("jam")
    why = cause()
    await kitchen.fill("jam", 3, why)
    [told] = await history(kitchen.database, "jam")
    [row] = await kitchen.rows()
    assert told == {
        "id": row["_id"], "type": JarFilled.type, "subject": "jam", "version": 2, "at": why.at, "actor": why.actor,
        "cause": why.id, "trace": why.trace, "history": False, "data": {"jar": "jam", "amount": 3},
        "hash": row["hash"],
    }  # fmt: skip


def test_rows_of_one_change_have_growing_ids_after_the_last_one() -> None:
    future = new_id(after="ffffffff-ffff-7fff-bfff-000000000000")
    rows = event_rows([JarSealed(jar="jam")] * 3, "jam", before={**NEW, "version": 4, "head": future}, cause=cause())
    ids = [future, *(row["_id"] for row in rows)]
    assert ids == sorted(set(ids))
