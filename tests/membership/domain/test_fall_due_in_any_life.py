"""What becomes due is due once, on its day or afterwards, whatever happened to an agreement before."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.membership.domain.agreement import Agreement
from services.membership.domain.ending import fall_due
from tests.membership.domain.lives import Life, agreements
from tests.membership.examples import at


def due(agreement: Agreement, on: date) -> Agreement:
    """The agreement after what falls due on a day."""
    return fall_due(agreement, at(on))[0]


def swept_daily(agreement: Agreement, since: date, until: date) -> Agreement:
    """The agreement after whatever fell due, day by day."""
    for days in range((until - since).days + 1):
        agreement = due(agreement, since + timedelta(days=days))
    return agreement


@given(agreements(), st.integers(1, 400))
def test_nothing_is_due_before_the_day_on_which_something_is(life: Life[Agreement], days: int) -> None:
    agreement = life.state
    before = (agreement.due_on or life.today) - timedelta(days=days)
    assert fall_due(agreement, at(before)) == (agreement, [])


@given(agreements(), st.integers(0, 400))
def test_something_is_due_from_its_day_on(life: Life[Agreement], days: int) -> None:
    agreement = life.state
    _, events = fall_due(agreement, at((agreement.due_on or life.today) + timedelta(days=days)))
    assert bool(events) == bool(agreement.due_on)


@given(agreements(), st.integers(0, 400))
def test_nothing_is_due_twice_on_a_day(life: Life[Agreement], days: int) -> None:
    today = life.today + timedelta(days=days)
    agreement = due(life.state, today)
    assert fall_due(agreement, at(today)) == (agreement, [])


@given(agreements(), st.integers(0, 200))
def test_a_downtime_changes_neither_for_whom_it_ends_nor_when(life: Life[Agreement], days: int) -> None:
    until = life.today + timedelta(days=days)
    daily, at_once = swept_daily(life.state, life.today, until), due(life.state, until)
    assert (daily.stage, daily.covered, daily.ended_on) == (at_once.stage, at_once.covered, at_once.ended_on)
