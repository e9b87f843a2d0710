"""Reads over HTTP: the figures of any day, the directory in three formats, the board, journeys."""

import csv
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from operations.demo.accessions import LPR, Staff, Town, accepted
from operations.demo.story import GOERLITZ, MAYOR, MAYOR_OF_GOERLITZ, POLICE, ROTHENBURG
from services.membership.domain.official import ATTRIBUTION
from shared.web.rights import Actor
from tests.stories.test_refusals import refused

API = "/membership/v1"
FIGURES = ("advised", "working_closely", "members", "councils")
EVE = "2023-01-26"
TOWN = Town("14627360", "PD Dresden")


class Reader:
    """A reader with the rights of one actor."""

    def __init__(self, staff: Staff, who: Actor) -> None:
        self._staff, self._who = staff, who

    async def ask(self, path: str, **query: Any) -> httpx.Response:
        return await self._staff.get(self._who, f"{API}{path}?{urlencode(query)}")

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        return accepted(await self.ask(path, **query))

    async def keys(self, **query: Any) -> list[str]:
        """Return the keys of all matching municipalities, over any number of pages."""
        page = await self.get("/municipalities", **query)
        more = await self.keys(**query | {"cursor": page["next"]}) if page["next"] else []
        return [one["ags"] for one in page["items"]] + more


@pytest.fixture
def lpr(staff: Staff) -> Reader:
    return Reader(staff, LPR)


@pytest.fixture
def police(staff: Staff) -> Reader:
    return Reader(staff, POLICE)


@pytest.fixture
def mayor(staff: Staff) -> Reader:
    return Reader(staff, MAYOR)


# Figures


async def test_the_eve_of_the_story_had_46_members_and_still_has(lpr: Reader) -> None:
    found = await lpr.get("/alliance", on=EVE)
    assert (found["on"], found["members"]) == (EVE, 46)


async def test_everybody_may_know_the_figures(lpr: Reader, mayor: Reader) -> None:
    assert await mayor.get("/alliance", on=EVE) == await lpr.get("/alliance", on=EVE)


async def test_without_a_day_the_figures_are_those_of_today(lpr: Reader) -> None:
    assert (await lpr.get("/alliance"))["on"] == "2023-01-27"


@pytest.mark.parametrize("path", ["/alliance", "/municipalities", "/municipalities.csv", "/municipalities.geojson"])
async def test_nobody_reads_the_future(lpr: Reader, path: str) -> None:
    refused(await lpr.ask(path, on="2023-01-28"), 400, "day_in_future", "2023-01-28", "2023-01-27")


@pytest.mark.parametrize("day", [EVE, "2023-01-27", "2021-06-30"])
@pytest.mark.parametrize("figure", FIGURES)
async def test_behind_every_figure_stands_a_list_as_long_as_it_says(lpr: Reader, figure: str, day: str) -> None:
    found = await lpr.get("/alliance", on=day)
    assert len(await lpr.keys(figure=figure, on=day, limit=200)) == found[figure]
    for name, group in found["by_police_directorate"].items():
        listed = await lpr.keys(figure=figure, on=day, police_directorate=name, limit=200)
        assert len(listed) == group[figure]


async def test_the_figures_by_size_class_are_lists_too(lpr: Reader) -> None:
    found = await lpr.get("/alliance", on=EVE)
    for size, group in found["by_size_class"].items():
        assert len(await lpr.keys(figure="members", on=EVE, size_class=size, limit=200)) == group["members"]


# Directory


async def test_pages_of_a_narrowed_list_have_no_gap_and_no_double(lpr: Reader) -> None:
    all = await lpr.keys(district="14626", limit=200)
    assert all == sorted(set(all))
    assert await lpr.keys(district="14626", limit=7) == all


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({"q": "görl"}, [GOERLITZ]),
        ({"q": "Rothenburg"}, [ROTHENBURG]),
        ({"q": ".*"}, []),
        ({"q": "[a-z]"}, []),
        ({"q": "Görlitz", "district": "14612"}, []),
        ({"q": "Görlitz", "police_directorate": "PD Görlitz", "size_class": "town"}, [GOERLITZ]),
    ],
)
async def test_a_municipality_is_found(lpr: Reader, query: dict[str, str], keys: list[str]) -> None:
    assert await lpr.keys(**query) == keys


async def test_everybody_finds_only_what_is_theirs(police: Reader, mayor: Reader) -> None:
    assert all(ags.startswith(("14625", "14626")) for ags in await police.keys(limit=200))
    assert await police.keys(police_directorate="PD Dresden") == []
    assert await mayor.keys() == [ROTHENBURG]
    assert await mayor.keys(q="Görlitz", former=True) == []


