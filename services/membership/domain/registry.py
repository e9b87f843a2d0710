"""Rules for the official register: municipalities are registered, renamed, updated and merged."""

from datetime import date, timedelta

from services.membership.domain.municipality import Municipality, evolve
from shared.alliance.districts import police_directorate_of
from shared.events.membership.municipalities import (
    MunicipalityChanged,
    MunicipalityMerged,
    MunicipalityRegistered,
    MunicipalityRenamed,
)
from shared.kernel.copying import copy_as
from shared.kernel.decision import Decision
from shared.kernel.value import value

OFFICIAL_DATA = ("kind", "district", "nuts3", "latitude", "longitude", "population")
"""The official data other than names that a newer list may change."""


@value
class Official:
    """The official data of a municipality: a row of the list of municipalities."""

    ags: str
    name: str
    name_sorbian: str | None = None
    kind: str
    district: str
    nuts3: str
    latitude: float
    longitude: float
    population: int | None = None
    predecessors: tuple[str, ...] = ()
    """The `ags` of the municipalities that were merged into it."""


def register(official: Official, valid_from: date | None = None) -> Decision[Municipality]:
    """Register a municipality with its official data; its police directorate follows from its district."""
    registered = copy_as(
        MunicipalityRegistered,
        official,
        district_key=official.ags[:5],
        police_directorate=police_directorate_of(official.ags, official.name),
        valid_from=valid_from,
    )
    return evolve.decision(None, registered)


def rename(municipality: Municipality, name: str, name_sorbian: str | None, valid_from: date) -> Decision[Municipality]:
    """Rename a municipality from a day on; agreements keep the name under which they were signed."""
    if (name, name_sorbian) == (municipality.name, municipality.name_sorbian):
        return municipality, []
    renamed = MunicipalityRenamed(
        ags=municipality.ags,
        name=name,
        name_sorbian=name_sorbian,
        police_directorate=municipality.police_directorate,
        former_name=municipality.name,
        former_name_sorbian=municipality.name_sorbian,
        valid_from=valid_from,
    )
    return evolve.decision(municipality, renamed)


def update(municipality: Municipality, official: Official, valid_from: date) -> Decision[Municipality]:
    """Take over the official data of a newer list, except the name; the same data changes nothing."""
    if all(getattr(municipality, name) == getattr(official, name) for name in OFFICIAL_DATA):
        return municipality, []
    changed = copy_as(
        MunicipalityChanged,
        official,
        name=municipality.name,
        police_directorate=municipality.police_directorate,
        valid_from=valid_from,
    )
    return evolve.decision(municipality, changed)


def merge(municipality: Municipality, successor: Municipality, valid_from: date) -> Decision[Municipality]:
    """Dissolve a municipality on the day before `valid_from`; merging it again into the same one changes nothing."""
    if municipality.successor == successor.ags:
        return municipality, []
    merged = copy_as(
        MunicipalityMerged,
        municipality,
        successor=successor.ags,
        successor_name=successor.name,
        valid_to=valid_from - timedelta(days=1),
    )
    return evolve.decision(municipality, merged)
