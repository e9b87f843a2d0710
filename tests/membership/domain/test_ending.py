"""How an agreement goes on, and how it ends: renewal, notice, and what becomes of whom."""

from datetime import date

import pytest

from services.membership.domain.agreement import Agreement
from services.membership.domain.drafting import Terms, record
from services.membership.domain.ending import earliest_end, end, fall_due, give_notice, pass_on, renew
from services.membership.domain.signatures import NotAParty
from services.membership.domain.term import AlreadyGivenNotice, Notice, NoticeInFuture, NotInForce, Stage, TooShort
from shared.events.membership.agreements import AgreementEnded, AgreementPassedOn, AgreementRenewed, NoticeGiven
from shared.events.membership.refs import MunicipalityRef
from tests.membership.examples import FOUR, ID, NOW, PIRNA, ROTHENBURG, TODAY, TOMORROW, ZITTAU, at, in_force, ready

LAST_DAY = date(2027, 12, 31)
WITH_TERM = in_force(terms=Terms(ends_on=LAST_DAY))
WITHOUT_TERM = in_force()
JOINT = in_force(ROTHENBURG, ZITTAU, PIRNA)
BY_ROTHENBURG = Notice(party=FOUR[0], given_on=TODAY, ends_on=date(2023, 4, 27), reason="Haushaltslage")
BY_LPR = Notice(party="lpr", given_on=TODAY, ends_on=date(2023, 4, 27))
LEAVING, _ = give_notice(JOINT, BY_ROTHENBURG, NOW)
WITHOUT_ROTHENBURG, _ = end(JOINT, (ROTHENBURG.ref,), TODAY, "terminated")
NOT_IN_FORCE = (ready(), end(WITHOUT_TERM, (ROTHENBURG.ref,), TODAY, "terminated")[0])


def test_an_agreement_goes_on_until_a_later_day() -> None:
    renewed, _ = renew(WITH_TERM, date(2032, 12, 31), NOW)
    assert renewed.ends_on == date(2032, 12, 31)


def test_a_renewal_is_published_with_all_parties() -> None:
    _, events = renew(WITH_TERM, None, NOW)
    assert events == [
        AgreementRenewed(
            agreement_id=ID, municipalities=(ROTHENBURG.ref,), parties=FOUR, renewed_on=TODAY, ends_on=None
        )
    ]


def test_a_renewal_is_published_without_who_has_left() -> None:
    joint, _ = end(in_force(ROTHENBURG, ZITTAU, terms=Terms(ends_on=LAST_DAY)), (ZITTAU.ref,), TODAY, "terminated")
    _, [event] = renew(joint, None, NOW)
    assert isinstance(event, AgreementRenewed)
    assert (event.municipalities, event.parties) == ((ROTHENBURG.ref,), FOUR)


def test_an_agreement_may_go_on_without_a_term() -> None:
    renewed, _ = renew(WITH_TERM, None, NOW)
    assert (renewed.ends_on, renewed.due_on) == (None, None)


@pytest.mark.parametrize("agreement", [WITH_TERM, WITHOUT_TERM], ids=["with a term", "without"])
def test_the_same_last_day_is_no_renewal(agreement: Agreement) -> None:
    assert renew(agreement, agreement.ends_on, NOW) == (agreement, [])


@pytest.mark.parametrize(
    ("agreement", "holds"),
    [(WITH_TERM, "2027-12-31"), (WITHOUT_TERM, "further notice")],
    ids=["with a term", "without"],
)
def test_a_renewal_makes_nothing_shorter(agreement: Agreement, holds: str) -> None:
    with pytest.raises(TooShort, match=rf"{ID} holds until {holds}, which is after 2027-12-30"):
        renew(agreement, date(2027, 12, 30), NOW)


def test_an_agreement_is_renewed_on_its_last_day() -> None:
    renewed, _ = renew(WITH_TERM, None, at(LAST_DAY))
    assert renewed.ends_on is None


def test_an_agreement_is_not_renewed_after_its_last_day() -> None:
    with pytest.raises(NotInForce, match=rf"{ID} held until 2027-12-31: draft another one"):
        renew(WITH_TERM, None, at(date(2028, 1, 1)))