@pytest.mark.parametrize(
    "query",
    [
        {"stage": "nonsense"}, {"figure": "all"}, {"size_class": "big"}, {"action_field": "x"}, {"council": "perhaps"},
        {"on": "yesterday"}, {"on": "20230126"}, {"district": "146"}, {"district": "1462\n"}, {"q": "a\0"},
        {"q": "a" * 101}, {"limit": "0"}, {"limit": "201"}, {"cursor": "%"},
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused(lpr: Reader, query: dict[str, str]) -> None:
    answer = await lpr.ask("/municipalities", **query)
    refused(answer, 400, answer.json()["code"])
    assert answer.json()["code"] in {"invalid_request", "invalid"}


async def test_the_directory_is_a_table_too(lpr: Reader) -> None:
    answer = await lpr.ask("/municipalities.csv", figure="members", on=EVE)
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert answer.headers["content-type"] == "text/csv; header=present; charset=utf-8"
    assert 'filename="municipalities.csv"' in answer.headers["content-disposition"]
    assert [row["ags"] for row in rows] == await lpr.keys(figure="members", on=EVE, limit=200)
    assert all(row["member_since"] <= EVE and row["attribution"] == ATTRIBUTION for row in rows)


async def test_the_directory_is_a_map_too(lpr: Reader) -> None:
    answer = await lpr.ask("/municipalities.geojson")
    shown = answer.json()
    assert answer.headers["content-type"] == "application/geo+json"
    assert (shown["type"], shown["attribution"]) == ("FeatureCollection", ATTRIBUTION)
    assert [point["id"] for point in shown["features"]] == await lpr.keys(limit=200)
    for point in shown["features"]:
        longitude, latitude = point["geometry"]["coordinates"]
        assert 11.8 < longitude < 15.1
        assert 50.1 < latitude < 51.7


@pytest.mark.parametrize("form", ["csv", "geojson"])
async def test_files_hold_only_what_is_theirs(mayor: Reader, form: str) -> None:
    text = (await mayor.ask(f"/municipalities.{form}")).text
    assert ROTHENBURG in text
    assert GOERLITZ not in text


# Next steps


@pytest.fixture(scope="module")
async def agreement(staff: Staff) -> str:
    """An agreement of TOWN that is ready for signature."""
    return await staff.ready_agreement(TOWN)


async def test_the_board_says_who_is_waited_for(lpr: Reader, agreement: str) -> None:
    found = await lpr.get("/board", waiting_for="ministry", step="sign", police_directorate="PD Dresden", limit=200)
    [row] = [row for row in found["items"] if row["of"] == agreement]
    assert (row["ags"], row["since"], row["days"]) == (TOWN.ags, "2023-01-27", 0)
    assert row["waiting_for"] == [party for _, party in TOWN.signatures]


async def test_everybody_has_a_board_of_their_own(police: Reader, staff: Staff, agreement: str) -> None:
    mine = await Reader(staff, TOWN.office).get("/board")
    assert [(row["ags"], row["of"]) for row in mine["items"]] == [(TOWN.ags, agreement)]
    assert {row["police_directorate"] for row in (await police.get("/board", limit=200))["items"]} == {"PD Görlitz"}


async def test_the_board_is_walked_through_without_gap_or_double(police: Reader) -> None:
    whole = (await police.get("/board", limit=200))["items"]
    first = await police.get("/board", limit=4)
    second = await police.get("/board", limit=4, cursor=first["next"])
    assert first["items"] + second["items"] == whole[:8]


async def test_steps_tell_how_long_they_take_to_all_and_who_is_stuck_to_whom_it_concerns(
    lpr: Reader, mayor: Reader, agreement: str
) -> None:
    all, mine = [(await reader.get("/alliance/steps"))["items"] for reader in (lpr, mayor)]
    assert [(step["step"], step["median_days"], step["count"]) for step in all] == [
        (step["step"], step["median_days"], step["count"]) for step in mine
    ]
    assert agreement in {row["of"] for step in all for row in step["stuck"]}
    assert {row["ags"] for step in mine for row in step["stuck"]} <= {ROTHENBURG}


async def test_a_journey_tells_what_was_what_comes_and_what_is_missing(staff: Staff, agreement: str) -> None:
    found = await Reader(staff, TOWN.office).get(f"/municipalities/{TOWN.ags}/journey")
    assert [each["kind"] for each in found["milestones"] if each["of"] == agreement] == [
        "agreement_drafted", "agreement_ready",
    ]  # fmt: skip
    assert [step["step"] for step in found["next"]] == ["sign"]
    assert "agreement_without_council_decision" in found["warnings"]


async def test_nobody_follows_the_journey_of_others(staff: Staff) -> None:
    answer = await Reader(staff, MAYOR_OF_GOERLITZ).ask(f"/municipalities/{ROTHENBURG}/journey")
    refused(answer, 404, "not_found", ROTHENBURG)
