"""Where an agreement stands, how long it waits for signatures, and how long it holds: reminders, term, notices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from services.membership.domain.parties import PartyKind, party_of
from shared.events.membership.refs import MunicipalityRef
from shared.kernel.errors import Refused


class Stage(StrEnum):
    """Where an agreement stands."""

    DRAFT = "draft"
    READY = "ready"
    PARTIALLY_SIGNED = "partially_signed"
    IN_FORCE = "in_force"
    EXPIRED = "expired"
    TERMINATED = "terminated"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


OPEN = (Stage.READY, Stage.PARTIALLY_SIGNED)
"""In these stages parties sign."""

ACTIVE = (Stage.DRAFT, *OPEN, Stage.IN_FORCE)
"""Of agreements in these stages, a municipality has at most one; the others are final."""

REMINDER_DAYS = 14
"""A party that has not signed is reminded so many days after readiness, and again each so many days."""

END_TOLD_DAYS = (90, 30)
"""So many days before the end of its term everybody learns that an agreement ends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """A party gave notice; `ends_on` is the last day of the agreement for whom it is about."""

    party: str
    given_on: date
    ends_on: date
    reason: str | None = None

    def concerned(self, remaining: Sequence[MunicipalityRef]) -> tuple[MunicipalityRef, ...]:
        """For whom the agreement ends: the municipality that gave notice, or all when any other party did."""
        if self.party.startswith(PartyKind.MUNICIPALITY):
            return tuple(ref for ref in remaining if party_of(ref) == self.party)
        return tuple(remaining)


class NotInForce(Refused):
    """That takes an agreement in force."""

    code = "agreement_not_in_force"


class Final(Refused):
    """The agreement is over, and stays so."""

    code = "agreement_over"


class TooShort(Refused):
    """The last day for signing, the end of the term or of a notice comes too early."""

    code = "too_short"


class NoticeInFuture(Refused):
    """Notice is given today or was given before."""

    code = "notice_in_future"


class AlreadyGivenNotice(Refused):
    """Notice was given before."""

    code = "notice_already_given"


def next_reminder(ready_on: date, today: date) -> date:
    """The first day after today that is a multiple of REMINDER_DAYS after readiness."""
    passed = (today - ready_on).days // REMINDER_DAYS
    return ready_on + timedelta(days=REMINDER_DAYS * (passed + 1))


def end_told_now(ends_on: date, told: int | None, today: date) -> int | None:
    """Which of END_TOLD_DAYS is due today and not told; of two that are, the later one alone."""
    due = [days for days in END_TOLD_DAYS if (told is None or days < told) and today >= ends_on - timedelta(days=days)]
    return min(due, default=None)


def end_told_next(ends_on: date, told: int | None) -> date | None:
    """The day on which the next of END_TOLD_DAYS is due."""
    return next((ends_on - timedelta(days=days) for days in END_TOLD_DAYS if told is None or days < told), None)
