import csv
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from operations.embedded.servers import EmbeddedServers
from services.membership.domain import advising, councils
from services.membership.domain.milestones import Consultation, Stage
from services.membership.domain.municipality import Municipality
from services.membership.domain.official import ATTRIBUTION
from services.membership.domain.registry import Official, merge, register, rename
from services.membership.queries.directory import Wanted, as_csv, as_geojson, member_since
from services.membership.queries.figures import DayInFuture, Figure
from shared.alliance.action_fields import ActionField
from shared.alliance.sizes import SizeClass
from tests.membership.examples import LEFT, MEMBER, NOW, PIRNA, ROTHENBURG, TODAY, TOMORROW, ZITTAU
from tests.membership.queries.archive import Archive

BAUTZEN, _ = register(
    Official(
        ags="14625020", name="Bautzen", name_sorbian="Budyšin", kind="Stadt", district="Bautzen", nuts3="DED2C",
        latitude=51.18, longitude=14.42, population=38_000,
    )
)  # fmt: skip
GOERLITZ, _ = register(
    Official(
        ags="14626110", name="Görlitz", kind="Stadt", district="Görlitz", nuts3="DED2D", latitude=51.15, longitude=14.98
    )
)
RENAMED, _ = rename(replace(ZITTAU, prevention_councils=()), "Zittau im Gebirge (a.b)", None, date(2022, 1, 1))
WITH_COUNCIL, _ = councils.note_prevention_council(GOERLITZ, date(2023, 1, 9), NOW, meets=True)
MERGED, _ = merge(
    advising.hold_consultation(PIRNA, Consultation(held_on=date(2022, 5, 5)), NOW)[0], GOERLITZ, date(2023, 1, 1)
)
ACTIVE, _ = advising.choose_action_fields(MEMBER, [ActionField.GRAFFITI, ActionField.DRUGS])

PLACES = {"bautzen": BAUTZEN, "goerlitz": WITH_COUNCIL, "zittau": RENAMED, "pirna": MERGED, "rothenburg": ACTIVE}


@pytest.fixture(scope="module")
async def archive(servers: EmbeddedServers) -> AsyncIterator[Archive]:
    made = Archive(servers)
    await made.open()
    await made.keep(*PLACES.values())
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        ({}, "bautzen goerlitz rothenburg zittau"),
        ({"former": True}, "bautzen goerlitz pirna rothenburg zittau"),
        ({"on": date(2022, 12, 31)}, "bautzen goerlitz pirna rothenburg zittau"),
        ({"q": "Görl"}, "goerlitz"),
        ({"q": "goerl"}, "goerlitz"),
        ({"q": "GORLITZ"}, "goerlitz"),
        ({"q": "budysin"}, "bautzen"),
        ({"q": "Budyšin"}, "bautzen"),
        ({"q": "burg/o.l"}, "rothenburg"),
        ({"q": "rothenburg o"}, ""),
        ({"q": "  zittau   im "}, "zittau"),
        ({"q": "(a.b)"}, "zittau"),
        ({"q": "."}, "rothenburg zittau"),
        ({"q": ".*"}, ""),
        ({"q": "a|e"}, ""),
        ({"q": "("}, "zittau"),
        ({"q": "\\"}, ""),
        ({"q": "$"}, ""),
        ({"q": "^"}, ""),
        ({"q": "  "}, "bautzen goerlitz rothenburg zittau"),
        ({"q": "pirna"}, ""),
        ({"q": "pirna", "former": True}, "pirna"),
        ({"stage": Stage.MEMBER}, "rothenburg"),
        ({"district": "14626"}, "goerlitz rothenburg zittau"),
        ({"police_directorate": "PD Görlitz"}, "bautzen goerlitz rothenburg zittau"),
        ({"police_directorate": "PD Dresden"}, ""),
        ({"size_class": SizeClass.TOWN}, "bautzen"),
        ({"action_field": ActionField.DRUGS}, "rothenburg"),
        ({"action_field": ActionField.YOUTH}, ""),
        ({"council": True}, "goerlitz"),
        ({"council": False}, "bautzen rothenburg zittau"),
        ({"council": True, "on": date(2023, 1, 8)}, ""),
        ({"figure": Figure.MEMBERS}, "rothenburg"),
        ({"figure": Figure.MEMBERS, "on": date(2023, 1, 26)}, ""),
        ({"figure": Figure.ADVISED}, ""),
        ({"figure": Figure.ADVISED, "on": date(2022, 6, 1)}, "pirna"),
        ({"stage": Stage.MEMBER, "q": "zittau"}, ""),
    ],
)
async def test_who_looks_for_municipalities_finds_them(archive: Archive, wanted: dict[str, Any], places: str) -> None:
    found = await archive.records.municipalities.all(Wanted(**wanted).filter(TODAY))
    assert {one.ags for one in found} == {PLACES[place].ags for place in places.split()}


