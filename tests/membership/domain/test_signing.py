"""Signing in order, the text that is signed, and whoever declines, errs, withdraws or comes too late."""

from datetime import date, timedelta

import pytest

from services.membership.domain import drafting, ending, signing
from services.membership.domain.agreement import Agreement
from services.membership.domain.drafting import Terms
from services.membership.domain.signatures import (
    AlreadyDeclined,
    AlreadyInForce,
    AlreadySigned,
    Decline,
    Form,
    NotAParty,
    NotReady,
    NotSigned,
    OtherText,
    OutOfTurn,
    Signature,
    SignedBeforeReady,
    SignedInFuture,
    SignedTooLate,
)
from services.membership.domain.template import sha256
from services.membership.domain.term import Final, Stage
from shared.events.membership.agreements import (
    AgreementReady,
    AgreementSigned,
    AgreementSignedByParty,
    AgreementWithdrawn,
    SignatureCorrected,
    SignatureDeclined,
)
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

ROTHENBURG_SIGNS, POLICE_SIGNS = FOUR[:2]
IN_ORDER = Terms(ordered=True)
IN_FORCE = in_force()
PARTIALLY_SIGNED, _ = signed(ready(), "lpr")
WITHDRAWN, _ = ending.withdraw(PARTIALLY_SIGNED, "anders entschieden", NOW)
NO = Decline(party="ministry", declined_on=TODAY, reason="Haushaltsvorbehalt")
DECLINED, _ = signing.decline(ready(), NO, NOW)
CORRECTED = Signature(
    party="lpr", person="K. Muster", function="Geschäftsführung", deputy=True, signed_on=READY_ON, place="Dresden",
    form=Form.REMOTE,
)  # fmt: skip


def test_without_an_order_all_can_sign_at_once() -> None:
    assert ready().turn == FOUR


def test_in_order_the_first_kind_of_parties_can_sign() -> None:
    assert ready(ROTHENBURG, ZITTAU, terms=IN_ORDER).turn == ("municipality:14626480", "municipality:14626610")


def test_in_order_readiness_is_published_with_the_party_that_can_sign_first() -> None:
    _, [event] = drafting.make_ready(drafted(terms=IN_ORDER), READY_ON, NOW)
    assert isinstance(event, AgreementReady)
    assert event.turn == (ROTHENBURG_SIGNS,)


@pytest.mark.parametrize("party", FOUR[1:])
def test_in_order_nobody_signs_before_the_others(party: str) -> None:
    with pytest.raises(OutOfTurn, match=rf"{ID} is signed in order: first by municipality:14626480, then by {party}"):
        signing.sign(ready(terms=IN_ORDER), signature(party), NOW)


def test_a_joint_agreement_waits_for_every_municipality() -> None:
    first, _ = signed(ready(ROTHENBURG, PIRNA, terms=IN_ORDER), ROTHENBURG_SIGNS)
    with pytest.raises(OutOfTurn, match="first by municipality:14628270"):
        signing.sign(first, signature(POLICE_SIGNS), NOW)


def test_a_signature_is_published_with_the_parties_whose_turn_comes_next() -> None:
    _, events = signed(ready(terms=IN_ORDER), *FOUR)
    turns = [event.turn for event in events if isinstance(event, AgreementSignedByParty)]
    assert turns == [(POLICE_SIGNS,), ("lpr",), ("ministry",), ()]


def test_of_several_whose_turn_it_is_only_the_last_one_hands_it_on() -> None:
    _, events = signed(ready(ROTHENBURG, PIRNA, terms=IN_ORDER), ROTHENBURG_SIGNS, "municipality:14628270")
    turns = [event.turn for event in events if isinstance(event, AgreementSignedByParty)]
    assert turns == [(), ("police_directorate:PD Dresden", "police_directorate:PD Görlitz")]


@pytest.mark.parametrize("terms", [IN_ORDER, Terms(ordered=True, ends_on=TOMORROW)], ids=["set", "by the term"])
def test_whose_turn_it_is_learns_the_last_day_for_signing(terms: Terms) -> None:
    _, [event] = signing.sign(
        ready(terms=terms, sign_by=None if terms.ends_on else TOMORROW), signature(ROTHENBURG_SIGNS), NOW
    )
    assert isinstance(event, AgreementSignedByParty)
    assert event.sign_by == TOMORROW


