"""Loads the alliance as it stood in January 2023: history, on which others build and of which nobody gets an email."""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from importlib.resources import files
from typing import Any

import msgspec

from operations.services import SERVICES, service_of
from services.membership.domain.agreement import Agreement, recorded
from services.membership.domain.municipality import Consultation, Municipality, register
from services.notifications.domain import Contact
from shared.cause import Cause
from shared.clock import BERLIN
from shared.ids import new_file_number, new_id, new_trace
from shared.repository import Repository, Step
from shared.service import Service
from shared.settings import Settings

BATCH = 150
ATTRIBUTION = (
    "Ortsdaten: GeoNames (CC BY 4.0); Kreise: © Statistisches Bundesamt (Destatis) 2019 (CC BY 4.0); "
    "Umriss: Natural Earth (gemeinfrei)"
)

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
    repository = _repository(service, Municipality)
    known = await _ids(repository)
    steps = []
    for row in rows("municipalities.csv"):
        if row["ags"] not in known:
            municipality, events = register(
                ags=row["ags"],
                name=row["name"],
                name_sorbian=row["name_sorbian"] or None,
                kind=row["kind"],
                district=row["district"],
                nuts3=row["nuts3"],
                latitude=float(row["latitude"]),
                longitude=float(row["longitude"]),
                population=int(row["population_estimate"]) if row["population_estimate"] else None,
            )
            steps.append(repository.adding(municipality, events))
    return await _commit(service, steps, "municipalities", report)


async def _consultations(service: Service, report: Report) -> int:
    """Every one of them was advised, on a day that is not documented; some cooperate."""
    repository = _repository(service, Municipality)
    new = await _ids(repository, {"consultations": []})
    now = service.clock()
    held = Consultation(held_on=None)

    def advised(municipality: Municipality) -> tuple[Municipality, list[Any]]:
        return municipality.hold_consultation(held, now)

    def cooperating(municipality: Municipality) -> tuple[Municipality, list[Any]]:
        consulted, told = municipality.hold_consultation(held, now)
        begun, more = consulted.begin_cooperation(None, now)
        return begun, [*told, *more]

    steps = [
        repository.changing(row["ags"], cooperating if row["stage"] == "cooperating" else advised)
        for row in rows("alliance_2023-01.csv")
        if row["ags"] in new
    ]
    return await _commit(service, steps, "consultations", report)


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
        agreement, events = recorded(new_file_number("KV", since.year), municipalities[ags], since)
        at = datetime.combine(since, time(12), BERLIN).astimezone(UTC)
        await service.store.commit(_cause(at), repository.adding(agreement, events))
        report("agreements", done, len(dated))
    return len(dated)


async def _contacts(service: Service, report: Report) -> int:
    repository = _repository(service, Contact)
    known = await _ids(repository)
    contacts = [msgspec.convert(row, Contact) for row in rows("contacts.csv") if row["id"] not in known]
    return await _commit(service, [repository.adding(one) for one in contacts], "contacts", report)


def rows(name: str) -> Iterable[dict[str, str]]:
    """The rows of one of the files in operations/data."""
    text = files("operations").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _repository(service: Service, kind: type[Any]) -> Repository[Any]:
    return next(one for one in service.repositories if one.kind is kind)


async def _ids(repository: Repository[Any], where: dict[str, Any] | None = None) -> set[str]:
    found = repository.store.database[repository.collection].find(where or {}, {"_id": 1})
    return {document["_id"] async for document in found}


async def _commit(service: Service, steps: Sequence[Step[Any]], what: str, report: Report) -> int:
    for start in range(0, len(steps), BATCH):
        batch = steps[start : start + BATCH]
        await service.store.commit(_cause(service.clock()), *batch)
        report(what, start + len(batch), len(steps))
    return len(steps)


def _cause(at: datetime) -> Cause:
    return Cause(actor="asskomm load", at=at, id=new_id(), trace=new_trace(), history=True)
