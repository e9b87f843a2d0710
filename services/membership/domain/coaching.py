"""Rules for free coaching: requested, matched with a coach, finished."""

from datetime import date, datetime

from services.membership.domain.dates import EndsBeforeItBegan, refuse_unless_past
from services.membership.domain.milestones import Coaching
from services.membership.domain.municipality import Municipality, evolve
from shared.events.membership.milestones import CoachingFinished, CoachingRequested, CoachMatched
from shared.kernel.copying import copy_as
from shared.kernel.decision import Decision
from shared.kernel.errors import NotFound, Refused


class CoachingOver(Refused):
    """The coaching has been finished."""

    code = "coaching_finished"


def request(municipality: Municipality, topic: str, requested_on: date, now: datetime) -> Decision[Municipality]:
    """Record that the municipality asks for a coach."""
    refuse_unless_past(municipality, requested_on, now, "a request for coaching")
    number = len(municipality.coachings) + 1
    return evolve.decision(
        municipality,
        copy_as(CoachingRequested, municipality, coaching=number, requested_on=requested_on, topic=topic),
    )


def match_coach(
    municipality: Municipality, number: int, coach: str, matched_on: date, now: datetime
) -> Decision[Municipality]:
    """Match the coaching with a coach, or with another one."""
    refuse_unless_past(municipality, matched_on, now, "the matching of a coach")
    if _open_coaching(municipality, number, matched_on).coach == coach:
        return municipality, []
    return evolve.decision(
        municipality, copy_as(CoachMatched, municipality, coaching=number, coach=coach, matched_on=matched_on)
    )


def finish(municipality: Municipality, number: int, finished_on: date, now: datetime) -> Decision[Municipality]:
    """Finish the coaching."""
    refuse_unless_past(municipality, finished_on, now, "the end of a coaching")
    _open_coaching(municipality, number, finished_on)
    return evolve.decision(
        municipality, copy_as(CoachingFinished, municipality, coaching=number, finished_on=finished_on)
    )


def _open_coaching(municipality: Municipality, number: int, day: date) -> Coaching:
    name = f"{municipality.name} ({municipality.ags})"
    if not 1 <= number <= len(municipality.coachings):
        raise NotFound(f"{name} has no coaching {number}")
    coaching = municipality.coachings[number - 1]
    if coaching.finished_on:
        raise CoachingOver(f"coaching {number} of {name} was finished on {coaching.finished_on}")
    if day < coaching.requested_on:
        raise EndsBeforeItBegan(f"coaching {number} of {name} was requested on {coaching.requested_on}, after {day}")
    return coaching
