"""The clock, passed to everything that needs the time; rules never read it themselves."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

Clock: TypeAlias = Callable[[], datetime]

BERLIN = ZoneInfo("Europe/Berlin")


def system_clock() -> datetime:
    """The real time in UTC, to the millisecond, because MongoDB stores no finer one."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def clock_as_of(day: date) -> Clock:
    """A clock that shows the real time of day, but started on `day` (Europe/Berlin), for demos and tests."""
    started = berlin_day(system_clock())

    def now() -> datetime:
        local = system_clock().astimezone(BERLIN)
        return datetime.combine(day + (local.date() - started), local.timetz()).astimezone(UTC)

    return now


def berlin_day(at: datetime) -> date:
    """The day that a calendar in Saxony shows at this instant."""
    return at.astimezone(BERLIN).date()
