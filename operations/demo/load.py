"""Loads the alliance as it stood in January 2023, as history: others build on it, and it sends no emails."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from typing import Any

import msgspec

from services.membership.domain import cooperation
from services.membership.domain.advising import hold_consultation
from services.membership.domain.councils import note_prevention_council
from services.membership.domain.drafting import record
from services.membership.domain.list_file import official_municipality
from services.membership.domain.milestones import Consultation
from services.membership.domain.municipality import Municipality
from services.membership.domain.registry import merge, register
from services.membership.domain.template import STANDARD, Template, publish
from services.membership.records import Municipalities, Records, Templates, records
from services.notifications.domain.contacts import Contact
from services.notifications.records import records as notification_records
from shared.kernel.cause import Cause
from shared.kernel.clock import BERLIN
from shared.kernel.decision import Decision
from shared.kernel.ids import new_file_number, new_id, new_trace
from shared.runtime.service import Service
from shared.runtime.settings import Environ, Settings, read_settings
from shared.store.unit_of_work import Change

BATCH = 150

Report = Callable[[str, int, int], None]
"""Callback with the current activity, the number done and the total."""


@dataclass(frozen=True)
class Loaded:
    """The number of new items; loading again loads nothing."""

    municipalities: int
    consultations: int
    agreements: int
    contacts: int


async def load(environ: Environ, report: Report = lambda *_: None) -> Loaded:
    """Load municipalities, the alliance's history and the contacts, unless they are there already."""
    settings = read_settings(Settings, environ)
    membership, notifications = Service("membership", settings), Service("notifications", settings)
    membership.database.open()
    notifications.database.open()
    try:
        return await _load(membership, notifications, report)
    finally:
        await membership.database.close()
        await notifications.database.close()


async def _load(membership: Service, notifications: Service, report: Report) -> Loaded:
    kept = records(membership)
    await _template(membership, kept.templates)
    return Loaded(
        municipalities=await _municipalities(membership, kept.municipalities, report),
        consultations=await _consultations(membership, kept.municipalities, report),
        agreements=await _agreements(membership, kept, report),
        contacts=await _contacts(notifications, report),
    )


async def _municipalities(service: Service, municipalities: Municipalities, report: Report) -> int:
    """Register the present municipalities and those merged into them."""
    known = set(await municipalities.ids({}))
    new = [(municipality, events) for municipality, events in _registered() if municipality.ags not in known]
    await _commit(service, [municipalities.adding(*decision) for decision in new], "municipalities", report)
    return sum(municipality.valid_to is None for municipality, _ in new)


def _registered() -> Iterator[Decision[Municipality]]:
    """Return every municipality, followed by those merged into it."""
    former = list(rows("former_municipalities.csv"))
    for row in rows("municipalities.csv"):
        merged = {old["ags"]: old for old in former if old["successor"] == row["ags"]}
        since = {ags: date.fromisoformat(old["valid_to"]) + timedelta(days=1) for ags, old in merged.items()}
        successor, founded = register(
            official_municipality({**row, "predecessors": " ".join(merged)}), max(since.values(), default=None)
        )
        yield successor, founded
        for ags, old in merged.items():
            before, registered = register(official_municipality(old))
            after, dissolved = merge(before, successor, since[ags])
            yield after, [*registered, *dissolved]


async def _consultations(service: Service, municipalities: Municipalities, report: Report) -> int:
    """Record consultations (without documented days), cooperations and councils."""
    new = set(await municipalities.ids({"consultations": []}))
    changes = [
        municipalities.changing(row["ags"], _history_of(row, service.clock()))
        for row in rows("alliance_2023-01.csv")
        if row["ags"] in new
    ]
    return await _commit(service, changes, "consultations", report)


def _history_of(row: dict[str, str], now: datetime) -> Callable[[Municipality], Decision[Municipality]]:
    def decide(municipality: Municipality) -> Decision[Municipality]:
        municipality, events = hold_consultation(municipality, Consultation(held_on=None), now)
        if row["stage"] == "cooperating":
            municipality, more = cooperation.begin(municipality, None, now)
            events = [*events, *more]
        if row["council"] == "yes":
            municipality, more = note_prevention_council(municipality, None, now, meets=True)
            events = [*events, *more]
        return municipality, events

    return decide


async def _template(service: Service, templates: Templates) -> None:
    """Publish the standard text of agreements, unless the LPR has published one."""
    if not await templates.ids({"_id": STANDARD}):
        text = files("operations.demo").joinpath("data", "cooperation_agreement.txt").read_text(encoding="utf-8")
        published = publish(Template(id=STANDARD), text)
        await service.store.commit(_cause(service.clock()), templates.adding(*published))


async def _agreements(service: Service, kept: Records, report: Report) -> int:
    """Record the agreements in force; the memberships follow from their events."""
    municipalities = {municipality.ags: municipality for municipality in await kept.municipalities.all({})}
    known = {ref.ags for agreement in await kept.agreements.all({}) for ref in agreement.municipalities}
    dated = [
        (row["ags"], date.fromisoformat(row["agreement_in_force_since"]))
        for row in rows("alliance_2023-01.csv")
        if row["stage"] == "member" and row["ags"] not in known
    ]
    for done, (ags, since) in enumerate(sorted(dated, key=lambda member: member[1]), start=1):
        recorded = record(new_file_number("KV", since.year), municipalities[ags], since)
        at = datetime.combine(since, time(12), BERLIN).astimezone(UTC)
        await service.store.commit(_cause(at), kept.agreements.adding(*recorded))
        report("agreements", done, len(dated))
    return len(dated)


async def _contacts(service: Service, report: Report) -> int:
    contacts = notification_records(service).contacts
    known = set(await contacts.ids({}))
    new = [msgspec.convert(row, Contact) for row in rows("contacts.csv") if row["id"] not in known]
    return await _commit(service, [contacts.adding(contact) for contact in new], "contacts", report)


def rows(name: str) -> Iterable[dict[str, str]]:
    """The rows of one of the files in operations/demo/data."""
    text = files("operations.demo").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


async def _commit(service: Service, changes: Sequence[Change[Any]], what: str, report: Report) -> int:
    for start in range(0, len(changes), BATCH):
        batch = changes[start : start + BATCH]
        await service.store.commit(_cause(service.clock()), *batch)
        report(what, start + len(batch), len(changes))
    return len(changes)


def _cause(at: datetime) -> Cause:
    return Cause(actor="asskomm load", at=at, id=new_id(), trace=new_trace(), history=True)
