"""What a newer list of municipalities changes, and what stands against it."""

import re
import unicodedata
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.membership.domain.list_diff import (
    ListDiff,
    Merged,
    NewDatum,
    Renamed,
)
from services.membership.domain.municipality import Municipality
from services.membership.domain.municipality_list import compare
from services.membership.domain.registry import Official, register, rename
from shared.events.membership.municipalities import (
    MunicipalityChanged,
    MunicipalityMerged,
    MunicipalityRegistered,
    MunicipalityRenamed,
)
from tests.membership.domain.listed import (
    ALL,
    ARZBERG,
    BEILRODE,
    DAY,
    ELBAUE,
    FORMER,
    LAST_DAY,
    SAXONY,
    TODAY,
    TORGAU,
    applied,
    codes,
    compared,
    row,
    stored,
)


def test_the_same_list_changes_nothing() -> None:
    changes = compared(TORGAU, ARZBERG, BEILRODE)
    assert changes == ListDiff(valid_from=DAY, added=(), renamed=(), merged=(), changed=(), unchanged=3)


def test_a_new_municipality_is_added_with_all_its_data() -> None:
    new = row("14730902", "Neuland", name_sorbian="Nowy kraj", population=None)
    changes = compared(ARZBERG, BEILRODE, TORGAU, new)
    assert (changes.added, changes.unchanged, changes.problems) == ((new,), 3, ())
    state, events = changes.registered()[new.ags]
    assert (state.valid_from, state.police_directorate, state.population) == (DAY, "PD Leipzig", None)
    assert [type(event) for event in events] == [MunicipalityRegistered]


def test_a_rename_tells_both_names_and_keeps_the_former() -> None:
    changes = compared(ARZBERG, BEILRODE, replace(TORGAU, name="Torgau an der Elbe"))
    assert changes.renamed == (
        Renamed(ags=TORGAU.ags, old="Torgau", new="Torgau an der Elbe", old_sorbian=None, new_sorbian=None),
    )
    [former] = applied(changes, SAXONY)[2].former_names
    assert (former.name, former.until) == ("Torgau", LAST_DAY)


def test_another_sorbian_name_is_a_rename_too() -> None:
    changes = compared(ARZBERG, BEILRODE, replace(TORGAU, name_sorbian="Turgow"))
    assert [(one.old_sorbian, one.new_sorbian) for one in changes.renamed] == [(None, "Turgow")]


@pytest.mark.parametrize(
    ("field", "new"),
    [
        ("kind", "Stadt"), ("district", "Landkreis Nordsachsen"), ("nuts3", "DED5X"), ("latitude", 51.6),
        ("longitude", 13.0), ("population", 2_001), ("population", None),
    ],
)  # fmt: skip
def test_changed_data_are_shown_field_by_field(field: str, new: Any) -> None:
    changes = compared(ARZBERG, BEILRODE, replace(TORGAU, **{field: new}))
    [changed] = changes.changed
    assert (changed.ags, changed.name) == (TORGAU.ags, "Torgau")
    assert changed.fields == (NewDatum(field=field, old=getattr(TORGAU, field), new=new),)
    assert getattr(applied(changes, SAXONY)[2], field) == new


def test_a_rename_with_other_changes_has_an_event_of_each() -> None:
    changes = compared(ARZBERG, BEILRODE, replace(TORGAU, name="Neu-Torgau", population=7))
    assert changes.unchanged == 2
    _, events = changes.decisions({})[TORGAU.ags](SAXONY[2])
    assert [type(event) for event in events] == [MunicipalityRenamed, MunicipalityChanged]


def test_two_municipalities_become_a_new_one() -> None:
    changes = compared(TORGAU, ELBAUE)
    assert [one.name for one in changes.added] == ["Elbaue"]
    assert changes.merged == (
        Merged(ags="14730010", name="Arzberg", successor="14730901", successor_name="Elbaue"),
        Merged(ags="14730030", name="Beilrode", successor="14730901", successor_name="Elbaue"),
    )
    after = {one.ags: one for one in applied(changes, SAXONY)}
    assert (after["14730010"].valid_to, after["14730010"].successor) == (LAST_DAY, "14730901")
    assert after["14730901"].predecessors == ("14730010", "14730030")


def test_one_municipality_goes_into_another_under_its_new_name() -> None:
    changes = compared(BEILRODE, replace(TORGAU, name="Neu-Torgau", predecessors=("14730010",)))
    [event] = changes.decisions({one.ags: one for one in SAXONY})["14730010"](SAXONY[0])[1]
    assert isinstance(event, MunicipalityMerged)
    assert (event.successor, event.successor_name, event.valid_to) == (TORGAU.ags, "Neu-Torgau", LAST_DAY)


def test_a_municipality_with_another_key_is_merged_into_itself() -> None:
    changes = compared(ARZBERG, BEILRODE, row("14730999", "Torgau", predecessors=(TORGAU.ags,)))
    assert ([one.ags for one in changes.added], [one.ags for one in changes.merged]) == (["14730999"], [TORGAU.ags])
    assert changes.problems == ()


def test_former_municipalities_are_left_alone() -> None:
    known = [FORMER, *SAXONY[1:]]
    for now in (TORGAU, replace(TORGAU, predecessors=(FORMER.ags,))):
        changes = compared(BEILRODE, now, known=known)
        assert (changes.merged, changes.unchanged, changes.problems) == ((), 2, ())