def test_in_order_it_is_in_force_with_the_last_signature() -> None:
    after, events = signed(ready(terms=IN_ORDER), *FOUR)
    assert after.stage is Stage.IN_FORCE
    assert isinstance(events[-1], AgreementSigned)


def test_whoever_compared_the_text_signs_it() -> None:
    made, _ = signing.sign(ready(), signature("lpr"), NOW, sha256(""))
    assert made.stage is Stage.PARTIALLY_SIGNED


def test_nobody_signs_another_text() -> None:
    other = sha256("Eine andere Vereinbarung")
    with pytest.raises(OtherText, match=rf"lpr signed {other}; the text of {ID} is {sha256('')}"):
        signing.sign(ready(), signature("lpr"), NOW, other)


def test_a_signature_may_be_dated_on_the_last_day_for_signing() -> None:
    made, _ = signing.sign(ready(sign_by=TODAY), signature("lpr", TODAY), NOW)
    assert made.missing == (*FOUR[:2], "ministry")


def test_a_signature_is_not_dated_after_the_last_day_for_signing() -> None:
    with pytest.raises(SignedTooLate, match=rf"lpr on 2023-01-28 is after 2023-01-27, the last day .* {ID}"):
        signing.sign(ready(sign_by=TODAY), signature("lpr", TOMORROW), at(TOMORROW))


def test_a_signature_in_time_may_be_recorded_late() -> None:
    made, _ = signing.sign(ready(sign_by=TODAY), signature("lpr", TODAY), at(TOMORROW))
    assert made.stage is Stage.PARTIALLY_SIGNED


def test_a_signature_is_not_dated_after_the_term() -> None:
    short = ready(terms=Terms(ends_on=TOMORROW))
    with pytest.raises(SignedTooLate, match=r"is after 2023-01-28"):
        signing.sign(short, signature("lpr", date(2023, 1, 29)), at(date(2023, 1, 29)))


def test_a_decline_is_published_with_its_reason() -> None:
    _, events = signing.decline(ready(), NO, NOW)
    assert events == [
        SignatureDeclined(
            agreement_id=ID, municipalities=(ROTHENBURG.ref,), party="ministry", declined_on=TODAY,
            reason="Haushaltsvorbehalt",
        )
    ]  # fmt: skip


def test_who_declined_is_missing_but_not_awaited() -> None:
    assert (DECLINED.declines, DECLINED.missing, DECLINED.awaited) == ((NO,), FOUR, FOUR[:3])


def test_a_decline_is_no_stage() -> None:
    assert DECLINED.stage is Stage.READY


def test_who_declined_may_sign_all_the_same() -> None:
    made, _ = signing.sign(DECLINED, signature("ministry"), NOW)
    assert (made.declines, made.awaited) == ((), FOUR[:3])


def test_nobody_declines_twice() -> None:
    with pytest.raises(AlreadyDeclined, match=rf"ministry has declined to sign agreement {ID} before"):
        signing.decline(DECLINED, NO, NOW)


def test_nobody_declines_who_has_signed() -> None:
    with pytest.raises(AlreadySigned, match=rf"lpr signed agreement {ID} on 2023-01-27"):
        signing.decline(PARTIALLY_SIGNED, Decline(party="lpr", declined_on=TODAY, reason="doch nicht"), NOW)


def test_nobody_declines_who_is_no_party() -> None:
    with pytest.raises(NotAParty, match="municipality:14626610 is no party"):
        signing.decline(ready(), Decline(party="municipality:14626610", declined_on=TODAY, reason="nein"), NOW)


def test_nobody_declines_a_draft() -> None:
    with pytest.raises(NotReady, match=rf"{ID} is draft"):
        signing.decline(drafted(), NO, NOW)


def test_nobody_declines_tomorrow() -> None:
    with pytest.raises(SignedInFuture, match="ministry cannot decline on 2023-01-28: today is 2023-01-27"):
        signing.decline(ready(), Decline(party="ministry", declined_on=TOMORROW, reason="nein"), NOW)


def test_in_order_nobody_declines_before_the_others() -> None:
    with pytest.raises(OutOfTurn, match="first by municipality:14626480, then by ministry"):
        signing.decline(ready(terms=IN_ORDER), NO, NOW)


def test_a_signature_is_corrected_in_its_place() -> None:
    both, _ = signed(PARTIALLY_SIGNED, "ministry")
    corrected, _ = signing.correct(both, CORRECTED, "falsches Datum", NOW)
    assert corrected.signatures == (CORRECTED, signature("ministry"))


