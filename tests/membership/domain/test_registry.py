from dataclasses import replace
from datetime import date

import pytest

from services.membership.domain.official import FormerName, searched
from services.membership.domain.registry import Official, merge, register, rename, update
from shared.alliance.districts import UnknownDistrict
from shared.alliance.sizes import SizeClass
from shared.events.membership.municipalities import (
    MunicipalityChanged,
    MunicipalityMerged,
    MunicipalityRegistered,
    MunicipalityRenamed,
)
from tests.membership.examples import COOPERATING, MEMBER, ROTHENBURG, TODAY, ZITTAU, drafted, municipality

NEW_YEAR = date(2023, 1, 1)
BAUTZEN = Official(
    ags="14625020", name="Bautzen", name_sorbian="Budyšin", kind="Stadt", district="Bautzen", nuts3="DED2C",
    latitude=51.18, longitude=14.42, population=37_574, predecessors=("14625999",),
)  # fmt: skip
AS_LISTED, _ = register(BAUTZEN)


def test_registering_publishes_the_official_data() -> None:
    _, events = register(BAUTZEN, valid_from=NEW_YEAR)
    assert events == [
        MunicipalityRegistered(
            ags="14625020", name="Bautzen", name_sorbian="Budyšin", kind="Stadt", district_key="14625",
            district="Bautzen", nuts3="DED2C", police_directorate="PD Görlitz", latitude=51.18, longitude=14.42,
            population=37_574, valid_from=NEW_YEAR, predecessors=("14625999",),
        )
    ]  # fmt: skip


def test_a_new_municipality_has_nothing_to_do_with_the_alliance_yet() -> None:
    untouched = (ROTHENBURG.consultations, ROTHENBURG.cooperations, ROTHENBURG.memberships)
    assert (ROTHENBURG.stage, *untouched) == ("uncontacted", (), (), ())


def test_a_new_municipality_has_its_size_class() -> None:
    assert AS_LISTED.size_class is SizeClass.TOWN


@pytest.mark.parametrize("typed", ["bautzen", "budysin"])
def test_a_new_municipality_is_found_by_both_of_its_names(typed: str) -> None:
    assert searched(typed) in AS_LISTED.search


def test_a_municipality_outside_saxony_is_not_registered() -> None:
    with pytest.raises(UnknownDistrict):
        municipality("12052000", "Cottbus", "Cottbus")


def test_a_new_name_is_published_with_the_former_one() -> None:
    _, events = rename(AS_LISTED, "Bautzen am See", "Budyšin", NEW_YEAR)
    assert events == [
        MunicipalityRenamed(
            ags="14625020", name="Bautzen am See", name_sorbian="Budyšin", police_directorate="PD Görlitz",
            former_name="Bautzen", former_name_sorbian="Budyšin", valid_from=NEW_YEAR,
        )
    ]  # fmt: skip


def test_a_former_name_is_kept_with_its_last_day() -> None:
    renamed, _ = rename(AS_LISTED, "Bautzen am See", None, NEW_YEAR)
    assert renamed.former_names == (
        FormerName(name="Bautzen", name_sorbian="Budyšin", until=date(2022, 12, 31)),
    )  # fmt: skip


@pytest.mark.parametrize("typed", ["bautzen am see", "budyšin", "spreestadt"])
def test_a_municipality_is_found_by_every_name_it_ever_had(typed: str) -> None:
    once, _ = rename(AS_LISTED, "Bautzen am See", None, NEW_YEAR)
    twice, _ = rename(once, "Spreestadt", None, TODAY)
    assert searched(typed) in twice.search


def test_the_same_name_is_no_new_one() -> None:
    assert rename(AS_LISTED, "Bautzen", "Budyšin", NEW_YEAR) == (AS_LISTED, [])


def test_a_sorbian_name_alone_may_change() -> None:
    renamed, _ = rename(AS_LISTED, "Bautzen", "Budysin", NEW_YEAR)
    assert (renamed.name, renamed.name_sorbian) == ("Bautzen", "Budysin")


def test_an_agreement_keeps_the_name_under_which_it_was_drafted() -> None:
    agreement = drafted(ROTHENBURG)
    renamed, _ = rename(ROTHENBURG, "Rothenburg an der Neiße", None, TODAY)
    assert agreement.municipalities != (renamed.ref,)


def test_newer_official_data_is_published_all_together() -> None:
    _, events = update(AS_LISTED, replace(BAUTZEN, population=38_000), NEW_YEAR)
    assert events == [
        MunicipalityChanged(
            ags="14625020", name="Bautzen", police_directorate="PD Görlitz", kind="Stadt", district="Bautzen",
            nuts3="DED2C", latitude=51.18, longitude=14.42, population=38_000, valid_from=NEW_YEAR,
        )
    ]  # fmt: skip


def test_with_its_inhabitants_a_municipality_changes_its_size_class() -> None:
    changed, _ = update(AS_LISTED, replace(BAUTZEN, population=120_000), NEW_YEAR)
    assert (changed.population, changed.size_class) == (120_000, SizeClass.CITY)


def test_the_same_official_data_changes_nothing() -> None:
    assert update(AS_LISTED, BAUTZEN, NEW_YEAR) == (AS_LISTED, [])


def test_a_name_is_changed_by_renaming_alone() -> None:
    changed, _ = update(AS_LISTED, replace(BAUTZEN, name="Bautzen am See", population=38_000), NEW_YEAR)
    assert (changed.name, changed.former_names) == ("Bautzen", ())


def test_new_official_data_leave_the_milestones_alone() -> None:
    official = Official(
        ags="14626480", name="Rothenburg/O.L.", kind="Stadt", district="Görlitz", nuts3="DED2D", latitude=51.0,
        longitude=15.0,
    )  # fmt: skip
    changed, _ = update(COOPERATING, official, NEW_YEAR)
    assert (changed.stage, changed.cooperations) == (COOPERATING.stage, COOPERATING.cooperations)


def test_a_merger_is_published_with_the_last_day_and_the_successor() -> None:
    _, events = merge(ROTHENBURG, ZITTAU, NEW_YEAR)
    assert events == [
        MunicipalityMerged(
            ags="14626480", name="Rothenburg/O.L.", police_directorate="PD Görlitz", successor="14626610",
            successor_name="Zittau", valid_to=date(2022, 12, 31),
        )
    ]  # fmt: skip


def test_a_merged_municipality_knows_its_last_day_and_successor() -> None:
    merged, _ = merge(ROTHENBURG, ZITTAU, NEW_YEAR)
    assert (merged.valid_to, merged.successor) == (date(2022, 12, 31), "14626610")


def test_a_municipality_is_merged_into_another_one_once() -> None:
    merged, _ = merge(ROTHENBURG, ZITTAU, NEW_YEAR)
    assert merge(merged, ZITTAU, TODAY) == (merged, [])


def test_a_merged_member_is_a_member_until_its_agreement_ends() -> None:
    merged, _ = merge(MEMBER, ZITTAU, NEW_YEAR)
    assert merged.is_member