@pytest.mark.parametrize("agreement", NOT_IN_FORCE, ids=lambda value: value.stage)
def test_only_what_is_in_force_is_renewed(agreement: Agreement) -> None:
    with pytest.raises(NotInForce, match=rf"{ID} is {agreement.stage}, not in force"):
        renew(agreement, None, NOW)


def test_a_notice_is_published_with_its_last_day() -> None:
    _, events = give_notice(WITHOUT_TERM, BY_ROTHENBURG, NOW)
    assert events == [
        NoticeGiven(
            agreement_id=ID, municipalities=(ROTHENBURG.ref,), remaining=(), parties=FOUR, party=FOUR[0],
            given_on=TODAY, ends_on=date(2023, 4, 27), reason="Haushaltslage",
        )
    ]  # fmt: skip


def test_until_its_last_day_an_agreement_stays_in_force() -> None:
    assert (LEAVING.stage, LEAVING.covered, LEAVING.notices) == (Stage.IN_FORCE, JOINT.covered, (BY_ROTHENBURG,))


def test_a_municipality_gives_notice_for_itself_alone() -> None:
    _, [event] = give_notice(JOINT, BY_ROTHENBURG, NOW)
    assert isinstance(event, NoticeGiven)
    assert (event.municipalities, event.remaining) == ((ROTHENBURG.ref,), (ZITTAU.ref, PIRNA.ref))


@pytest.mark.parametrize("party", ["lpr", "ministry", "police_directorate:PD Dresden"])
def test_any_other_party_gives_notice_for_all(party: str) -> None:
    _, [event] = give_notice(JOINT, Notice(party=party, given_on=TODAY, ends_on=date(2023, 4, 27)), NOW)
    assert isinstance(event, NoticeGiven)
    assert event.municipalities == (ROTHENBURG.ref, ZITTAU.ref, PIRNA.ref)


def test_notice_after_others_have_left_is_about_who_remains() -> None:
    _, [event] = give_notice(WITHOUT_ROTHENBURG, BY_LPR, NOW)
    assert isinstance(event, NoticeGiven)
    assert (event.municipalities, event.remaining) == ((ZITTAU.ref, PIRNA.ref), ())
    assert event.parties == tuple(party for party in JOINT.parties if party != FOUR[0])


def test_notice_may_be_given_for_a_later_day_than_it_must() -> None:
    given, _ = give_notice(WITHOUT_TERM, Notice(party="lpr", given_on=TODAY, ends_on=LAST_DAY), NOW)
    assert given.notices[0].ends_on == LAST_DAY


def test_notice_for_too_early_a_day_is_refused_with_the_earliest_one() -> None:
    with pytest.raises(TooShort, match=rf"{ID} has 3 months of notice: .* ends on 2023-04-27 or later, not on .*-26"):
        give_notice(WITHOUT_TERM, Notice(party="lpr", given_on=TODAY, ends_on=date(2023, 4, 26)), NOW)


@pytest.mark.parametrize(
    ("months", "given_on", "earliest"),
    [
        (0, TODAY, TODAY),
        (3, date(2022, 11, 30), date(2023, 2, 28)),
        (3, date(2023, 11, 30), date(2024, 2, 29)),
        (12, date(2024, 2, 29), date(2025, 2, 28)),
    ],
    ids=str,
)
def test_a_period_of_notice_is_counted_in_months(months: int, given_on: date, earliest: date) -> None:
    assert earliest_end(in_force(terms=Terms(notice_months=months)), given_on) == earliest


def test_without_a_period_of_notice_an_agreement_can_end_today() -> None:
    agreement = in_force(terms=Terms(notice_months=0))
    given, _ = give_notice(agreement, Notice(party="lpr", given_on=TODAY, ends_on=TODAY), NOW)
    assert given.due_on == TOMORROW


def test_nobody_gives_notice_tomorrow() -> None:
    with pytest.raises(NoticeInFuture, match=r"notice of lpr on 2023-01-28 is in the future: today is 2023-01-27"):
        give_notice(WITHOUT_TERM, Notice(party="lpr", given_on=TOMORROW, ends_on=LAST_DAY), NOW)


