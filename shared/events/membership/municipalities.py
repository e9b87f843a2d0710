"""Events of a municipality's official data: its registration, name, mergers and offices; the aggregate is its `ags`."""

from datetime import date
from typing import Annotated, ClassVar

from shared.events.membership.refs import OfMunicipality
from shared.events.words import Ags, DistrictKey, MunicipalityKind, pattern
from shared.kernel.value import value

Nuts3 = Annotated[str, pattern("^DED[0-9A-Z]{2}$", "Code of the European statistical region, level 3.", "DED2D")]


@value
class MunicipalityRegistered(OfMunicipality):
    """A municipality of Saxony was registered with its official data, on which everything else builds."""

    type: ClassVar[str] = "membership.municipality_registered.v1"

    name_sorbian: str | None = None
    """The Sorbian name; null without one."""
    kind: MunicipalityKind
    """`Gemeinde`, `Stadt` or `Kreisfreie Stadt`."""
    district_key: DistrictKey
    """The first five digits of the `ags`."""
    district: str
    """The German name of the district."""
    nuts3: Nuts3
    """Code of the European statistical region, level 3."""
    latitude: float
    """Degrees north (WGS 84)."""
    longitude: float
    """Degrees east (WGS 84)."""
    population: int | None = None
    """The number of inhabitants, partly estimated; null if unknown."""
    valid_from: date | None = None
    """The first day of the municipality in this form; null if it is older than the records."""
    predecessors: tuple[Ags, ...] = ()
    """The `ags` of the municipalities that were merged into it when it was founded."""


@value
class MunicipalityChanged(OfMunicipality):
    """Official data of a municipality changed, except its name."""

    type: ClassVar[str] = "membership.municipality_changed.v1"

    kind: MunicipalityKind
    """`Gemeinde`, `Stadt` or `Kreisfreie Stadt`."""
    district: str
    """The German name of the district."""
    nuts3: Nuts3
    """Code of the European statistical region, level 3."""
    latitude: float
    """Degrees north (WGS 84)."""
    longitude: float
    """Degrees east (WGS 84)."""
    population: int | None = None
    """The number of inhabitants, partly estimated; null if unknown."""
    valid_from: date
    """The day of the list with the new data."""


@value
class MunicipalityRenamed(OfMunicipality):
    """A municipality has a new name; agreements keep the name under which they were signed."""

    type: ClassVar[str] = "membership.municipality_renamed.v1"

    name: str
    """The new name."""
    name_sorbian: str | None = None
    """The Sorbian name; null without one."""
    former_name: str
    """The name until the day before."""
    former_name_sorbian: str | None = None
    """The Sorbian name until the day before; null without one."""
    valid_from: date
    """The first day of the new name."""


@value
class MunicipalityMerged(OfMunicipality):
    """A municipality was dissolved and is now part of another one, its legal successor."""

    type: ClassVar[str] = "membership.municipality_merged.v1"

    successor: Ags
    """The `ags` of the municipality that it is part of from now on."""
    successor_name: str
    """The German name of that municipality."""
    valid_to: date
    """The last day of the municipality."""


@value
class OfficeHolderAssigned(OfMunicipality):
    """A person took an office of a municipality; who it is stays with membership."""

    type: ClassVar[str] = "membership.office_holder_assigned.v1"

    contact_id: str
    """A reference to the person, whose name and addresses are in no event."""
    office: str
    """The office, such as `Bürgermeisteramt`; it has one holder at a time."""
    function: str
    """The function of its holder, such as `Bürgermeisterin`."""
    since: date
    """The first day in office."""


@value
class OfficeHolderLeft(OfMunicipality):
    """The holder of an office of a municipality left it."""

    type: ClassVar[str] = "membership.office_holder_left.v1"

    contact_id: str
    """A reference to the person, whose name and addresses are in no event."""
    office: str
    """The office, such as `Bürgermeisteramt`; it has one holder at a time."""
    until: date
    """The last day in office."""
