from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.load import rows
from services.membership.domain.municipality import (
    POLICE_DIRECTORATE_OF,
    ActionField,
    AlreadyMember,
    Consultation,
    DatedInFuture,
    Municipality,
    SizeClass,
    Stage,
    UnknownDistrict,
    register,
    size_class,
)
from shared.errors import Invalid
from shared.events.membership import (
    ActionFieldsChosen,
    ConsultationHeld,
    CooperationBegan,
    MemberJoined,
    MunicipalityRef,
    MunicipalityRegistered,
)
from tests.membership.examples import NOW, ROTHENBURG, TODAY, TOMORROW, municipality

HELD_TODAY = Consultation(held_on=TODAY, topics=("Graffiti",), next_step="Vereinbarung entwerfen")
MEMBER, _ = ROTHENBURG.join("KV-2023-7QX4M2", TODAY)
COOPERATING, _ = ROTHENBURG.begin_cooperation(TODAY, NOW)
JUST_AFTER_MIDNIGHT_IN_SAXONY = datetime(2023, 1, 27, 23, 30, tzinfo=UTC)


def at(stage: Stage) -> Municipality:
    return replace(ROTHENBURG, stage=stage)


def test_a_new_municipality_has_nothing_to_do_with_the_alliance_yet() -> None:
    assert (ROTHENBURG.stage, ROTHENBURG.consultations, ROTHENBURG.agreement_id) == (Stage.UNCONTACTED, (), None)


def test_registering_tells_the_official_data() -> None:
    official = {
        "ags": "14625020", "name": "Bautzen", "name_sorbian": "Budyšin", "kind": "Stadt", "district": "Bautzen",
        "nuts3": "DED2C", "latitude": 51.18, "longitude": 14.42, "population": 37_574,
    }  # fmt: skip
    _, events = register(**official)  # type: ignore[arg-type]
    derived = {"district_key": "14625", "police_directorate": "PD Görlitz"}
    assert events == [MunicipalityRegistered(**official, **derived)]  # type: ignore[arg-type]


def test_a_municipality_outside_saxony_is_refused_with_its_key() -> None:
    with pytest.raises(UnknownDistrict, match=r"Cottbus \(12052000\) .* there is no 12052"):
        municipality("12052000", "Cottbus", "Cottbus")


def test_an_unknown_district_is_a_mistake_of_who_sent_it() -> None:
    assert issubclass(UnknownDistrict, Invalid)


@pytest.mark.parametrize(
    ("ags", "expected"),
    {row["district_key"]: (row["ags"], row["police_directorate"]) for row in rows("municipalities.csv")}.values(),
)
def test_the_police_directorate_follows_from_the_district(ags: str, expected: str) -> None:
    assert municipality(ags, "Musterstadt", "Musterkreis").police_directorate == expected


def test_every_municipality_of_saxony_has_the_police_directorate_of_the_official_list() -> None:
    official = {(row["district_key"], row["police_directorate"]) for row in rows("municipalities.csv")}
    assert official == set(POLICE_DIRECTORATE_OF.items())


@pytest.mark.parametrize(
    ("population", "expected"),
    [
        (0, SizeClass.VILLAGE), (4_999, SizeClass.VILLAGE), (5_000, SizeClass.SMALL_TOWN),
        (19_999, SizeClass.SMALL_TOWN), (20_000, SizeClass.TOWN), (99_999, SizeClass.TOWN),
        (100_000, SizeClass.CITY), (628_718, SizeClass.CITY), (None, SizeClass.UNKNOWN),
    ],
)  # fmt: skip
def test_the_size_class_begins_at_its_limit(population: int | None, expected: SizeClass) -> None:
    assert size_class(population) is expected


def test_a_municipality_is_named_by_key_name_and_police_directorate() -> None:
    assert ROTHENBURG.ref == MunicipalityRef(ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Stage.UNCONTACTED, Stage.ADVISED), (Stage.INTERESTED, Stage.ADVISED), (Stage.ADVISED, Stage.ADVISED),
        (Stage.COOPERATING, Stage.COOPERATING), (Stage.MEMBER, Stage.MEMBER),
    ],
)  # fmt: skip
def test_a_consultation_leads_to_advised_and_never_back(before: Stage, after: Stage) -> None:
    advised, _ = at(before).hold_consultation(HELD_TODAY, NOW)
    assert advised.stage is after


def test_a_consultation_is_told_with_topics_and_next_step() -> None:
    _, events = ROTHENBURG.hold_consultation(HELD_TODAY, NOW)
    assert events == [
        ConsultationHeld(
            ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", held_on=TODAY,
            topics=("Graffiti",), next_step="Vereinbarung entwerfen",
        )
    ]  # fmt: skip


def test_every_consultation_is_kept_in_its_order() -> None:
    first, second = Consultation(held_on=date(2022, 5, 3)), Consultation(held_on=date(2022, 3, 1))
    once, _ = ROTHENBURG.hold_consultation(first, NOW)
    twice, _ = once.hold_consultation(second, NOW)
    assert twice.consultations == (first, second)


