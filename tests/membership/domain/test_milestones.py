from datetime import date

import pytest

from services.membership.domain import coaching, councils
from services.membership.domain.coaching import CoachingOver
from services.membership.domain.dates import DatedInFuture, EndsBeforeItBegan
from services.membership.domain.milestones import Coaching, CouncilDecision, Period
from services.membership.domain.municipality import Municipality
from shared.events.membership.milestones import (
    CoachingFinished,
    CoachingRequested,
    CoachMatched,
    CouncilDecisionRecorded,
    PreventionCouncilNoted,
)
from shared.kernel.errors import NotFound
from tests.membership.examples import EVERY_STAGE, NOW, ROTHENBURG, TODAY, TOMORROW

MONDAY = date(2023, 1, 23)
APPROVED = CouncilDecision(decided_on=TODAY, number="BV-2023/004", approved=True)
REQUESTED, _ = coaching.request(ROTHENBURG, "Präventionsrat gründen", MONDAY, NOW)
MATCHED, _ = coaching.match_coach(REQUESTED, 1, "Stadt Zittau", TODAY, NOW)
FINISHED, _ = coaching.finish(MATCHED, 1, TODAY, NOW)
COUNCIL, _ = councils.note_prevention_council(ROTHENBURG, MONDAY, NOW, meets=True)


def test_a_council_decision_is_kept_with_its_number() -> None:
    decided, _ = councils.record_decision(ROTHENBURG, APPROVED, NOW)
    assert decided.council_decisions == (APPROVED,)


def test_a_council_decision_is_told_with_its_number() -> None:
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


@pytest.mark.parametrize("before", EVERY_STAGE.values(), ids=lambda one: one.stage)
def test_a_council_decision_is_no_stage(before: Municipality) -> None:
    decided, _ = councils.record_decision(before, APPROVED, NOW)
    assert decided.stage is before.stage


def test_a_coaching_begins_with_a_request() -> None:
    assert REQUESTED.coachings == (Coaching(requested_on=MONDAY, topic="Präventionsrat gründen"),)


def test_requests_for_coaching_are_numbered() -> None:
    _, events = coaching.request(REQUESTED, "Jugend", TODAY, NOW)
    assert events == [
        CoachingRequested(
            ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", coaching=2, requested_on=TODAY,
            topic="Jugend",
        )
    ]  # fmt: skip


def test_a_coach_is_matched() -> None:
    assert (MATCHED.coachings[0].coach, MATCHED.coachings[0].matched_on) == ("Stadt Zittau", TODAY)


def test_a_match_is_told_with_the_organisation_that_coaches() -> None:
    _, events = coaching.match_coach(REQUESTED, 1, "Stadt Zittau", TODAY, NOW)
    assert events == [
        CoachMatched(
            ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", coaching=1, coach="Stadt Zittau",
            matched_on=TODAY,
        )
    ]  # fmt: skip


def test_the_same_coach_is_matched_once() -> None:
    assert coaching.match_coach(MATCHED, 1, "Stadt Zittau", MONDAY, NOW) == (MATCHED, [])


def test_another_coach_takes_over() -> None:
    matched, _ = coaching.match_coach(MATCHED, 1, "Stadt Görlitz", TODAY, NOW)
    assert matched.coachings[0].coach == "Stadt Görlitz"


def test_a_coach_is_matched_with_one_of_several_coachings() -> None:
    second, _ = coaching.request(REQUESTED, "Jugend", TODAY, NOW)
    matched, _ = coaching.match_coach(second, 2, "Stadt Zittau", TODAY, NOW)
    assert [(coaching.topic, coaching.coach) for coaching in matched.coachings] == [
        ("Präventionsrat gründen", None),
        ("Jugend", "Stadt Zittau"),
    ]


@pytest.mark.parametrize("number", [-1, 0, 2])
def test_no_coach_is_matched_with_a_coaching_that_nobody_requested(number: int) -> None:
    with pytest.raises(NotFound, match=rf"Rothenburg/O\.L\. \(14626480\) has no coaching {number}"):
        coaching.match_coach(REQUESTED, number, "Stadt Zittau", TODAY, NOW)


def test_no_coach_is_matched_before_the_request() -> None:
    with pytest.raises(EndsBeforeItBegan, match=r"coaching 1 of .* was requested on 2023-01-23, after 2023-01-22"):
        coaching.match_coach(REQUESTED, 1, "Stadt Zittau", date(2023, 1, 22), NOW)


def test_no_coach_is_matched_tomorrow() -> None:
    with pytest.raises(DatedInFuture, match="the matching of a coach of Rothenburg"):
        coaching.match_coach(REQUESTED, 1, "Stadt Zittau", TOMORROW, NOW)


def test_no_coach_is_matched_with_what_is_finished() -> None:
    with pytest.raises(CoachingOver, match=r"coaching 1 of Rothenburg.* was finished on 2023-01-27"):
        coaching.match_coach(FINISHED, 1, "Stadt Görlitz", TODAY, NOW)


def test_a_coaching_is_told_to_be_finished() -> None:
    _, events = coaching.finish(MATCHED, 1, TODAY, NOW)
    assert events == [
        CoachingFinished(
            ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", coaching=1, finished_on=TODAY
        )
    ]


def test_a_coaching_is_finished_once() -> None:
    with pytest.raises(CoachingOver, match=r"coaching 1 of Rothenburg.* was finished on 2023-01-27"):
        coaching.finish(FINISHED, 1, TODAY, NOW)


def test_a_coaching_is_not_finished_before_the_request() -> None:
    with pytest.raises(EndsBeforeItBegan, match="requested on 2023-01-23, after 2023-01-22"):
        coaching.finish(MATCHED, 1, date(2023, 1, 22), NOW)


def test_a_prevention_council_meets_from_a_day_on() -> None:
    assert COUNCIL.prevention_councils == (Period(since=MONDAY),)


@pytest.mark.parametrize("meets", [True, False])
def test_a_prevention_council_is_told(*, meets: bool) -> None:
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
