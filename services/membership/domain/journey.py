"""The journey of a municipality: its milestones in order, its next steps, and warnings; nothing here blocks."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from enum import StrEnum

from services.membership.domain.agreement import Agreement
from services.membership.domain.analysis import SecurityAnalysis
from services.membership.domain.milestones import Stage, is_open
from services.membership.domain.municipality import Municipality
from services.membership.domain.next_steps import (
    NextStep,
    active_agreements,
    is_no_more,
    is_under_notice,
    next_steps,
    was_entered,
)
from services.membership.domain.parties import PartyKind, kind_of, party_of
from services.membership.domain.term import OPEN, REMINDER_DAYS
from services.membership.domain.term import Stage as AgreementStage
from shared.kernel.value import value


class MilestoneKind(StrEnum):
    """The kinds of milestones; their order breaks ties between milestones of the same day."""

    INTEREST_SHOWN = "interest_shown"
    CONSULTATION_HELD = "consultation_held"
    COACHING_REQUESTED = "coaching_requested"
    COACH_MATCHED = "coach_matched"
    COACHING_FINISHED = "coaching_finished"
    ANALYSIS_STARTED = "analysis_started"
    ANALYSIS_FINISHED = "analysis_finished"
    COOPERATION_BEGAN = "cooperation_began"
    FELL_DORMANT = "fell_dormant"
    RESUMED = "resumed"
    COUNCIL_APPROVED = "council_approved"
    COUNCIL_REJECTED = "council_rejected"
    PREVENTION_COUNCIL_BEGAN = "prevention_council_began"
    PREVENTION_COUNCIL_ENDED = "prevention_council_ended"
    AGREEMENT_DRAFTED = "agreement_drafted"
    AGREEMENT_READY = "agreement_ready"
    SIGNED = "signed"
    SIGNATURE_DECLINED = "signature_declined"
    AGREEMENT_WITHDRAWN = "agreement_withdrawn"
    AGREEMENT_LAPSED = "agreement_lapsed"
    AGREEMENT_IN_FORCE = "agreement_in_force"
    JOINED = "joined"
    NOTICE_GIVEN = "notice_given"
    AGREEMENT_EXPIRED = "agreement_expired"
    AGREEMENT_TERMINATED = "agreement_terminated"
    LEFT = "left"
    COOPERATION_ENDED = "cooperation_ended"
    MERGED = "merged"


class JourneyWarning(StrEnum):
    """Something that is missing or deserves a look, though it blocks nothing."""

    COOPERATION_WITHOUT_CONSULTATION = "cooperation_without_consultation"
    AGREEMENT_WITHOUT_CONSULTATION = "agreement_without_consultation"
    AGREEMENT_WITHOUT_COUNCIL_DECISION = "agreement_without_council_decision"
    COUNCIL_DECIDED_AGAINST = "council_decided_against"
    NO_ACTION_FIELDS = "no_action_fields"
    SIGNATURE_DECLINED = "signature_declined"
    SIGNATURE_OVERDUE = "signature_overdue"
    NOTICE_GIVEN = "notice_given"


@value
class Milestone:
    """A milestone on its day; the day is None if history does not record it."""

    kind: MilestoneKind
    day: date | None
    detail: str | None = None
    """A few words: topics, a number, a party, a reason."""
    of: str | None = None
    """The id of the agreement or analysis, or the number of the coaching."""


@value
class Journey:
    """The milestones, stage and next steps of a municipality on a day."""

    ags: str
    name: str
    on: date
    stage: Stage
    milestones: tuple[Milestone, ...]
    """Sorted by day; milestones without a day come first."""
    next: tuple[NextStep, ...]
    """Sorted by waiting time, longest first; unknown waiting times come last."""
    warnings: tuple[JourneyWarning, ...]


def journey(
    municipality: Municipality, agreements: Sequence[Agreement], analyses: Sequence[SecurityAnalysis], today: date
) -> Journey:
    """The journey of a municipality; `agreements` and `analyses` are all of its own, past ones included."""
    milestones = [
        *_of_municipality(municipality),
        *(milestone for agreement in agreements for milestone in _of_agreement(agreement, party_of(municipality.ref))),
        *(milestone for analysis in analyses for milestone in _of_analysis(analysis)),
    ]
    order = {kind: number for number, kind in enumerate(MilestoneKind)}
    active = active_agreements(municipality, agreements)
    return Journey(
        ags=municipality.ags, name=municipality.name, on=today, stage=municipality.stage,
        milestones=tuple(sorted(milestones, key=lambda milestone: (milestone.day or date.min, order[milestone.kind]))),
        next=next_steps(municipality, agreements, analyses, today),
        warnings=() if is_no_more(municipality, today) else tuple(_warnings(municipality, active, today)),
    )  # fmt: skip


def _warnings(municipality: Municipality, active: Sequence[Agreement], today: date) -> Iterator[JourneyWarning]:
    takes_part = bool(active) or municipality.stage in {Stage.COOPERATING, Stage.MEMBER, Stage.DORMANT}
    decisions = sorted(municipality.council_decisions, key=lambda decision: decision.decided_on)
    opened = [agreement for agreement in active if agreement.stage in OPEN]
    checks: dict[JourneyWarning, bool] = {
        JourneyWarning.COOPERATION_WITHOUT_CONSULTATION: is_open(municipality.cooperations)
        and not municipality.consultations,
        JourneyWarning.AGREEMENT_WITHOUT_CONSULTATION: bool(active) and not municipality.consultations,
        # The past of an entered agreement is not known.
        JourneyWarning.AGREEMENT_WITHOUT_COUNCIL_DECISION: (
            not decisions and any(not was_entered(agreement) for agreement in active)
        ),
        JourneyWarning.COUNCIL_DECIDED_AGAINST: bool(decisions) and not decisions[-1].approved,
        JourneyWarning.NO_ACTION_FIELDS: takes_part and not municipality.action_fields,
        JourneyWarning.SIGNATURE_DECLINED: any(agreement.declines for agreement in opened),
        JourneyWarning.SIGNATURE_OVERDUE: any(_is_overdue(agreement, today) for agreement in opened),
        JourneyWarning.NOTICE_GIVEN: any(is_under_notice(agreement, municipality) for agreement in active),
    }
    yield from (warning for warning, holds in checks.items() if holds)


def _is_overdue(agreement: Agreement, today: date) -> bool:
    waited = timedelta(days=REMINDER_DAYS)
    return bool(agreement.awaited) and agreement.ready_on is not None and agreement.ready_on + waited <= today


def _milestone(kind: MilestoneKind, day: date | None, detail: str | None = None, of: str | None = None) -> Milestone:
    return Milestone(kind=kind, day=day, detail=detail or None, of=of)


def _of_municipality(municipality: Municipality) -> Iterator[Milestone]:
    for interest in municipality.interests:
        yield _milestone(MilestoneKind.INTEREST_SHOWN, interest.shown_on, interest.note)
    for held in municipality.consultations:
        yield _milestone(MilestoneKind.CONSULTATION_HELD, held.held_on, ", ".join(held.topics))
    for decision in municipality.council_decisions:
        kind = MilestoneKind.COUNCIL_APPROVED if decision.approved else MilestoneKind.COUNCIL_REJECTED
        yield _milestone(kind, decision.decided_on, decision.number)
    for membership in municipality.memberships:
        yield _milestone(MilestoneKind.JOINED, membership.since, of=membership.agreement_id)
        if membership.until:
            yield _milestone(MilestoneKind.LEFT, membership.until, of=membership.agreement_id)
    if municipality.valid_to:
        yield _milestone(MilestoneKind.MERGED, municipality.valid_to, municipality.successor)
    yield from _periods(municipality)
    yield from _coachings(municipality)


def _periods(municipality: Municipality) -> Iterator[Milestone]:
    left = {period.until for period in municipality.cooperations} | {
        membership.until for membership in municipality.memberships
    }
    for period in municipality.cooperations:
        yield _milestone(MilestoneKind.COOPERATION_BEGAN, period.since)
        if period.until:
            yield _milestone(MilestoneKind.COOPERATION_ENDED, period.until)
    for period in municipality.dormancies:
        yield _milestone(MilestoneKind.FELL_DORMANT, period.since, period.reason)
        # A dormancy that ends with the cooperation is not a resumption.
        if period.until and period.until not in left:
            yield _milestone(MilestoneKind.RESUMED, period.until + timedelta(days=1))
    for period in municipality.prevention_councils:
        yield _milestone(MilestoneKind.PREVENTION_COUNCIL_BEGAN, period.since)
        if period.until:
            yield _milestone(MilestoneKind.PREVENTION_COUNCIL_ENDED, _known(period.until))


def _coachings(municipality: Municipality) -> Iterator[Milestone]:
    for number, coaching in enumerate(municipality.coachings, start=1):
        id = str(number)
        yield _milestone(MilestoneKind.COACHING_REQUESTED, coaching.requested_on, coaching.topic, id)
        if coaching.matched_on:
            yield _milestone(MilestoneKind.COACH_MATCHED, coaching.matched_on, coaching.coach, id)
        if coaching.finished_on:
            yield _milestone(MilestoneKind.COACHING_FINISHED, coaching.finished_on, of=id)


def _known(day: date) -> date | None:
    """The day, or None if it stands for an unknown one."""
    return None if day == date.min else day


_ENDS = {
    AgreementStage.WITHDRAWN: MilestoneKind.AGREEMENT_WITHDRAWN,
    AgreementStage.LAPSED: MilestoneKind.AGREEMENT_LAPSED,
    AgreementStage.EXPIRED: MilestoneKind.AGREEMENT_EXPIRED,
    AgreementStage.TERMINATED: MilestoneKind.AGREEMENT_TERMINATED,
}


def _of_agreement(agreement: Agreement, party: str) -> Iterator[Milestone]:
    def milestone(kind: MilestoneKind, day: date | None, detail: str | None = None) -> Milestone:
        return _milestone(kind, day, detail, agreement.id)

    if not was_entered(agreement):
        yield from _preparation(agreement, milestone)
    if agreement.in_force_since:
        yield milestone(MilestoneKind.AGREEMENT_IN_FORCE, agreement.in_force_since)
    for notice in agreement.notices:
        if notice.party == party or kind_of(notice.party) is not PartyKind.MUNICIPALITY:
            yield milestone(MilestoneKind.NOTICE_GIVEN, notice.given_on, notice.party)
    if agreement.stage in _ENDS:
        yield milestone(_ENDS[agreement.stage], agreement.ended_on, agreement.reason)


def _preparation(agreement: Agreement, milestone: Callable[..., Milestone]) -> Iterator[Milestone]:
    yield milestone(MilestoneKind.AGREEMENT_DRAFTED, agreement.drafted_on)
    if agreement.ready_on:
        yield milestone(MilestoneKind.AGREEMENT_READY, agreement.ready_on)
    for signature in agreement.signatures:
        yield milestone(MilestoneKind.SIGNED, signature.signed_on, signature.party)
    for decline in agreement.declines:
        yield milestone(MilestoneKind.SIGNATURE_DECLINED, decline.declined_on, decline.party)


def _of_analysis(analysis: SecurityAnalysis) -> Iterator[Milestone]:
    yield _milestone(MilestoneKind.ANALYSIS_STARTED, analysis.started_on, analysis.subject, analysis.id)
    if analysis.finished_on:
        yield _milestone(MilestoneKind.ANALYSIS_FINISHED, analysis.finished_on, analysis.summary, analysis.id)