@pytest.mark.parametrize(("old", "new"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_names_that_only_differ_in_how_accents_are_composed_are_the_same(
    old: Literal["NFC", "NFD"], new: Literal["NFC", "NFD"]
) -> None:
    before, after = (
        row("14626110", unicodedata.normalize(form, "Görlitz"), name_sorbian=unicodedata.normalize(form, "Zhorjelć"))
        for form in (old, new)
    )
    assert before != after
    assert compared(after, known=stored(before)).unchanged == 1


@pytest.mark.parametrize(
    ("rows", "code", "said"),
    [
        ([ARZBERG, BEILRODE], "gone_without_successor", r"Torgau \(14730310\) .* add its row, or write its ags"),
        ([*ALL, TORGAU], "duplicate_ags", r"row 4, Torgau \(14730310\): its ags stands in row 3, too"),
        ([*ALL, row("1473031", "X")], "malformed_ags", r"row 4, X \(1473031\): an ags has exactly 8 digits"),
        ([*ALL, row("١٤٧٣٠٣١١", "X")], "malformed_ags", r"row 4, X .* 8 digits"),
        ([*ALL, row("12052000", "Cottbus")], "unknown_district", r"row 4, Cottbus .* no district 12052 in Saxony"),
        ([*ALL, row("14730902", " ")], "name_empty", r"row 4 \(14730902\): it has no name"),
        (
            [BEILRODE, TORGAU, replace(ELBAUE, predecessors=("14730010", "14730011"))],
            "predecessor_unknown",
            r"row 3, Elbaue \(14730901\): its predecessor 14730011 is not known",
        ),
        ([BEILRODE, TORGAU, ELBAUE], "predecessor_in_list", r"predecessor Beilrode \(14730030\) is still in the list"),
        (
            [TORGAU, ELBAUE, row("14730902", "Au", predecessors=("14730010",))],
            "second_successor",
            r"row 3, Au \(14730902\): its predecessor Arzberg \(14730010\) belongs to 14730901",
        ),
    ],
)
def test_a_problem_says_what_and_where_and_how_to_mend_it(rows: list[Official], code: str, said: str) -> None:
    changes = compared(*rows)
    assert codes(changes) == [code]
    assert re.match(f".*{said}", changes.problems[0].message), changes.problems[0].message


def test_a_former_municipality_does_not_come_back() -> None:
    changes = compared(*ALL, known=[FORMER, *SAXONY[1:]])
    assert codes(changes) == ["former_in_list"]
    assert "row 1, Arzberg (14730010): it was dissolved on 2022-12-31" in changes.problems[0].message


def test_a_former_municipality_has_one_successor_for_good() -> None:
    changes = compared(replace(BEILRODE, predecessors=(FORMER.ags,)), TORGAU, known=[FORMER, *SAXONY[1:]])
    assert codes(changes) == ["second_successor"]
    assert "belongs to 14730310" in changes.problems[0].message


def test_a_list_of_tomorrow_has_to_wait() -> None:
    changes = compared(*ALL, valid_from=TODAY + timedelta(days=1))
    assert codes(changes) == ["valid_from_in_future"]
    assert compared(*ALL, valid_from=TODAY).problems == ()


@pytest.mark.parametrize(
    "changed_on_new_year",
    [
        register(TORGAU, DAY)[0],
        replace(SAXONY[2], valid_to=LAST_DAY, successor="14730010"),
        rename(SAXONY[2], "Neu-Torgau", None, DAY)[0],
    ],
)
def test_a_list_is_not_older_than_what_is_stored(changed_on_new_year: Municipality) -> None:
    known = [*SAXONY[:2], changed_on_new_year]
    assert codes(compare(known, [], LAST_DAY, TODAY))[0] == "valid_from_outdated"
    assert "valid_from_outdated" not in codes(compare(known, [], DAY, TODAY))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Municipality], list[Official]]:
    """Municipalities, and a newer list of them without problems."""
    names = st.sampled_from(["Au", "Bad Düben", "Löbnitz", "Görlitz", "Weißig"])
    keys = draw(st.lists(st.integers(10, 40), min_size=1, max_size=12, unique=True))
    old = [row(f"147300{key}", draw(names), population=draw(st.none() | st.integers(0, 9))) for key in keys]
    new = [row(f"147300{key}", draw(names)) for key in draw(st.lists(st.integers(50, 60), max_size=3, unique=True))]
    stays = [draw(st.booleans()) for _ in old]
    kept = [one for one, yes in zip(old, stays, strict=True) if yes]
    listed = [*new, *(replace(one, name=draw(names), population=draw(st.none() | st.integers(0, 9))) for one in kept)]
    if not listed:
        return stored(*old), old
    for one in old:
        if one not in kept:
            place = draw(st.integers(0, len(listed) - 1))
            listed[place] = replace(listed[place], predecessors=(*listed[place].predecessors, one.ags))
    return stored(*old), listed


@given(world=worlds(), seed=st.integers())
def test_order_does_not_matter_and_a_list_that_was_applied_changes_nothing(
    world: tuple[list[Municipality], list[Official]], seed: int
) -> None:
    known, listed = world
    changes = compared(*listed, known=known)
    assert changes.problems == ()

    shuffled = Random(seed).sample(listed, len(listed))  # noqa: S311
    states = Random(seed).sample(known, len(known))  # noqa: S311
    assert compared(*shuffled, known=states).digest == changes.digest

    again = compared(*shuffled, known=applied(changes, known))
    assert again == ListDiff(valid_from=DAY, added=(), renamed=(), merged=(), changed=(), unchanged=len(listed))
