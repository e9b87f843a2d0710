"""A municipality and its milestones on the way into the alliance."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from shared.clock import berlin_day
from shared.errors import Invalid, Refused
from shared.events import Event
from shared.events.membership import (
    ActionFieldsChosen,
    ConsultationHeld,
    CooperationBegan,
    MemberJoined,
    MunicipalityRef,
    MunicipalityRegistered,
)

# The five directorates by district key (Polizeidirektionen des Freistaates Sachsen).
_POLICE_DIRECTORATES = {
    "PD Chemnitz": ("14511", "14521", "14522"),
    "PD Dresden": ("14612", "14627", "14628"),
    "PD Görlitz": ("14625", "14626"),
    "PD Leipzig": ("14713", "14729", "14730"),
    "PD Zwickau": ("14523", "14524"),
}
POLICE_DIRECTORATE_OF = {key: name for name, keys in _POLICE_DIRECTORATES.items() for key in keys}


class Stage(StrEnum):
    """How near a municipality is to the alliance; milestones, not a strict line."""

    UNCONTACTED = "uncontacted"
    INTERESTED = "interested"
    ADVISED = "advised"
    COOPERATING = "cooperating"
    MEMBER = "member"


class SizeClass(StrEnum):
    """By inhabitants: a village has less than 5,000, a small town less than 20,000, a town less than 100,000."""

    VILLAGE = "village"
    SMALL_TOWN = "small_town"
    TOWN = "town"
    CITY = "city"
    UNKNOWN = "unknown"


class ActionField(StrEnum):
    """What is worked on preventively (Handlungsfeld)."""

    BURGLARY = "burglary"
    DRUGS = "drugs"
    EXTREMISM = "extremism"
    GRAFFITI = "graffiti"
    LITTERING = "littering"
    OTHER = "other"
    SENIORS = "seniors"
    TRAFFIC = "traffic"
    VIOLENCE = "violence"
    YOUTH = "youth"


class UnknownDistrict(Invalid):
    """The key belongs to no district of Saxony."""

    code = "unknown_district"


class DatedInFuture(Refused):
    """What has not happened yet cannot be recorded."""

    code = "dated_in_future"


class AlreadyMember(Refused):
    """The municipality is a member by another agreement."""

    code = "already_member"


@dataclass(frozen=True, kw_only=True, slots=True)
class Consultation:
    """The LPR advised the municipality; without a day where history only tells that it did."""

    held_on: date | None
    topics: tuple[str, ...] = ()
    next_step: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Municipality:
    """A municipality of Saxony with its official data and what it has to do with the alliance."""

    ags: str
    name: str
    name_sorbian: str | None
    kind: str
    district_key: str
    district: str
    nuts3: str
    police_directorate: str
    latitude: float
    longitude: float
    population: int | None
    size_class: SizeClass
    stage: Stage = Stage.UNCONTACTED
    consultations: tuple[Consultation, ...] = ()
    action_fields: tuple[ActionField, ...] = ()
    cooperating_since: date | None = None
    member_since: date | None = None
    agreement_id: str | None = None

    @property
    def ref(self) -> MunicipalityRef:
        """The municipality as agreements and events name it."""
        return MunicipalityRef(ags=self.ags, name=self.name, police_directorate=self.police_directorate)

    def hold_consultation(self, consultation: Consultation, now: datetime) -> tuple["Municipality", list[Event]]:
        """The LPR advised the municipality, on a day that is not to come."""
        self._not_in_future(consultation.held_on, now, "a consultation")
        stage = Stage.ADVISED if self.stage in {Stage.UNCONTACTED, Stage.INTERESTED} else self.stage
        return replace(self, stage=stage, consultations=(*self.consultations, consultation)), [
            ConsultationHeld(
                ags=self.ags,
                name=self.name,
                police_directorate=self.police_directorate,
                held_on=consultation.held_on,
                topics=consultation.topics,
                next_step=consultation.next_step,
            ),
        ]

    def choose_action_fields(self, chosen: Collection[ActionField]) -> tuple["Municipality", Sequence[Event]]:
        """Agree on what to work on; choosing the same again changes nothing."""
        action_fields = tuple(sorted(set(chosen)))
        if action_fields == self.action_fields:
            return self, []
        return replace(self, action_fields=action_fields), [
            ActionFieldsChosen(
                ags=self.ags,
                name=self.name,
                police_directorate=self.police_directorate,
                action_fields=action_fields,
            ),
        ]

    def begin_cooperation(self, began_on: date | None, now: datetime) -> tuple["Municipality", Sequence[Event]]:
        """Work closely with the alliance; beginning twice is the same as once, and a member does so already."""
        self._not_in_future(began_on, now, "a cooperation")
        if self.stage in {Stage.COOPERATING, Stage.MEMBER}:
            return self, []
        return replace(self, stage=Stage.COOPERATING, cooperating_since=began_on), [
            CooperationBegan(
                ags=self.ags, name=self.name, police_directorate=self.police_directorate, began_on=began_on
            ),
        ]

    def join(self, agreement_id: str, joined_on: date) -> tuple["Municipality", Sequence[Event]]:
        """Become a member by an agreement in force; the same news may arrive twice."""
        if self.agreement_id == agreement_id:
            return self, []
        if self.agreement_id is not None:
            raise AlreadyMember(f"{self.name} ({self.ags}) is a member by agreement {self.agreement_id}")
        return replace(self, stage=Stage.MEMBER, member_since=joined_on, agreement_id=agreement_id), [
            MemberJoined(
                ags=self.ags,
                name=self.name,
                kind=self.kind,
                district_key=self.district_key,
                district=self.district,
                police_directorate=self.police_directorate,
                agreement_id=agreement_id,
                joined_on=joined_on,
                action_fields=self.action_fields,
            ),
        ]

    def _not_in_future(self, day: date | None, now: datetime, what: str) -> None:
        if day is not None and day > berlin_day(now):
            raise DatedInFuture(
                f"{what} of {self.name} ({self.ags}) on {day} is in the future: today is {berlin_day(now)}"
            )


def register(
    *,
    ags: str,
    name: str,
    name_sorbian: str | None = None,
    kind: str,
    district: str,
    nuts3: str,
    latitude: float,
    longitude: float,
    population: int | None = None,
) -> tuple[Municipality, list[Event]]:
    """Enter a municipality with its official data; its police directorate follows from its district."""
    district_key = ags[:5]
    if district_key not in POLICE_DIRECTORATE_OF:
        raise UnknownDistrict(f"{name} ({ags}) lies in no district of Saxony: there is no {district_key}")
    official = {
        "ags": ags, "name": name, "name_sorbian": name_sorbian, "kind": kind, "district_key": district_key,
        "district": district, "nuts3": nuts3, "police_directorate": POLICE_DIRECTORATE_OF[district_key],
        "latitude": latitude, "longitude": longitude, "population": population,
    }  # fmt: skip
    return Municipality(**official, size_class=size_class(population)), [MunicipalityRegistered(**official)]  # type: ignore[arg-type]


def size_class(population: int | None) -> SizeClass:
    """The size class that a number of inhabitants falls into."""
    if population is None:
        return SizeClass.UNKNOWN
    limits = ((5_000, SizeClass.VILLAGE), (20_000, SizeClass.SMALL_TOWN), (100_000, SizeClass.TOWN))
    return next((size for limit, size in limits if population < limit), SizeClass.CITY)
