"""The milestones of a municipality, and the stages that follow from them."""

from datetime import date
from enum import StrEnum

from shared.kernel.value import value


class Stage(StrEnum):
    """The stage of a municipality; it follows from the milestones, which come in any order."""

    UNCONTACTED = "uncontacted"
    INTERESTED = "interested"
    ADVISED = "advised"
    COOPERATING = "cooperating"
    MEMBER = "member"
    DORMANT = "dormant"
    LEFT = "left"


@value
class Interest:
    """The municipality showed interest in the alliance; the day is None if history does not record it."""

    shown_on: date | None
    note: str | None = None


@value
class Consultation:
    """The LPR advised the municipality; the day is None if history does not record it."""

    held_on: date | None
    topics: tuple[str, ...] = ()
    next_step: str | None = None
    held_by: str | None = None
    """The office that advised; None for the LPR itself."""


@value
class CouncilDecision:
    """The municipality's council decided on joining the alliance (Ratsbeschluss)."""

    decided_on: date
    number: str
    approved: bool


@value
class Coaching:
    """A free coaching: requested, matched with a coach, finished."""

    requested_on: date
    topic: str
    coach: str | None = None
    """The organisation that provides it."""
    matched_on: date | None = None
    finished_on: date | None = None


@value
class Period:
    """A period, both days included; a missing day means an unknown start, or no end yet."""

    since: date | None
    until: date | None = None
    reason: str | None = None


@value
class Membership:
    """The membership under one agreement, first and last day included."""

    agreement_id: str
    since: date
    until: date | None = None


def opened(periods: tuple[Period, ...], since: date | None, reason: str | None = None) -> tuple[Period, ...]:
    """These periods and a new, open one."""
    return (*periods, Period(since=since, reason=reason))


def closed(periods: tuple[Period, ...], until: date) -> tuple[Period, ...]:
    """These periods, all of them closed; open ones end on `until`."""
    return tuple(
        period if period.until else Period(since=period.since, until=until, reason=period.reason) for period in periods
    )


def is_open(periods: tuple[Period, ...]) -> bool:
    """One of these periods has no end yet."""
    return any(period.until is None for period in periods)
