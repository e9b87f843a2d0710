"""What every service answers by itself."""

import pytest
from litestar import get
from pymongo.errors import ServerSelectionTimeoutError

from tests.shared.web.client import MUNICIPALITIES, TOWN, Client, an_api

HARDENED = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


@pytest.mark.parametrize("path", [MUNICIPALITIES, TOWN, f"{TOWN}/history", "/membership/health/live"])
async def test_no_answer_is_cached_or_guessed_at(lpr: Client, path: str) -> None:
    answer = await lpr.get(path)
    assert answer.status_code == 200
    assert {name: answer.headers.get_list(name) for name in HARDENED} == {
        name: [value] for name, value in HARDENED.items()
    }


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
