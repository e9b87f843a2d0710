from datetime import UTC, date, datetime, timedelta

import pytest

from shared.kernel.clock import berlin_day, clock_as_of, system_clock

DAY = date(2023, 1, 27)


def test_the_clock_shows_the_real_time_in_utc() -> None:
    now = system_clock()
    assert now.tzinfo is UTC
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


def test_the_clock_is_as_coarse_as_mongodb() -> None:
    assert all(system_clock().microsecond % 1000 == 0 for _ in range(100))


def test_a_clock_as_of_a_day_shows_that_day_in_saxony() -> None:
    now = clock_as_of(DAY)
    assert berlin_day(now()) == DAY


def test_a_clock_as_of_a_day_shows_the_real_time_of_day() -> None:
    now = clock_as_of(berlin_day(system_clock()))
    assert abs(system_clock() - now()) < timedelta(seconds=5)


def test_a_clock_as_of_a_day_is_in_utc_and_as_coarse_as_mongodb() -> None:
    shown = clock_as_of(DAY)()
    assert (shown.tzinfo, shown.microsecond % 1000) == (UTC, 0)


def test_a_clock_as_of_a_day_runs() -> None:
    now = clock_as_of(DAY)
    began, real = now(), system_clock()
    while system_clock() == real:
        pass
    assert began < now() < began + timedelta(seconds=5)


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        (datetime(2023, 1, 27, 22, 59, tzinfo=UTC), date(2023, 1, 27)),
        (datetime(2023, 1, 27, 23, 0, tzinfo=UTC), date(2023, 1, 28)),
        (datetime(2023, 7, 27, 21, 59, tzinfo=UTC), date(2023, 7, 27)),
        (datetime(2023, 7, 27, 22, 0, tzinfo=UTC), date(2023, 7, 28)),
    ],
    ids=["winter", "winter midnight", "summer", "summer midnight"],
)
def test_the_day_begins_at_midnight_in_saxony(instant: datetime, expected: date) -> None:
    assert berlin_day(instant) == expected
