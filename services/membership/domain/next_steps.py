"""The next steps of a municipality: which parties they wait for, and since when."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from enum import StrEnum

from services.membership.domain.agreement import Agreement
from services.membership.domain.analysis import SecurityAnalysis
from services.membership.domain.milestones import Stage, is_open
from services.membership.domain.municipality import Municipality
from services.membership.domain.parties import PartyKind, party_of
from services.membership.domain.term import ACTIVE, WARNING_DAYS
from services.membership.domain.term import Stage as AgreementStage
from shared.kernel.value import value

LPR = (PartyKind.LPR.value,)

_FAILED = {AgreementStage.WITHDRAWN, AgreementStage.LAPSED}


class Step(StrEnum):
    """The possible steps: first those towards membership, in order, then the independent ones."""

    CONSULT = "consult"
    AGREE_ON_COOPERATION = "agree_on_cooperation"
    DRAFT_AGREEMENT = "draft_agreement"
    MAKE_READY = "make_ready"
    SIGN = "sign"
    SETTLE_DECLINE = "settle_decline"
    RENEW = "renew"
    RESUME = "resume"
    MATCH_COACH = "match_coach"
    FINISH_ANALYSIS = "finish_analysis"


@value
class NextStep:
    """A next step and the parties that it waits for, such as `lpr` or `municipality:<ags>`."""

    step: Step
    waiting_for: tuple[str, ...]
    since: date | None
    """None if no day is documented."""
    days: int | None
    """From `since` until today."""
    of: str | None = None
    """The id of the agreement or analysis, or the number of the coaching."""


def next_steps(
    municipality: Municipality, agreements: Sequence[Agreement], analyses: Sequence[SecurityAnalysis], today: date
) -> tuple[NextStep, ...]:
    """The next steps of a municipality, longest wait first; none for a dissolved one.

    `agreements` and `analyses` are all of its own, past ones included.
    """
    if is_no_more(municipality, today):
        return ()
    active = active_agreements(municipality, agreements)
    steps = [step for agreement in active for step in _agreement_steps(agreement, municipality, today)]
    steps += [] if active else _stage_steps(municipality, agreements, today)
    steps += _steps_beside(municipality, analyses, today)
    return tuple(sorted(steps, key=lambda step: step.since or date.max))


def is_no_more(municipality: Municipality, today: date) -> bool:
    """The municipality was merged into another one before today."""
    return municipality.valid_to is not None and municipality.valid_to < today


def active_agreements(municipality: Municipality, agreements: Sequence[Agreement]) -> list[Agreement]:
    """Its agreements that are drafted, open for signature, or in force."""
    return [
        agreement for agreement in agreements if agreement.stage in ACTIVE and municipality.ags in agreement.covered
    ]


def is_under_notice(agreement: Agreement, municipality: Municipality) -> bool:
    """The agreement ends for this municipality by notice."""
    concerned = (ref.ags for notice in agreement.notices for ref in notice.concerned(agreement.remaining))
    return municipality.ags in concerned


def was_entered(agreement: Agreement) -> bool:
    """The agreement predates this system, so its past is not known."""
    return agreement.in_force_since is not None and not agreement.signatures


def _step(step: Step, waiting_for: tuple[str, ...], since: date | None, today: date, of: str | None = None) -> NextStep:
    days = max((today - since).days, 0) if since else None
    return NextStep(step=step, waiting_for=waiting_for, since=since, days=days, of=of)


def _agreement_steps(agreement: Agreement, municipality: Municipality, today: date) -> Iterator[NextStep]:
    match agreement.stage:
        case AgreementStage.DRAFT:
            yield _step(Step.MAKE_READY, LPR, agreement.drafted_on, today, agreement.id)
        case AgreementStage.READY | AgreementStage.PARTIALLY_SIGNED:
            if agreement.awaited:
                since = last(agreement.ready_on, *(signature.signed_on for signature in agreement.signatures))
                yield _step(Step.SIGN, agreement.awaited, since, today, agreement.id)
            if agreement.declines:
                declined = last(*(decline.declined_on for decline in agreement.declines))
                yield _step(Step.SETTLE_DECLINE, LPR, declined, today, agreement.id)
        case AgreementStage.IN_FORCE if agreement.ends_on and not is_under_notice(agreement, municipality):
            since = agreement.ends_on - timedelta(days=max(WARNING_DAYS))
            if since <= today:
                yield _step(Step.RENEW, LPR, since, today, agreement.id)


def _stage_steps(municipality: Municipality, agreements: Sequence[Agreement], today: date) -> list[NextStep]:
    """The next step of a municipality without an active agreement."""
    match municipality.stage:
        case Stage.INTERESTED:
            shown = first(*(interest.shown_on for interest in municipality.interests))
            return [_step(Step.CONSULT, LPR, shown, today)]
        case Stage.ADVISED:
            held = last(*(consultation.held_on for consultation in municipality.consultations))
            return [_step(Step.AGREE_ON_COOPERATION, (party_of(municipality.ref),), held, today)]
        case Stage.COOPERATING:
            # After a failed agreement, the wait for the next draft starts over.
            failed = [agreement.ended_on for agreement in agreements if agreement.stage in _FAILED]
            return [_step(Step.DRAFT_AGREEMENT, LPR, last(municipality.cooperations[-1].since, *failed), today)]
        case _:
            return []


def _steps_beside(municipality: Municipality, analyses: Sequence[SecurityAnalysis], today: date) -> Iterator[NextStep]:
    if is_open(municipality.dormancies):
        yield _step(Step.RESUME, LPR, municipality.dormancies[-1].since, today)
    for number, coaching in enumerate(municipality.coachings, start=1):
        if not (coaching.coach or coaching.finished_on):
            yield _step(Step.MATCH_COACH, LPR, coaching.requested_on, today, str(number))
    for analysis in analyses:
        if analysis.finished_on is None:
            yield _step(Step.FINISH_ANALYSIS, LPR, analysis.started_on, today, analysis.id)


def first(*days: date | None) -> date | None:
    """The earliest known day."""
    return min((day for day in days if day), default=None)


def last(*days: date | None) -> date | None:
    """The latest known day."""
    return max((day for day in days if day), default=None)
