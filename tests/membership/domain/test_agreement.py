import hashlib
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.membership.domain import drafting, ending, signing
from services.membership.domain.agreement import Agreement
from services.membership.domain.drafting import Terms, record
from services.membership.domain.signatures import (
    AlreadyReady,
    AlreadySigned,
    Form,
    NotAParty,
    NotReady,
    ReadyInFuture,
    Signature,
    SignedBeforeReady,
    SignedInFuture,
)
from services.membership.domain.template import sha256
from services.membership.domain.term import ACTIVE, Final, Stage, TooShort
from shared.events.membership.agreements import (
    AgreementReady,
    AgreementSigned,
    AgreementSignedByParty,
    AgreementTextAdapted,
)
from shared.kernel.errors import Refused
from tests.membership.examples import (
    FOUR,
    ID,
    NOW,
    PIRNA,
    READY_ON,
    ROTHENBURG,
    TODAY,
    TOMORROW,
    WITHOUT_MINISTRY,
    at,
    drafted,
    in_force,
    ready,
    signature,
    signed,
)

TEXT = "Kooperationsvereinbarung\n\nViele Augen und Ohren sehen und hören mehr."
IN_FORCE = in_force()
PARTIALLY_SIGNED, _ = signed(ready(), "lpr")
ON_PAPER, _ = record(ID, ROTHENBURG, TODAY)
WITHDRAWN, _ = ending.withdraw(drafted(), "anders entschieden", NOW)
FURTHER = (ready(), PARTIALLY_SIGNED, IN_FORCE, ON_PAPER)


def test_an_agreement_is_active_unless_it_is_over() -> None:
    over = {Stage.EXPIRED, Stage.TERMINATED, Stage.WITHDRAWN, Stage.LAPSED}
    assert set(ACTIVE) == set(Stage) - over


def test_the_text_of_a_draft_can_be_adapted() -> None:
    adapted, events = drafting.adapt_text(drafted(), TEXT)
    assert adapted.text == TEXT
    assert events == [AgreementTextAdapted(agreement_id=ID, municipalities=(ROTHENBURG.ref,), text=TEXT)]


def test_the_same_text_is_no_adaption() -> None:
    adapted, _ = drafting.adapt_text(drafted(), TEXT)
    assert drafting.adapt_text(adapted, TEXT) == (adapted, [])


@pytest.mark.parametrize(
    ("sign_by", "ends_on", "last"),
    [
        (None, None, None),
        (TODAY, None, TODAY),
        (None, TOMORROW, TOMORROW),
        (TODAY, TOMORROW, TODAY),
        (date(2023, 1, 29), TOMORROW, TOMORROW),
    ],
    ids=str,
)
def test_an_agreement_can_be_signed_until_its_last_day_or_that_of_its_term(
    sign_by: date | None, ends_on: date | None, last: date | None
) -> None:
    assert ready(terms=Terms(ends_on=ends_on), sign_by=sign_by).signable_until == last


@pytest.mark.parametrize("further", FURTHER, ids=lambda value: value.stage)
def test_from_readiness_on_the_text_is_fixed(further: Agreement) -> None:
    with pytest.raises(AlreadyReady, match=rf"{ID} is {further.stage}, ready since {further.ready_on}"):
        drafting.adapt_text(further, TEXT)


def test_a_draft_has_no_fingerprint() -> None:
    assert drafted().text_sha256 == ""


@given(st.text())
def test_the_text_gets_its_fingerprint_at_readiness(text: str) -> None:
    adapted, _ = drafting.adapt_text(drafted(), text)
    made, _ = drafting.make_ready(adapted, READY_ON, NOW)
    assert (made.text, made.text_sha256) == (text, hashlib.sha256(text.encode()).hexdigest())


def test_readiness_is_published_with_all_parties_and_the_text() -> None:
    adapted, _ = drafting.adapt_text(drafted(), TEXT)
    _, events = drafting.make_ready(adapted, READY_ON, NOW)
    assert events == [
        AgreementReady(
            agreement_id=ID, municipalities=(ROTHENBURG.ref,), parties=FOUR, ready_on=READY_ON, text=TEXT,
            text_sha256=sha256(TEXT), turn=FOUR, remind_on=READY_ON + timedelta(days=14),
        )
    ]  # fmt: skip


