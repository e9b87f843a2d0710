"""What the running system answers to who asks for what there is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar, get
from pymongo.errors import ServerSelectionTimeoutError

from operations.demo.accessions import LPR
from operations.demo.load import rows
from operations.demo.story import POLICE
from operations.running.local import System
from shared.kernel.ids import new_id, new_trace
from shared.web.frame import application
from shared.web.rights import Actor
from shared.web.tokens import Tokens, issue_token, new_keys

MUNICIPALITIES = "/membership/v1/municipalities"
TOWN = f"{MUNICIPALITIES}/14521010"
FIELDS = f"{TOWN}/action-fields"
HARDENED = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


class Client:
    """Asks as somebody."""

    def __init__(self, http: httpx.AsyncClient, private_key: str, who: Actor) -> None:
        self._http, self._token = http, issue_token(who, private_key)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self._http.get(path, params=query, headers=self._headers())

    async def choose(self, *action_fields: str, **headers: str) -> httpx.Response:
        """Set the action fields of the town."""
        return await self._http.put(FIELDS, json={"action_fields": action_fields}, headers=self._headers(**headers))

    def _headers(self, **more: str) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Authorization": f"Bearer {self._token}", **named}


@pytest.fixture
def lpr(http: httpx.AsyncClient, system: System) -> Client:
    return Client(http, system.settings.token_private_key, LPR)


@pytest.fixture
def police(http: httpx.AsyncClient, system: System) -> Client:
    return Client(http, system.settings.token_private_key, POLICE)


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


@pytest.mark.parametrize("path", [MUNICIPALITIES, TOWN, f"{TOWN}/history", "/membership/health/live"])
async def test_no_answer_is_cached_or_guessed_at(lpr: Client, path: str) -> None:
    answer = await lpr.get(path)
    assert answer.status_code == 200
    assert {name: answer.headers.get_list(name) for name in HARDENED} == {
        name: [value] for name, value in HARDENED.items()
    }


async def test_who_refers_to_what_is_stored_may_change_it(lpr: Client) -> None:
    seen = (await lpr.get(TOWN)).headers["etag"]
    assert (await lpr.choose("graffiti", "seniors", If_Match=seen)).status_code == 200


async def test_who_refers_to_an_older_version_is_refused(lpr: Client) -> None:
    await lpr.choose("graffiti")
    seen = (await lpr.get(TOWN)).headers["etag"]
    await lpr.choose("drugs")
    refused = await lpr.choose("violence", If_Match=seen)
    assert (refused.status_code, refused.json()["code"]) == (412, "stale")
    assert (await lpr.get(TOWN)).json()["action_fields"] == ["drugs"]


async def test_the_version_changes_with_the_state_and_only_with_it(lpr: Client) -> None:
    await lpr.choose("traffic")
    first = (await lpr.get(TOWN)).headers["etag"]
    await lpr.choose("traffic")
    same = (await lpr.get(TOWN)).headers["etag"]
    await lpr.choose("burglary")
    other = (await lpr.get(TOWN)).headers["etag"]
    assert (first == same, first == other) == (True, False)


async def test_the_same_request_under_one_key_has_one_effect_and_one_answer(lpr: Client) -> None:
    key = new_id()
    first = await lpr.choose("youth", Idempotency_Key=key)
    await lpr.choose("other")
    again = await lpr.choose("youth", Idempotency_Key=key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert (await lpr.get(TOWN)).json()["action_fields"] == ["other"]


async def test_another_request_under_the_same_key_is_refused(lpr: Client) -> None:
    key = new_id()
    await lpr.choose("youth", Idempotency_Key=key)
    refused = await lpr.choose("drugs", Idempotency_Key=key)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")


async def test_the_trace_of_a_request_is_kept_with_what_follows_from_it(lpr: Client) -> None:
    trace = new_trace()
    await lpr.choose("graffiti")
    answer = await lpr.choose("littering", traceparent=trace)
    row = (await lpr.get(f"{TOWN}/history")).json()["items"][-1]
    assert (row["data"]["action_fields"], row["trace"], row["actor"]) == (["littering"], trace, LPR.subject)
    assert answer.headers["traceparent"] == trace


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("given", ["", "nonsense", "00-" + "0" * 32, f"{TRACE}\tx", "ff" + TRACE[2:]])
async def test_a_trace_that_is_none_is_replaced(lpr: Client, given: str) -> None:
    assert (await lpr.choose("drugs", traceparent=given)).headers["traceparent"] != given


@asynccontextmanager
async def an_api(*routes: Any, ready: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """An API of one's own, made as every service makes its own, and asked as somebody with a good token."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        yield

    async def state() -> dict[str, bool]:
        return {"mongodb": True, "nats": ready}

    private_key, public_key = new_keys()
    app = application("kitchen", routes, tokens=Tokens(public_key), ready=state, lifespan=lifespan)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(cast("Any", app)),
        base_url="http://kitchen",
        headers={"Authorization": f"Bearer {issue_token(LPR, private_key)}"},
    ) as client:
        yield client


async def test_what_nobody_expected_is_answered_without_saying_what_it_was() -> None:
    @get("/boom")
    async def boom() -> None:
        raise ZeroDivisionError("rathaus@rothenburg.example")

    async with an_api(boom) as http:
        answer = await http.get("/boom")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "rothenburg" not in answer.text


async def test_a_database_that_is_away_is_answered_with_when_to_come_back() -> None:
    @get("/boom")
    async def boom() -> None:
        raise ServerSelectionTimeoutError("mongodb://user:password@host")

    async with an_api(boom) as http:
        answer = await http.get("/boom")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "unavailable", "2")
    assert "password" not in answer.text


async def test_a_service_is_not_ready_while_one_of_its_servers_is_away() -> None:
    async with an_api(ready=False) as http:
        answer = await http.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready", "mongodb": True, "nats": False})


async def test_a_service_lives_while_one_of_its_servers_is_away() -> None:
    async with an_api(ready=False) as http:
        assert (await http.get("/health/live")).status_code == 200
