"""Guards on days: nothing is recorded before it happened, after its municipality was dissolved, or before it began."""

from datetime import date, datetime

from services.membership.domain.milestones import Period
from services.membership.domain.municipality import Municipality
from shared.kernel.clock import berlin_day
from shared.kernel.errors import Refused


class DatedInFuture(Refused):
    """An event cannot be recorded before its day."""

    code = "dated_in_future"


class Dissolved(Refused):
    """The municipality was merged into another one before that day."""

    code = "municipality_dissolved"


class EndsBeforeItBegan(Refused):
    """Nothing ends before it began."""

    code = "ends_before_it_began"


def refuse_unless_past(municipality: Municipality, day: date | None, now: datetime, what: str) -> None:
    """Raise DatedInFuture or Dissolved unless `what` can have happened on a day; None means the day is not known."""
    if day is None:
        return
    name, today = _name(municipality), berlin_day(now)
    if day > today:
        raise DatedInFuture(f"{what} of {name} on {day} is in the future: today is {today}")
    if municipality.valid_to and day > municipality.valid_to:
        raise Dissolved(f"{what} on {day}: {name} belongs to {municipality.successor} after {municipality.valid_to}")


def refuse_before_start(municipality: Municipality, day: date, periods: tuple[Period, ...], what: str) -> None:
    """Raise EndsBeforeItBegan if the last of these periods began after the day."""
    since = periods[-1].since
    if since and day < since:
        raise EndsBeforeItBegan(f"the {what} of {_name(municipality)} began on {since}, after {day}")


def _name(municipality: Municipality) -> str:
    return f"{municipality.name} ({municipality.ags})"