def test_nobody_looks_into_the_future() -> None:
    with pytest.raises(DayInFuture):
        Wanted(on=TOMORROW).filter(TODAY)


@pytest.mark.parametrize(
    ("one", "day", "since"),
    [
        (MEMBER, TODAY, TODAY),
        (MEMBER, date(2023, 1, 26), None),
        (LEFT, TODAY, TODAY),
        (LEFT, TOMORROW, None),
        (ROTHENBURG, TODAY, None),
    ],
)
def test_a_member_is_one_from_its_first_day_to_its_last(one: Municipality, day: date, since: date | None) -> None:
    assert member_since(one, day) == since


def table(*municipalities: Municipality) -> list[dict[str, str]]:
    return list(csv.DictReader(as_csv(municipalities, TODAY).splitlines()))


def test_the_table_has_a_row_for_each_municipality() -> None:
    bautzen, rothenburg = table(BAUTZEN, ACTIVE)
    assert bautzen == {
        "ags": "14625020", "name": "Bautzen", "name_sorbian": "Budyšin", "kind": "Stadt", "district_key": "14625",
        "district": "Bautzen", "nuts3": "DED2C", "police_directorate": "PD Görlitz", "population": "38000",
        "size_class": "town", "latitude": "51.18", "longitude": "14.42", "stage": "uncontacted", "member_since": "",
        "action_fields": "", "attribution": ATTRIBUTION,
    }  # fmt: skip
    assert (rothenburg["member_since"], rothenburg["action_fields"]) == ("2023-01-27", "drugs graffiti")


def test_whose_data_it_is_stands_in_the_last_column() -> None:
    assert list(table(BAUTZEN)[0])[-1] == "attribution"


def test_an_empty_table_still_names_its_columns() -> None:
    assert as_csv([], TODAY).startswith("ags,name,")


@pytest.mark.parametrize("name", ["=1+1", "+49", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_name_becomes_a_formula(name: str) -> None:
    cells = next(csv.reader([as_csv([replace(BAUTZEN, name=name)], TODAY).partition("\r\n")[2]]))
    assert cells[1] == f"'{name}"


def test_a_name_with_commas_and_quotes_stays_one_cell() -> None:
    assert table(replace(BAUTZEN, name='Bad "X", Y'))[0]["name"] == 'Bad "X", Y'


def test_a_map_has_a_point_for_each_municipality_and_says_whose_data_it_is() -> None:
    shown = as_geojson([ACTIVE], TODAY)
    [point] = shown["features"]
    assert (shown["type"], shown["attribution"]) == ("FeatureCollection", ATTRIBUTION)
    assert (point["type"], point["id"]) == ("Feature", ROTHENBURG.ags)
    assert point["geometry"] == {"type": "Point", "coordinates": [14.97, 51.33]}
    assert (point["properties"]["stage"], point["properties"]["member_since"]) == (Stage.MEMBER, TODAY)
