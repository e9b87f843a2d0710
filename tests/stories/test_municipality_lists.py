"""A newer list of municipalities is previewed, then applied as a whole or not at all."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from operations.demo.accessions import LPR, Staff, Town, accepted
from operations.embedded.servers import EmbeddedServers
from operations.running.local import System
from services.membership.domain.list_file import COLUMNS
from shared.web.rights import Actor
from tests.conftest import loaded_system
from tests.operations.cli.test_cli import asskomm

DAY = "2023-01-20"
LISTS = "/membership/v1/municipality-lists"
HEADER = (*COLUMNS, "predecessors")

Row = dict[str, Any]


class Lists:
    """Sends lists of municipalities derived from the stored ones."""

    def __init__(self, system: System, http: httpx.AsyncClient) -> None:
        self.system, self._http = system, http
        self.staff = Staff(http, system.settings.token_private_key)
        self.database = system.services[0].database

    async def rows(self) -> dict[str, Row]:
        """Return the list that would change nothing, by key."""
        found = [one async for one in self.database["municipalities"].find({"valid_to": None}).sort("_id")]
        return {
            one["_id"]: {name: one.get(name) for name in HEADER}
            | {"ags": one["_id"], "population_estimate": one["population"], "predecessors": ""}
            for one in found
        }

    async def post(
        self, path: str, content: str | bytes, *, who: Actor = LPR, kind: str = "text/csv", key: str = "", **query: str
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.staff.token(who)}", "Content-Type": kind}
        return await self._http.post(
            path, params=query, content=content, headers=headers | ({"Idempotency-Key": key} if key else {})
        )

    async def preview(self, rows: dict[str, Row]) -> Row:
        """Return the preview of a readable list."""
        return accepted(await self.post(f"{LISTS}/preview", text(rows), valid_from=DAY))

    async def apply(self, rows: dict[str, Row], digest: str, *, valid_from: str = DAY, key: str = "") -> httpx.Response:
        return await self.post(LISTS, text(rows), valid_from=valid_from, digest=digest, key=key)

    async def municipality(self, ags: str) -> Row:
        return accepted(await self.staff.get(LPR, f"/membership/v1/municipalities/{ags}"))

    async def events(self) -> int:
        return await self.database["events"].count_documents({})


def text(rows: dict[str, Row]) -> str:
    """Return the list as a file."""
    file = io.StringIO()
    writer = csv.DictWriter(file, HEADER)
    writer.writeheader()
    writer.writerows(rows.values())
    return file.getvalue()


def codes(previewed: Row, what: str) -> list[str]:
    return [each["code"] for each in previewed["changes"][what]]


@pytest.fixture(scope="module")
async def lists(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lists]:
    """A dedicated system, because lists concern all of Saxony."""
    with EmbeddedServers(tmp_path_factory.mktemp("lists")) as servers:
        async with loaded_system(servers) as system, httpx.AsyncClient(base_url=system.url, timeout=30) as http:
            yield Lists(system, http)


async def test_a_preview_tells_everything_and_changes_nothing(lists: Lists) -> None:
    rows, before = await lists.rows(), await lists.events()
    rows["14730010"]["name"] = "Arzberg an der Elbe"
    rows["14730030"]["population_estimate"] = 1
    rows["14730901"] = {**rows["14730010"], "ags": "14730901", "name": "Neuland"}
    gone = rows.pop("14730060")
    rows["14730050"]["predecessors"] = gone["ags"]
    changes = (await lists.preview(rows))["changes"]
    assert [(one["old"], one["new"]) for one in changes["renamed"]] == [("Arzberg", "Arzberg an der Elbe")]
    assert [(one["ags"], one["fields"][0]["new"]) for one in changes["changed"]] == [("14730030", 1)]
    assert [one["name"] for one in changes["added"]] == ["Neuland"]
    assert [(one["name"], one["successor_name"]) for one in changes["merged"]] == [("Dahlen", "Cavertitz")]
    assert (changes["unchanged"], changes["warnings"], changes["problems"]) == (len(rows) - 3, [], [])
    assert await lists.events() == before


async def test_a_list_that_is_in_force_changes_nothing(lists: Lists) -> None:
    rows, before = await lists.rows(), await lists.events()
    previewed = await lists.preview(rows)
    assert previewed["changes"]["unchanged"] == len(rows)
    assert (await lists.apply(rows, previewed["digest"])).status_code == 201
    assert await lists.events() == before


async def test_a_member_that_is_merged_is_succeeded_as_a_member(lists: Lists) -> None:
    [member] = await lists.database["municipalities"].find({"stage": "member", "district_key": "14521"}).to_list(1)
    before = accepted(await lists.staff.get(LPR, "/membership/v1/alliance"))
    rows = await lists.rows()
    del rows[member["_id"]]
    new = {**next(iter(rows.values())), "ags": "14521901", "name": "Neuland", "predecessors": member["_id"]}
    rows[new["ags"]] = new
    previewed = await lists.preview(rows)
    assert codes(previewed, "warnings") == ["agreement_passed_on"]
    accepted(await lists.apply(rows, previewed["digest"]))
    await lists.system.quiet()

    old, successor = await lists.municipality(member["_id"]), await lists.municipality("14521901")
    assert (old["stage"], old["valid_to"], old["successor"]) == ("left", "2023-01-19", "14521901")
    [membership] = successor["memberships"]
    assert (successor["stage"], membership["since"]) == ("member", DAY)
    assert membership["agreement_id"] == old["memberships"][0]["agreement_id"]
    after = accepted(await lists.staff.get(LPR, "/membership/v1/alliance"))
    assert after["members"] == before["members"]


async def test_an_agreement_that_waits_for_signatures_stands_against_a_merger(lists: Lists) -> None:
    free = {"stage": "uncontacted", "district_key": "14730"}
    [one] = await lists.database["municipalities"].find(free).sort("_id", -1).to_list(1)
    town = Town(one["_id"], one["police_directorate"])
    agreement = await lists.staff.ready_agreement(town)
    rows, before = await lists.rows(), await lists.events()
    del rows[town.ags]
    rows["14730140"]["predecessors"] = town.ags
    previewed = await lists.preview(rows)
    assert codes(previewed, "problems") == ["agreement_open"]
    refused = await lists.apply(rows, previewed["digest"])
    assert (refused.status_code, refused.json()["code"]) == (409, "list_has_problems")
    assert f"agreement {agreement} is ready" in refused.json()["detail"]
    assert await lists.events() == before


async def test_nothing_is_applied_that_was_not_previewed(lists: Lists) -> None:
    rows, before = await lists.rows(), await lists.events()
    previewed = await lists.preview(rows)
    rows["14730070"]["name"] = "Delitzsch am Lober"
    refused = await lists.apply(rows, previewed["digest"])
    assert (refused.status_code, refused.json()["code"]) == (409, "preview_outdated")
    assert await lists.events() == before


async def test_of_two_lists_at_the_same_time_one_is_applied_as_a_whole(lists: Lists) -> None:
    rows, before = await lists.rows(), await lists.events()
    for ags in ("14730080", "14730090", "14730100"):
        rows[ags]["population_estimate"] = 4_000
    rows["14730902"] = {**rows["14730080"], "ags": "14730902", "name": "Neuland"}
    digest = (await lists.preview(rows))["digest"]
    answers = await asyncio.gather(*(lists.apply(rows, digest) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "preview_outdated"}
    assert await lists.events() == before + 4


async def test_all_municipalities_change_at_once(lists: Lists) -> None:
    rows, before = await lists.rows(), await lists.events()
    for row in rows.values():
        row["population_estimate"] = 5_000 + (row["population_estimate"] or 0)
    previewed = await lists.preview(rows)
    assert len(previewed["changes"]["changed"]) == len(rows)
    accepted(await lists.apply(rows, previewed["digest"]))
    assert await lists.events() == before + len(rows)
    assert (await lists.preview(rows))["changes"]["unchanged"] == len(rows)


async def test_the_same_request_twice_is_answered_alike_and_done_once(lists: Lists) -> None:
    rows, before = await lists.rows(), await lists.events()
    rows["14730150"]["name"] = "Krostitz am Leinebach"
    digest = (await lists.preview(rows))["digest"]
    first, again = [await lists.apply(rows, digest, key="krostitz") for _ in range(2)]
    assert (first.status_code, first.json()) == (201, {"digest": digest, "valid_from": DAY})
    assert (again.status_code, again.json()) == (201, first.json())
    assert await lists.events() == before + 1
    other = await lists.apply(rows, digest, key="krostitz", valid_from="2023-01-21")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("path", [LISTS, f"{LISTS}/preview"])
async def test_only_the_lpr_sends_lists(lists: Lists, path: str) -> None:
    for who in (Town("14730110", "PD Leipzig").office, Town("14730110", "PD Leipzig").police):
        answer = await lists.post(path, text(await lists.rows()), who=who, valid_from=DAY, digest="")
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


@pytest.mark.parametrize("path", [LISTS, f"{LISTS}/preview"])
@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        ("ags;name\n", "text/csv", 400, "unreadable_list"),
        (b"ags,name\nG\xf6rlitz", "text/csv; charset=utf-8", 400, "unreadable_list"),
        ("", "text/csv", 400, "unreadable_list"),
        ("{}", "application/json", 415, "unsupported_media_type"),
        ("x" * 1_100_000, "text/csv", 413, "request_entity_too_large"),
    ],
)
async def test_what_is_no_list_is_refused(
    lists: Lists, path: str, content: str | bytes, kind: str, status: int, code: str
) -> None:
    answer = await lists.post(path, content, kind=kind, valid_from=DAY, digest="")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_long_list_within_the_limit_is_taken(lists: Lists) -> None:
    longer = text(await lists.rows()) + "\n" * 900_000
    assert (await lists.post(f"{LISTS}/preview", longer, valid_from=DAY)).status_code == 200


async def test_the_command_line_previews_and_applies(lists: Lists, tmp_path: Path) -> None:
    var, file = lists.system.maildir.parent, tmp_path / "list.csv"
    rows = await lists.rows()
    rows["14730160"]["name"] = "Laußig an der Mulde"
    file.write_text(text(rows), encoding="utf-8")
    said = asskomm(var, "municipalities", "preview", str(file), "--valid-from", DAY)
    for part in ("renamed: 1", "Laußig an der Mulde", f"{len(rows) - 1} unchanged"):
        assert part in said

    words = ("--valid-from", DAY, "--by", "j.muster", "--yes", "--json")
    said = asskomm(var, "municipalities", "apply", str(file), *words)
    assert json.loads(said)["changes"]["unchanged"] == len(rows) - 1
    history = await lists.staff.get(LPR, "/membership/v1/municipalities/14730160/history")
    assert history.json()["items"][-1]["actor"] == "j.muster"


async def test_the_command_line_says_what_is_wrong(lists: Lists, tmp_path: Path) -> None:
    var, file = lists.system.maildir.parent, tmp_path / "list.csv"
    rows = await lists.rows()
    del rows["14730170"]
    file.write_text(text(rows), encoding="utf-8")
    said = asskomm(var, "municipalities", "apply", str(file), "--valid-from", DAY, "--yes", status=1)
    assert "Liebschützberg (14730170) is not in the list" in " ".join(said.split())
    file.write_text("ags;name\n", encoding="utf-8")
    said = asskomm(var, "municipalities", "preview", str(file), "--valid-from", DAY, status=1)
    assert "save the file with commas" in " ".join(said.split())
