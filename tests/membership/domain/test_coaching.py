from datetime import date

import pytest

from services.membership.domain import coaching
from services.membership.domain.coaching import CoachingOver
from services.membership.domain.dates import DatedInFuture, EndsBeforeItBegan
from services.membership.domain.milestones import Coaching
from shared.events.membership.milestones import CoachingFinished, CoachingRequested, CoachMatched
from shared.kernel.errors import NotFound
from tests.membership.examples import NOW, ROTHENBURG, TODAY, TOMORROW

MONDAY = date(2023, 1, 23)
REQUESTED, _ = coaching.request(ROTHENBURG, "Präventionsrat gründen", MONDAY, NOW)
MATCHED, _ = coaching.match_coach(REQUESTED, 1, "Stadt Zittau", TODAY, NOW)
FINISHED, _ = coaching.finish(MATCHED, 1, TODAY, NOW)


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


def test_a_match_is_published_with_the_organisation_that_coaches() -> None:
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


def test_the_end_of_a_coaching_is_published() -> None:
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
