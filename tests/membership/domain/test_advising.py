from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.membership.domain import advising
from services.membership.domain.dates import DatedInFuture, Dissolved
from services.membership.domain.milestones import Consultation, Interest, Stage
from services.membership.domain.municipality import Municipality
from services.membership.domain.registry import merge
from shared.alliance.action_fields import ActionField
from shared.events.membership.milestones import ActionFieldsChosen, ConsultationHeld, InterestShown
from tests.membership.examples import (
    COOPERATING,
    EVERY_STAGE,
    INTERESTED,
    JUST_AFTER_MIDNIGHT_IN_SAXONY,
    NOW,
    ROTHENBURG,
    TODAY,
    TOMORROW,
    ZITTAU,
)

HELD_TODAY = Consultation(held_on=TODAY, topics=("Graffiti",), next_step="Vereinbarung entwerfen", held_by="PD Görlitz")
DISSOLVED, _ = merge(COOPERATING, ZITTAU, TODAY)


def test_interest_is_kept_with_its_day_and_note() -> None:
    interested, _ = advising.show_interest(ROTHENBURG, TODAY, "Anruf der Bürgermeisterin", NOW)
    assert interested.interests == (Interest(shown_on=TODAY, note="Anruf der Bürgermeisterin"),)


def test_interest_is_published_with_its_note() -> None:
    _, events = advising.show_interest(ROTHENBURG, TODAY, "Anruf der Bürgermeisterin", NOW)
    assert events == [
        InterestShown(
            ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", shown_on=TODAY,
            note="Anruf der Bürgermeisterin",
        )
    ]  # fmt: skip


@pytest.mark.parametrize("before", [stage for stage in Stage if stage is not Stage.UNCONTACTED])
def test_interest_takes_nobody_back(before: Stage) -> None:
    interested, _ = advising.show_interest(EVERY_STAGE[before], TODAY, None, NOW)
    assert interested.stage is before


@pytest.mark.parametrize("before", [ROTHENBURG, INTERESTED], ids=lambda value: value.stage)
def test_a_consultation_leads_to_advised(before: Municipality) -> None:
    advised, _ = advising.hold_consultation(before, HELD_TODAY, NOW)
    assert advised.stage is Stage.ADVISED


@pytest.mark.parametrize("before", [stage for stage in Stage if stage not in {Stage.UNCONTACTED, Stage.INTERESTED}])
def test_a_consultation_takes_nobody_back(before: Stage) -> None:
    advised, _ = advising.hold_consultation(EVERY_STAGE[before], HELD_TODAY, NOW)
    assert advised.stage is before


def test_a_consultation_is_published_with_its_topics_next_step_and_adviser() -> None:
    _, events = advising.hold_consultation(ROTHENBURG, HELD_TODAY, NOW)
    assert events == [
        ConsultationHeld(
            ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", held_on=TODAY,
            topics=("Graffiti",), next_step="Vereinbarung entwerfen", held_by="PD Görlitz",
        )
    ]  # fmt: skip


def test_every_consultation_is_kept_in_its_order() -> None:
    earlier = Consultation(held_on=date(2022, 3, 1))
    once, _ = advising.hold_consultation(ROTHENBURG, HELD_TODAY, NOW)
    twice, _ = advising.hold_consultation(once, earlier, NOW)
    assert twice.consultations == (HELD_TODAY, earlier)


def test_a_consultation_of_tomorrow_is_refused_with_both_days() -> None:
    with pytest.raises(DatedInFuture, match=r"Rothenburg/O\.L\. \(14626480\) on 2023-01-28 .* today is 2023-01-27"):
        advising.hold_consultation(ROTHENBURG, Consultation(held_on=TOMORROW), NOW)


def test_today_is_the_day_that_a_calendar_in_saxony_shows() -> None:
    advised, _ = advising.hold_consultation(ROTHENBURG, Consultation(held_on=TOMORROW), JUST_AFTER_MIDNIGHT_IN_SAXONY)
    assert advised.stage is Stage.ADVISED


def test_a_consultation_may_be_without_a_day() -> None:
    advised, _ = advising.hold_consultation(ROTHENBURG, Consultation(held_on=None), NOW)
    assert advised.stage is Stage.ADVISED


def test_a_consultation_after_the_last_day_of_a_municipality_is_refused_with_its_successor() -> None:
    with pytest.raises(Dissolved, match=r"on 2023-01-27: Rothenburg.* belongs to 14626610 after 2023-01-26"):
        advising.hold_consultation(DISSOLVED, HELD_TODAY, NOW)


def test_a_consultation_on_the_last_day_of_a_municipality_is_recorded_afterwards() -> None:
    advised, _ = advising.hold_consultation(DISSOLVED, Consultation(held_on=date(2023, 1, 26)), NOW)
    assert len(advised.consultations) == 1


@given(st.lists(st.sampled_from(ActionField)))
def test_action_fields_are_sorted_and_without_doubles(chosen: list[ActionField]) -> None:
    changed, _ = advising.choose_action_fields(ROTHENBURG, chosen)
    assert changed.action_fields == tuple(sorted(set(chosen)))


@given(st.lists(st.sampled_from(ActionField), min_size=1), st.randoms())
def test_choosing_the_same_action_fields_again_changes_nothing(chosen: list[ActionField], random: Random) -> None:
    changed, _ = advising.choose_action_fields(ROTHENBURG, chosen)
    random.shuffle(chosen)
    assert advising.choose_action_fields(changed, chosen) == (changed, [])


def test_action_fields_are_published_all_together() -> None:
    before, _ = advising.choose_action_fields(ROTHENBURG, [ActionField.GRAFFITI, ActionField.DRUGS])
    _, events = advising.choose_action_fields(before, [ActionField.VIOLENCE, ActionField.DRUGS])
    assert events == [
        ActionFieldsChosen(
            ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz",
            action_fields=("drugs", "violence"),
        )
    ]  # fmt: skip


def test_action_fields_can_be_given_up() -> None:
    before, _ = advising.choose_action_fields(ROTHENBURG, [ActionField.GRAFFITI])
    after, [event] = advising.choose_action_fields(before, [])
    assert isinstance(event, ActionFieldsChosen)
    assert after.action_fields == event.action_fields == ()
