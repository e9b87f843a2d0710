"""Contacts: the offices that receive emails."""

from enum import StrEnum
from typing import TypeAlias

from shared.kernel.value import value

SAXONY = "Sachsen"
"""The area of an office that is responsible for all of Saxony."""


class Role(StrEnum):
    """The function of an office in the alliance."""

    LPR_CONTACT = "lpr_contact"
    LPR_HEAD = "lpr_head"
    MINISTRY = "ministry"
    PRESS_OFFICE = "press_office"
    POLICE_DIRECTORATE = "police_directorate"
    MUNICIPALITY = "municipality"


Office: TypeAlias = tuple[Role, str]
"""Role and area."""


@value
class Contact:
    """An office with its address; the area is `Sachsen`, a police directorate (`PD Görlitz`) or an `ags`."""

    id: str
    office: str
    email: str
    role: Role
    area: str
    active: bool = True
