from datetime import date, timedelta

import pytest

from services.membership.domain import accession, advising, coaching, cooperation, councils, ending, signing
from services.membership.domain.agreement import Agreement
from services.membership.domain.analysis import SecurityAnalysis, finish, start
from services.membership.domain.drafting import record
from services.membership.domain.ending import end, fall_due, give_notice
from services.membership.domain.journey import Journey, JourneyWarning, journey
from services.membership.domain.milestones import Consultation, CouncilDecision
from services.membership.domain.municipality import Municipality
from services.membership.domain.next_steps import Step
from services.membership.domain.registry import merge, rename
from services.membership.domain.signatures import Decline
from services.membership.domain.term import Notice
from shared.alliance.action_fields import ActionField
from tests.membership.examples import (
    ADVISED,
    COOPERATING,
    DORMANT,
    FOUR,
    ID,
    LEFT,
    MEMBER,
    NOW,
    READY_ON,
    ROTHENBURG,
    TODAY,
    ZITTAU,
    at,
    drafted,
    in_force,
    ready,
    signature,
    signed,
)

TOWN = "municipality:14626480"


def after(days: int) -> date:
    """So many days after TODAY."""
    return TODAY + timedelta(days=days)


def seen(one: Municipality, *agreements: Agreement, on: date = TODAY, analyses: list[SecurityAnalysis] | None = None
         ) -> Journey:  # fmt: skip
    """The journey on a day."""
    return journey(one, agreements, analyses or [], on)


def milestones(journey: Journey) -> list[str]:
    return [milestone.kind for milestone in journey.milestones]


def warnings(journey: Journey) -> set[str]:
    return set(journey.warnings)


def security_analysis() -> SecurityAnalysis:
    """An analysis of Rothenburg that was started on 9 January 2023."""
    return start("SA-2023-1", [ROTHENBURG], date(2023, 1, 9), NOW, with_survey=False, subject=None)[0]


def test_the_milestones_stand_in_the_order_of_their_days() -> None:
    one, _ = cooperation.begin(ROTHENBURG, date(2023, 1, 19), NOW)
    one, _ = advising.hold_consultation(one, Consultation(held_on=date(2023, 1, 12), topics=("graffiti", "drugs")), NOW)
    one, _ = advising.show_interest(one, date(2023, 1, 5), "by phone", NOW)
    assert [(each.kind, each.day, each.detail) for each in seen(one).milestones] == [
        ("interest_shown", date(2023, 1, 5), "by phone"),
        ("consultation_held", date(2023, 1, 12), "graffiti, drugs"),
        ("cooperation_began", date(2023, 1, 19), None),
    ]


def test_what_has_no_day_comes_first() -> None:
    one, _ = advising.show_interest(ROTHENBURG, date(2023, 1, 5), None, NOW)
    one, _ = advising.hold_consultation(one, Consultation(held_on=None), NOW)
    assert milestones(seen(one)) == ["consultation_held", "interest_shown"]


def test_what_happened_on_one_day_stands_in_its_natural_order() -> None:
    agreement = in_force()
    one, _ = accession.join(ROTHENBURG, agreement.id, TODAY)
    one, _ = advising.hold_consultation(one, Consultation(held_on=TODAY), NOW)
    assert milestones(seen(one, agreement)) == [
        "agreement_ready", "consultation_held", "agreement_drafted", *["signed"] * 4, "agreement_in_force", "joined",
    ]  # fmt: skip


def test_signatures_and_declines_name_the_party_and_never_a_person() -> None:
    partly, _ = signed(ready(), "lpr")
    partly, _ = signing.decline(partly, Decline(party="ministry", declined_on=TODAY, reason="K. Muster says no"), NOW)
    shown = {str(each.kind): (each.detail, each.of) for each in seen(ROTHENBURG, partly).milestones}
    assert (shown["signed"], shown["signature_declined"]) == (("lpr", ID), ("ministry", ID))
    assert "Muster" not in str(seen(ROTHENBURG, partly))


def test_of_an_agreement_that_was_entered_only_its_beginning_is_known() -> None:
    entered, _ = record(ID, ROTHENBURG, date(2020, 5, 4))
    one, _ = accession.join(ROTHENBURG, ID, date(2020, 5, 4))
    assert milestones(seen(one, entered)) == ["agreement_in_force", "joined"]


@pytest.mark.parametrize(
    ("agreement", "kind"),
    [
        (ending.withdraw(drafted(), "other plans", NOW)[0], "agreement_withdrawn"),
        (fall_due(ready(sign_by=TODAY), at(TODAY + timedelta(days=1)))[0], "agreement_lapsed"),
        (end(in_force(), in_force().remaining, TODAY, "terminated")[0], "agreement_terminated"),
        (end(in_force(), in_force().remaining, TODAY, "expired")[0], "agreement_expired"),
    ],
)
def test_every_end_of_an_agreement_is_a_milestone(agreement: Agreement, kind: str) -> None:
    assert milestones(seen(ROTHENBURG, agreement))[-1] == kind


def test_whoever_left_joined_before() -> None:
    assert milestones(seen(LEFT)) == ["joined", "left"]


def test_a_cooperation_that_rested_and_went_on_says_so() -> None:
    one, _ = cooperation.resume(DORMANT, TODAY, NOW)
    assert milestones(seen(one)) == ["cooperation_began", "fell_dormant", "resumed"]


def test_a_cooperation_that_ended_while_it_rested_did_not_go_on() -> None:
    one, _ = cooperation.end(DORMANT, TODAY, None, NOW)
    assert milestones(seen(one)) == ["cooperation_began", "fell_dormant", "cooperation_ended"]


