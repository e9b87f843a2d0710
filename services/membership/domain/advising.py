"""Rules for the first contact: interest, consultations, action fields."""

from collections.abc import Collection
from datetime import date, datetime

from services.membership.domain.dates import refuse_unless_past
from services.membership.domain.milestones import Consultation
from services.membership.domain.municipality import Municipality, evolve
from shared.alliance.action_fields import ActionField
from shared.events.membership.milestones import ActionFieldsChosen, ConsultationHeld, InterestShown
from shared.kernel.copying import copy_as
from shared.kernel.decision import Decision


def show_interest(
    municipality: Municipality, shown_on: date, note: str | None, now: datetime
) -> Decision[Municipality]:
    """Record that the municipality would like to know more."""
    refuse_unless_past(municipality, shown_on, now, "an interest")
    return evolve.decision(municipality, copy_as(InterestShown, municipality, shown_on=shown_on, note=note))


def hold_consultation(municipality: Municipality, consultation: Consultation, now: datetime) -> Decision[Municipality]:
    """Record that the LPR advised the municipality, today or earlier."""
    refuse_unless_past(municipality, consultation.held_on, now, "a consultation")
    return evolve.decision(
        municipality,
        copy_as(
            ConsultationHeld,
            consultation,
            ags=municipality.ags,
            name=municipality.name,
            police_directorate=municipality.police_directorate,
        ),
    )


def choose_action_fields(municipality: Municipality, chosen: Collection[ActionField]) -> Decision[Municipality]:
    """Agree on the action fields; choosing the same ones again changes nothing."""
    action_fields = tuple(sorted(set(chosen)))
    if action_fields == municipality.action_fields:
        return municipality, []
    return evolve.decision(municipality, copy_as(ActionFieldsChosen, municipality, action_fields=action_fields))
