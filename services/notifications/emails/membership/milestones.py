"""Emails about the milestones of a municipality: interest, consultation, coaching, security analysis."""

from urllib.parse import quote

from services.notifications.domain.contacts import Role
from services.notifications.domain.emails import Email
from services.notifications.emails.membership.wording import (
    about_municipalities,
    about_municipality,
    to_lpr_contact,
    to_lpr_contacts,
)
from services.notifications.emails.table import Members
from shared.events.membership.milestones import (
    CoachingRequested,
    CoachMatched,
    ConsultationHeld,
    InterestShown,
    SecurityAnalysisFinished,
)


def interest_shown(event: InterestShown, _: Members) -> list[Email]:
    """To the LPR contact: a municipality is interested; offer a consultation."""
    data = about_municipality(event) | {"shown_on": event.shown_on, "note": event.note}
    return [to_lpr_contact("interest_shown", event.police_directorate, data)]


def consultation_held(event: ConsultationHeld, _: Members) -> list[Email]:
    """To the LPR contact: the topics discussed and the next step."""
    data = about_municipality(event) | {
        "held_on": event.held_on,
        "held_by": event.held_by,
        "topics": event.topics,
        "next_step": event.next_step,
    }
    return [to_lpr_contact("consultation_held", event.police_directorate, data)]


def coaching_requested(event: CoachingRequested, _: Members) -> list[Email]:
    """To the LPR contact: please find a coach."""
    data = about_municipality(event) | {
        "coaching": event.coaching,
        "requested_on": event.requested_on,
        "topic": event.topic,
    }
    return [to_lpr_contact("coaching_requested", event.police_directorate, data)]


def coach_matched(event: CoachMatched, _: Members) -> list[Email]:
    """To the municipality and the LPR contact: who coaches."""
    data = about_municipality(event) | {
        "coaching": event.coaching,
        "coach": event.coach,
        "matched_on": event.matched_on,
    }
    reason = f"für {event.name} um ein Coaching gebeten wurde"
    return [
        Email(template="coach_matched", role=Role.MUNICIPALITY, area=event.ags, data=data | {"reason": reason}),
        to_lpr_contact("coach_matched", event.police_directorate, data),
    ]


def security_analysis_finished(event: SecurityAnalysisFinished, _: Members) -> list[Email]:
    """To the municipalities and the LPR contacts: the results of a security analysis."""
    data = about_municipalities(event.municipalities) | {
        "started_on": event.started_on,
        "finished_on": event.finished_on,
        "respondents": event.respondents,
        "summary": event.summary,
        "file": f"Az. {event.analysis_id}",
        "link": f"/membership/v1/security-analyses/{quote(event.analysis_id, safe='')}",
    }
    to_municipalities = [
        Email(
            template="security_analysis_finished",
            role=Role.MUNICIPALITY,
            area=municipality.ags,
            data=data | {"reason": f"die Sicherheitsanalyse {municipality.name} betrifft"},
        )
        for municipality in event.municipalities
    ]
    return [*to_municipalities, *to_lpr_contacts("security_analysis_finished", event.municipalities, data)]
