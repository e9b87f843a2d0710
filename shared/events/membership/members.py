"""Who becomes a member of the alliance, and who is one no longer; the aggregate is the `ags`."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberJoined:
    """A municipality became a member of the alliance, exactly once per accession."""

    type: ClassVar[str] = "membership.member_joined.v1"

    ags: str
    name: str
    kind: str
    district_key: str
    district: str
    police_directorate: str
    agreement_id: str
    joined_on: date
    action_fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberLeft:
    """A municipality is a member by this agreement no longer, exactly once per accession; it may have joined anew."""

    type: ClassVar[str] = "membership.member_left.v1"

    ags: str
    name: str
    kind: str
    district_key: str
    district: str
    police_directorate: str
    agreement_id: str
    joined_on: date
    left_on: date
    """The last day of the membership."""
    how: str
    """`expired`, `terminated` or `merged`, as its agreement ended."""
