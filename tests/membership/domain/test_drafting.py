from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.membership.domain import advising
from services.membership.domain.dates import Dissolved
from services.membership.domain.drafting import NoParty, Terms, draft, record
from services.membership.domain.municipality import Municipality
from services.membership.domain.parties import DEFAULT_PARTIES, PartyKind
from services.membership.domain.registry import merge
from services.membership.domain.template import FIELDS, STANDARD, Template, publish
from services.membership.domain.term import Stage, TooShort
from shared.alliance.action_fields import GERMAN, ActionField
from shared.events.membership.agreements import AgreementDrafted, AgreementRecorded, AgreementSigned
from shared.kernel.errors import Invalid
from tests.membership.examples import (
    FOUR,
    ID,
    JUST_AFTER_MIDNIGHT_IN_SAXONY,
    NOW,
    PIRNA,
    ROTHENBURG,
    STANDARD_TERMS,
    TODAY,
    TOMORROW,
    WITHOUT_MINISTRY,
    ZITTAU,
    drafted,
    municipality,
)

HERE, _ = advising.choose_action_fields(ROTHENBURG, [ActionField.GRAFFITI, ActionField.DRUGS])
THERE, _ = advising.choose_action_fields(ZITTAU, [ActionField.VIOLENCE, ActionField.DRUGS])


def written(text: str, *covered: Municipality, terms: Terms = STANDARD_TERMS) -> str:
    """What becomes of the text of a template."""
    template, _ = publish(Template(id=STANDARD), text)
    agreement, _ = draft(ID, covered or [HERE], terms, NOW, template)
    return agreement.text


def test_four_must_sign_by_default() -> None:
    assert drafted().parties == FOUR


def test_three_may_do_without_the_ministry() -> None:
    assert drafted(terms=Terms(required=WITHOUT_MINISTRY)).parties == FOUR[:3]


def test_without_an_order_it_does_not_matter_in_which_one_parties_are_required() -> None:
    assert drafted(terms=Terms(required=(*reversed(DEFAULT_PARTIES), PartyKind.LPR))).parties == FOUR


@given(st.permutations(DEFAULT_PARTIES))
def test_in_order_parties_sign_as_they_are_required(required: list[PartyKind]) -> None:
    parties = drafted(terms=Terms(required=tuple(required), ordered=True)).parties
    assert [party.partition(":")[0] for party in parties] == required


def test_in_a_joint_agreement_every_municipality_and_each_police_directorate_once_must_sign() -> None:
    assert drafted(PIRNA, ZITTAU, ROTHENBURG).parties == (
        "municipality:14626480", "municipality:14626610", "municipality:14628270",
        "police_directorate:PD Dresden", "police_directorate:PD Görlitz", "lpr", "ministry",
    )  # fmt: skip


def test_a_joint_agreement_covers_all_of_its_municipalities_in_the_order_of_their_keys() -> None:
    agreement = drafted(PIRNA, ROTHENBURG)
    assert agreement.municipalities == agreement.remaining == (ROTHENBURG.ref, PIRNA.ref)


def test_an_agreement_is_about_all_action_fields_of_its_municipalities() -> None:
    assert drafted(HERE, THERE).action_fields == (ActionField.DRUGS, ActionField.GRAFFITI, ActionField.VIOLENCE)


def test_a_draft_is_published_with_the_parties_that_must_sign() -> None:
    _, events = draft(ID, [ROTHENBURG], STANDARD_TERMS, NOW)
    assert events == [
        AgreementDrafted(
            agreement_id=ID, municipalities=(ROTHENBURG.ref,), parties=FOUR, drafted_on=TODAY, notice_months=3
        )
    ]


def test_a_draft_is_published_with_all_of_its_terms() -> None:
    terms = Terms(
        required=WITHOUT_MINISTRY, ordered=True, witnesses=("Staatsminister des Innern",), ends_on=date(2027, 12, 31),
        notice_months=6,
    )  # fmt: skip
    template, _ = publish(Template(id="gemeinsam"), "Vereinbarung")
    _, events = draft(ID, [HERE], terms, NOW, template)
    assert events == [
        AgreementDrafted(
            agreement_id=ID, municipalities=(ROTHENBURG.ref,), parties=FOUR[:3], action_fields=("drugs", "graffiti"),
            drafted_on=TODAY, witnesses=("Staatsminister des Innern",), ordered=True, ends_on=date(2027, 12, 31),
            notice_months=6, template="gemeinsam", template_version=1, text="Vereinbarung",
        )
    ]  # fmt: skip


def test_the_day_of_drafting_is_the_day_in_saxony() -> None:
    made, _ = draft(ID, [ROTHENBURG], STANDARD_TERMS, JUST_AFTER_MIDNIGHT_IN_SAXONY)
    assert (made.drafted_on, made.stage) == (TOMORROW, Stage.DRAFT)


@pytest.mark.parametrize(
    ("covered", "required"), [([], DEFAULT_PARTIES), ([ROTHENBURG], ())], ids=["no municipality", "no party"]
)
def test_nobody_drafts_an_agreement_of_nobody(covered: list[Municipality], required: tuple[PartyKind, ...]) -> None:
    with pytest.raises(NoParty, match=ID):
        draft(ID, covered, Terms(required=required), NOW)


def test_an_agreement_of_nobody_is_a_mistake_of_who_sent_it() -> None:
    assert issubclass(NoParty, Invalid)