def test_an_agreement_is_ready_since_a_day() -> None:
    assert (ready().stage, ready().ready_on) == (Stage.READY, READY_ON)


@pytest.mark.parametrize("further", FURTHER, ids=lambda value: value.stage)
def test_an_agreement_becomes_ready_only_once(further: Agreement) -> None:
    with pytest.raises(AlreadyReady, match=rf"{ID} is {further.stage}, ready since {further.ready_on}"):
        drafting.make_ready(further, TODAY, NOW)


def test_an_agreement_that_was_withdrawn_does_not_become_ready() -> None:
    with pytest.raises(Final, match=rf"{ID} is withdrawn since 2023-01-27; draft another one"):
        drafting.make_ready(WITHDRAWN, TODAY, NOW)


def test_an_agreement_may_be_ready_today() -> None:
    made, _ = drafting.make_ready(drafted(), TODAY, NOW)
    assert made.stage is Stage.READY


def test_an_agreement_is_not_ready_tomorrow() -> None:
    with pytest.raises(ReadyInFuture, match=rf"{ID} cannot be ready on 2023-01-28: today is 2023-01-27"):
        drafting.make_ready(drafted(), TOMORROW, NOW)


def test_the_last_day_for_signing_is_published() -> None:
    made, [event] = drafting.make_ready(drafted(), READY_ON, NOW, TOMORROW)
    assert isinstance(event, AgreementReady)
    assert made.sign_by == event.sign_by == TOMORROW


def test_the_last_day_for_signing_may_be_today() -> None:
    assert ready(sign_by=TODAY).sign_by == TODAY


def test_the_last_day_for_signing_is_not_over_when_it_is_set() -> None:
    with pytest.raises(TooShort, match=rf"{ID} cannot be signed until 2023-01-26: today is 2023-01-27"):
        drafting.make_ready(drafted(), READY_ON, NOW, date(2023, 1, 26))


# A bug once: it stayed ready for ever, and its parties were reminded of what they could not sign any more.
def test_an_agreement_does_not_become_ready_after_its_term() -> None:
    made = drafted(terms=Terms(ends_on=date(2023, 6, 30)))
    with pytest.raises(TooShort, match=rf"{ID} cannot be signed until 2023-06-30: today is 2023-07-01"):
        drafting.make_ready(made, READY_ON, at(date(2023, 7, 1)))


def test_nobody_signs_before_it_is_ready() -> None:
    with pytest.raises(NotReady, match=rf"{ID} is draft"):
        signing.sign(drafted(), signature("lpr"), NOW)


def test_nobody_signs_who_is_no_party() -> None:
    with pytest.raises(NotAParty, match=r"municipality:14626610 is no party .* municipality:14626480, .* ministry$"):
        signing.sign(ready(), signature("municipality:14626610"), NOW)


def test_a_witness_signs_nothing() -> None:
    witnessed = ready(terms=Terms(required=WITHOUT_MINISTRY, witnesses=("Staatsminister des Innern",)))
    with pytest.raises(NotAParty, match="ministry is no party"):
        signing.sign(witnessed, signature("ministry"), NOW)


def test_nobody_signs_twice() -> None:
    once, _ = signing.sign(ready(), signature("lpr", date(2023, 1, 25)), NOW)
    with pytest.raises(AlreadySigned, match=rf"lpr signed agreement {ID} on 2023-01-25"):
        signing.sign(once, signature("lpr"), NOW)


def test_nobody_signs_again_what_is_in_force() -> None:
    with pytest.raises(AlreadySigned):
        signing.sign(IN_FORCE, signature("lpr"), NOW)


# A bug once: its signatures are not recorded, so all parties count as missing; the first signature takes it back to
# "partially signed", and the fourth tells a second time that it is in force.
def test_nobody_signs_again_what_was_signed_on_paper_before_this_system() -> None:
    with pytest.raises(Refused, match=ID):
        signing.sign(ON_PAPER, signature("lpr"), NOW)


def test_a_signature_is_not_dated_before_readiness() -> None:
    with pytest.raises(SignedBeforeReady, match=rf"lpr on 2023-01-19 is before agreement {ID} was ready on 2023-01-20"):
        signing.sign(ready(), signature("lpr", READY_ON - timedelta(days=1)), NOW)


