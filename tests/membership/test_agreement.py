from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.membership.domain import agreement as agreements
from services.membership.domain import municipality as municipalities
from services.membership.domain.agreement import (
    ACTIVE,
    DEFAULT_PARTIES,
    Agreement,
    AlreadyReady,
    AlreadySigned,
    Form,
    NoParty,
    NotAParty,
    NotReady,
    PartyKind,
    ReadyInFuture,
    Signature,
    SignedBeforeReady,
    SignedInFuture,
    Stage,
    draft,
    recorded,
)
from services.membership.domain.municipality import ActionField, Municipality
from shared.errors import Refused
from shared.events import Event
from shared.events.membership import AgreementDrafted, AgreementReady, AgreementSigned, AgreementSignedByParty
from tests.membership.examples import NOW, PIRNA, ROTHENBURG, TODAY, TOMORROW, ZITTAU

ID = "KV-2023-7QX4M2"
READY_ON = date(2023, 1, 20)
FOUR = ("municipality:14626480", "police_directorate:PD Görlitz", "lpr", "ministry")
WITHOUT_MINISTRY = (PartyKind.MUNICIPALITY, PartyKind.POLICE_DIRECTORATE, PartyKind.LPR)


def drafted(*covered: Municipality, required: tuple[PartyKind, ...] = DEFAULT_PARTIES) -> Agreement:
    made, _ = draft(ID, covered or [ROTHENBURG], required, NOW)
    return made


def ready(*covered: Municipality) -> Agreement:
    made, _ = drafted(*covered).make_ready(READY_ON, NOW)
    return made


def signature(party: str, signed_on: date = TODAY) -> Signature:
    return Signature(party=party, person="K. Muster", function="Amtsleitung", signed_on=signed_on, place="Zittau")


def signed(agreement: Agreement, *parties: str) -> tuple[Agreement, list[Event]]:
    told: list[Event] = []
    for party in parties:
        agreement, events = agreement.sign(signature(party), NOW)
        told += events
    return agreement, told


IN_FORCE, _ = signed(ready(), *FOUR)
ON_PAPER, _ = recorded(ID, ROTHENBURG, TODAY)


def test_four_must_sign_by_default() -> None:
    assert drafted().parties == FOUR


def test_three_may_do_without_the_ministry() -> None:
    assert drafted(required=WITHOUT_MINISTRY).parties == FOUR[:3]


def test_the_order_in_which_kinds_of_parties_are_required_does_not_matter() -> None:
    assert drafted(required=(*reversed(DEFAULT_PARTIES), PartyKind.LPR)).parties == FOUR


def test_in_a_joint_agreement_every_municipality_and_each_police_directorate_once_must_sign() -> None:
    assert drafted(PIRNA, ZITTAU, ROTHENBURG).parties == (
        "municipality:14626480", "municipality:14626610", "municipality:14628270",
        "police_directorate:PD Dresden", "police_directorate:PD Görlitz", "lpr", "ministry",
    )  # fmt: skip


def test_an_agreement_is_about_all_action_fields_of_its_municipalities() -> None:
    here, _ = ROTHENBURG.choose_action_fields([ActionField.GRAFFITI, ActionField.DRUGS])
    there, _ = ZITTAU.choose_action_fields([ActionField.VIOLENCE, ActionField.DRUGS])
    assert drafted(here, there).action_fields == (ActionField.DRUGS, ActionField.GRAFFITI, ActionField.VIOLENCE)


def test_a_draft_is_told_with_who_must_sign() -> None:
    _, events = draft(ID, [ROTHENBURG], DEFAULT_PARTIES, NOW)
    assert events == [AgreementDrafted(agreement_id=ID, municipalities=(ROTHENBURG.ref,), parties=FOUR)]