def test_a_consultation_of_tomorrow_is_refused_with_both_days() -> None:
    with pytest.raises(DatedInFuture, match=r"Rothenburg/O\.L\. \(14626480\) on 2023-01-28 .* today is 2023-01-27"):
        ROTHENBURG.hold_consultation(Consultation(held_on=TOMORROW), NOW)


def test_today_is_the_day_that_a_calendar_in_saxony_shows() -> None:
    advised, _ = ROTHENBURG.hold_consultation(Consultation(held_on=TOMORROW), JUST_AFTER_MIDNIGHT_IN_SAXONY)
    assert advised.stage is Stage.ADVISED


def test_a_consultation_may_be_without_a_day() -> None:
    advised, _ = ROTHENBURG.hold_consultation(Consultation(held_on=None), NOW)
    assert advised.stage is Stage.ADVISED


@given(st.lists(st.sampled_from(ActionField)))
def test_action_fields_are_sorted_and_without_doubles(chosen: list[ActionField]) -> None:
    changed, _ = ROTHENBURG.choose_action_fields(chosen)
    assert changed.action_fields == tuple(sorted(set(chosen)))


@given(st.lists(st.sampled_from(ActionField), min_size=1), st.randoms())
def test_choosing_the_same_action_fields_again_changes_nothing(chosen: list[ActionField], random: Random) -> None:
    changed, _ = ROTHENBURG.choose_action_fields(chosen)
    random.shuffle(chosen)
    assert changed.choose_action_fields(chosen) == (changed, [])


def test_action_fields_are_told_all_together() -> None:
    before, _ = ROTHENBURG.choose_action_fields([ActionField.GRAFFITI, ActionField.DRUGS])
    _, events = before.choose_action_fields([ActionField.VIOLENCE, ActionField.DRUGS])
    assert events == [
        ActionFieldsChosen(
            ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz",
            action_fields=("drugs", "violence"),
        )
    ]  # fmt: skip


def test_action_fields_can_be_given_up() -> None:
    before, _ = ROTHENBURG.choose_action_fields([ActionField.GRAFFITI])
    after, [told] = before.choose_action_fields([])
    assert isinstance(told, ActionFieldsChosen)
    assert after.action_fields == told.action_fields == ()


@pytest.mark.parametrize("before", [Stage.UNCONTACTED, Stage.INTERESTED, Stage.ADVISED])
def test_a_cooperation_begins_from_every_stage_before(before: Stage) -> None:
    cooperating, _ = at(before).begin_cooperation(TODAY, NOW)
    assert (cooperating.stage, cooperating.cooperating_since) == (Stage.COOPERATING, TODAY)


def test_a_cooperation_is_told_with_its_day() -> None:
    _, events = ROTHENBURG.begin_cooperation(TODAY, NOW)
    assert events == [
        CooperationBegan(ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", began_on=TODAY)
    ]


@pytest.mark.parametrize("already", [COOPERATING, MEMBER], ids=["cooperating", "member"])
def test_who_cooperates_already_does_not_begin_again(already: Municipality) -> None:
    assert already.begin_cooperation(date(2022, 1, 1), NOW) == (already, [])


def test_a_cooperation_from_tomorrow_is_refused_with_both_days() -> None:
    with pytest.raises(DatedInFuture, match=r"cooperation of Rothenburg.* on 2023-01-28 .* today is 2023-01-27"):
        ROTHENBURG.begin_cooperation(TOMORROW, NOW)


def test_a_cooperation_may_be_without_a_day() -> None:
    cooperating, [told] = ROTHENBURG.begin_cooperation(None, NOW)
    assert isinstance(told, CooperationBegan)
    assert cooperating.cooperating_since is told.began_on is None


@pytest.mark.parametrize("before", [stage for stage in Stage if stage is not Stage.MEMBER])
def test_an_agreement_in_force_makes_a_member_from_every_stage(before: Stage) -> None:
    member, _ = at(before).join("KV-2023-7QX4M2", TODAY)
    assert (member.stage, member.member_since, member.agreement_id) == (Stage.MEMBER, TODAY, "KV-2023-7QX4M2")


def test_a_new_member_is_told_with_what_it_works_on() -> None:
    chosen, _ = ROTHENBURG.choose_action_fields([ActionField.GRAFFITI, ActionField.DRUGS])
    _, events = chosen.join("KV-2023-7QX4M2", TODAY)
    assert events == [
        MemberJoined(
            ags="14626480", name="Rothenburg/O.L.", kind="Stadt", district_key="14626", district="Görlitz",
            police_directorate="PD Görlitz", agreement_id="KV-2023-7QX4M2", joined_on=TODAY,
            action_fields=("drugs", "graffiti"),
        )
    ]  # fmt: skip


def test_the_same_agreement_makes_a_member_only_once() -> None:
    assert MEMBER.join("KV-2023-7QX4M2", TOMORROW) == (MEMBER, [])


def test_a_member_does_not_join_by_a_second_agreement() -> None:
    with pytest.raises(AlreadyMember, match=r"Rothenburg/O\.L\. \(14626480\) .* KV-2023-7QX4M2"):
        MEMBER.join("KV-2024-000000", TODAY)