def test_nobody_gives_notice_before_it_was_in_force() -> None:
    with pytest.raises(TooShort, match=rf"{ID} is in force since 2023-01-27, after 2023-01-26"):
        give_notice(WITHOUT_TERM, Notice(party="lpr", given_on=date(2023, 1, 26), ends_on=LAST_DAY), NOW)


def test_nobody_gives_notice_who_is_no_party() -> None:
    with pytest.raises(NotAParty, match="municipality:14626610 is no party"):
        give_notice(WITHOUT_TERM, Notice(party="municipality:14626610", given_on=TODAY, ends_on=LAST_DAY), NOW)


def test_nobody_gives_notice_twice() -> None:
    with pytest.raises(AlreadyGivenNotice, match=rf"municipality:14626480 has given notice of agreement {ID} before"):
        give_notice(LEAVING, Notice(party=FOUR[0], given_on=TODAY, ends_on=LAST_DAY), NOW)


def test_nobody_gives_notice_who_has_left() -> None:
    with pytest.raises(AlreadyGivenNotice, match=FOUR[0]):
        give_notice(WITHOUT_ROTHENBURG, BY_ROTHENBURG, NOW)


def test_several_parties_may_give_notice() -> None:
    given, _ = give_notice(LEAVING, BY_LPR, NOW)
    assert given.notices == (BY_ROTHENBURG, BY_LPR)


@pytest.mark.parametrize("agreement", NOT_IN_FORCE, ids=lambda value: value.stage)
def test_nobody_gives_notice_of_what_is_not_in_force(agreement: Agreement) -> None:
    with pytest.raises(NotInForce, match=rf"{ID} is {agreement.stage}"):
        give_notice(agreement, BY_ROTHENBURG, NOW)


def test_a_paper_agreement_can_be_ended_by_notice() -> None:
    on_paper, _ = record(ID, ROTHENBURG, date(2020, 9, 1))
    given, _ = give_notice(on_paper, Notice(party="lpr", given_on=TODAY, ends_on=TODAY), NOW)
    assert given.due_on == TOMORROW


@pytest.mark.parametrize(
    ("how", "stage"),
    [("expired", Stage.EXPIRED), ("terminated", Stage.TERMINATED), ("merged", Stage.TERMINATED)],
)
def test_an_agreement_that_ended_for_all_is_over(how: str, stage: Stage) -> None:
    ended, _ = end(WITHOUT_TERM, (ROTHENBURG.ref,), TODAY, how)
    assert (ended.stage, ended.ended_on, ended.covered, ended.due_on) == (stage, TODAY, (), None)


def test_an_agreement_that_ended_for_one_goes_on_for_the_others() -> None:
    assert (WITHOUT_ROTHENBURG.stage, WITHOUT_ROTHENBURG.remaining) == (Stage.IN_FORCE, (ZITTAU.ref, PIRNA.ref))


def test_an_end_is_published_with_who_remains() -> None:
    _, events = end(JOINT, (ROTHENBURG.ref,), TODAY, "terminated")
    assert events == [
        AgreementEnded(
            agreement_id=ID, municipalities=(ROTHENBURG.ref,), remaining=(ZITTAU.ref, PIRNA.ref), ended_on=TODAY,
            how="terminated",
        )
    ]  # fmt: skip


@pytest.mark.parametrize("agreement", [WITHOUT_ROTHENBURG, *NOT_IN_FORCE], ids=["joint", "ready", "over"])
def test_an_agreement_ends_once_for_each(agreement: Agreement) -> None:
    assert end(agreement, (ROTHENBURG.ref,), TOMORROW, "expired") == (agreement, [])


def test_a_successor_takes_the_place_of_who_was_merged_into_it() -> None:
    passed, _ = pass_on(WITHOUT_TERM, ROTHENBURG.ags, ZITTAU.ref, TOMORROW)
    assert (passed.stage, passed.remaining) == (Stage.IN_FORCE, (ZITTAU.ref,))
    assert passed.parties == ("municipality:14626610", *FOUR[1:])


