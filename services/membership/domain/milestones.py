"""The milestones of a municipality, and the stage that they amount to."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from shared.kernel.errors import Refused


class EndsBeforeItBegan(Refused):
    """Nothing ends before it began."""

    code = "ends_before_it_began"


class Stage(StrEnum):
    """How near a municipality is to the alliance; milestones, not a strict line."""

    UNCONTACTED = "uncontacted"
    INTERESTED = "interested"
    ADVISED = "advised"
    COOPERATING = "cooperating"
    MEMBER = "member"
    DORMANT = "dormant"
    LEFT = "left"


@dataclass(frozen=True, kw_only=True, slots=True)
class Interest:
    """The municipality showed interest in the alliance; without a day where history only tells that it did."""

    shown_on: date | None
    note: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Consultation:
    """The LPR advised the municipality; without a day where history only tells that it did."""

    held_on: date | None
    topics: tuple[str, ...] = ()
    next_step: str | None = None
    held_by: str | None = None
    """The office that advised; None for the LPR itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CouncilDecision:
    """The municipality's council decided on joining the alliance (Ratsbeschluss)."""

    decided_on: date
    number: str
    approved: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Coaching:
    """A free coaching: asked for, matched with a coach, finished."""

    requested_on: date
    topic: str
    coach: str | None = None
    """The organisation that coaches."""
    matched_on: date | None = None
    finished_on: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """From a day until a day, both included; since ever, or until further notice, where a day is missing."""

    since: date | None
    until: date | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """What an agreement in force made of the municipality, first and last day included."""

    agreement_id: str
    since: date
    until: date | None = None


def begun(periods: tuple[Period, ...], since: date | None, reason: str | None = None) -> tuple[Period, ...]:
    """These periods, and one more that has begun."""
    return (*periods, Period(since=since, reason=reason))


def ended(periods: tuple[Period, ...], until: date) -> tuple[Period, ...]:
    """These periods, none of them open any more."""
    return tuple(
        period if period.until else Period(since=period.since, until=until, reason=period.reason) for period in periods
    )


def is_open(periods: tuple[Period, ...]) -> bool:
    """Whether one of these periods goes on."""
    return any(period.until is None for period in periods)