def test_a_prevention_council_whose_end_nobody_knows_has_no_day() -> None:
    one, _ = councils.note_prevention_council(ROTHENBURG, None, NOW, meets=True)
    one, _ = councils.note_prevention_council(one, None, NOW, meets=False)
    assert [(each.kind, each.day) for each in seen(one).milestones] == [
        ("prevention_council_began", None),
        ("prevention_council_ended", None),
    ]


def test_coachings_councils_analyses_and_mergers_are_milestones() -> None:
    one, _ = councils.record_decision(
        ROTHENBURG, CouncilDecision(decided_on=date(2023, 1, 3), number="7/2023", approved=True), NOW
    )
    one, _ = coaching.request(one, "graffiti", date(2023, 1, 10), NOW)
    one, _ = coaching.match_coach(one, 1, "Polizei", date(2023, 1, 11), NOW)
    one, _ = coaching.finish(one, 1, date(2023, 1, 12), NOW)
    one, _ = merge(one, ZITTAU, TODAY)
    finished, _ = finish(security_analysis(), TODAY, 12, "well", NOW)
    assert [(each.kind, each.detail, each.of) for each in seen(one, analyses=[finished]).milestones] == [
        ("council_approved", "7/2023", None),
        ("analysis_started", None, "SA-2023-1"),
        ("coaching_requested", "graffiti", "1"),
        ("coach_matched", "Polizei", "1"),
        ("coaching_finished", None, "1"),
        ("merged", "14626610", None),
        ("analysis_finished", "well", "SA-2023-1"),
    ]


def test_an_agreement_without_consultation_or_council_decision_is_no_crime_but_worth_a_warning() -> None:
    assert warnings(seen(ROTHENBURG, drafted())) == {
        "agreement_without_consultation", "agreement_without_council_decision", "no_action_fields",
    }  # fmt: skip


def test_whoever_did_everything_is_not_warned() -> None:
    one, _ = advising.choose_action_fields(ADVISED, [ActionField.GRAFFITI])
    one, _ = councils.record_decision(one, CouncilDecision(decided_on=TODAY, number="1", approved=True), NOW)
    one, _ = cooperation.begin(one, TODAY, NOW)
    assert seen(one, in_force()).warnings == ()


def test_nobody_is_warned_of_who_belongs_to_another_one() -> None:
    merged, _ = merge(COOPERATING, ZITTAU, after(1))
    assert seen(merged, drafted()).warnings != ()
    assert seen(merged, drafted(), on=after(1)).warnings == ()


def test_what_comes_next_is_part_of_the_journey() -> None:
    assert [step.step for step in seen(COOPERATING, drafted()).next] == [Step.MAKE_READY]


def test_a_notice_is_known_to_be_about_a_town_whatever_it_is_called_by_now() -> None:
    notice = Notice(party=TOWN, given_on=TODAY, ends_on=date(2023, 4, 27))
    given, _ = give_notice(in_force(), notice, NOW)
    renamed, _ = rename(MEMBER, "Rothenburg", None, TODAY)
    assert JourneyWarning.NOTICE_GIVEN in seen(renamed, given).warnings


def test_whoever_was_never_contacted_is_not_warned() -> None:
    assert seen(ROTHENBURG).warnings == ()


def test_a_cooperation_without_consultation_is_warned_of() -> None:
    assert JourneyWarning.COOPERATION_WITHOUT_CONSULTATION in seen(COOPERATING).warnings


@pytest.mark.parametrize(("first", "second", "against"), [(True, False, True), (False, True, False)])
def test_the_last_decision_of_the_council_counts(*, first: bool, second: bool, against: bool) -> None:
    days = (date(2023, 1, 9), TODAY)
    one = ROTHENBURG
    # Recorded the other way round.
    for day, approved in ((days[1], second), (days[0], first)):
        one, _ = councils.record_decision(one, CouncilDecision(decided_on=day, number=str(day), approved=approved), NOW)
    assert (JourneyWarning.COUNCIL_DECIDED_AGAINST in seen(one, drafted()).warnings) == against
    assert JourneyWarning.AGREEMENT_WITHOUT_COUNCIL_DECISION not in seen(one, drafted()).warnings


def test_nobody_asks_for_the_council_decision_of_an_agreement_that_was_entered() -> None:
    entered, _ = record(ID, ROTHENBURG, date(2020, 5, 4))
    assert JourneyWarning.AGREEMENT_WITHOUT_COUNCIL_DECISION not in seen(MEMBER, entered).warnings


@pytest.mark.parametrize(("days", "overdue"), [(13, False), (14, True), (40, True)])
def test_signatures_are_overdue_after_fourteen_days(days: int, *, overdue: bool) -> None:
    found = seen(COOPERATING, ready(), on=READY_ON + timedelta(days=days)).warnings
    assert (JourneyWarning.SIGNATURE_OVERDUE in found) == overdue


def test_nothing_is_overdue_where_all_who_are_missing_have_declined() -> None:
    partly, _ = signed(ready(), *FOUR[:3])
    declined, _ = signing.decline(partly, Decline(party="ministry", declined_on=TODAY, reason="no"), NOW)
    found = seen(COOPERATING, declined, on=after(30)).warnings
    assert JourneyWarning.SIGNATURE_OVERDUE not in found
    assert JourneyWarning.SIGNATURE_DECLINED in found


def test_who_declined_and_signed_all_the_same_is_forgiven() -> None:
    declined, _ = signing.decline(ready(), Decline(party="ministry", declined_on=TODAY, reason="no"), NOW)
    mended, _ = signing.sign(declined, signature("ministry"), NOW)
    assert JourneyWarning.SIGNATURE_DECLINED not in seen(COOPERATING, mended).warnings
