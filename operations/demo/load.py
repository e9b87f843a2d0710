"""Loads the alliance as it stood in January 2023: history, on which others build and of which nobody gets an email."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from typing import Any

import msgspec

from operations.services import SERVICES, service_of
from services.membership.domain.agreement import Agreement
from services.membership.domain.drafting import record
from services.membership.domain.milestones import Consultation
from services.membership.domain.municipality import Decided, Municipality
from services.membership.domain.registry import Official, merge, register
from services.membership.domain.template import STANDARD, Template
from services.notifications.domain import Contact
from shared.kernel.cause import Cause
from shared.kernel.clock import BERLIN
from shared.kernel.ids import new_file_number, new_id, new_trace
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.store.repository import Repository, Step

BATCH = 150

Report = Callable[[str, int, int], None]
"""Told what is being loaded, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Loaded:
    """How much was new; loading again loads nothing."""

    municipalities: int
    consultations: int
    agreements: int
    contacts: int


async def load(settings: Settings, report: Report = lambda *_: None) -> Loaded:
    """Load municipalities, the alliance's history and the contacts, as far as they are not there yet."""
    membership, notifications = (service_of(SERVICES[name](settings)) for name in ("membership", "notifications"))
    membership.database.open()
    notifications.database.open()
    try:
        await _template(membership)
        return Loaded(
            municipalities=await _municipalities(membership, report),
            consultations=await _consultations(membership, report),
            agreements=await _agreements(membership, report),
            contacts=await _contacts(notifications, report),
        )
    finally:
        await membership.database.close()
        await notifications.database.close()


async def _municipalities(service: Service, report: Report) -> int:
    """Those of today, and those that were merged into one of them."""
    repository = _repository(service, Municipality)
    known = set(await repository.ids({}))
    new = [(one, facts) for one, facts in _registered() if one.ags not in known]
    await _commit(service, [repository.adding(one, facts) for one, facts in new], "municipalities", report)
    return sum(one.valid_to is None for one, _ in new)


def _registered() -> Iterator[Decided]:
    """Every municipality, each followed by those that were merged into it."""
    former = list(rows("former_municipalities.csv"))
    for row in rows("municipalities.csv"):
        merged = {one["ags"]: one for one in former if one["successor"] == row["ags"]}
        since = {ags: date.fromisoformat(one["valid_to"]) + timedelta(days=1) for ags, one in merged.items()}
        successor, founded = register(_official(row, tuple(merged)), max(since.values(), default=None))
        yield successor, founded
        for ags, one in merged.items():
            before, begun = register(_official(one))
            after, dissolved = merge(before, successor, since[ags])
            yield after, [*begun, *dissolved]


def _official(row: dict[str, str], predecessors: tuple[str, ...] = ()) -> Official:
    return Official(
        ags=row["ags"],
        name=row["name"],
        name_sorbian=row["name_sorbian"] or None,
        kind=row["kind"],
        district=row["district"],
        nuts3=row["nuts3"],
        latitude=float(row["latitude"]),
        longitude=float(row["longitude"]),
        # Where nobody lives the number is not known.
        population=int(row["population_estimate"] or 0) or None,
        predecessors=predecessors,
    )


async def _consultations(service: Service, report: Report) -> int:
    """Every one of them was advised, on a day that is not documented; some cooperate, in some a council meets."""
    repository = _repository(service, Municipality)
    new = set(await repository.ids({"consultations": []}))
    steps = [
        repository.changing(row["ags"], _history_of(row, service.clock()))
        for row in rows("alliance_2023-01.csv")
        if row["ags"] in new
    ]
    return await _commit(service, steps, "consultations", report)


def _history_of(row: dict[str, str], now: datetime) -> Callable[[Municipality], Decided]:
    def decide(municipality: Municipality) -> Decided:
        one, facts = municipality.hold_consultation(Consultation(held_on=None), now)
        if row["stage"] == "cooperating":
            one, more = one.begin_cooperation(None, now)
            facts = [*facts, *more]
        if row["council"] == "yes":
            one, more = one.note_prevention_council(None, now, meets=True)
            facts = [*facts, *more]
        return one, facts

    return decide


async def _template(service: Service) -> None:
    """The text that agreements begin with, unless the LPR has published another one."""
    repository = _repository(service, Template)
    if not await repository.ids({"_id": STANDARD}):
        text = files("operations.demo").joinpath("data", "cooperation_agreement.txt").read_text(encoding="utf-8")
        await service.store.commit(_cause(service.clock()), repository.adding(*Template(id=STANDARD).publish(text)))


async def _agreements(service: Service, report: Report) -> int:
    """The agreements in force; that their municipalities are members follows from the events."""
    repository = _repository(service, Agreement)
    municipalities = {one.ags: one for one in await _repository(service, Municipality).all({})}
    known = {ref.ags for agreement in await repository.all({}) for ref in agreement.municipalities}
    dated = [
        (row["ags"], date.fromisoformat(row["agreement_in_force_since"]))
        for row in rows("alliance_2023-01.csv")
        if row["stage"] == "member" and row["ags"] not in known
    ]
    for done, (ags, since) in enumerate(sorted(dated, key=lambda one: one[1]), start=1):
        agreement, events = record(new_file_number("KV", since.year), municipalities[ags], since)
        at = datetime.combine(since, time(12), BERLIN).astimezone(UTC)
        await service.store.commit(_cause(at), repository.adding(agreement, events))
        report("agreements", done, len(dated))
    return len(dated)


async def _contacts(service: Service, report: Report) -> int:
    repository = _repository(service, Contact)
    known = set(await repository.ids({}))
    contacts = [msgspec.convert(row, Contact) for row in rows("contacts.csv") if row["id"] not in known]
    return await _commit(service, [repository.adding(one) for one in contacts], "contacts", report)


def rows(name: str) -> Iterable[dict[str, str]]:
    """The rows of one of the files in operations/demo/data."""
    text = files("operations.demo").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _repository(service: Service, kind: type[Any]) -> Repository[Any]:
    return next(one for one in service.repositories if one.kind is kind)


async def _commit(service: Service, steps: Sequence[Step[Any]], what: str, report: Report) -> int:
    for start in range(0, len(steps), BATCH):
        batch = steps[start : start + BATCH]
        await service.store.commit(_cause(service.clock()), *batch)
        report(what, start + len(batch), len(steps))
    return len(steps)


def _cause(at: datetime) -> Cause:
    return Cause(actor="asskomm load", at=at, id=new_id(), trace=new_trace(), history=True)