def test_a_succession_is_published_with_its_first_day() -> None:
    _, events = pass_on(JOINT, ROTHENBURG.ags, ZITTAU.ref, TOMORROW)
    assert events == [
        AgreementPassedOn(agreement_id=ID, municipality=ROTHENBURG.ref, successor=ZITTAU.ref, passed_on=TOMORROW)
    ]


def test_an_agreement_remembers_who_signed_it() -> None:
    passed, _ = pass_on(WITHOUT_TERM, ROTHENBURG.ags, ZITTAU.ref, TOMORROW)
    assert passed.municipalities == (ROTHENBURG.ref, ZITTAU.ref)
    assert passed.signatures == WITHOUT_TERM.signatures


def test_who_is_covered_already_succeeds_in_its_own_place() -> None:
    passed, _ = pass_on(JOINT, ROTHENBURG.ags, ZITTAU.ref, TOMORROW)
    assert passed.remaining == (ZITTAU.ref, PIRNA.ref)


# A bug once: with the name it had when it signed and the name it has, it remained twice.
def test_who_is_covered_under_a_former_name_succeeds_once() -> None:
    renamed = MunicipalityRef(ags=ZITTAU.ags, name="Zittau am See", police_directorate="PD Görlitz")
    passed, _ = pass_on(JOINT, ROTHENBURG.ags, renamed, TOMORROW)
    assert passed.remaining == (ZITTAU.ref, PIRNA.ref)


def test_an_agreement_is_passed_on_once() -> None:
    passed, _ = pass_on(JOINT, ROTHENBURG.ags, ZITTAU.ref, TOMORROW)
    assert pass_on(passed, ROTHENBURG.ags, ZITTAU.ref, TOMORROW) == (passed, [])


def test_what_is_over_is_not_passed_on() -> None:
    assert pass_on(NOT_IN_FORCE[1], ROTHENBURG.ags, ZITTAU.ref, TOMORROW) == (NOT_IN_FORCE[1], [])


# A bug once: the notice was forgotten, and the successor stayed a member for ever.
def test_a_notice_binds_the_successor() -> None:
    given, _ = give_notice(WITHOUT_TERM, BY_ROTHENBURG, NOW)
    passed, _ = pass_on(given, ROTHENBURG.ags, ZITTAU.ref, TOMORROW)
    ended, _ = fall_due(passed, at(date(2023, 4, 28)))
    assert (ended.stage, ended.ended_on) == (Stage.TERMINATED, date(2023, 4, 27))


def test_a_notice_does_not_bind_a_successor_with_a_place_of_its_own() -> None:
    passed, _ = pass_on(LEAVING, ROTHENBURG.ags, ZITTAU.ref, TOMORROW)
    assert (passed.remaining, passed.due_on) == ((ZITTAU.ref, PIRNA.ref), None)


def test_a_successor_that_has_left_does_not_come_back_by_a_merger() -> None:
    without_zittau, _ = end(JOINT, (ZITTAU.ref,), TODAY, "terminated")
    after, [event] = pass_on(without_zittau, ROTHENBURG.ags, ZITTAU.ref, date(2024, 1, 1))
    assert after.remaining == (PIRNA.ref,)
    assert isinstance(event, AgreementEnded)
    assert (event.municipalities, event.ended_on, event.how) == ((ROTHENBURG.ref,), date(2023, 12, 31), "merged")


def test_what_is_over_before_the_first_day_of_the_successor_is_not_passed_on() -> None:
    given, _ = give_notice(WITHOUT_TERM, BY_ROTHENBURG, NOW)
    assert pass_on(given, ROTHENBURG.ags, ZITTAU.ref, date(2023, 4, 28)) == (given, [])


def test_a_successor_takes_the_place_for_the_last_day() -> None:
    given, _ = give_notice(WITHOUT_TERM, BY_ROTHENBURG, NOW)
    passed, _ = pass_on(given, ROTHENBURG.ags, ZITTAU.ref, date(2023, 4, 27))
    assert passed.remaining == (ZITTAU.ref,)


def test_the_notice_of_another_municipality_does_not_keep_from_passing_on() -> None:
    passed, _ = pass_on(LEAVING, PIRNA.ags, ZITTAU.ref, date(2024, 1, 1))
    assert passed.remaining == (ROTHENBURG.ref, ZITTAU.ref)
