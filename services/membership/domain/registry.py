"""What becomes of municipalities officially: registered, renamed, changed, merged; and who holds their offices."""

from dataclasses import dataclass
from datetime import date, timedelta

from services.membership.domain.milestones import EndsBeforeItBegan
from services.membership.domain.municipality import Decided, Municipality
from services.membership.domain.official import OfficeHolder
from shared.alliance.districts import police_directorate_of
from shared.events.membership.municipalities import (
    MunicipalityChanged,
    MunicipalityMerged,
    MunicipalityRegistered,
    MunicipalityRenamed,
    OfficeHolderAssigned,
    OfficeHolderLeft,
)
from shared.kernel.errors import NotFound
from shared.kernel.facts import told


@dataclass(frozen=True, kw_only=True, slots=True)
class Official:
    """The official data of a municipality, a row of a list of municipalities."""

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
    """The `ags` of municipalities that were merged into it."""


def register(official: Official, valid_from: date | None = None) -> Decided:
    """Enter a municipality with its official data; its police directorate follows from its district."""
    fact = MunicipalityRegistered(
        ags=official.ags, name=official.name, name_sorbian=official.name_sorbian, kind=official.kind,
        district_key=official.ags[:5], district=official.district, nuts3=official.nuts3,
        police_directorate=police_directorate_of(official.ags, official.name),
        latitude=official.latitude, longitude=official.longitude, population=official.population,
        valid_from=valid_from, predecessors=official.predecessors,
    )  # fmt: skip
    return Municipality.begun(fact), [fact]


def rename(one: Municipality, name: str, name_sorbian: str | None, valid_from: date) -> Decided:
    """Give a municipality another name from a day on; agreements keep the one they were signed under."""
    if (name, name_sorbian) == (one.name, one.name_sorbian):
        return one, []
    return told(
        one,
        MunicipalityRenamed(
            ags=one.ags, name=name, name_sorbian=name_sorbian, police_directorate=one.police_directorate,
            former_name=one.name, former_name_sorbian=one.name_sorbian, valid_from=valid_from,
        ),
    )  # fmt: skip


def change(one: Municipality, official: Official, valid_from: date) -> Decided:
    """Take over official data of a newer list, but for the name; the same data changes nothing."""
    names = ("kind", "district", "nuts3", "latitude", "longitude", "population")
    if all(getattr(one, name) == getattr(official, name) for name in names):
        return one, []
    new = {name: getattr(official, name) for name in names}
    return told(one, one.fact(MunicipalityChanged, **new, valid_from=valid_from))


def merge(one: Municipality, successor: Municipality, valid_from: date) -> Decided:
    """Dissolve a municipality on the day before `valid_from`; doing so twice is the same as once."""
    if one.successor == successor.ags:
        return one, []
    day_before = valid_from - timedelta(days=1)
    return told(
        one,
        one.fact(
            MunicipalityMerged, successor=successor.ags, successor_name=successor.name, valid_to=day_before
        ),
    )  # fmt: skip


def assign_office(one: Municipality, holder: OfficeHolder) -> Decided:
    """Somebody holds an office from a day on, perhaps to come; whoever held it does so until the day before."""
    before = next((each for each in one.office_holders if (each.office, each.until) == (holder.office, None)), None)
    if before and before.contact_id == holder.contact_id:
        return one, []
    left, events = _left(one, before, holder.since - timedelta(days=1)) if before else (one, [])
    assigned = one.fact(
        OfficeHolderAssigned,
        contact_id=holder.contact_id, office=holder.office, function=holder.function, since=holder.since,
    )  # fmt: skip
    return told(left, assigned)[0], [*events, assigned]


def leave_office(one: Municipality, contact_id: str, until: date) -> Decided:
    """Whoever holds an office holds it until a day; raises NotFound where this one holds none."""
    holder = next((each for each in one.office_holders if (each.contact_id, each.until) == (contact_id, None)), None)
    if holder is None:
        raise NotFound(f"{contact_id} holds no office of {one.name} ({one.ags})")
    return _left(one, holder, until)


def _left(one: Municipality, holder: OfficeHolder, until: date) -> Decided:
    if until < holder.since:
        raise EndsBeforeItBegan(
            f"{holder.office} of {one.name} ({one.ags}) is held since {holder.since}, not until {until}"
        )
    return told(one, one.fact(OfficeHolderLeft, contact_id=holder.contact_id, office=holder.office, until=until))
