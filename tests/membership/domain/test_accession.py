from datetime import date, timedelta

import pytest

from services.membership.domain import accession, advising, cooperation
from services.membership.domain.milestones import Membership, Stage
from services.membership.domain.municipality import Municipality
from shared.alliance.action_fields import ActionField
from shared.events.membership.members import MemberJoined, MemberLeft
from tests.membership.examples import (
    COOPERATING,
    DORMANT,
    DORMANT_MEMBER,
    EVERY_STAGE,
    ID,
    LEFT,
    MEMBER,
    NOW,
    ROTHENBURG,
    TODAY,
    TOMORROW,
)

NEXT = "KV-2024-000000"
LAST_DAY = date(2023, 12, 31)
LATER = date(2024, 2, 1)


@pytest.mark.parametrize("before", EVERY_STAGE.values(), ids=lambda value: value.stage)
def test_an_agreement_in_force_makes_a_member_from_every_stage(before: Municipality) -> None:
    member, _ = accession.join(before, NEXT, TODAY)
    assert (member.stage, member.memberships[-1]) == (Stage.MEMBER, Membership(agreement_id=NEXT, since=TODAY))


def test_a_new_member_is_published_with_its_action_fields() -> None:
    chosen, _ = advising.choose_action_fields(ROTHENBURG, [ActionField.GRAFFITI, ActionField.DRUGS])
    _, events = accession.join(chosen, ID, TODAY)
    assert events == [
        MemberJoined(
            ags="14626480", name="Rothenburg/O.L.", kind="Stadt", district_key="14626", district="Görlitz",
            police_directorate="PD Görlitz", agreement_id=ID, joined_on=TODAY, action_fields=("drugs", "graffiti"),
        )
    ]  # fmt: skip


def test_the_same_agreement_makes_a_member_only_once() -> None:
    assert accession.join(MEMBER, ID, TOMORROW) == (MEMBER, [])


def test_the_same_agreement_makes_no_member_again_after_its_end() -> None:
    assert accession.join(LEFT, ID, TODAY) == (LEFT, [])


def test_a_cooperation_that_rested_wakes_up_with_the_agreement() -> None:
    member, _ = accession.join(DORMANT, ID, TODAY)
    assert member.dormancies[-1].until == TODAY - timedelta(days=1)


def test_a_member_leaves_with_its_agreement() -> None:
    left, _ = accession.leave(MEMBER, ID, LAST_DAY, "expired")
    assert (left.stage, left.memberships) == (
        Stage.LEFT,
        (Membership(agreement_id=ID, since=TODAY, until=LAST_DAY),),
    )


@pytest.mark.parametrize("how", ["expired", "terminated", "merged"])
def test_leaving_is_published_with_its_day_and_reason(how: str) -> None:
    _, events = accession.leave(MEMBER, ID, LAST_DAY, how)
    assert events == [
        MemberLeft(
            ags="14626480", name="Rothenburg/O.L.", kind="Stadt", district_key="14626", district="Görlitz",
            police_directorate="PD Görlitz", agreement_id=ID, joined_on=TODAY, left_on=LAST_DAY, how=how,
        )
    ]  # fmt: skip


def test_a_member_leaves_only_once() -> None:
    left, _ = accession.leave(MEMBER, ID, LAST_DAY, "expired")
    assert accession.leave(left, ID, TOMORROW, "terminated") == (left, [])


def test_nobody_leaves_by_an_agreement_of_others() -> None:
    assert accession.leave(MEMBER, NEXT, LAST_DAY, "expired") == (MEMBER, [])


def test_who_leaves_cooperates_no_longer() -> None:
    member, _ = accession.join(COOPERATING, ID, TODAY)
    left, _ = accession.leave(member, ID, LAST_DAY, "expired")
    assert (left.stage, left.cooperations[-1].until) == (Stage.LEFT, LAST_DAY)


def test_who_leaves_rests_no_longer() -> None:
    left, _ = accession.leave(DORMANT_MEMBER, ID, LAST_DAY, "expired")
    assert (left.stage, left.dormancies[-1].until) == (Stage.LEFT, LAST_DAY)


def test_who_left_may_work_closely_with_the_alliance_again() -> None:
    again, _ = cooperation.begin(LEFT, TODAY, NOW)
    assert again.stage is Stage.COOPERATING


def test_who_left_becomes_a_member_again_by_another_agreement() -> None:
    left, _ = accession.leave(MEMBER, ID, LAST_DAY, "expired")
    again, events = accession.join(left, NEXT, LATER)
    assert (again.stage, len(again.memberships), len(events)) == (Stage.MEMBER, 2, 1)


def test_the_news_of_a_new_agreement_may_come_before_the_end_of_the_old_one() -> None:
    both, _ = accession.join(MEMBER, NEXT, LATER)
    left, events = accession.leave(both, ID, LAST_DAY, "expired")
    assert (left.stage, left.is_member, len(events)) == (Stage.MEMBER, True, 1)


def test_in_whatever_order_news_of_two_agreements_come_the_memberships_are_the_same() -> None:
    one_after_the_other = accession.join(accession.leave(MEMBER, ID, LAST_DAY, "expired")[0], NEXT, LATER)[0]
    overtaken = accession.leave(accession.join(MEMBER, NEXT, LATER)[0], ID, LAST_DAY, "expired")[0]
    assert one_after_the_other == overtaken


def test_the_end_of_the_old_agreement_does_not_end_the_cooperation_of_the_new_one() -> None:
    both, _ = accession.join(accession.join(COOPERATING, ID, TODAY)[0], NEXT, LATER)
    left, _ = accession.leave(both, ID, LAST_DAY, "expired")
    assert left.cooperations[-1].until is None


def test_who_joined_anew_and_leaves_again_has_left() -> None:
    both, _ = accession.join(MEMBER, NEXT, LATER)
    old, _ = accession.leave(both, ID, LAST_DAY, "expired")
    new, _ = accession.leave(old, NEXT, date(2025, 1, 1), "terminated")
    assert (new.stage, new.is_member) == (Stage.LEFT, False)


def test_the_end_of_the_new_agreement_may_come_before_the_end_of_the_old_one() -> None:
    both, _ = accession.join(MEMBER, NEXT, LATER)
    new, _ = accession.leave(both, NEXT, date(2025, 1, 1), "terminated")
    assert new.stage is Stage.MEMBER
    assert accession.leave(new, ID, LAST_DAY, "expired")[0].stage is Stage.LEFT
