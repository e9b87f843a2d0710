"""What is told to whom: every event that is told, with its emails, one line for each."""

from collections.abc import Callable, Mapping, Sequence

from services.notifications.domain import Email, Member
from services.notifications.emails import accession
from shared.events import Event
from shared.events.membership import (
    AgreementReady,
    AgreementSigned,
    AgreementSignedByParty,
    ConsultationHeld,
    MemberJoined,
)

TOLD: Mapping[type[Event], tuple[Callable[..., list[Email]], ...]] = {
    ConsultationHeld: (
        accession.consultation_held,  # LPR contact
    ),
    AgreementReady: (
        accession.agreement_to_sign,  # every party
        accession.agreement_ready,  # LPR contact
    ),
    AgreementSignedByParty: (
        accession.signature_receipt,  # the party
        accession.signature_progress,  # LPR contact
    ),
    AgreementSigned: (
        accession.agreement_in_force,  # police directorate, LPR head
        accession.agreement_for_press,  # press office
    ),
    MemberJoined: (
        accession.member_welcome,  # the municipality
        accession.new_neighbour,  # the other members of its district
    ),
}
"""Each function takes the event it stands beside and the members of the district, whom few of them need."""


def emails_about(fact: Event, members: Sequence[Member] = ()) -> list[Email]:
    """The emails about a fact; only `MemberJoined` needs `members`, those of its `district_key`."""
    return [email for tell in TOLD.get(type(fact), ()) for email in tell(fact, members)]
