"""Use cases of municipalities: their milestones, and how they join and leave."""

from collections.abc import Collection
from datetime import date, timedelta

from services.membership.domain import accession, advising, coaching, cooperation, councils
from services.membership.domain.milestones import Consultation, CouncilDecision
from services.membership.domain.municipality import Municipality
from services.membership.records import Municipalities
from shared.alliance.action_fields import ActionField
from shared.events.membership.agreements import AgreementEnded, AgreementPassedOn, AgreementSigned
from shared.kernel.cause import Cause


async def show_interest(
    municipalities: Municipalities, ags: str, shown_on: date, note: str | None, cause: Cause
) -> Municipality:
    """Record that a municipality would like to know more."""
    return await municipalities.change(
        ags, lambda municipality: advising.show_interest(municipality, shown_on, note, cause.at), cause
    )


async def hold_consultation(
    municipalities: Municipalities, ags: str, consultation: Consultation, cause: Cause
) -> Municipality:
    """Record that the LPR advised a municipality."""
    return await municipalities.change(
        ags, lambda municipality: advising.hold_consultation(municipality, consultation, cause.at), cause
    )


async def choose_action_fields(
    municipalities: Municipalities, ags: str, chosen: Collection[ActionField], cause: Cause, *, expected: int | None
) -> Municipality:
    """Record the action fields that were agreed on; `expected` is the version that the editor has seen."""
    return await municipalities.change(
        ags, lambda municipality: advising.choose_action_fields(municipality, chosen), cause, expected=expected
    )


async def begin_cooperation(
    municipalities: Municipalities, ags: str, began_on: date | None, cause: Cause
) -> Municipality:
    """Record that a municipality works closely with the alliance."""
    return await municipalities.change(
        ags, lambda municipality: cooperation.begin(municipality, began_on, cause.at), cause
    )


async def end_cooperation(
    municipalities: Municipalities, ags: str, ended_on: date, reason: str | None, cause: Cause
) -> Municipality:
    """Record that a municipality no longer works closely with the alliance."""
    return await municipalities.change(
        ags, lambda municipality: cooperation.end(municipality, ended_on, reason, cause.at), cause
    )


async def fall_dormant(
    municipalities: Municipalities, ags: str, since: date, reason: str | None, cause: Cause
) -> Municipality:
    """Record that the cooperation with a municipality rests."""
    return await municipalities.change(
        ags, lambda municipality: cooperation.fall_dormant(municipality, since, reason, cause.at), cause
    )


async def resume(municipalities: Municipalities, ags: str, resumed_on: date, cause: Cause) -> Municipality:
    """Record that the cooperation with a municipality goes on."""
    return await municipalities.change(
        ags, lambda municipality: cooperation.resume(municipality, resumed_on, cause.at), cause
    )


async def record_council_decision(
    municipalities: Municipalities, ags: str, decision: CouncilDecision, cause: Cause
) -> Municipality:
    """Record a council's decision on joining."""
    return await municipalities.change(
        ags, lambda municipality: councils.record_decision(municipality, decision, cause.at), cause
    )


async def note_prevention_council(
    municipalities: Municipalities, ags: str, noted_on: date | None, cause: Cause, *, meets: bool
) -> Municipality:
    """Note that a prevention council meets in a municipality, or no longer does."""
    return await municipalities.change(
        ags,
        lambda municipality: councils.note_prevention_council(municipality, noted_on, cause.at, meets=meets),
        cause,
    )


async def request_coaching(
    municipalities: Municipalities, ags: str, topic: str, requested_on: date, cause: Cause
) -> Municipality:
    """Record that a municipality asks for a coach."""
    return await municipalities.change(
        ags, lambda municipality: coaching.request(municipality, topic, requested_on, cause.at), cause
    )


async def match_coach(
    municipalities: Municipalities, ags: str, number: int, cause: Cause, *, coach: str, matched_on: date
) -> Municipality:
    """Record which organisation coaches a municipality."""
    return await municipalities.change(
        ags, lambda municipality: coaching.match_coach(municipality, number, coach, matched_on, cause.at), cause
    )


async def finish_coaching(
    municipalities: Municipalities, ags: str, number: int, finished_on: date, cause: Cause
) -> Municipality:
    """Record the end of a coaching."""
    return await municipalities.change(
        ags, lambda municipality: coaching.finish(municipality, number, finished_on, cause.at), cause
    )


async def join(municipalities: Municipalities, event: AgreementSigned, cause: Cause) -> None:
    """Make each municipality of an agreement in force a member."""
    for ref in event.municipalities:
        await _join(municipalities, ref.ags, event.agreement_id, event.in_force_since, cause)


async def leave(municipalities: Municipalities, event: AgreementEnded, cause: Cause) -> None:
    """End the membership of each municipality for which an agreement ended."""
    for ref in event.municipalities:
        await _leave(municipalities, ref.ags, event.agreement_id, cause, left_on=event.ended_on, how=event.how)


async def succeed(municipalities: Municipalities, event: AgreementPassedOn, cause: Cause) -> None:
    """End the membership of a merged municipality, and make its successor a member in its place."""
    last_day = event.passed_on - timedelta(days=1)
    await _leave(municipalities, event.municipality.ags, event.agreement_id, cause, left_on=last_day, how="merged")
    await _join(municipalities, event.successor.ags, event.agreement_id, event.passed_on, cause)


async def _join(municipalities: Municipalities, ags: str, agreement_id: str, joined_on: date, cause: Cause) -> None:
    await municipalities.change(
        ags, lambda municipality: accession.join(municipality, agreement_id, joined_on), cause.part(ags)
    )


async def _leave(
    municipalities: Municipalities, ags: str, agreement_id: str, cause: Cause, *, left_on: date, how: str
) -> None:
    await municipalities.change(
        ags, lambda municipality: accession.leave(municipality, agreement_id, left_on, how), cause.part(ags)
    )
