"""What the running system answers to who shows no token of ours."""

import asyncio
import re
from urllib.parse import urlsplit

import httpx
import pytest
from litestar.routes import HTTPRoute

from operations.running.local import System
from operations.services import SERVICES
from shared.web.rights import Role, actor
from shared.web.tokens import issue_token, new_keys

FORGED = issue_token(actor("lpr", Role.LPR), new_keys()[0])
OPEN = {("GET", f"/{name}/health/{part}") for name in SERVICES for part in ("live", "ready")}
OPEN |= {("GET", "/membership/v1/events/1")}
"""Health, and the schemas of events."""


def every_route() -> list[tuple[str, str]]:
    """Each method and address that any service answers to, with some value for what stands in braces."""
    environ = {"MONGO_URI": "mongodb://nowhere", "NATS_URL": "nats://nowhere", "TOKEN_PUBLIC_KEY": "none"}
    return [
        (method, address if address.startswith(f"/{name}/v1/") else f"/{name}{address}")
        for name, create in SERVICES.items()
        for route in create({f"ASSKOMM_{name}": value for name, value in environ.items()}).routes
        if isinstance(route, HTTPRoute)
        for address in [re.sub(r"\{\w+\}", "1", route.path_format)]
        for method in sorted(route.methods)
    ]


async def get(system: System, target: str) -> tuple[int, bytes]:
    """Status and body of the answer to GET for this very request target, which a client would tidy up."""
    url = urlsplit(system.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split(b" ")[1]), body


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": f"Bearer {FORGED}"},
        {"Authorization": f"Basic {FORGED}"},
        {"Authorization": "Bearer"},
        {"Authorization": b"Bearer \xfc\xff"},
    ],
    ids=["no header", "forged", "another scheme", "no token", "no text"],
)
async def test_nothing_but_health_and_schemas_is_open(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    routes = every_route()
    assert set(routes) > OPEN
    answered = [(await http.request(method, path, headers=headers)).status_code for method, path in routes]
    assert {route for route, status in zip(routes, answered, strict=True) if status != 401} == OPEN


async def test_who_is_refused_is_told_what_is_needed(http: httpx.AsyncClient) -> None:
    answer = await http.get("/membership/v1/alliance")
    assert (answer.json()["code"], answer.headers["WWW-Authenticate"]) == ("token_refused", "Bearer")


@pytest.mark.parametrize(
    "target",
    [
        "/HEALTH/ready",
        "/health/ready;x",
        "/health/ready%00",
        "/health/ready/x",
        "/membership/v1/health",
        "/membership/v1/health/ready",
        "/membership/v1/alliance/health/ready",
        "/membership/v1/alliance?/health/ready",
        "/membership/v1/alliance#/health/ready",
        "/membership/v1/alliance;/health/ready",
        "/membership/v1/municipalities/health/history",
        "/membership/v1/municipalities/%2Fhealth%2Fready",
        "/health/ready/../../membership/v1/alliance",
        "/health/ready/..%2F..%2Fmembership/v1/alliance",
        "/health%2F..%2Fmembership/v1/alliance",
        "/health/../openapi.json",
        "/membership/health/../openapi.json",
        "/membership/openapi.json?/health/ready",
    ],
)
async def test_the_word_health_opens_nothing_else(system: System, target: str) -> None:
    status, _ = await get(system, target)
    assert status in {401, 404}


@pytest.mark.parametrize(
    "target", ["//health/ready", "/health%2Fready", "/%68ealth/ready", "/health/ready/", "/membership//health/ready"]
)
async def test_another_spelling_of_health_shows_health_at_most(system: System, target: str) -> None:
    _, health = await get(system, "/health/ready")
    status, body = await get(system, target)
    assert status in {401, 404} or body == health


async def test_health_says_which_servers_answer_and_nothing_else(http: httpx.AsyncClient) -> None:
    answer = await http.get("/membership/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "mongodb": True, "nats": True, "stream": True})


@pytest.mark.parametrize("name", SERVICES)
async def test_the_description_of_the_api_needs_a_token_and_refers_to_no_other_host(
    http: httpx.AsyncClient, system: System, name: str
) -> None:
    token = issue_token(actor("auditor", Role.AUDITOR), system.settings.token_private_key)
    answer = await http.get(f"/{name}/openapi.json", headers={"Authorization": f"Bearer {token}"})
    assert any(path.startswith(f"/{name}/v1/") for path in answer.json()["paths"])
    assert not re.findall(r"(?:https?:)?//\w[^\"]*", answer.text)
