"""A municipality: its official data, and its milestones on the way into the alliance, through it, and out of it.

Milestones are no straight line: a rule blocks only what cannot have happened, such as a consultation of tomorrow.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from services.membership.domain.milestones import (
    Coaching,
    Consultation,
    CouncilDecision,
    EndsBeforeItBegan,
    Interest,
    Membership,
    Period,
    Stage,
    is_open,
)
from services.membership.domain.municipality_facts import changed
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
from shared.events.membership.municipalities import MunicipalityRegistered
from shared.events.membership.refs import MunicipalityRef
from shared.kernel.clock import berlin_day
from shared.kernel.errors import NotFound, Refused
from shared.kernel.event import Event
from shared.kernel.facts import told

Decided = tuple["Municipality", list[Event]]


class DatedInFuture(Refused):
    """What has not happened yet cannot be recorded."""

    code = "dated_in_future"


class Dissolved(Refused):
    """The municipality was merged into another one before that."""

    code = "municipality_dissolved"


class NotCooperating(Refused):
    """It does not work closely with the alliance, so that cannot rest or end."""

    code = "not_cooperating"


class StillMember(Refused):
    """A membership ends with its agreement, by notice, and not by itself."""

    code = "still_member"


class CoachingOver(Refused):
    """The coaching has been finished."""

    code = "coaching_finished"


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
    search: str
    """Its names, past ones too, in every way in which people search for them."""
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

    @classmethod
    def begun(cls, fact: Any) -> "Municipality":
        """A municipality as it is when it has been registered."""
        if not isinstance(fact, MunicipalityRegistered):
            raise TypeError(f"{type(fact).__name__} begins no municipality")
        official = {field.name: getattr(fact, field.name) for field in fields(fact)}
        return cls(**official, size_class=size_class(fact.population), search=searchable(fact.name, fact.name_sorbian))

    def after(self, fact: Any) -> "Municipality":
        """The municipality after this fact."""
        return changed(self, fact)

    @property
    def ref(self) -> MunicipalityRef:
        """The municipality as agreements and events name it."""
        return MunicipalityRef(ags=self.ags, name=self.name, police_directorate=self.police_directorate)

    @property
    def is_member(self) -> bool:
        """Whether an agreement in force covers it."""
        return any(membership.until is None for membership in self.memberships)

    def show_interest(self, shown_on: date, note: str | None, now: datetime) -> Decided:
        """The municipality would like to know more."""
        self._refuse_unless_past(shown_on, now, "an interest")
        return self._told(InterestShown, shown_on=shown_on, note=note)

    def hold_consultation(self, held: Consultation, now: datetime) -> Decided:
        """The LPR advised the municipality, on a day that is not to come."""
        self._refuse_unless_past(held.held_on, now, "a consultation")
        return self._told(
            ConsultationHeld, held_on=held.held_on, topics=held.topics, next_step=held.next_step, held_by=held.held_by
        )

    def choose_action_fields(self, chosen: Collection[ActionField]) -> Decided:
        """Agree on what to work on; choosing the same again changes nothing."""
        action_fields = tuple(sorted(set(chosen)))
        return (self, []) if action_fields == self.action_fields else self._told(
            ActionFieldsChosen, action_fields=action_fields
        )  # fmt: skip

    def begin_cooperation(self, began_on: date | None, now: datetime) -> Decided:
        """Work closely with the alliance; beginning twice is the same as once, and a member does so already."""
        self._refuse_unless_past(began_on, now, "a cooperation")
        if is_open(self.cooperations) or self.is_member:
            return self, []
        return self._told(CooperationBegan, began_on=began_on)

    def end_cooperation(self, ended_on: date, reason: str | None, now: datetime) -> Decided:
        """The municipality, which is no member, works closely with the alliance no longer."""
        self._refuse_unless_past(ended_on, now, "the end of a cooperation")
        if self.is_member:
            raise StillMember(f"{self.name} ({self.ags}) is a member; give notice of its agreement instead")
        if not is_open(self.cooperations):
            raise NotCooperating(f"{self.name} ({self.ags}) is {self.stage}: there is no cooperation that could end")
        self._refuse_if_before(ended_on, self.cooperations, "cooperation")
        return self._told(CooperationEnded, ended_on=ended_on, reason=reason)

    def fall_dormant(self, since: date, reason: str | None, now: datetime) -> Decided:
        """The cooperation rests; saying it twice is the same as once."""
        self._refuse_unless_past(since, now, "a dormancy")
        if is_open(self.dormancies):
            return self, []
        if not (is_open(self.cooperations) or self.is_member):
            raise NotCooperating(f"{self.name} ({self.ags}) is {self.stage}: there is no cooperation that could rest")
        return self._told(MunicipalityFellDormant, since=since, reason=reason)

    def resume(self, resumed_on: date, now: datetime) -> Decided:
        """The cooperation goes on; where it did not rest, nothing changes."""
        self._refuse_unless_past(resumed_on, now, "a resumption")
        if not is_open(self.dormancies):
            return self, []
        self._refuse_if_before(resumed_on, self.dormancies, "dormancy")
        return self._told(CooperationResumed, resumed_on=resumed_on)

    def record_council_decision(self, decision: CouncilDecision, now: datetime) -> Decided:
        """The council decided; the same decision recorded twice is one."""
        self._refuse_unless_past(decision.decided_on, now, "a council decision")
        if decision in self.council_decisions:
            return self, []
        return self._told(
            CouncilDecisionRecorded,
            decided_on=decision.decided_on, number=decision.number, approved=decision.approved,
        )  # fmt: skip

    def request_coaching(self, topic: str, requested_on: date, now: datetime) -> Decided:
        """The municipality asks for a coach."""
        self._refuse_unless_past(requested_on, now, "a request for coaching")
        return self._told(CoachingRequested, coaching=len(self.coachings) + 1, requested_on=requested_on, topic=topic)

    def match_coach(self, number: int, coach: str, matched_on: date, now: datetime) -> Decided:
        """A coach was found, or another one instead."""
        self._refuse_unless_past(matched_on, now, "the matching of a coach")
        if self._coaching(number, matched_on).coach == coach:
            return self, []
        return self._told(CoachMatched, coaching=number, coach=coach, matched_on=matched_on)

    def finish_coaching(self, number: int, finished_on: date, now: datetime) -> Decided:
        """The coaching came to its end."""
        self._refuse_unless_past(finished_on, now, "the end of a coaching")
        self._coaching(number, finished_on)
        return self._told(CoachingFinished, coaching=number, finished_on=finished_on)

    def note_prevention_council(self, noted_on: date | None, now: datetime, *, meets: bool) -> Decided:
        """It is known that a prevention council meets, or does so no longer; nothing changes where that was known."""
        self._refuse_unless_past(noted_on, now, "a prevention council")
        if is_open(self.prevention_councils) == meets:
            return self, []
        if not meets and noted_on is not None:
            self._refuse_if_before(noted_on, self.prevention_councils, "prevention council")
        return self._told(PreventionCouncilNoted, meets=meets, noted_on=noted_on)

    def join(self, agreement_id: str, joined_on: date) -> Decided:
        """Become a member by an agreement in force; the same news may arrive twice."""
        if any(membership.agreement_id == agreement_id for membership in self.memberships):
            return self, []
        return self._told(
            MemberJoined,
            kind=self.kind, district_key=self.district_key, district=self.district,
            agreement_id=agreement_id, joined_on=joined_on, action_fields=self.action_fields,
        )  # fmt: skip

    def leave(self, agreement_id: str, left_on: date, how: str) -> Decided:
        """Be a member no longer, because the agreement ended; the same news may arrive twice."""
        joined = [one for one in self.memberships if (one.agreement_id, one.until) == (agreement_id, None)]
        if not joined:
            return self, []
        return self._told(
            MemberLeft,
            kind=self.kind, district_key=self.district_key, district=self.district,
            agreement_id=agreement_id, joined_on=joined[0].since, left_on=left_on, how=how,
        )  # fmt: skip

    def fact(self, event: Callable[..., Event], /, **facts: Any) -> Event:
        """A fact about this municipality."""
        return event(ags=self.ags, name=self.name, police_directorate=self.police_directorate, **facts)

    def _told(self, event: Callable[..., Event], /, **facts: Any) -> Decided:
        return told(self, self.fact(event, **facts))

    def _coaching(self, number: int, day: date) -> Coaching:
        if not 1 <= number <= len(self.coachings):
            raise NotFound(f"{self.name} ({self.ags}) has no coaching {number}")
        coaching = self.coachings[number - 1]
        if coaching.finished_on:
            raise CoachingOver(f"coaching {number} of {self.name} ({self.ags}) was finished on {coaching.finished_on}")
        if day < coaching.requested_on:
            raise EndsBeforeItBegan(
                f"coaching {number} of {self.name} ({self.ags}) was requested on {coaching.requested_on}, after {day}"
            )
        return coaching

    def _refuse_unless_past(self, day: date | None, now: datetime, what: str) -> None:
        if day is None:
            return
        if day > berlin_day(now):
            raise DatedInFuture(
                f"{what} of {self.name} ({self.ags}) on {day} is in the future: today is {berlin_day(now)}"
            )
        if self.valid_to and day > self.valid_to:
            raise Dissolved(
                f"{what} on {day}: {self.name} ({self.ags}) belongs to {self.successor} after {self.valid_to}"
            )

    def _refuse_if_before(self, day: date, periods: tuple[Period, ...], what: str) -> None:
        since = periods[-1].since
        if since and day < since:
            raise EndsBeforeItBegan(f"the {what} of {self.name} ({self.ags}) began on {since}, after {day}")
