"""Size classes of municipalities."""

from enum import StrEnum


class SizeClass(StrEnum):
    """A municipality's size by inhabitants: village < 5,000, small town < 20,000, town < 100,000, else city."""

    VILLAGE = "village"
    SMALL_TOWN = "small_town"
    TOWN = "town"
    CITY = "city"
    UNKNOWN = "unknown"


def size_class(population: int | None) -> SizeClass:
    """The size class of a number of inhabitants; UNKNOWN for None."""
    if population is None:
        return SizeClass.UNKNOWN
    limits = ((5_000, SizeClass.VILLAGE), (20_000, SizeClass.SMALL_TOWN), (100_000, SizeClass.TOWN))
    return next((size for limit, size in limits if population < limit), SizeClass.CITY)
