import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.membership.domain.official import searchable, searched
from tests.membership.examples import official_list

LIST = official_list()
ASCII = str.maketrans("äöüßšćžńěóřł", "aoussczneorl")


def found(typed: str, *names: str | None) -> bool:
    return searched(typed) in searchable(*names)


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
