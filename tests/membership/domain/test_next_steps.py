from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.membership.domain import advising, coaching, ending, signing
from services.membership.domain.agreement import Agreement
from services.membership.domain.analysis import SecurityAnalysis, finish, start
from services.membership.domain.drafting import Terms
from services.membership.domain.ending import end, give_notice
from services.membership.domain.milestones import Consultation, Interest
from services.membership.domain.municipality import Municipality
from services.membership.domain.next_steps import NextStep, Step, next_steps
from services.membership.domain.registry import merge
from services.membership.domain.signatures import Decline
from services.membership.domain.term import Notice
from tests.membership.examples import (
    ADVISED,
    COOPERATING,
    DORMANT,
    DORMANT_MEMBER,
    FOUR,
    ID,
    INTERESTED,
    LEFT,
    MEMBER,
    NOW,
    PIRNA,
    READY_ON,
    ROTHENBURG,
    TODAY,
    ZITTAU,
    drafted,
    in_force,
    ready,
    signed,
)

TOWN = "municipality:14626480"


def after(days: int) -> date:
    """So many days after TODAY."""
    return TODAY + timedelta(days=days)


def upcoming(
    one: Municipality, *agreements: Agreement, on: date = TODAY, analyses: Sequence[SecurityAnalysis] = ()
) -> tuple[NextStep, ...]:
    """What comes next on a day."""
    return next_steps(one, agreements, analyses, on)


def only(steps: tuple[NextStep, ...]) -> NextStep:
    """The one step that comes next."""
    [step] = steps
    return step


def security_analysis() -> SecurityAnalysis:
    """An analysis of Rothenburg that was started on 9 January 2023."""
    return start("SA-2023-1", [ROTHENBURG], date(2023, 1, 9), NOW, with_survey=False, subject=None)[0]


def test_nothing_comes_next_for_who_was_never_contacted() -> None:
    assert upcoming(ROTHENBURG) == ()


def test_who_is_interested_waits_for_advice_since_the_first_interest() -> None:
    one, _ = advising.show_interest(ROTHENBURG, date(2023, 1, 20), None, NOW)
    one, _ = advising.show_interest(one, date(2023, 1, 9), None, NOW)
    step = only(upcoming(one))
    assert (step.step, step.waiting_for, step.since, step.days) == (Step.CONSULT, ("lpr",), date(2023, 1, 9), 18)


def test_an_interest_without_a_day_waits_since_nobody_knows_when() -> None:
    one = replace(INTERESTED, interests=(Interest(shown_on=None),))
    assert (only(upcoming(one)).since, only(upcoming(one)).days) == (None, None)


def test_who_was_advised_decides_on_working_closely_since_the_last_consultation() -> None:
    one, _ = advising.hold_consultation(ADVISED, Consultation(held_on=date(2023, 1, 9)), NOW)
    step = only(upcoming(one, on=after(5)))
    assert (step.step, step.waiting_for, step.since, step.days) == (Step.AGREE_ON_COOPERATION, (TOWN,), TODAY, 5)


def test_who_cooperates_waits_for_a_draft() -> None:
    step = only(upcoming(COOPERATING))
    assert (step.step, step.waiting_for, step.since) == (Step.DRAFT_AGREEMENT, ("lpr",), date(2023, 1, 2))


def test_after_a_draft_that_came_to_nothing_the_next_one_is_waited_for_anew() -> None:
    withdrawn, _ = ending.withdraw(drafted(), "other plans", NOW)
    assert only(upcoming(COOPERATING, withdrawn, on=after(3))).since == TODAY


def test_a_draft_waits_for_the_lpr_to_make_it_ready() -> None:
    step = only(upcoming(COOPERATING, drafted(), on=after(2)))
    assert (step.step, step.waiting_for, step.since, step.of) == (Step.MAKE_READY, ("lpr",), TODAY, ID)


def test_an_agreement_that_is_ready_waits_for_all_its_parties() -> None:
    step = only(upcoming(COOPERATING, ready()))
    assert (step.step, step.waiting_for, step.since, step.days) == (Step.SIGN, FOUR, READY_ON, 7)


def test_a_signature_makes_the_others_wait_anew() -> None:
    partly, _ = signed(ready(), "lpr")
    step = only(upcoming(COOPERATING, partly, on=after(4)))
    assert (step.waiting_for, step.since, step.days) == ((*FOUR[:2], "ministry"), TODAY, 4)


def test_where_there_is_an_order_only_those_whose_turn_it_is_are_waited_for() -> None:
    step = only(upcoming(COOPERATING, ready(terms=Terms(ordered=True))))
    assert step.waiting_for == (TOWN,)


def test_who_declined_is_no_longer_waited_for_but_the_lpr_settles_it() -> None:
    declined, _ = signing.decline(ready(), Decline(party="ministry", declined_on=TODAY, reason="no"), NOW)
    sign, settle = upcoming(COOPERATING, declined)
    assert (sign.step, sign.waiting_for) == (Step.SIGN, FOUR[:3])
    assert (settle.step, settle.waiting_for, settle.since) == (Step.SETTLE_DECLINE, ("lpr",), TODAY)