def test_a_correction_is_published_with_its_reason() -> None:
    _, events = signing.correct(PARTIALLY_SIGNED, CORRECTED, "falsches Datum", NOW)
    assert events == [
        SignatureCorrected(
            agreement_id=ID, municipalities=(ROTHENBURG.ref,), party="lpr", person="K. Muster",
            function="Geschäftsführung", deputy=True, signed_on=READY_ON, place="Dresden", form="remote",
            reason="falsches Datum",
        )
    ]  # fmt: skip


def test_a_corrected_day_counts_for_when_it_is_in_force() -> None:
    late, _ = signed(ready(), "lpr")
    corrected, _ = signing.correct(late, signature("lpr", READY_ON), "falsches Datum", NOW)
    for party in (*FOUR[:2], "ministry"):
        corrected, _ = signing.sign(corrected, signature(party, READY_ON), NOW)
    assert corrected.in_force_since == READY_ON


def test_the_same_signature_is_no_correction() -> None:
    assert signing.correct(PARTIALLY_SIGNED, signature("lpr"), "noch einmal", NOW) == (PARTIALLY_SIGNED, [])


def test_what_was_not_signed_is_not_corrected() -> None:
    with pytest.raises(NotSigned, match=rf"ministry has not signed agreement {ID}"):
        signing.correct(PARTIALLY_SIGNED, signature("ministry"), "falsches Datum", NOW)


def test_nothing_is_corrected_in_an_agreement_in_force() -> None:
    with pytest.raises(AlreadyInForce, match=rf"{ID} is in force since 2023-01-27"):
        signing.correct(IN_FORCE, CORRECTED, "falsches Datum", NOW)


def test_nothing_is_corrected_in_a_draft() -> None:
    with pytest.raises(NotReady, match=rf"{ID} is draft"):
        signing.correct(drafted(), CORRECTED, "falsches Datum", NOW)


def test_nothing_is_corrected_in_what_was_withdrawn() -> None:
    with pytest.raises(Final, match=rf"{ID} is withdrawn"):
        signing.correct(WITHDRAWN, CORRECTED, "falsches Datum", NOW)


@pytest.mark.parametrize(
    ("day", "refusal"), [(READY_ON - timedelta(days=1), SignedBeforeReady), (TOMORROW, SignedInFuture)], ids=str
)
def test_a_corrected_day_follows_the_same_rules(day: date, refusal: type[Exception]) -> None:
    with pytest.raises(refusal, match=f"lpr on {day}"):
        signing.correct(PARTIALLY_SIGNED, signature("lpr", day), "falsches Datum", NOW)


@pytest.mark.parametrize("open_", [drafted(), ready(), PARTIALLY_SIGNED, DECLINED], ids=["draft", "ready", "p", "d"])
def test_an_agreement_that_is_not_in_force_can_be_withdrawn(open_: Agreement) -> None:
    withdrawn, _ = ending.withdraw(open_, "anders entschieden", NOW)
    assert (withdrawn.stage, withdrawn.ended_on, withdrawn.reason) == (Stage.WITHDRAWN, TODAY, "anders entschieden")


def test_a_withdrawal_is_published_with_all_parties() -> None:
    _, events = ending.withdraw(ready(), "anders entschieden", NOW)
    assert events == [
        AgreementWithdrawn(
            agreement_id=ID, municipalities=(ROTHENBURG.ref,), parties=FOUR, ready_on=READY_ON, withdrawn_on=TODAY,
            reason="anders entschieden",
        )
    ]  # fmt: skip


def test_an_agreement_that_was_withdrawn_covers_nobody() -> None:
    assert WITHDRAWN.covered == ()


def test_an_agreement_in_force_is_not_withdrawn() -> None:
    with pytest.raises(AlreadyInForce, match=rf"{ID} is in force since 2023-01-27: give notice instead"):
        ending.withdraw(IN_FORCE, "anders entschieden", NOW)


def test_an_agreement_is_withdrawn_once() -> None:
    with pytest.raises(Final, match=rf"{ID} is withdrawn since 2023-01-27"):
        ending.withdraw(WITHDRAWN, "noch einmal", NOW)


def test_nobody_signs_what_was_withdrawn() -> None:
    with pytest.raises(Final, match=rf"{ID} is withdrawn since 2023-01-27; draft another one"):
        signing.sign(WITHDRAWN, signature("ministry"), NOW)
