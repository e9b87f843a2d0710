"""What each fact changes of a municipality."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from services.membership.domain.milestones import (
    Coaching,
    Consultation,
    CouncilDecision,
    Interest,
    Membership,
    Stage,
    begun,
    ended,
    is_open,
)
from services.membership.domain.official import FormerName, OfficeHolder, searchable
from shared.alliance.action_fields import ActionField
from shared.alliance.sizes import size_class
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
    MunicipalityRenamed,
    OfficeHolderAssigned,
    OfficeHolderLeft,
)

if TYPE_CHECKING:
    from services.membership.domain.municipality import Municipality


def changed(one: "Municipality", fact: Any) -> "Municipality":
    """The municipality after a fact; raises TypeError for one that is none of its own."""
    if type(fact) not in _CHANGES:
        raise TypeError(f"{type(fact).__name__} is no fact about a municipality")
    after = replace(one, **_CHANGES[type(fact)](one, fact))
    stage = _stage(after)
    return after if stage is after.stage else replace(after, stage=stage)


def _stage(one: "Municipality") -> Stage:
    """A dormant member is dormant, and yet a member; who has left has, until something new begins."""
    reached = (
        (Stage.DORMANT, is_open(one.dormancies)),
        (Stage.MEMBER, one.is_member),
        (Stage.COOPERATING, is_open(one.cooperations)),
        (Stage.LEFT, bool(one.memberships or one.cooperations)),
        (Stage.ADVISED, bool(one.consultations)),
        (Stage.INTERESTED, bool(one.interests)),
    )
    return next((stage for stage, yes in reached if yes), Stage.UNCONTACTED)


Change = dict[str, Any]

_DAY = timedelta(days=1)
_EVER = date.min
"""Where not even the day of an end is known."""


def _consultation_held(one: "Municipality", fact: ConsultationHeld) -> Change:
    held = Consultation(held_on=fact.held_on, topics=fact.topics, next_step=fact.next_step, held_by=fact.held_by)
    return {"consultations": (*one.consultations, held)}


def _cooperation_began(one: "Municipality", fact: CooperationBegan) -> Change:
    return {"cooperations": begun(one.cooperations, fact.began_on)}


def _cooperation_ended(one: "Municipality", fact: CooperationEnded) -> Change:
    return {
        "cooperations": ended(one.cooperations, fact.ended_on),
        "dormancies": ended(one.dormancies, fact.ended_on),
    }


def _council_decision_recorded(one: "Municipality", fact: CouncilDecisionRecorded) -> Change:
    decision = CouncilDecision(decided_on=fact.decided_on, number=fact.number, approved=fact.approved)
    return {"council_decisions": (*one.council_decisions, decision)}


def _coaching(one: "Municipality", number: int, **new: Any) -> Change:
    coachings = list(one.coachings)
    coachings[number - 1] = replace(coachings[number - 1], **new)
    return {"coachings": tuple(coachings)}


def _prevention_council_noted(one: "Municipality", fact: PreventionCouncilNoted) -> Change:
    known = one.prevention_councils
    return {"prevention_councils": begun(known, fact.noted_on) if fact.meets else ended(known, fact.noted_on or _EVER)}


def _member_joined(one: "Municipality", fact: MemberJoined) -> Change:
    joined = Membership(agreement_id=fact.agreement_id, since=fact.joined_on)
    return {"memberships": (*one.memberships, joined), "dormancies": ended(one.dormancies, fact.joined_on - _DAY)}


def _member_left(one: "Municipality", fact: MemberLeft) -> Change:
    left = tuple(
        replace(each, until=fact.left_on) if each.agreement_id == fact.agreement_id else each
        for each in one.memberships
    )
    if any(each.until is None for each in left):
        return {"memberships": left}
    return {
        "memberships": left,
        "cooperations": ended(one.cooperations, fact.left_on),
        "dormancies": ended(one.dormancies, fact.left_on),
    }


def _municipality_changed(_: "Municipality", fact: MunicipalityChanged) -> Change:
    official = ("kind", "district", "nuts3", "latitude", "longitude", "population")
    return {name: getattr(fact, name) for name in official} | {"size_class": size_class(fact.population)}


def _municipality_renamed(one: "Municipality", fact: MunicipalityRenamed) -> Change:
    until = fact.valid_from - _DAY
    former = (*one.former_names, FormerName(name=one.name, name_sorbian=one.name_sorbian, until=until))
    names = [fact.name, fact.name_sorbian, *(name for old in former for name in (old.name, old.name_sorbian))]
    return {
        "name": fact.name,
        "name_sorbian": fact.name_sorbian,
        "former_names": former,
        "search": searchable(*names),
    }


def _office_holder_assigned(one: "Municipality", fact: OfficeHolderAssigned) -> Change:
    holder = OfficeHolder(contact_id=fact.contact_id, office=fact.office, function=fact.function, since=fact.since)
    return {"office_holders": (*one.office_holders, holder)}


def _office_holder_left(one: "Municipality", fact: OfficeHolderLeft) -> Change:
    return {
        "office_holders": tuple(
            replace(each, until=fact.until)
            if (each.contact_id, each.office, each.until) == (fact.contact_id, fact.office, None)
            else each
            for each in one.office_holders
        )
    }


_CHANGES: Mapping[type, Callable[["Municipality", Any], Change]] = {
    MunicipalityChanged: _municipality_changed,
    MunicipalityRenamed: _municipality_renamed,
    MunicipalityMerged: lambda _, fact: {"valid_to": fact.valid_to, "successor": fact.successor},
    OfficeHolderAssigned: _office_holder_assigned,
    OfficeHolderLeft: _office_holder_left,
    InterestShown: lambda one, fact: {
        "interests": (*one.interests, Interest(shown_on=fact.shown_on, note=fact.note)),
    },
    ConsultationHeld: _consultation_held,
    ActionFieldsChosen: lambda _, fact: {"action_fields": tuple(map(ActionField, fact.action_fields))},
    CooperationBegan: _cooperation_began,
    CooperationEnded: _cooperation_ended,
    MunicipalityFellDormant: lambda one, fact: {"dormancies": begun(one.dormancies, fact.since, fact.reason)},
    CooperationResumed: lambda one, fact: {"dormancies": ended(one.dormancies, fact.resumed_on - _DAY)},
    CouncilDecisionRecorded: _council_decision_recorded,
    CoachingRequested: lambda one, fact: {
        "coachings": (*one.coachings, Coaching(requested_on=fact.requested_on, topic=fact.topic)),
    },
    CoachMatched: lambda one, fact: _coaching(one, fact.coaching, coach=fact.coach, matched_on=fact.matched_on),
    CoachingFinished: lambda one, fact: _coaching(one, fact.coaching, finished_on=fact.finished_on),
    PreventionCouncilNoted: _prevention_council_noted,
    MemberJoined: _member_joined,
    MemberLeft: _member_left,
}