def test_where_only_who_declined_is_missing_nothing_but_settling_comes_next() -> None:
    partly, _ = signed(ready(), *FOUR[:3])
    declined, _ = signing.decline(partly, Decline(party="ministry", declined_on=TODAY, reason="no"), NOW)
    assert only(upcoming(COOPERATING, declined)).step is Step.SETTLE_DECLINE


def test_nothing_comes_next_for_a_member_whose_agreement_goes_on() -> None:
    assert upcoming(MEMBER, in_force()) == ()


def test_nothing_comes_next_before_the_news_of_its_agreement_has_made_it_a_member() -> None:
    assert upcoming(COOPERATING, in_force()) == ()


@pytest.mark.parametrize(("days", "steps"), [(-1, []), (0, [Step.RENEW]), (90, [Step.RENEW])])
def test_an_agreement_is_renewed_from_ninety_days_before_its_end(days: int, steps: list[Step]) -> None:
    ends = in_force(terms=Terms(ends_on=date(2025, 12, 31)))
    found = upcoming(MEMBER, ends, on=date(2025, 10, 2) + timedelta(days=days))
    assert [step.step for step in found] == steps
    assert all((step.since, step.days) == (date(2025, 10, 2), days) for step in found)


def test_nobody_renews_what_was_given_notice_of() -> None:
    ends = in_force(terms=Terms(ends_on=date(2023, 4, 30), notice_months=1))
    notice = Notice(party="lpr", given_on=TODAY, ends_on=date(2023, 4, 1))
    given, _ = give_notice(ends, notice, NOW)
    assert upcoming(MEMBER, ends) == ()
    assert upcoming(MEMBER, ends, on=after(10)) != ()
    assert upcoming(MEMBER, given, on=after(10)) == ()


def test_the_notice_of_one_town_does_not_keep_the_others_from_renewing() -> None:
    joint = in_force(ROTHENBURG, ZITTAU, terms=Terms(ends_on=date(2023, 4, 30), notice_months=1))
    notice = Notice(party="municipality:14626610", given_on=TODAY, ends_on=date(2023, 4, 1))
    given, _ = give_notice(joint, notice, NOW)
    assert upcoming(ZITTAU, given, on=after(10)) == ()
    assert only(upcoming(MEMBER, given, on=after(10))).step is Step.RENEW


def test_what_rests_waits_to_be_resumed() -> None:
    step = only(upcoming(DORMANT))
    assert (step.step, step.waiting_for, step.since) == (Step.RESUME, ("lpr",), date(2023, 1, 16))


def test_a_dormant_member_waits_to_be_resumed_too() -> None:
    assert only(upcoming(DORMANT_MEMBER, in_force())).step is Step.RESUME


def test_nothing_comes_next_for_who_has_left() -> None:
    ended, _ = end(in_force(), in_force().remaining, TODAY, "terminated")
    assert upcoming(LEFT, ended) == ()


def test_who_asks_for_a_coach_waits_for_one_beside_everything_else() -> None:
    one, _ = coaching.request(ADVISED, "graffiti", date(2023, 1, 10), NOW)
    coach, cooperation = upcoming(one)
    assert (coach.step, coach.waiting_for, coach.since, coach.of) == (
        Step.MATCH_COACH, ("lpr",), date(2023, 1, 10), "1",
    )  # fmt: skip
    assert cooperation.step is Step.AGREE_ON_COOPERATION


def test_who_has_a_coach_waits_for_none() -> None:
    one, _ = coaching.request(ROTHENBURG, "graffiti", date(2023, 1, 10), NOW)
    one, _ = coaching.match_coach(one, 1, "Polizei", TODAY, NOW)
    assert upcoming(one) == ()


def test_an_analysis_under_way_waits_to_be_finished() -> None:
    step = only(upcoming(ROTHENBURG, analyses=[security_analysis()]))
    assert (step.step, step.since, step.of) == (Step.FINISH_ANALYSIS, date(2023, 1, 9), "SA-2023-1")


def test_an_analysis_that_was_finished_waits_for_nobody() -> None:
    finished, _ = finish(security_analysis(), TODAY, None, None, NOW)
    assert upcoming(ROTHENBURG, analyses=[finished]) == ()


def test_what_waits_longest_comes_first_and_what_has_no_day_comes_last() -> None:
    one, _ = advising.hold_consultation(ROTHENBURG, Consultation(held_on=None), NOW)
    one, _ = coaching.request(one, "graffiti", date(2023, 1, 10), NOW)
    found = upcoming(one, analyses=[security_analysis()])
    assert [step.step for step in found] == [Step.FINISH_ANALYSIS, Step.MATCH_COACH, Step.AGREE_ON_COOPERATION]


def test_nobody_waits_for_less_than_no_day() -> None:
    assert only(upcoming(ADVISED, on=after(-3))).days == 0


def test_nothing_comes_next_for_who_belongs_to_another_one() -> None:
    merged, _ = merge(COOPERATING, ZITTAU, after(1))
    assert upcoming(merged) != ()
    assert upcoming(merged, drafted(), on=after(1)) == ()


def test_an_agreement_of_others_is_none_of_ours() -> None:
    assert [step.step for step in upcoming(COOPERATING, drafted(PIRNA))] == [Step.DRAFT_AGREEMENT]