def test_a_signature_may_be_dated_on_the_day_of_readiness() -> None:
    made, _ = signing.sign(ready(), signature("lpr", READY_ON), NOW)
    assert made.stage is Stage.PARTIALLY_SIGNED


def test_a_signature_is_not_dated_in_the_future() -> None:
    with pytest.raises(SignedInFuture, match=r"lpr on 2023-01-28 is in the future: today is 2023-01-27"):
        signing.sign(ready(), signature("lpr", TOMORROW), NOW)


def test_a_signature_is_published_with_the_parties_still_missing() -> None:
    police = Signature(
        party="police_directorate:PD Görlitz", person="J. Muster", function="Leiter des Führungsstabes", deputy=True,
        signed_on=TODAY, place="Görlitz", form=Form.REMOTE,
    )  # fmt: skip
    _, events = signing.sign(ready(), police, NOW)
    assert events == [
        AgreementSignedByParty(
            agreement_id=ID, municipalities=(ROTHENBURG.ref,), party="police_directorate:PD Görlitz",
            person="J. Muster", function="Leiter des Führungsstabes", deputy=True, signed_on=TODAY, place="Görlitz",
            form="remote", missing=("municipality:14626480", "lpr", "ministry"), text_sha256=ready().text_sha256,
        )
    ]  # fmt: skip


def test_a_deputy_signs_for_the_office() -> None:
    deputy = Signature(
        party="lpr", person="J. Muster", function="Referentin", deputy=True, signed_on=TODAY, place="Dresden"
    )
    made, _ = signing.sign(ready(), deputy, NOW)
    assert made.signatures == (deputy,)
    assert "lpr" not in made.missing


@given(st.permutations(drafted(ROTHENBURG, PIRNA).parties))
def test_in_whatever_order_it_is_in_force_with_the_last_signature_and_not_before(parties: list[str]) -> None:
    before, events_before = signed(ready(ROTHENBURG, PIRNA), *parties[:-1])
    after, events_after = signing.sign(before, signature(parties[-1]), NOW)
    assert (before.stage, after.stage) == (Stage.PARTIALLY_SIGNED, Stage.IN_FORCE)
    in_force = [isinstance(event, AgreementSigned) for event in (*events_before, *events_after)]
    assert in_force == [False] * len(parties) + [True]


@given(st.permutations(FOUR), st.lists(st.dates(READY_ON, TODAY), min_size=4, max_size=4))
def test_it_is_in_force_since_the_latest_signature(parties: list[str], days: list[date]) -> None:
    agreement, [*events] = drafting.make_ready(drafted(), READY_ON, NOW)
    for party, day in zip(parties, days, strict=True):
        agreement, events = signing.sign(agreement, signature(party, day), NOW)
    assert isinstance(events[-1], AgreementSigned)
    assert agreement.in_force_since == events[-1].in_force_since == max(days)


def test_an_agreement_in_force_is_published_with_its_term_and_action_fields() -> None:
    made = ready(terms=Terms(ends_on=date(2027, 12, 31)))
    _, events = signed(made, *FOUR)
    assert events[-1] == AgreementSigned(
        agreement_id=ID, municipalities=(ROTHENBURG.ref,), parties=FOUR, in_force_since=TODAY, action_fields=(),
        ends_on=date(2027, 12, 31),
    )  # fmt: skip


def test_three_signatures_are_enough_where_three_are_required() -> None:
    after, _ = signed(ready(terms=Terms(required=WITHOUT_MINISTRY)), *FOUR[:3])
    assert after.stage is Stage.IN_FORCE


@pytest.mark.parametrize(("agreement", "ready_on"), [(IN_FORCE, READY_ON), (ON_PAPER, TODAY)], ids=["here", "on paper"])
def test_an_agreement_in_force_knows_since_when_it_was_ready(agreement: Agreement, ready_on: date) -> None:
    assert agreement.ready_on == ready_on


def test_an_agreement_that_is_not_in_force_has_no_day_since_when() -> None:
    partially, _ = signed(ready(), *FOUR[:3])
    assert partially.in_force_since is None
