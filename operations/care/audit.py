"""The audit: rebuilds every aggregate from its events alone and compares it byte for byte with the stored one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from shared.events import all_events
from shared.kernel.chain import canonical, check
from shared.runtime.service import Service
from shared.store.mongo import Document
from shared.store.repository import Repository
from shared.store.rows import EVENTS

BATCH = 200

Report = Callable[[int, int], None]
"""Callback with the number of compared aggregates and the total."""

KINDS = {kind.type: kind for kind in all_events()}
"""Event classes by type; the benchmarks add their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A part of an aggregate that its events do not explain."""

    collection: str
    id: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """The result of an audit: numbers compared, and differences."""

    service: str
    aggregates: int
    events: int
    differences: list[Difference]
    without_events: dict[str, int]
    """Documents of collections that are not made of events, such as personal data: nothing was compared."""


async def audit(service: Service, report: Report = lambda *_: None) -> Audit:
    """Compare all aggregates of a service with their events; its database must be open."""
    made_of_events = [repository for repository in service.repositories if repository.evolve]
    others = [repository for repository in service.repositories if repository not in made_of_events]
    ids = {repository.collection: await repository.ids({}) for repository in made_of_events}
    total, done, events = sum(map(len, ids.values())), 0, 0
    differences: list[Difference] = []
    for repository in made_of_events:
        for batch in _batches(ids[repository.collection]):
            compared, found = await _compared(service, repository, batch)
            # What changed between the two looks at it is no difference: then a third one finds none.
            if found:
                _, found = await _compared(service, repository, sorted({difference.id for difference in found}))
            differences += found
            events += compared
            done += len(batch)
            report(done, total)
    differences += await _orphans(service, {id for known in ids.values() for id in known})
    return Audit(
        service=service.name,
        aggregates=total,
        events=events,
        differences=differences,
        without_events={repository.collection: len(await repository.ids({})) for repository in others},
    )


def _batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))


async def _rows(service: Service, ids: Sequence[str]) -> dict[str, list[Document]]:
    rows: dict[str, list[Document]] = {}
    async for row in service.database[EVENTS].find({"subject": {"$in": ids}}).sort([("subject", 1), ("version", 1)]):
        rows.setdefault(row["subject"], []).append(row)
    return rows


async def _compared(service: Service, repository: Repository[Any], ids: Sequence[str]) -> tuple[int, list[Difference]]:
    """Replay the events of these aggregates; returns their number and the differences."""
    documents = await service.database[repository.collection].find({"_id": {"$in": ids}}).to_list(None)
    rows = await _rows(service, ids)
    return sum(map(len, rows.values())), [
        Difference(collection=repository.collection, id=document["_id"], reason=reason)
        for document in documents
        for reason in _reasons(repository, document, rows.get(document["_id"], []))
    ]


def _reasons(repository: Repository[Any], document: Document, rows: list[Document]) -> list[str]:
    evolve = repository.evolve
    assert evolve is not None
    if not rows:
        return ["it has no events"]
    last = rows[-1]
    broken = [finding.message for finding in check(rows, document["_id"])]
    ends = {"version": last["version"], "head": last["_id"], "chain": last["hash"]}
    broken += [f"its {name} is {document[name]}, {end} by its events" for name, end in ends.items()
               if document[name] != end]  # fmt: skip
    try:
        events = [msgspec.convert(row["data"], KINDS[row["type"]]) for row in rows]
        state = evolve.rebuild(events)
    except (KeyError, TypeError, ValueError) as error:
        return [*broken, f"its events cannot be replayed: {error!r}"]
    wanted = repository.plain(state)
    stored = {name: value for name, value in document.items() if name not in {"_id", *ends}}
    return broken + [
        f"{name} is {stored.get(name)!r}, {wanted.get(name)!r} by its events"
        for name in sorted({*stored, *wanted})
        if name not in stored or name not in wanted or canonical(stored[name]) != canonical(wanted[name])
    ]


async def _orphans(service: Service, known: set[str]) -> list[Difference]:
    subjects = await service.database[EVENTS].distinct("subject")
    return [
        Difference(collection=EVENTS, id=subject, reason="there are events of it, but nothing is stored")
        for subject in sorted(set(subjects) - known)
    ]