def test_the_day_of_drafting_is_the_day_in_saxony() -> None:
    made, _ = draft(ID, [ROTHENBURG], DEFAULT_PARTIES, datetime(2023, 1, 27, 23, 30, tzinfo=UTC))
    assert (made.drafted_on, made.stage) == (TOMORROW, Stage.DRAFT)


@pytest.mark.parametrize(("covered", "required"), [([], DEFAULT_PARTIES), ([ROTHENBURG], ())])
def test_nobody_drafts_an_agreement_of_nobody(covered: list[Municipality], required: tuple[PartyKind, ...]) -> None:
    with pytest.raises(NoParty, match=ID):
        draft(ID, covered, required, NOW)


def test_readiness_is_told_to_all_parties() -> None:
    made, events = drafted().make_ready(READY_ON, NOW)
    assert (made.stage, made.ready_on) == (Stage.READY, READY_ON)
    assert events == [
        AgreementReady(agreement_id=ID, municipalities=(ROTHENBURG.ref,), parties=FOUR, ready_on=READY_ON)
    ]


@pytest.mark.parametrize("further", [ready(), signed(ready(), "lpr")[0], IN_FORCE, ON_PAPER], ids=lambda one: one.stage)
def test_an_agreement_becomes_ready_only_once(further: Agreement) -> None:
    with pytest.raises(AlreadyReady, match=rf"{ID} is {further.stage}, ready since {further.ready_on}"):
        further.make_ready(TODAY, NOW)


def test_an_agreement_may_be_ready_today() -> None:
    made, _ = drafted().make_ready(TODAY, NOW)
    assert made.stage is Stage.READY


def test_an_agreement_is_not_ready_tomorrow() -> None:
    with pytest.raises(ReadyInFuture, match=rf"{ID} cannot be ready on 2023-01-28: today is 2023-01-27"):
        drafted().make_ready(TOMORROW, NOW)


def test_nobody_signs_before_it_is_ready() -> None:
    with pytest.raises(NotReady, match=rf"{ID} is draft"):
        drafted().sign(signature("lpr"), NOW)


def test_nobody_signs_who_is_no_party() -> None:
    with pytest.raises(NotAParty, match=r"municipality:14626610 is no party .* municipality:14626480, .* ministry$"):
        ready().sign(signature("municipality:14626610"), NOW)


def test_nobody_signs_twice() -> None:
    once, _ = ready().sign(signature("lpr", date(2023, 1, 25)), NOW)
    with pytest.raises(AlreadySigned, match=rf"lpr signed agreement {ID} on 2023-01-25"):
        once.sign(signature("lpr"), NOW)


def test_nobody_signs_again_what_is_in_force() -> None:
    with pytest.raises(AlreadySigned):
        IN_FORCE.sign(signature("lpr"), NOW)


# A bug once: its signatures are not recorded, so all parties count as missing; the first signature takes it back to
# "partially signed", and the fourth tells a second time that it is in force.
def test_nobody_signs_again_what_was_signed_on_paper_before_this_system() -> None:
    with pytest.raises(Refused, match=ID):
        ON_PAPER.sign(signature("lpr"), NOW)


def test_a_signature_is_not_dated_before_readiness() -> None:
    with pytest.raises(SignedBeforeReady, match=rf"lpr on 2023-01-19 is before agreement {ID} was ready on 2023-01-20"):
        ready().sign(signature("lpr", READY_ON - timedelta(days=1)), NOW)


def test_a_signature_may_be_dated_on_the_day_of_readiness() -> None:
    made, _ = ready().sign(signature("lpr", READY_ON), NOW)
    assert made.stage is Stage.PARTIALLY_SIGNED


def test_a_signature_is_not_dated_in_the_future() -> None:
    with pytest.raises(SignedInFuture, match=r"lpr on 2023-01-28 is in the future: today is 2023-01-27"):
        ready().sign(signature("lpr", TOMORROW), NOW)


