"""What becomes of a municipality officially: its data, its name, its offices; the aggregate is its `ags`."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar


@dataclass(frozen=True, kw_only=True, slots=True)
class MunicipalityRegistered:
    """A municipality of Saxony was entered with its official data; the base of everything else."""

    type: ClassVar[str] = "membership.municipality_registered.v1"

    ags: str
    """Official municipality key (Amtlicher Gemeindeschlüssel), 8 digits."""
    name: str
    name_sorbian: str | None = None
    kind: str
    """`Gemeinde`, `Stadt` or `Kreisfreie Stadt`."""
    district_key: str
    """The first five digits of the `ags`."""
    district: str
    nuts3: str
    """Code of the European statistical region, level 3."""
    police_directorate: str
    latitude: float
    longitude: float
    population: int | None = None
    """Inhabitants, partly estimated; None where unknown."""
    valid_from: date | None = None
    """The first day of the municipality in this form; None where it was there before the records begin."""
    predecessors: tuple[str, ...] = ()
    """The `ags` of the municipalities that were merged into it when it was founded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MunicipalityChanged:
    """Official data of a municipality changed, but for its name; `valid_from` is the day of the new list."""

    type: ClassVar[str] = "membership.municipality_changed.v1"

    ags: str
    name: str
    police_directorate: str
    kind: str
    district: str
    nuts3: str
    latitude: float
    longitude: float
    population: int | None = None
    """Inhabitants, partly estimated; None where unknown."""
    valid_from: date


@dataclass(frozen=True, kw_only=True, slots=True)
class MunicipalityRenamed:
    """A municipality has a new name; agreements keep the name under which they were signed."""

    type: ClassVar[str] = "membership.municipality_renamed.v1"

    ags: str
    name: str
    """The new one."""
    name_sorbian: str | None = None
    police_directorate: str
    former_name: str
    former_name_sorbian: str | None = None
    valid_from: date
    """The first day of the new name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MunicipalityMerged:
    """A municipality was dissolved and is part of another one, which is its legal successor."""

    type: ClassVar[str] = "membership.municipality_merged.v1"

    ags: str
    name: str
    police_directorate: str
    successor: str
    """The `ags` of the municipality that it belongs to from now on."""
    successor_name: str
    valid_to: date
    """Its last day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficeHolderAssigned:
    """An office of a municipality is held by somebody from a day on; who it is stays with membership."""

    type: ClassVar[str] = "membership.office_holder_assigned.v1"

    ags: str
    name: str
    police_directorate: str
    contact_id: str
    """A reference; name and address of a person are in no event."""
    office: str
    """Such as `Bürgermeisteramt`; an office has one holder at a time."""
    function: str
    """Such as `Bürgermeisterin`."""
    since: date


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficeHolderLeft:
    """Whoever held an office of a municipality holds it no longer."""

    type: ClassVar[str] = "membership.office_holder_left.v1"

    ags: str
    name: str
    police_directorate: str
    contact_id: str
    office: str
    until: date
    """The last day."""
