"""The email table of membership: each event with its emails, one line per email."""

from services.notifications.emails.membership import accession, milestones, signing, term
from services.notifications.emails.table import Table
from shared.events.membership.agreements import (
    AgreementEnded,
    AgreementEndsSoon,
    AgreementLapsed,
    AgreementPassedOn,
    AgreementReady,
    AgreementRenewed,
    AgreementSigned,
    AgreementSignedByParty,
    AgreementWithdrawn,
    NoticeGiven,
    SignatureCorrected,
    SignatureDeclined,
    SignatureOverdue,
)
from shared.events.membership.members import MemberJoined, MemberLeft
from shared.events.membership.milestones import (
    CoachingRequested,
    CoachMatched,
    ConsultationHeld,
    InterestShown,
    SecurityAnalysisFinished,
)

EMAILS: Table = {
    InterestShown: (
        milestones.interest_shown,  # LPR contact
    ),
    ConsultationHeld: (
        milestones.consultation_held,  # LPR contact
    ),
    CoachingRequested: (
        milestones.coaching_requested,  # LPR contact
    ),
    CoachMatched: (
        milestones.coach_matched,  # the municipality, LPR contact
    ),
    SecurityAnalysisFinished: (
        milestones.security_analysis_finished,  # its municipalities, LPR contact
    ),
    AgreementReady: (
        signing.agreement_to_sign,  # the parties whose turn it is: all of them where there is no order
        signing.agreement_ready,  # LPR contact
    ),
    AgreementSignedByParty: (
        signing.signature_receipt,  # the party
        signing.signature_progress,  # LPR contact
        signing.turn_to_sign,  # the parties whose turn it is now
    ),
    SignatureOverdue: (
        signing.signature_reminder,  # the parties that could have signed
        signing.signatures_missing,  # LPR contact
    ),
    SignatureDeclined: (
        signing.signature_declined,  # LPR contact, LPR head
    ),
    SignatureCorrected: (
        signing.signature_corrected,  # the party, LPR contact
    ),
    AgreementWithdrawn: (
        signing.agreement_withdrawn,  # every party if they were asked to sign, LPR contact
    ),
    AgreementLapsed: (
        signing.agreement_lapsed,  # every party, LPR contact
    ),
    AgreementSigned: (
        accession.agreement_in_force,  # police directorate, LPR head
        accession.agreement_for_press,  # press office
    ),
    MemberJoined: (
        accession.member_welcome,  # the municipality
        accession.new_neighbour,  # the other members of its district
    ),
    AgreementEndsSoon: (
        term.agreement_ends_soon,  # its municipalities, LPR contact, LPR head
    ),
    AgreementRenewed: (
        term.agreement_renewed,  # every party, LPR contact
    ),
    AgreementPassedOn: (
        term.agreement_passed_on,  # police directorate, LPR contact
    ),
    NoticeGiven: (
        term.notice_receipt,  # the party
        term.notice_given,  # every other party, LPR contact
    ),
    AgreementEnded: (
        term.agreement_goes_on,  # the municipalities for whom it goes on
    ),
    MemberLeft: (
        term.member_farewell,  # the municipality
        term.member_left,  # police directorate, LPR head, press office, LPR contact
        term.neighbour_left,  # the other members of its district
    ),
}
