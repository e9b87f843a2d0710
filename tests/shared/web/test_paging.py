"""What the running system answers to those who walk through a list."""

from typing import Any

import pytest

from operations.demo.load import rows
from tests.shared.web.client import MUNICIPALITIES, Client


async def walk(client: Client, limit: int, **where: str) -> list[list[str]]:
    """The keys of all municipalities, page by page."""
    pages, query = [], dict[str, Any](where)
    while True:
        page = (await client.get(MUNICIPALITIES, limit=limit, **query)).json()
        pages.append([one["ags"] for one in page["items"]])
        if page["next"] is None:
            return pages
        query["cursor"] = page["next"]


@pytest.mark.parametrize("limit", [200, 100, 11])
async def test_pages_walk_through_all_of_saxony_without_gap_or_double(lpr: Client, limit: int) -> None:
    pages = await walk(lpr, limit)
    assert [ags for page in pages for ags in page] == sorted(row["ags"] for row in rows("municipalities.csv"))
    assert {len(page) for page in pages[:-1]} == {limit}


async def test_there_are_418_municipalities(lpr: Client) -> None:
    assert sum(map(len, await walk(lpr, 200))) == 418


async def test_the_last_page_is_the_last_even_when_it_is_full(lpr: Client) -> None:
    # 418 is 22 times 19.
    assert len(await walk(lpr, 19)) == 22


async def test_who_has_an_area_walks_through_it_alone(police: Client) -> None:
    own = [row["ags"] for row in rows("municipalities.csv") if row["police_directorate"] == "PD Görlitz"]
    assert [ags for page in await walk(police, 50) for ags in page] == sorted(own)


async def test_a_list_shows_only_what_is_asked_for(lpr: Client) -> None:
    shown = (await lpr.get(MUNICIPALITIES, stage="member", limit=200)).json()["items"]
    assert {one["stage"] for one in shown} == {"member"}
