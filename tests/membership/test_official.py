import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.membership.domain.official import (
    POLICE_DIRECTORATE_OF,
    SizeClass,
    UnknownDistrict,
    police_directorate_of,
    searchable,
    searched,
    size_class,
)
from shared.errors import Invalid
from tests.membership.examples import official_list

LIST = official_list()
ASCII = str.maketrans("äöüßšćžńěóřł", "aoussczneorl")


def found(typed: str, *names: str | None) -> bool:
    return searched(typed) in searchable(*names)


@pytest.mark.parametrize(
    ("key", "expected"), {row["district_key"]: row["police_directorate"] for row in LIST}.items(), ids=str
)
def test_the_police_directorate_follows_from_the_district(key: str, expected: str) -> None:
    assert police_directorate_of(f"{key}999", "Musterstadt") == expected


def test_there_are_no_districts_but_those_of_the_official_list() -> None:
    assert set(POLICE_DIRECTORATE_OF) == {row["district_key"] for row in LIST}


@pytest.mark.parametrize("ags", ["12052000", "14", "", "1462"])
def test_a_municipality_outside_saxony_is_refused_with_its_key(ags: str) -> None:
    with pytest.raises(UnknownDistrict, match=rf"Cottbus \({ags}\) .* there is no {ags[:5]}"):
        police_directorate_of(ags, "Cottbus")


def test_an_unknown_district_is_a_mistake_of_who_sent_it() -> None:
    assert issubclass(UnknownDistrict, Invalid)


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


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("rothen", ("Rothenburg/O.L.", None)), ("ROTHENBURG/o.l.", ("Rothenburg/O.L.", None)),
        ("Bautzen", ("Bautzen", "Budyšin")), ("budysin", ("Bautzen", "Budyšin")), ("Budyšin", ("Bautzen", "Budyšin")),
        ("görlitz", ("Görlitz", "Zhorjelc")), ("goerlitz", ("Görlitz", "Zhorjelc")),
        ("gorlitz", ("Görlitz", "Zhorjelc")), ("GÖRLITZ", ("Görlitz", "Zhorjelc")),
        ("zhorj", ("Görlitz", "Zhorjelc")), ("Weißwasser", ("Weißwasser/O.L.", "Běła Woda")),
        ("weisswasser", ("Weißwasser/O.L.", "Běła Woda")), ("WEISSWASSER", ("Weißwasser/O.L.", "Běła Woda")),
        ("WEIẞWASSER", ("Weißwasser/O.L.", "Běła Woda")), ("běła", ("Weißwasser/O.L.", "Běła Woda")),
        ("bela woda", ("Weißwasser/O.L.", "Běła Woda")), ("grossrohrsdorf", ("Großröhrsdorf", None)),
        ("grossroehrsdorf", ("Großröhrsdorf", None)), ("großröhrsdorf", ("Großröhrsdorf", None)),
    ],
)  # fmt: skip
def test_a_municipality_is_found_however_it_is_spelled(typed: str, names: tuple[str, str | None]) -> None:
    assert found(typed, *names)


@pytest.mark.parametrize("typed", ["zittau", "goerlitzer", "rlitzz", "ö"])
def test_what_is_not_in_its_names_does_not_find_a_municipality(typed: str) -> None:
    assert not found(typed, "Bautzen", "Budyšin")


def test_names_are_searchable_in_each_way_of_spelling_once() -> None:
    assert searchable("Görlitz", "Zhorjelc", None, "Görlitz") == "goerlitz gorlitz zhorjelc"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("typed", ["Görlitz", "Běła Woda", "Budyšin"])
def test_however_a_keyboard_composes_letters_they_are_the_same(form: str, typed: str) -> None:
    assert searched(unicodedata.normalize(form, typed)) == searched(typed)  # type: ignore[arg-type]


def test_every_municipality_of_saxony_is_found_by_each_of_its_names() -> None:
    names = [(row["name"], row["name_sorbian"]) for row in LIST]
    assert all(found(each, *both) for both in names for each in both)


def test_every_municipality_of_saxony_is_found_without_german_and_sorbian_letters() -> None:
    names = [(row["name"], row["name_sorbian"]) for row in LIST]
    missing = [
        each for both in names for each in both if not found(each.lower().replace("ß", "ss").translate(ASCII), *both)
    ]
    assert missing == []


@given(st.text("abzäöüßšćžńěóřłÄÖÜẞŠŁ /.-"), st.text("abzäöüßšćžńěóřłÄÖÜẞŠŁ /.-"))
def test_whatever_the_name_whoever_types_it_finds_it(name: str, other: str) -> None:
    assert found(name, other, name)


@given(st.text("abzäöüßšćžńěóřłÄÖÜẞŠŁ /.-"))
def test_what_is_searched_holds_letters_of_every_keyboard_alone(typed: str) -> None:
    assert searched(typed).isascii()
