"""What the membership service makes known: how a municipality comes into the alliance.

The aggregate of an event is its `ags` where it has one, else its `agreement_id`.
"""

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


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsultationHeld:
    """The LPR advised a municipality, which is the precondition of a grant application."""

    type: ClassVar[str] = "membership.consultation_held.v1"

    ags: str
    name: str
    police_directorate: str
    held_on: date | None
    """None where history only tells that it was held."""
    topics: tuple[str, ...] = ()
    next_step: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionFieldsChosen:
    """A municipality and the LPR agreed on the action fields (Handlungsfelder) to work on preventively."""

    type: ClassVar[str] = "membership.action_fields_chosen.v1"

    ags: str
    name: str
    police_directorate: str
    action_fields: tuple[str, ...]
    """All that hold from now on, in alphabetical order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CooperationBegan:
    """A municipality works closely with the alliance (enge Zusammenarbeit), with or without an agreement to come."""

    type: ClassVar[str] = "membership.cooperation_began.v1"

    ags: str
    name: str
    police_directorate: str
    began_on: date | None
    """None where history only tells that it began."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MunicipalityRef:
    """A municipality as an agreement names it."""

    ags: str
    name: str
    police_directorate: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementDrafted:
    """A cooperation agreement was drafted for one or several municipalities."""

    type: ClassVar[str] = "membership.agreement_drafted.v1"

    agreement_id: str
    """The file number (Aktenzeichen)."""
    municipalities: tuple[MunicipalityRef, ...]
    parties: tuple[str, ...]
    """Who must sign: `municipality:<ags>`, `police_directorate:<name>`, `lpr`, `ministry`."""
    action_fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementReady:
    """A cooperation agreement is ready for signature by all its parties."""

    type: ClassVar[str] = "membership.agreement_ready.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    parties: tuple[str, ...]
    ready_on: date


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementSignedByParty:
    """One party signed a cooperation agreement; the others may still be missing.

    The name of the person is part of the signature, which is a public act: this is the exception to "no people".
    """

    type: ClassVar[str] = "membership.agreement_signed_by_party.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    party: str
    person: str
    function: str
    deputy: bool
    """Signed on behalf of the office's holder (i. V.)."""
    signed_on: date
    place: str
    form: str
    """`paper` or `remote`."""
    missing: tuple[str, ...]
    """The parties that have not signed yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementSigned:
    """Every required party has signed: the cooperation agreement is in force."""

    type: ClassVar[str] = "membership.agreement_signed.v1"

    agreement_id: str
    municipalities: tuple[MunicipalityRef, ...]
    parties: tuple[str, ...]
    in_force_since: date
    """The day of the last signature."""
    action_fields: tuple[str, ...] = ()


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
