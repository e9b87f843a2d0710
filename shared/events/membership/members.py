"""Events of accession: which municipalities join the alliance and which leave it; the aggregate is the `ags`."""

from datetime import date
from typing import ClassVar

from shared.events.membership.refs import HowEnded, OfMunicipality
from shared.events.words import ActionFieldCode, DistrictKey, FileNumber, MunicipalityKind
from shared.kernel.value import value


@value
class MemberJoined(OfMunicipality):
    """A municipality became a member of the alliance, exactly once per accession."""

    type: ClassVar[str] = "membership.member_joined.v1"

    kind: MunicipalityKind
    """`Gemeinde`, `Stadt` or `Kreisfreie Stadt`."""
    district_key: DistrictKey
    """The first five digits of the `ags`."""
    district: str
    """The German name of the district."""
    agreement_id: FileNumber
    """The agreement by which the municipality is a member."""
    joined_on: date
    """The first day of the membership."""
    action_fields: tuple[ActionFieldCode, ...] = ()
    """The action fields on which the municipality works."""


@value
class MemberLeft(OfMunicipality):
    """A membership by one agreement ended, exactly once; the municipality may have joined again by another one."""

    type: ClassVar[str] = "membership.member_left.v1"

    kind: MunicipalityKind
    """`Gemeinde`, `Stadt` or `Kreisfreie Stadt`."""
    district_key: DistrictKey
    """The first five digits of the `ags`."""
    district: str
    """The German name of the district."""
    agreement_id: FileNumber
    """The agreement by which the municipality was a member."""
    joined_on: date
    """The first day of the membership."""
    left_on: date
    """The last day of the membership."""
    how: HowEnded
    """The reason for which the agreement ended: `expired`, `terminated` or `merged`."""