def test_a_signature_is_told_with_who_is_still_missing() -> None:
    police = Signature(
        party="police_directorate:PD Görlitz", person="J. Muster", function="Leiter des Führungsstabes", deputy=True,
        signed_on=TODAY, place="Görlitz", form=Form.REMOTE,
    )  # fmt: skip
    _, events = ready().sign(police, NOW)
    assert events == [
        AgreementSignedByParty(
            agreement_id=ID, municipalities=(ROTHENBURG.ref,), party="police_directorate:PD Görlitz",
            person="J. Muster", function="Leiter des Führungsstabes", deputy=True, signed_on=TODAY, place="Görlitz",
            form="remote", missing=("municipality:14626480", "lpr", "ministry"),
        )
    ]  # fmt: skip


def test_a_deputy_signs_for_the_office() -> None:
    deputy = Signature(
        party="lpr", person="J. Muster", function="Referentin", deputy=True, signed_on=TODAY, place="Dresden"
    )
    made, _ = ready().sign(deputy, NOW)
    assert made.signatures == (deputy,)
    assert "lpr" not in made.missing


@given(st.permutations(drafted(ROTHENBURG, PIRNA).parties))
def test_in_whatever_order_it_is_in_force_with_the_last_signature_and_not_before(parties: list[str]) -> None:
    before, told_before = signed(ready(ROTHENBURG, PIRNA), *parties[:-1])
    after, told_after = before.sign(signature(parties[-1]), NOW)
    assert (before.stage, after.stage) == (Stage.PARTIALLY_SIGNED, Stage.IN_FORCE)
    in_force = [isinstance(event, AgreementSigned) for event in (*told_before, *told_after)]
    assert in_force == [False] * len(parties) + [True]


@given(st.permutations(FOUR), st.lists(st.dates(READY_ON, TODAY), min_size=4, max_size=4))
def test_it_is_in_force_since_the_latest_signature(parties: list[str], days: list[date]) -> None:
    agreement, told = ready(), list[Event]()
    for party, day in zip(parties, days, strict=True):
        agreement, told = agreement.sign(signature(party, day), NOW)
    assert isinstance(told[-1], AgreementSigned)
    assert agreement.in_force_since == told[-1].in_force_since == max(days)


def test_three_signatures_are_enough_where_three_are_required() -> None:
    made, _ = drafted(required=WITHOUT_MINISTRY).make_ready(READY_ON, NOW)
    after, _ = signed(made, *FOUR[:3])
    assert after.stage is Stage.IN_FORCE


def test_an_agreement_that_is_not_in_force_has_no_day_since_when() -> None:
    partially, _ = signed(ready(), *FOUR[:3])
    assert partially.in_force_since is None


def test_an_agreement_signed_on_paper_before_is_told_as_in_force() -> None:
    _, events = recorded(ID, ROTHENBURG, TODAY)
    assert events == [
        AgreementSigned(agreement_id=ID, municipalities=(ROTHENBURG.ref,), parties=FOUR, in_force_since=TODAY)
    ]


def test_a_municipality_has_one_agreement_in_whatever_stage_it_is() -> None:
    assert set(ACTIVE) == set(Stage)


def test_the_public_codes_of_the_refusals_stay_as_they_are() -> None:
    own = {
        kind.__name__: kind.code
        for module in (agreements, municipalities)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Refused) and kind.__module__ == module.__name__
    }
    stable = {
        "NoParty": "no_party",
        "NotAParty": "not_a_party",
        "NotReady": "agreement_not_ready",
        "AlreadyReady": "agreement_already_ready",
        "AlreadySigned": "already_signed",
        "SignedInFuture": "signature_in_future",
        "SignedBeforeReady": "signature_before_readiness",
        "ReadyInFuture": "readiness_in_future",
        "AgreementExists": "agreement_exists",
        "UnknownDistrict": "unknown_district",
        "DatedInFuture": "dated_in_future",
        "AlreadyMember": "already_member",
    }
    # A new refusal is compatible; one that is gone or renamed is not.
    assert stable.items() <= own.items()
