"""What happens to municipalities: their milestones, the offices they have, and that they join and leave."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from services.membership.domain import analysis, registry
from services.membership.domain.analysis import SecurityAnalysis
from services.membership.domain.milestones import Consultation, CouncilDecision
from services.membership.domain.municipality import Municipality
from services.membership.domain.official import OfficeHolder
from services.membership.domain.people import Person
from services.membership.use_cases import Analyses, Municipalities, Records
from shared.alliance.action_fields import ActionField
from shared.events.membership.agreements import AgreementEnded, AgreementPassedOn, AgreementSigned
from shared.kernel.cause import Cause
from shared.kernel.ids import new_file_number


async def show_interest(
    municipalities: Municipalities, ags: str, shown_on: date, note: str | None, cause: Cause
) -> Municipality:
    """A municipality would like to know more."""
    return await municipalities.change(ags, lambda one: one.show_interest(shown_on, note, cause.at), cause)


async def hold_consultation(
    municipalities: Municipalities, ags: str, consultation: Consultation, cause: Cause
) -> Municipality:
    """The LPR has advised a municipality."""
    return await municipalities.change(ags, lambda one: one.hold_consultation(consultation, cause.at), cause)


async def choose_action_fields(
    municipalities: Municipalities, ags: str, chosen: Collection[ActionField], cause: Cause, *, expected: int | None
) -> Municipality:
    """LPR and municipality have agreed on what to work on; `expected` is the version that they have seen."""
    return await municipalities.change(ags, lambda one: one.choose_action_fields(chosen), cause, expected=expected)


async def begin_cooperation(
    municipalities: Municipalities, ags: str, began_on: date | None, cause: Cause
) -> Municipality:
    """A municipality works closely with the alliance from now on."""
    return await municipalities.change(ags, lambda one: one.begin_cooperation(began_on, cause.at), cause)


async def end_cooperation(
    municipalities: Municipalities, ags: str, ended_on: date, reason: str | None, cause: Cause
) -> Municipality:
    """A municipality works closely with the alliance no longer."""
    return await municipalities.change(ags, lambda one: one.end_cooperation(ended_on, reason, cause.at), cause)


async def fall_dormant(
    municipalities: Municipalities, ags: str, since: date, reason: str | None, cause: Cause
) -> Municipality:
    """The cooperation with a municipality rests."""
    return await municipalities.change(ags, lambda one: one.fall_dormant(since, reason, cause.at), cause)


async def resume(municipalities: Municipalities, ags: str, resumed_on: date, cause: Cause) -> Municipality:
    """The cooperation with a municipality goes on."""
    return await municipalities.change(ags, lambda one: one.resume(resumed_on, cause.at), cause)


async def record_council_decision(
    municipalities: Municipalities, ags: str, decision: CouncilDecision, cause: Cause
) -> Municipality:
    """A municipality's council decided on joining."""
    return await municipalities.change(ags, lambda one: one.record_council_decision(decision, cause.at), cause)


async def request_coaching(
    municipalities: Municipalities, ags: str, topic: str, requested_on: date, cause: Cause
) -> Municipality:
    """A municipality asks for a coach."""
    return await municipalities.change(ags, lambda one: one.request_coaching(topic, requested_on, cause.at), cause)


async def match_coach(
    municipalities: Municipalities, ags: str, number: int, cause: Cause, *, coach: str, matched_on: date
) -> Municipality:
    """A coach was found."""
    return await municipalities.change(ags, lambda one: one.match_coach(number, coach, matched_on, cause.at), cause)


async def finish_coaching(
    municipalities: Municipalities, ags: str, number: int, finished_on: date, cause: Cause
) -> Municipality:
    """A coaching came to its end."""
    return await municipalities.change(ags, lambda one: one.finish_coaching(number, finished_on, cause.at), cause)


async def note_prevention_council(
    municipalities: Municipalities, ags: str, noted_on: date | None, cause: Cause, *, meets: bool
) -> Municipality:
    """It is known that a prevention council meets in a municipality, or does so no longer."""
    return await municipalities.change(
        ags, lambda one: one.note_prevention_council(noted_on, cause.at, meets=meets), cause
    )


async def assign_office(records: Records, ags: str, holder: OfficeHolder, person: Person, cause: Cause) -> Municipality:
    """Somebody holds an office of a municipality; who held it before does so until the day before."""
    assigned, _ = await records.municipalities.store.commit(
        cause,
        records.municipalities.changing(ags, lambda one: registry.assign_office(one, holder)),
        records.people.putting(person),
    )
    return records.municipalities.kind_of(assigned)


async def leave_office(
    municipalities: Municipalities, ags: str, contact_id: str, until: date, cause: Cause
) -> Municipality:
    """Whoever holds an office does so until a day."""
    return await municipalities.change(ags, lambda one: registry.leave_office(one, contact_id, until), cause)


async def start_analysis(
    records: Records,
    ags: Sequence[str],
    started_on: date,
    cause: Cause,
    *,
    with_survey: bool,
    subject: str | None,
) -> SecurityAnalysis:
    """Start a security analysis; raises NotFound for an unknown municipality."""
    covered = [await records.municipalities.get(one) for one in sorted(set(ags))]
    started, facts = analysis.start(
        new_file_number("SA", cause.at.year), covered, started_on, cause.at, with_survey=with_survey, subject=subject
    )
    return await records.analyses.add(started, facts, cause)


async def finish_analysis(
    analyses: Analyses, id: str, finished_on: date, cause: Cause, *, respondents: int | None, summary: str | None
) -> SecurityAnalysis:
    """The results of a security analysis are there."""
    return await analyses.change(id, lambda one: one.finish(finished_on, respondents, summary, cause.at), cause)


async def join(municipalities: Municipalities, fact: AgreementSigned, cause: Cause) -> None:
    """An agreement is in force: each of its municipalities becomes a member."""
    for ref in fact.municipalities:
        await _join(municipalities, ref.ags, fact.agreement_id, fact.in_force_since, cause)


async def leave(municipalities: Municipalities, fact: AgreementEnded, cause: Cause) -> None:
    """An agreement ended: each municipality for which it did is a member no longer."""
    for ref in fact.municipalities:
        await municipalities.change(
            ref.ags, lambda one: one.leave(fact.agreement_id, fact.ended_on, fact.how), cause.part(ref.ags)
        )


async def _join(municipalities: Municipalities, ags: str, id: str, joined_on: date, cause: Cause) -> None:
    await municipalities.change(ags, lambda one: one.join(id, joined_on), cause.part(ags))


async def succeed(municipalities: Municipalities, fact: AgreementPassedOn, cause: Cause) -> None:
    """A municipality was merged: it leaves, and its successor is a member in its stead."""
    old, new, day = fact.municipality.ags, fact.successor.ags, fact.passed_on
    await municipalities.change(
        old, lambda one: one.leave(fact.agreement_id, day - timedelta(days=1), "merged"), cause.part(old)
    )  # fmt: skip
    await _join(municipalities, new, fact.agreement_id, day, cause)
