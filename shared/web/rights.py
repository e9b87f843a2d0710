"""Rights: roles, the areas they are held in, and what lies in an area."""

import re
from enum import StrEnum
from typing import Any, Protocol

from shared.alliance.districts import POLICE_DIRECTORATES
from shared.kernel.errors import Invalid, NotAllowed
from shared.kernel.value import value

SAXONY = "Sachsen"
MAX_GRANTS = 50


class Role(StrEnum):
    """A role in the alliance, held within an area."""

    LPR = "lpr"
    MINISTRY = "ministry"
    POLICE = "police"
    MUNICIPALITY = "municipality"
    COUNCIL = "council"
    AUDITOR = "auditor"


class Area(StrEnum):
    """A kind of area; no area of one kind is spelt like one of another."""

    SAXONY = "all of Saxony: Sachsen"
    POLICE_DIRECTORATE = f"a police directorate: {', '.join(POLICE_DIRECTORATES)}"
    MUNICIPALITY = "a municipality: its official key of eight digits"
    COUNCIL = "a prevention council: its file number, such as KPR-2023-7QX4M2"


AREA_OF = {
    Role.LPR: Area.SAXONY,
    Role.MINISTRY: Area.SAXONY,
    Role.POLICE: Area.POLICE_DIRECTORATE,
    Role.MUNICIPALITY: Area.MUNICIPALITY,
    Role.COUNCIL: Area.COUNCIL,
    Role.AUDITOR: Area.SAXONY,
}
"""The kind of area that each role is held in; a role that is missing here cannot be granted."""

_SPELLING = {
    Area.SAXONY: re.compile(SAXONY),
    Area.POLICE_DIRECTORATE: re.compile("|".join(POLICE_DIRECTORATES)),
    Area.MUNICIPALITY: re.compile(r"[0-9]{8}"),
    Area.COUNCIL: re.compile(r"[A-Z]{2,4}-[0-9]{4}-[0-9A-Z]{6}"),
}


class Place(Protocol):
    """Anything that lies in one municipality, such as the municipality itself, or a reference to it."""

    @property
    def ags(self) -> str: ...

    @property
    def police_directorate(self) -> str: ...


@value
class Grant:
    """A role, held in an area; raises Invalid if the area does not go with the role."""

    role: Role
    area: str = SAXONY

    def __post_init__(self) -> None:
        wanted = AREA_OF[self.role]
        if not _SPELLING[wanted].fullmatch(self.area):
            raise Invalid(f"role {self.role} is not held in {self.area}; it takes {wanted}")

    def covers(self, place: Place) -> bool:
        """The place lies in the area."""
        return self.area in {SAXONY, place.police_directorate, place.ags}


@value
class Actor:
    """A caller with 1 to MAX_GRANTS grants, whose permissions add up."""

    subject: str
    grants: frozenset[Grant]

    def __post_init__(self) -> None:
        if not 1 <= len(self.grants) <= MAX_GRANTS:
            raise Invalid(f"{self.subject} has {len(self.grants)} grants; it takes 1 to {MAX_GRANTS}")

    def areas(self, role: Role) -> frozenset[str]:
        """The areas in which this one has a role."""
        return frozenset(grant.area for grant in self.grants if grant.role is role)

    def has(self, *roles: Role) -> bool:
        """The caller has one of the roles, in any area."""
        return any(grant.role in roles for grant in self.grants)

    def require(self, *roles: Role) -> None:
        """Raise NotAllowed unless this one has one of the roles."""
        if not self.has(*roles):
            raise self.refused(" or ".join(roles))

    def refused(self, needed: str) -> NotAllowed:
        """The refusal that names the roles of this one, and what would be needed."""
        own = " and ".join(sorted({grant.role for grant in self.grants}))
        return NotAllowed(f"role {own} may not do this; it takes {needed}")

    def sees(self, *places: Place) -> bool:
        """One of the places lies in an area of this one."""
        return any(grant.covers(place) for place in places for grant in self.grants)

    def seen(self, *, ags: str, police_directorate: str) -> dict[str, Any]:
        """The MongoDB filter for what this one sees, given the fields that hold the place of a document."""
        areas = sorted({grant.area for grant in self.grants})
        if SAXONY in areas:
            return {}
        return {"$or": [{ags: {"$in": areas}}, {police_directorate: {"$in": areas}}]}


def actor(subject: str, role: Role, *areas: str) -> Actor:
    """Somebody with one role, in all of Saxony or in these areas."""
    return Actor(subject=subject, grants=frozenset(Grant(role=role, area=area) for area in areas or (SAXONY,)))
