from datetime import date, timedelta

import pytest

from services.membership.domain import cooperation
from services.membership.domain.cooperation import NotCooperating, StillMember
from services.membership.domain.dates import DatedInFuture, EndsBeforeItBegan
from services.membership.domain.milestones import Period, Stage
from services.membership.domain.municipality import Municipality
from shared.events.membership.milestones import (
    CooperationBegan,
    CooperationEnded,
    CooperationResumed,
    MunicipalityFellDormant,
)
from tests.membership.examples import (
    COOPERATING,
    DORMANT,
    DORMANT_MEMBER,
    EVERY_STAGE,
    LEFT,
    MEMBER,
    NOW,
    ROTHENBURG,
    TODAY,
    TOMORROW,
)


@pytest.mark.parametrize("before", [Stage.UNCONTACTED, Stage.INTERESTED, Stage.ADVISED, Stage.LEFT])
def test_a_cooperation_begins_from_every_stage_before_and_after_one(before: Stage) -> None:
    cooperating, _ = cooperation.begin(EVERY_STAGE[before], TODAY, NOW)
    assert (cooperating.stage, cooperating.cooperations) == (Stage.COOPERATING, (Period(since=TODAY),))


def test_a_cooperation_is_published_with_its_day() -> None:
    _, events = cooperation.begin(ROTHENBURG, TODAY, NOW)
    assert events == [
        CooperationBegan(ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", began_on=TODAY)
    ]


@pytest.mark.parametrize("already", [COOPERATING, DORMANT, MEMBER, DORMANT_MEMBER], ids=lambda value: value.stage)
def test_who_cooperates_already_does_not_begin_again(already: Municipality) -> None:
    assert cooperation.begin(already, date(2022, 1, 1), NOW) == (already, [])


def test_a_cooperation_from_tomorrow_is_refused_with_both_days() -> None:
    with pytest.raises(DatedInFuture, match=r"cooperation of Rothenburg.* on 2023-01-28 .* today is 2023-01-27"):
        cooperation.begin(ROTHENBURG, TOMORROW, NOW)


def test_a_cooperation_may_be_without_a_day() -> None:
    cooperating, [event] = cooperation.begin(ROTHENBURG, None, NOW)
    assert isinstance(event, CooperationBegan)
    assert (cooperating.cooperations, event.began_on) == ((Period(since=None),), None)


def test_a_cooperation_ends_with_its_last_day() -> None:
    ended, _ = cooperation.end(COOPERATING, TODAY, None, NOW)
    assert (ended.stage, ended.cooperations) == (Stage.LEFT, (Period(since=date(2023, 1, 2), until=TODAY),))


def test_the_end_of_a_cooperation_is_published_with_its_reason() -> None:
    _, events = cooperation.end(COOPERATING, TODAY, "kein Personal", NOW)
    assert events == [
        CooperationEnded(
            ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", ended_on=TODAY,
            reason="kein Personal",
        )
    ]  # fmt: skip


def test_a_cooperation_that_ends_rests_no_more() -> None:
    ended, _ = cooperation.end(DORMANT, TODAY, None, NOW)
    assert (ended.stage, ended.dormancies[-1].until) == (Stage.LEFT, TODAY)


def test_a_cooperation_that_ended_can_begin_again() -> None:
    ended, _ = cooperation.end(COOPERATING, date(2023, 1, 20), None, NOW)
    again, _ = cooperation.begin(ended, TODAY, NOW)
    assert (again.stage, len(again.cooperations)) == (Stage.COOPERATING, 2)


@pytest.mark.parametrize("member", [MEMBER, DORMANT_MEMBER], ids=lambda value: value.stage)
def test_a_member_gives_notice_instead_of_ending_its_cooperation(member: Municipality) -> None:
    with pytest.raises(StillMember, match=r"Rothenburg/O\.L\. \(14626480\) is a member"):
        cooperation.end(member, TODAY, None, NOW)


@pytest.mark.parametrize("stage", [Stage.UNCONTACTED, Stage.INTERESTED, Stage.ADVISED, Stage.LEFT])
def test_without_a_cooperation_none_ends(stage: Stage) -> None:
    with pytest.raises(NotCooperating, match=rf"Rothenburg/O\.L\. \(14626480\) is {stage}"):
        cooperation.end(EVERY_STAGE[stage], TODAY, None, NOW)


def test_a_cooperation_does_not_end_before_it_began() -> None:
    with pytest.raises(EndsBeforeItBegan, match=r"cooperation of Rothenburg.* began on 2023-01-02, after 2023-01-01"):
        cooperation.end(COOPERATING, date(2023, 1, 1), None, NOW)


def test_a_cooperation_that_began_on_no_known_day_ends_on_any_day() -> None:
    cooperating, _ = cooperation.begin(ROTHENBURG, None, NOW)
    ended, _ = cooperation.end(cooperating, date(2019, 3, 1), None, NOW)
    assert ended.cooperations == (Period(since=None, until=date(2019, 3, 1)),)


def test_a_cooperation_does_not_end_tomorrow() -> None:
    with pytest.raises(DatedInFuture, match="the end of a cooperation of Rothenburg"):
        cooperation.end(COOPERATING, TOMORROW, None, NOW)


@pytest.mark.parametrize("before", [COOPERATING, MEMBER], ids=lambda value: value.stage)
def test_a_cooperation_and_a_membership_can_rest(before: Municipality) -> None:
    dormant, _ = cooperation.fall_dormant(before, TODAY, "Bürgermeisterwahl", NOW)
    assert (dormant.stage, dormant.dormancies) == (Stage.DORMANT, (Period(since=TODAY, reason="Bürgermeisterwahl"),))


def test_a_dormancy_is_published_with_its_reason() -> None:
    _, events = cooperation.fall_dormant(COOPERATING, TODAY, "Bürgermeisterwahl", NOW)
    assert events == [
        MunicipalityFellDormant(
            ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", since=TODAY,
            reason="Bürgermeisterwahl",
        )
    ]  # fmt: skip


def test_a_dormant_member_is_a_member() -> None:
    assert DORMANT_MEMBER.is_member


def test_what_rests_already_does_not_fall_dormant_again() -> None:
    assert cooperation.fall_dormant(DORMANT, TODAY, None, NOW) == (DORMANT, [])


@pytest.mark.parametrize("stage", [Stage.UNCONTACTED, Stage.INTERESTED, Stage.ADVISED, Stage.LEFT])
def test_without_a_cooperation_none_rests(stage: Stage) -> None:
    with pytest.raises(NotCooperating, match=rf"is {stage}: there is no cooperation that could rest"):
        cooperation.fall_dormant(EVERY_STAGE[stage], TODAY, None, NOW)


@pytest.mark.parametrize(
    ("dormant", "before"), [(DORMANT, Stage.COOPERATING), (DORMANT_MEMBER, Stage.MEMBER)], ids=["cooperation", "member"]
)
def test_what_rested_goes_on_as_what_it_was(dormant: Municipality, before: Stage) -> None:
    resumed, _ = cooperation.resume(dormant, TODAY, NOW)
    assert (resumed.stage, resumed.dormancies[-1].until) == (before, TODAY - timedelta(days=1))


def test_a_resumption_is_published_with_its_day() -> None:
    _, events = cooperation.resume(DORMANT, TODAY, NOW)
    assert events == [
        CooperationResumed(ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", resumed_on=TODAY)
    ]


def test_a_dormancy_keeps_its_reason_after_its_end() -> None:
    dormant, _ = cooperation.fall_dormant(COOPERATING, TODAY, "Bürgermeisterwahl", NOW)
    resumed, _ = cooperation.resume(dormant, TODAY, NOW)
    assert resumed.dormancies == (Period(since=TODAY, until=TODAY - timedelta(days=1), reason="Bürgermeisterwahl"),)


@pytest.mark.parametrize("awake", [ROTHENBURG, COOPERATING, MEMBER, LEFT], ids=lambda value: value.stage)
def test_what_did_not_rest_is_not_resumed(awake: Municipality) -> None:
    assert cooperation.resume(awake, TODAY, NOW) == (awake, [])


def test_nothing_is_resumed_before_it_rested() -> None:
    with pytest.raises(EndsBeforeItBegan, match=r"dormancy of Rothenburg.* began on 2023-01-16, after 2023-01-15"):
        cooperation.resume(DORMANT, date(2023, 1, 15), NOW)
