from datetime import date

import pytest

from services.membership.domain import councils
from services.membership.domain.dates import DatedInFuture, EndsBeforeItBegan
from services.membership.domain.milestones import CouncilDecision, Period
from services.membership.domain.municipality import Municipality
from shared.events.membership.milestones import CouncilDecisionRecorded, PreventionCouncilNoted
from tests.membership.examples import EVERY_STAGE, NOW, ROTHENBURG, TODAY, TOMORROW

MONDAY = date(2023, 1, 23)
APPROVED = CouncilDecision(decided_on=TODAY, number="BV-2023/004", approved=True)
COUNCIL, _ = councils.note_prevention_council(ROTHENBURG, MONDAY, NOW, meets=True)


def test_a_council_decision_is_kept_with_its_number() -> None:
    decided, _ = councils.record_decision(ROTHENBURG, APPROVED, NOW)
    assert decided.council_decisions == (APPROVED,)


def test_a_council_decision_is_published_with_its_number() -> None:
    _, events = councils.record_decision(ROTHENBURG, APPROVED, NOW)
    assert events == [
        CouncilDecisionRecorded(
            ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", decided_on=TODAY,
            number="BV-2023/004", approved=True,
        )
    ]  # fmt: skip


def test_the_same_council_decision_recorded_twice_is_one() -> None:
    decided, _ = councils.record_decision(ROTHENBURG, APPROVED, NOW)
    assert councils.record_decision(decided, APPROVED, NOW) == (decided, [])


def test_a_council_may_decide_anew() -> None:
    refused, _ = councils.record_decision(
        ROTHENBURG, CouncilDecision(decided_on=MONDAY, number="BV-2023/003", approved=False), NOW
    )
    decided, _ = councils.record_decision(refused, APPROVED, NOW)
    assert [decision.approved for decision in decided.council_decisions] == [False, True]


def test_a_council_does_not_decide_tomorrow() -> None:
    with pytest.raises(DatedInFuture, match=r"council decision of Rothenburg.* on 2023-01-28"):
        councils.record_decision(ROTHENBURG, CouncilDecision(decided_on=TOMORROW, number="BV-1", approved=True), NOW)


@pytest.mark.parametrize("before", EVERY_STAGE.values(), ids=lambda value: value.stage)
def test_a_council_decision_is_no_stage(before: Municipality) -> None:
    decided, _ = councils.record_decision(before, APPROVED, NOW)
    assert decided.stage is before.stage


def test_a_prevention_council_meets_from_a_day_on() -> None:
    assert COUNCIL.prevention_councils == (Period(since=MONDAY),)


@pytest.mark.parametrize("meets", [True, False])
def test_a_prevention_council_is_published(*, meets: bool) -> None:
    before = ROTHENBURG if meets else COUNCIL
    _, events = councils.note_prevention_council(before, TODAY, NOW, meets=meets)
    assert events == [
        PreventionCouncilNoted(
            ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", meets=meets, noted_on=TODAY
        )
    ]


@pytest.mark.parametrize(("before", "meets"), [(COUNCIL, True), (ROTHENBURG, False)], ids=["meets", "does not"])
def test_what_was_known_of_a_prevention_council_changes_nothing(before: Municipality, *, meets: bool) -> None:
    assert councils.note_prevention_council(before, TODAY, NOW, meets=meets) == (before, [])


def test_a_prevention_council_meets_no_longer() -> None:
    over, _ = councils.note_prevention_council(COUNCIL, TODAY, NOW, meets=False)
    assert over.prevention_councils == (Period(since=MONDAY, until=TODAY),)


@pytest.mark.parametrize("since", [MONDAY, None])
def test_a_prevention_council_is_over_even_if_nobody_knows_since_when(since: date | None) -> None:
    council, _ = councils.note_prevention_council(ROTHENBURG, since, NOW, meets=True)
    over, _ = councils.note_prevention_council(council, None, NOW, meets=False)
    assert councils.note_prevention_council(over, None, NOW, meets=False) == (over, [])


def test_a_prevention_council_meets_again() -> None:
    over, _ = councils.note_prevention_council(COUNCIL, MONDAY, NOW, meets=False)
    again, _ = councils.note_prevention_council(over, TODAY, NOW, meets=True)
    assert again.prevention_councils == (Period(since=MONDAY, until=MONDAY), Period(since=TODAY))


def test_a_prevention_council_does_not_end_before_it_met() -> None:
    with pytest.raises(EndsBeforeItBegan, match=r"prevention council of Rothenburg.* began on 2023-01-23"):
        councils.note_prevention_council(COUNCIL, date(2023, 1, 22), NOW, meets=False)


def test_a_prevention_council_is_no_stage() -> None:
    assert COUNCIL.stage is ROTHENBURG.stage
