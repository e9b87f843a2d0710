"""Rules for membership itself: a municipality joins with an agreement, and leaves with its end."""

from datetime import date

from services.membership.domain.municipality import Municipality, evolve
from shared.events.membership.members import MemberJoined, MemberLeft
from shared.kernel.copying import copy_as
from shared.kernel.decision import Decision


def join(municipality: Municipality, agreement_id: str, joined_on: date) -> Decision[Municipality]:
    """Become a member through an agreement in force; the cause may arrive twice."""
    if any(membership.agreement_id == agreement_id for membership in municipality.memberships):
        return municipality, []
    return evolve.decision(
        municipality, copy_as(MemberJoined, municipality, agreement_id=agreement_id, joined_on=joined_on)
    )


def leave(municipality: Municipality, agreement_id: str, left_on: date, how: str) -> Decision[Municipality]:
    """End the membership under an agreement that ended; the cause may arrive twice."""
    for membership in municipality.memberships:
        if membership.agreement_id == agreement_id and membership.until is None:
            left = copy_as(
                MemberLeft,
                municipality,
                agreement_id=agreement_id,
                joined_on=membership.since,
                left_on=left_on,
                how=how,
            )
            return evolve.decision(municipality, left)
    return municipality, []
