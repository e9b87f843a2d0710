"""Municipalities and a day to write tests about."""

from datetime import UTC, date, datetime

from services.membership.domain.municipality import Municipality, register

TODAY = date(2023, 1, 27)
TOMORROW = date(2023, 1, 28)
NOW = datetime(2023, 1, 27, 10, 30, tzinfo=UTC)


def municipality(ags: str, name: str, district: str) -> Municipality:
    """A municipality as it is when it has just been registered."""
    registered, _ = register(
        ags=ags, name=name, kind="Stadt", district=district, nuts3="DED2D", latitude=51.33, longitude=14.97
    )
    return registered


ROTHENBURG = municipality("14626480", "Rothenburg/O.L.", "Görlitz")
ZITTAU = municipality("14626610", "Zittau", "Görlitz")
PIRNA = municipality("14628270", "Pirna", "Sächsische Schweiz-Osterzgebirge")
