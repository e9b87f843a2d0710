"""Rules for councils: the municipal council's decision to join, and the prevention council."""

from datetime import date, datetime

from services.membership.domain.dates import refuse_before_start, refuse_unless_past
from services.membership.domain.milestones import CouncilDecision, is_open
from services.membership.domain.municipality import Municipality, evolve
from shared.events.membership.milestones import CouncilDecisionRecorded, PreventionCouncilNoted
from shared.kernel.copying import copy_as
from shared.kernel.decision import Decision


def record_decision(municipality: Municipality, decision: CouncilDecision, now: datetime) -> Decision[Municipality]:
    """Record a decision of the municipality's council; recording the same one again changes nothing."""
    refuse_unless_past(municipality, decision.decided_on, now, "a council decision")
    if decision in municipality.council_decisions:
        return municipality, []
    return evolve.decision(
        municipality,
        copy_as(
            CouncilDecisionRecorded,
            decision,
            ags=municipality.ags,
            name=municipality.name,
            police_directorate=municipality.police_directorate,
        ),
    )


def note_prevention_council(
    municipality: Municipality, noted_on: date | None, now: datetime, *, meets: bool
) -> Decision[Municipality]:
    """Record that a prevention council meets or no longer does; does nothing if that is known already."""
    refuse_unless_past(municipality, noted_on, now, "a prevention council")
    if is_open(municipality.prevention_councils) == meets:
        return municipality, []
    if not meets and noted_on is not None:
        refuse_before_start(municipality, noted_on, municipality.prevention_councils, "prevention council")
    return evolve.decision(municipality, copy_as(PreventionCouncilNoted, municipality, meets=meets, noted_on=noted_on))
