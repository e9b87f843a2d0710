"""A write with its event, beside the bare write and beside one transaction per request.

All wait for the majority and the journal. The floor of `add` is a bare insert, that of `change` is reading a document
and replacing it if its version is unchanged.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle

from benchmarks.jar import Jars, fresh, names
from benchmarks.measure import Bench, Goal, Results, Row, Sample, Variant
from benchmarks.rival.store import Store
from shared.kernel.ids import new_id
from shared.store.mongo import Database

NAME = "write"
JARS = 1000
ONE_BY_ONE = 200
AT_ONCE = 64
MANY = 960


async def run(bench: Bench) -> list[Row]:
    """Measure one at a time, then 64 at once."""
    settings = bench.settings()
    jars, rival, floor = Jars(settings), Store(settings.mongo_uri), Database(settings.mongo_uri, "floor")
    await fresh(settings, jars.service)
    await rival.set_up()
    async with jars.written(), _opened(floor):
        stock = await jars.stock(JARS)
        await floor["rows"].insert_many([_row(id) for id in stock])
        for id in stock[:AT_ONCE]:
            await rival.fill(id, 1)
        writers = Writers(bench, jars, rival, floor, stock)
        rows: list[Row] = []
        for what in ("add", "change"):
            bench.say(f"{what}, one at a time")
            rows.append(_alone(what, await writers.measure(what, bench.scaled(ONE_BY_ONE), 1)))
            bench.say(f"{what}, {AT_ONCE} at once")
            rows += _together(what, await writers.measure(what, bench.scaled(MANY), AT_ONCE))
    rival.client.close()
    return rows


class Writers:
    """The variants to measure."""

    def __init__(self, bench: Bench, jars: Jars, rival: Store, floor: Database, stock: list[str]) -> None:
        self._bench, self._jars, self._rival, self._rows = bench, jars, rival, floor["rows"]
        self._new, self._stock = names("new"), cycle(stock)

    async def measure(self, what: str, count: int, at_once: int) -> Results:
        """Set up the floor, our code and the rival."""
        work = {
            "add": {"floor": self._insert, "ours": self._add, "rival": self._rival_add},
            "change": {"floor": self._replace, "ours": self._fill, "rival": self._rival_fill},
        }

        def variant(name: str) -> Variant:
            async def sample() -> Sample:
                return await self._bench.repeated(work[what][name], count, at_once=at_once)

            return sample

        return await self._bench.interleaved(floor=variant("floor"), ours=variant("ours"), rival=variant("rival"))

    async def _insert(self) -> None:
        await self._rows.insert_one(_row(next(self._new)))

    async def _replace(self) -> None:
        found = await self._rows.find_one({"_id": next(self._stock)})
        assert found is not None
        wanted = {"_id": found["_id"], "version": found["version"]}
        await self._rows.replace_one(wanted, found | {"version": found["version"] + 1})

    async def _add(self) -> None:
        await self._jars.add(next(self._new))

    async def _fill(self) -> None:
        await self._jars.fill(next(self._stock))

    async def _rival_add(self) -> None:
        await self._rival.add(next(self._new), 1)

    async def _rival_fill(self) -> None:
        await self._rival.fill(next(self._stock), 1)


def _row(id: str) -> dict[str, object]:
    """Return a document as large as a jar's."""
    state = {"label": f"Glas {id}", "content": 1, "sealed": False}
    return {"_id": id, **state, "version": 1, "head": new_id(), "chain": "0" * 64}


def _alone(what: str, results: Results) -> Row:
    what = f"{what} with event, one at a time, median"
    return results.row(NAME, what, "ms", lambda one: one.median, Goal(most=1.9), note=results.cpus())


def _together(what: str, results: Results) -> list[Row]:
    what = f"{what} with event, {AT_ONCE} at once"
    return [
        results.row(NAME, what, "/s", lambda one: one.rate, Goal(least=2.5), note=results.cpus()),
        results.row(NAME, f"{what}, p99", "ms", lambda one: one.p99, Goal(most=0.5)),
    ]


@asynccontextmanager
async def _opened(database: Database) -> AsyncIterator[None]:
    database.open()
    yield
    await database.close()
