"""Emails about the milestones of a municipality: interest, consultation, coaching, security analysis."""

from urllib.parse import quote

from services.notifications.domain import Email, Role
from services.notifications.emails.wording import (
    Members,
    about_municipalities,
    about_municipality,
    to_lpr_contact,
    to_lpr_contacts,
)
from shared.events.membership.milestones import (
    CoachingRequested,
    CoachMatched,
    ConsultationHeld,
    InterestShown,
    SecurityAnalysisFinished,
)


def interest_shown(fact: InterestShown, _: Members) -> list[Email]:
    """The LPR contact learns who is interested, and may offer a consultation."""
    data = about_municipality(fact) | {"shown_on": fact.shown_on, "note": fact.note}
    return [to_lpr_contact("interest_shown", fact.police_directorate, data)]


def consultation_held(fact: ConsultationHeld, _: Members) -> list[Email]:
    """The LPR contact learns what was discussed and what comes next."""
    data = about_municipality(fact) | {
        "held_on": fact.held_on,
        "held_by": fact.held_by,
        "topics": fact.topics,
        "next_step": fact.next_step,
    }
    return [to_lpr_contact("consultation_held", fact.police_directorate, data)]


def coaching_requested(fact: CoachingRequested, _: Members) -> list[Email]:
    """The LPR contact learns that a coach is to be found."""
    data = about_municipality(fact) | {
        "coaching": fact.coaching,
        "requested_on": fact.requested_on,
        "topic": fact.topic,
    }
    return [to_lpr_contact("coaching_requested", fact.police_directorate, data)]


def coach_matched(fact: CoachMatched, _: Members) -> list[Email]:
    """The municipality and the LPR contact learn who coaches."""
    data = about_municipality(fact) | {"coaching": fact.coaching, "coach": fact.coach, "matched_on": fact.matched_on}
    reason = f"für {fact.name} um ein Coaching gebeten wurde"
    return [
        Email(template="coach_matched", role=Role.MUNICIPALITY, area=fact.ags, data=data | {"reason": reason}),
        to_lpr_contact("coach_matched", fact.police_directorate, data),
    ]


def security_analysis_finished(fact: SecurityAnalysisFinished, _: Members) -> list[Email]:
    """The municipalities and the LPR contacts learn of the results of a security analysis."""
    data = about_municipalities(fact.municipalities) | {
        "started_on": fact.started_on,
        "finished_on": fact.finished_on,
        "respondents": fact.respondents,
        "summary": fact.summary,
        "file": f"Az. {fact.analysis_id}",
        "link": f"/membership/v1/security-analyses/{quote(fact.analysis_id, safe='')}",
    }
    to_municipalities = [
        Email(
            template="security_analysis_finished",
            role=Role.MUNICIPALITY,
            area=municipality.ags,
            data=data | {"reason": f"die Sicherheitsanalyse {municipality.name} betrifft"},
        )
        for municipality in fact.municipalities
    ]
    return [*to_municipalities, *to_lpr_contacts("security_analysis_finished", fact.municipalities, data)]
