import pytest

from shared.alliance.districts import POLICE_DIRECTORATE_OF, UnknownDistrict, police_directorate_of
from shared.kernel.errors import Invalid
from tests.membership.examples import official_list

LIST = official_list()


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