def test_nobody_drafts_an_agreement_with_a_municipality_that_is_dissolved() -> None:
    merged, _ = merge(ROTHENBURG, ZITTAU, TODAY)
    with pytest.raises(Dissolved, match=r"Rothenburg/O\.L\. \(14626480\) belongs to 14626610 after 2023-01-26"):
        drafted(merged)


def test_an_agreement_is_drafted_until_the_last_day_of_a_municipality() -> None:
    merged, _ = merge(ROTHENBURG, ZITTAU, TOMORROW)
    assert drafted(merged).covered == ("14626480",)


def test_an_agreement_does_not_end_on_the_day_on_which_it_is_drafted() -> None:
    with pytest.raises(TooShort, match=rf"{ID} cannot end on 2023-01-27: today is 2023-01-27"):
        drafted(terms=Terms(ends_on=TODAY))


def test_an_agreement_is_drafted_with_the_last_version_of_its_text() -> None:
    first, _ = publish(Template(id=STANDARD), "Erste Fassung")
    template, _ = publish(first, "Zweite Fassung")
    agreement, _ = draft(ID, [ROTHENBURG], STANDARD_TERMS, NOW, template)
    assert (agreement.text, agreement.template, agreement.template_version) == ("Zweite Fassung", "kooperation", 2)


def test_a_draft_keeps_its_text_when_a_new_version_is_published() -> None:
    template, _ = publish(Template(id=STANDARD), "Erste Fassung")
    agreement, _ = draft(ID, [ROTHENBURG], STANDARD_TERMS, NOW, template)
    publish(template, "Zweite Fassung")
    assert (agreement.text, agreement.template_version) == ("Erste Fassung", 1)


@pytest.mark.parametrize(
    ("covered", "expected"),
    [
        ([ROTHENBURG], "Rothenburg/O.L."),
        ([ZITTAU, ROTHENBURG], "Rothenburg/O.L. und Zittau"),
        ([PIRNA, ZITTAU, ROTHENBURG], "Rothenburg/O.L., Zittau und Pirna"),
    ],
    ids=["one", "two", "three"],
)
def test_a_text_names_its_municipalities(covered: list[Municipality], expected: str) -> None:
    assert written("für ${kommunen}", *covered) == f"für {expected}"


def test_a_text_names_its_file_number() -> None:
    assert written("Aktenzeichen ${aktenzeichen}") == f"Aktenzeichen {ID}"


def test_a_text_names_its_parties_in_german() -> None:
    assert written("${vertragsparteien}") == (
        "- Rothenburg/O.L.\n- Polizeidirektion Görlitz\n- Landespräventionsrat Sachsen\n"
        "- Sächsisches Staatsministerium des Innern"
    )


def test_a_text_names_the_action_fields_of_all_its_municipalities_in_the_usual_order() -> None:
    assert written("${handlungsfelder}", THERE, HERE) == (
        "- Sachbeschädigung durch Graffiti\n- Gewalt\n- Drogenmissbrauch"
    )


def test_a_text_without_action_fields_leaves_them_to_the_parties() -> None:
    assert written("${handlungsfelder}", ROTHENBURG) == "- werden gemeinsam festgelegt"


def test_every_action_field_has_a_german_name() -> None:
    assert set(GERMAN) == set(ActionField)


@pytest.mark.parametrize(
    ("ends_on", "expected"), [(None, "unbefristet"), (date(2027, 3, 1), "bis zum 1. März 2027")], ids=str
)
def test_a_text_names_its_term(ends_on: date | None, expected: str) -> None:
    assert written("Sie gilt ${laufzeit}.", terms=Terms(ends_on=ends_on)) == f"Sie gilt {expected}."


@pytest.mark.parametrize(
    ("months", "expected"),
    [(0, "jederzeit"), (1, "mit einer Frist von einem Monat"), (3, "mit einer Frist von 3 Monaten")],
)
def test_a_text_names_its_period_of_notice(months: int, expected: str) -> None:
    assert written("${kuendigung}", terms=Terms(notice_months=months)) == expected


def test_every_field_of_a_text_is_filled_in() -> None:
    assert "$" not in written(" ".join(f"${{{field}}}" for field in FIELDS))


def test_the_text_that_is_loaded_can_be_filled_in() -> None:
    text = files("operations.demo").joinpath("data", "cooperation_agreement.txt").read_text(encoding="utf-8")
    assert "für Rothenburg/O.L." in written(text)


def test_a_name_that_looks_like_a_field_stays_as_it_is() -> None:
    strange = municipality("14626480", "Musterstadt ${laufzeit}", "Görlitz")
    assert written("${kommunen}", strange) == "Musterstadt ${laufzeit}"


def test_an_agreement_signed_on_paper_before_is_published_as_recorded_and_as_in_force() -> None:
    _, events = record(ID, ROTHENBURG, TODAY)
    assert events == [
        AgreementRecorded(agreement_id=ID, municipalities=(ROTHENBURG.ref,), parties=FOUR, in_force_since=TODAY),
        AgreementSigned(agreement_id=ID, municipalities=(ROTHENBURG.ref,), parties=FOUR, in_force_since=TODAY),
    ]


def test_an_agreement_signed_on_paper_before_is_in_force_without_signatures() -> None:
    on_paper, _ = record(ID, ROTHENBURG, TODAY)
    assert (on_paper.stage, on_paper.in_force_since, on_paper.signatures) == (Stage.IN_FORCE, TODAY, ())
