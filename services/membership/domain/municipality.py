"""A municipality: its state, and below it what each event makes of it.

Milestones follow no fixed order: a rule blocks only what cannot have happened, such as a consultation of tomorrow. The
rules are in `advising`, `cooperation`, `coaching`, `councils`, `accession`, `offices` and `registry`.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from services.membership.domain.milestones import (
    Coaching,
    Consultation,
    CouncilDecision,
    Interest,
    Membership,
    Period,
    Stage,
    closed,
    is_open,
    opened,
)
from services.membership.domain.official import FormerName, OfficeHolder, searchable
from shared.alliance.action_fields import ActionField
from shared.alliance.sizes import SizeClass, size_class
from shared.events.membership.members import MemberJoined, MemberLeft
from shared.events.membership.milestones import (
    ActionFieldsChosen,
    CoachingFinished,
    CoachingRequested,
    CoachMatched,
    ConsultationHeld,
    CooperationBegan,
    CooperationEnded,
    CooperationResumed,
    CouncilDecisionRecorded,
    InterestShown,
    MunicipalityFellDormant,
    PreventionCouncilNoted,
)
from shared.events.membership.municipalities import (
    MunicipalityChanged,
    MunicipalityMerged,
    MunicipalityRegistered,
    MunicipalityRenamed,
    OfficeHolderAssigned,
    OfficeHolderLeft,
)
from shared.events.membership.refs import MunicipalityRef
from shared.kernel.copying import copy_as
from shared.kernel.decision import Evolve
from shared.kernel.value import value


@value
class Municipality:
    """A municipality of Saxony: its official data, and its milestones in the alliance."""

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
    search: str
    """Its names, past ones included, in every spelling that people search for."""
    valid_from: date | None = None
    valid_to: date | None = None
    """Its last day; None while it exists."""
    predecessors: tuple[str, ...] = ()
    successor: str | None = None
    former_names: tuple[FormerName, ...] = ()
    office_holders: tuple[OfficeHolder, ...] = ()
    stage: Stage = Stage.UNCONTACTED
    interests: tuple[Interest, ...] = ()
    consultations: tuple[Consultation, ...] = ()
    action_fields: tuple[ActionField, ...] = ()
    cooperations: tuple[Period, ...] = ()
    dormancies: tuple[Period, ...] = ()
    council_decisions: tuple[CouncilDecision, ...] = ()
    coachings: tuple[Coaching, ...] = ()
    prevention_councils: tuple[Period, ...] = ()
    memberships: tuple[Membership, ...] = ()

    @property
    def ref(self) -> MunicipalityRef:
        """The reference that agreements and events carry."""
        return copy_as(MunicipalityRef, self)

    @property
    def is_member(self) -> bool:
        """An agreement in force covers it."""
        return any(membership.until is None for membership in self.memberships)


_DAY = timedelta(days=1)
_UNKNOWN_END = date.min
"""The end of a period whose last day is not known."""


def _registered(event: MunicipalityRegistered) -> Municipality:
    return copy_as(
        Municipality,
        event,
        size_class=size_class(event.population),
        search=searchable(event.name, event.name_sorbian),
    )


def _changed(municipality: Municipality, event: MunicipalityChanged) -> Municipality:
    return replace(
        municipality,
        kind=event.kind,
        district=event.district,
        nuts3=event.nuts3,
        latitude=event.latitude,
        longitude=event.longitude,
        population=event.population,
        size_class=size_class(event.population),
    )


def _renamed(municipality: Municipality, event: MunicipalityRenamed) -> Municipality:
    former_names = (*municipality.former_names, copy_as(FormerName, municipality, until=event.valid_from - _DAY))
    names = [name for former in former_names for name in (former.name, former.name_sorbian)]
    return replace(
        municipality,
        name=event.name,
        name_sorbian=event.name_sorbian,
        former_names=former_names,
        search=searchable(event.name, event.name_sorbian, *names),
    )


def _office_holder_left(municipality: Municipality, event: OfficeHolderLeft) -> Municipality:
    leaving = (event.contact_id, event.office, None)
    return replace(
        municipality,
        office_holders=tuple(
            replace(holder, until=event.until)
            if (holder.contact_id, holder.office, holder.until) == leaving
            else holder
            for holder in municipality.office_holders
        ),
    )


def _cooperation_ended(municipality: Municipality, event: CooperationEnded) -> Municipality:
    return replace(
        municipality,
        cooperations=closed(municipality.cooperations, event.ended_on),
        dormancies=closed(municipality.dormancies, event.ended_on),
    )


def _coaching(municipality: Municipality, number: int, **new: Any) -> Municipality:
    coachings = list(municipality.coachings)
    coachings[number - 1] = replace(coachings[number - 1], **new)
    return replace(municipality, coachings=tuple(coachings))


def _prevention_council_noted(municipality: Municipality, event: PreventionCouncilNoted) -> Municipality:
    known = municipality.prevention_councils
    councils = opened(known, event.noted_on) if event.meets else closed(known, event.noted_on or _UNKNOWN_END)
    return replace(municipality, prevention_councils=councils)


def _member_joined(municipality: Municipality, event: MemberJoined) -> Municipality:
    membership = Membership(agreement_id=event.agreement_id, since=event.joined_on)
    return replace(
        municipality,
        memberships=(*municipality.memberships, membership),
        dormancies=closed(municipality.dormancies, event.joined_on - _DAY),
    )


def _member_left(municipality: Municipality, event: MemberLeft) -> Municipality:
    memberships = tuple(
        replace(membership, until=event.left_on) if membership.agreement_id == event.agreement_id else membership
        for membership in municipality.memberships
    )
    left = replace(municipality, memberships=memberships)
    if left.is_member:
        return left
    return replace(
        left,
        cooperations=closed(left.cooperations, event.left_on),
        dormancies=closed(left.dormancies, event.left_on),
    )


def _with_stage(municipality: Municipality) -> Municipality:
    stage = _stage(municipality)
    return municipality if stage is municipality.stage else replace(municipality, stage=stage)


def _stage(municipality: Municipality) -> Stage:
    """The first applicable stage: a dormant member is dormant, and a former one has left until it starts over."""
    reached = (
        (Stage.DORMANT, is_open(municipality.dormancies)),
        (Stage.MEMBER, municipality.is_member),
        (Stage.COOPERATING, is_open(municipality.cooperations)),
        (Stage.LEFT, bool(municipality.memberships or municipality.cooperations)),
        (Stage.ADVISED, bool(municipality.consultations)),
        (Stage.INTERESTED, bool(municipality.interests)),
    )
    return next((stage for stage, holds in reached if holds), Stage.UNCONTACTED)


evolve = Evolve[Municipality](
    creates={MunicipalityRegistered: _registered},
    changes={
        MunicipalityChanged: _changed,
        MunicipalityRenamed: _renamed,
        MunicipalityMerged: lambda state, event: replace(state, valid_to=event.valid_to, successor=event.successor),
        OfficeHolderAssigned: lambda state, event: replace(
            state, office_holders=(*state.office_holders, copy_as(OfficeHolder, event))
        ),
        OfficeHolderLeft: _office_holder_left,
        InterestShown: lambda state, event: replace(state, interests=(*state.interests, copy_as(Interest, event))),
        ConsultationHeld: lambda state, event: replace(
            state, consultations=(*state.consultations, copy_as(Consultation, event))
        ),
        ActionFieldsChosen: lambda state, event: replace(
            state, action_fields=tuple(map(ActionField, event.action_fields))
        ),
        CooperationBegan: lambda state, event: replace(state, cooperations=opened(state.cooperations, event.began_on)),
        CooperationEnded: _cooperation_ended,
        MunicipalityFellDormant: lambda state, event: replace(
            state, dormancies=opened(state.dormancies, event.since, event.reason)
        ),
        CooperationResumed: lambda state, event: replace(
            state, dormancies=closed(state.dormancies, event.resumed_on - _DAY)
        ),
        CouncilDecisionRecorded: lambda state, event: replace(
            state, council_decisions=(*state.council_decisions, copy_as(CouncilDecision, event))
        ),
        CoachingRequested: lambda state, event: replace(state, coachings=(*state.coachings, copy_as(Coaching, event))),
        CoachMatched: lambda state, event: _coaching(
            state, event.coaching, coach=event.coach, matched_on=event.matched_on
        ),
        CoachingFinished: lambda state, event: _coaching(state, event.coaching, finished_on=event.finished_on),
        PreventionCouncilNoted: _prevention_council_noted,
        MemberJoined: _member_joined,
        MemberLeft: _member_left,
    },
    derive=_with_stage,
)
