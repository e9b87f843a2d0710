"""What becomes due by itself: reminders, the last day for signing, and the end that comes near and then is there."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.membership.domain import drafting, signing
from services.membership.domain.agreement import Agreement
from services.membership.domain.drafting import Terms
from services.membership.domain.ending import end, fall_due, give_notice, renew
from services.membership.domain.signatures import Decline
from services.membership.domain.term import Notice, Stage, next_reminder
from shared.events.membership.agreements import AgreementEnded, AgreementEndsSoon, AgreementLapsed, SignatureOverdue
from tests.membership.examples import (
    FOUR,
    ID,
    NOW,
    PIRNA,
    READY_ON,
    ROTHENBURG,
    TODAY,
    TOMORROW,
    ZITTAU,
    at,
    drafted,
    in_force,
    ready,
    signature,
    signed,
)

ONE_DAY = timedelta(days=1)
FIRST, SECOND, THIRD = (READY_ON + timedelta(days=days) for days in (14, 28, 42))
LAST_DAY = date(2024, 6, 30)
IN_90_DAYS, IN_30_DAYS = (LAST_DAY - timedelta(days=days) for days in (90, 30))
WITH_TERM = in_force(terms=Terms(ends_on=LAST_DAY))


def due(agreement: Agreement, on: date) -> Agreement:
    """The agreement after what falls due on a day."""
    return fall_due(agreement, at(on))[0]


def declined(agreement: Agreement, *parties: str) -> Agreement:
    for party in parties:
        agreement, _ = signing.decline(agreement, Decline(party=party, declined_on=TODAY, reason="nein"), NOW)
    return agreement


def reminded(agreement: Agreement, on: date) -> tuple[str, ...]:
    """Who is reminded on a day."""
    _, events = fall_due(agreement, at(on))
    return tuple(party for event in events if isinstance(event, SignatureOverdue) for party in event.missing)


def test_nobody_is_reminded_before_14_days_have_passed() -> None:
    assert fall_due(ready(), at(FIRST - ONE_DAY)) == (ready(), [])


def test_who_has_not_signed_after_14_days_is_reminded() -> None:
    partially, _ = signed(ready(sign_by=THIRD), "lpr")
    _, events = fall_due(partially, at(FIRST))
    assert events == [
        SignatureOverdue(
            agreement_id=ID, municipalities=(ROTHENBURG.ref,), missing=(*FOUR[:2], "ministry"), ready_on=READY_ON,
            due_on=FIRST, remind_on=SECOND, sign_by=THIRD,
        )
    ]  # fmt: skip


def test_a_reminder_tells_the_last_day_of_the_term_where_that_is_the_last_one_for_signing() -> None:
    _, [event] = fall_due(ready(terms=Terms(ends_on=SECOND), sign_by=THIRD), at(FIRST))
    assert isinstance(event, SignatureOverdue)
    assert event.sign_by == SECOND


def test_nobody_is_reminded_twice_of_the_same_date() -> None:
    once = due(ready(), FIRST)
    assert fall_due(once, at(SECOND - ONE_DAY)) == (once, [])


def test_who_has_still_not_signed_is_reminded_again_each_14_days() -> None:
    agreement, days = ready(), list[date]()
    for number in range(60):
        agreement, events = fall_due(agreement, at(READY_ON + timedelta(days=number)))
        days += [event.due_on for event in events if isinstance(event, SignatureOverdue)]
    assert days == [FIRST, SECOND, THIRD, READY_ON + timedelta(days=56)]


def test_a_reminder_due_during_a_downtime_is_published_afterwards() -> None:
    _, [event] = fall_due(ready(), at(FIRST + 3 * ONE_DAY))
    assert isinstance(event, SignatureOverdue)
    assert (event.due_on, event.remind_on) == (FIRST, SECOND)


def test_of_several_reminders_due_during_a_downtime_only_the_last_one_is_published() -> None:
    _, events = fall_due(ready(), at(SECOND + ONE_DAY))
    assert [event.due_on for event in events if isinstance(event, SignatureOverdue)] == [SECOND]


def test_an_agreement_recorded_as_ready_long_ago_is_not_reminded_of_the_past() -> None:
    made, _ = drafting.make_ready(drafted(), TODAY - timedelta(days=30), NOW)
    assert made.due_on == TODAY + timedelta(days=12)


def test_who_declined_is_not_reminded() -> None:
    assert reminded(declined(ready(), "ministry", "lpr"), FIRST) == FOUR[:2]


def test_where_everybody_declined_nobody_is_reminded() -> None:
    assert declined(ready(), *FOUR).due_on is None


def test_who_declined_and_signed_all_the_same_is_not_reminded() -> None:
    changed_its_mind, _ = signing.sign(declined(ready(), "lpr"), signature("lpr"), NOW)
    assert reminded(changed_its_mind, FIRST) == (*FOUR[:2], "ministry")


def test_whose_turn_it_is_not_is_not_reminded() -> None:
    first, _ = signed(ready(terms=Terms(ordered=True)), FOUR[0])
    assert reminded(first, FIRST) == (FOUR[1],)


def test_what_is_in_force_is_not_reminded() -> None:
    assert in_force().due_on is None


def test_a_draft_is_not_reminded() -> None:
    assert drafted().due_on is None


@given(st.integers(0, 1_000))
def test_the_next_reminder_is_the_first_multiple_of_14_days_after_today(days: int) -> None:
    today = READY_ON + timedelta(days=days)
    following = next_reminder(READY_ON, today)
    assert (following - READY_ON).days % 14 == 0
    assert timedelta() < following - today <= timedelta(days=14)


def test_an_agreement_lapses_on_the_day_after_the_last_one_for_signing() -> None:
    lapsed = due(ready(sign_by=TODAY), TOMORROW)
    assert (lapsed.stage, lapsed.ended_on, lapsed.covered, lapsed.due_on) == (Stage.LAPSED, TODAY, (), None)


def test_an_agreement_does_not_lapse_on_the_last_day_for_signing() -> None:
    assert fall_due(ready(sign_by=TODAY), NOW) == (ready(sign_by=TODAY), [])


def test_a_lapse_is_published_with_the_parties_that_did_not_sign() -> None:
    partially, _ = signed(ready(sign_by=TODAY), "lpr")
    _, events = fall_due(partially, at(TOMORROW))
    assert events == [
        AgreementLapsed(
            agreement_id=ID, municipalities=(ROTHENBURG.ref,), parties=FOUR, missing=(*FOUR[:2], "ministry"),
            sign_by=TODAY,
        )
    ]  # fmt: skip


def test_on_the_last_day_for_signing_it_is_not_too_late_for_a_reminder() -> None:
    assert reminded(ready(sign_by=FIRST), FIRST) == FOUR


def test_after_a_downtime_a_lapse_is_published_without_the_reminders_before_it() -> None:
    _, events = fall_due(ready(sign_by=FIRST), at(SECOND))
    assert [type(event) for event in events] == [AgreementLapsed]


def test_where_everybody_declined_the_agreement_lapses_all_the_same() -> None:
    assert due(declined(ready(sign_by=TODAY), *FOUR), TOMORROW).stage is Stage.LAPSED


# A bug once: it stayed ready for ever, and its parties were reminded of what they could not sign any more.
def test_what_was_not_signed_within_its_term_lapses() -> None:
    agreement = ready(terms=Terms(ends_on=TOMORROW))
    lapsed = due(agreement, TOMORROW + ONE_DAY)
    assert (lapsed.stage, lapsed.ended_on) == (Stage.LAPSED, TOMORROW)


def test_nothing_is_published_about_an_end_that_is_far_away() -> None:
    assert fall_due(WITH_TERM, at(IN_90_DAYS - ONE_DAY)) == (WITH_TERM, [])


def test_the_end_of_an_agreement_is_announced_90_days_before() -> None:
    _, events = fall_due(WITH_TERM, at(IN_90_DAYS))
    assert events == [
        AgreementEndsSoon(agreement_id=ID, municipalities=(ROTHENBURG.ref,), parties=FOUR, ends_on=LAST_DAY, days=90)
    ]


def test_the_end_of_an_agreement_is_announced_again_30_days_before() -> None:
    once = due(WITH_TERM, IN_90_DAYS)
    _, [event] = fall_due(once, at(IN_30_DAYS))
    assert isinstance(event, AgreementEndsSoon)
    assert (once.due_on, event.days) == (IN_30_DAYS, 30)


@pytest.mark.parametrize("days", [1, 59])
def test_the_end_of_an_agreement_is_not_announced_in_between(days: int) -> None:
    once = due(WITH_TERM, IN_90_DAYS)
    assert fall_due(once, at(IN_90_DAYS + timedelta(days=days))) == (once, [])


@pytest.mark.parametrize("on", [IN_30_DAYS, LAST_DAY], ids=str)
def test_after_a_downtime_the_end_is_announced_once(on: date) -> None:
    agreement, events = fall_due(WITH_TERM, at(on))
    assert [event.days for event in events if isinstance(event, AgreementEndsSoon)] == [30]
    assert agreement.due_on == LAST_DAY + ONE_DAY


def test_after_a_renewal_the_new_end_is_announced() -> None:
    warned = due(due(WITH_TERM, IN_90_DAYS), IN_30_DAYS)
    renewed, _ = renew(warned, LAST_DAY + timedelta(days=365), at(IN_30_DAYS))
    assert renewed.due_on == IN_90_DAYS + timedelta(days=365)


# A former bug: a municipality was warned of the end of an agreement that it had left.
def test_the_end_is_announced_without_who_has_left() -> None:
    joint, _ = end(in_force(ROTHENBURG, ZITTAU, terms=Terms(ends_on=LAST_DAY)), (ZITTAU.ref,), TODAY, "terminated")
    _, [event] = fall_due(joint, at(IN_90_DAYS))
    assert isinstance(event, AgreementEndsSoon)
    assert (event.municipalities, event.parties) == ((ROTHENBURG.ref,), FOUR)


def test_an_agreement_is_in_force_on_its_last_day() -> None:
    assert due(due(WITH_TERM, IN_30_DAYS), LAST_DAY).stage is Stage.IN_FORCE


def test_an_agreement_expires_on_the_day_after_its_last_one() -> None:
    expired, events = fall_due(WITH_TERM, at(LAST_DAY + ONE_DAY))
    assert (expired.stage, expired.ended_on) == (Stage.EXPIRED, LAST_DAY)
    assert events == [
        AgreementEnded(
            agreement_id=ID, municipalities=(ROTHENBURG.ref,), remaining=(), ended_on=LAST_DAY, how="expired"
        )
    ]


def test_who_gave_notice_leaves_on_the_day_after_the_last_one_and_the_others_stay() -> None:
    joint = in_force(ROTHENBURG, ZITTAU, PIRNA, terms=Terms(notice_months=0))
    given, _ = give_notice(joint, Notice(party=FOUR[0], given_on=TODAY, ends_on=TODAY), NOW)
    left, events = fall_due(given, at(TOMORROW))
    assert (left.stage, left.due_on) == (Stage.IN_FORCE, None)
    assert events == [
        AgreementEnded(
            agreement_id=ID, municipalities=(ROTHENBURG.ref,), remaining=(ZITTAU.ref, PIRNA.ref), ended_on=TODAY,
            how="terminated",
        )
    ]  # fmt: skip


def test_where_the_lpr_gave_notice_the_agreement_ends_for_all() -> None:
    joint = in_force(ROTHENBURG, ZITTAU, terms=Terms(notice_months=0))
    given, _ = give_notice(joint, Notice(party="lpr", given_on=TODAY, ends_on=TODAY), NOW)
    assert due(given, TODAY).stage is Stage.IN_FORCE
    assert due(given, TOMORROW).stage is Stage.TERMINATED


def test_notices_of_several_parties_end_it_one_after_the_other_also_after_a_downtime() -> None:
    agreement = in_force(ROTHENBURG, ZITTAU, terms=Terms(notice_months=0))
    for party, last in (("lpr", date(2023, 3, 31)), (FOUR[0], date(2023, 1, 31))):
        agreement, _ = give_notice(agreement, Notice(party=party, given_on=TODAY, ends_on=last), NOW)
    _, events = fall_due(agreement, at(LAST_DAY))
    ends = [(event.municipalities, event.ended_on) for event in events if isinstance(event, AgreementEnded)]
    assert ends == [((ROTHENBURG.ref,), date(2023, 1, 31)), ((ZITTAU.ref,), date(2023, 3, 31))]


# A bug once: after a downtime, the end by notice hid that the term had been over before.
def test_a_term_that_is_over_before_a_notice_ends_the_agreement_also_after_a_downtime() -> None:
    given, _ = give_notice(WITH_TERM, Notice(party="lpr", given_on=TODAY, ends_on=LAST_DAY + ONE_DAY), NOW)
    ended = due(given, LAST_DAY + 2 * ONE_DAY)
    assert (ended.stage, ended.ended_on) == (Stage.EXPIRED, LAST_DAY)


def test_a_notice_for_the_last_day_of_the_term_is_what_ends_it() -> None:
    given, _ = give_notice(WITH_TERM, Notice(party="lpr", given_on=TODAY, ends_on=LAST_DAY), NOW)
    assert due(given, LAST_DAY + ONE_DAY).stage is Stage.TERMINATED
