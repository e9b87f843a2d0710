import pytest

from shared.alliance.sizes import SizeClass, size_class


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
