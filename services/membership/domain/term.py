"""The stages of an agreement, its reminders, its term, and notices."""

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum

from services.membership.domain.parties import PartyKind, party_of
from shared.events.membership.refs import MunicipalityRef
from shared.kernel.errors import Refused
from shared.kernel.value import value


class Stage(StrEnum):
    """The stage of an agreement."""

    DRAFT = "draft"
    READY = "ready"
    PARTIALLY_SIGNED = "partially_signed"
    IN_FORCE = "in_force"
    EXPIRED = "expired"
    TERMINATED = "terminated"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


OPEN = (Stage.READY, Stage.PARTIALLY_SIGNED)
"""The stages in which parties sign."""

ACTIVE = (Stage.DRAFT, *OPEN, Stage.IN_FORCE)
"""A municipality has at most one agreement in these stages; all other stages are final."""

REMINDER_DAYS = 14
"""Days from readiness to the first reminder, and between reminders."""

WARNING_DAYS = (90, 30)
"""Days before the end of its term at which the parties of an agreement are warned."""


@value
class Notice:
    """A party's notice; `ends_on` is the last day of the agreement for the municipalities concerned."""

    party: str
    given_on: date
    ends_on: date
    reason: str | None = None

    def concerned(self, remaining: Sequence[MunicipalityRef]) -> tuple[MunicipalityRef, ...]:
        """The municipalities that it concerns: the one that gave notice, or all if another party did."""
        if self.party.startswith(PartyKind.MUNICIPALITY):
            return tuple(ref for ref in remaining if party_of(ref) == self.party)
        return tuple(remaining)


class NotInForce(Refused):
    """The agreement is not in force."""

    code = "agreement_not_in_force"


class Final(Refused):
    """The agreement is over for good."""

    code = "agreement_over"


class TooShort(Refused):
    """The last day for signing, of the term or of a notice is too early."""

    code = "too_short"


class NoticeInFuture(Refused):
    """Notice cannot be dated after today."""

    code = "notice_in_future"


class AlreadyGivenNotice(Refused):
    """The party has given notice before."""

    code = "notice_already_given"


def next_reminder(ready_on: date, today: date) -> date:
    """The first day after today that is a multiple of REMINDER_DAYS after readiness."""
    passed = (today - ready_on).days // REMINDER_DAYS
    return ready_on + timedelta(days=REMINDER_DAYS * (passed + 1))


def warning_due(ends_on: date, warned: int | None, today: date) -> int | None:
    """The warning of WARNING_DAYS that is due today, in days before the end; the latest one if several are."""
    due = [
        days for days in WARNING_DAYS if (warned is None or days < warned) and today >= ends_on - timedelta(days=days)
    ]
    return min(due, default=None)


def next_warning_on(ends_on: date, warned: int | None) -> date | None:
    """The day on which the next warning of WARNING_DAYS is due."""
    return next((ends_on - timedelta(days=days) for days in WARNING_DAYS if warned is None or days < warned), None)
