"""Everybody may read the schemas of events, at the address that the events name."""

from urllib.parse import urlsplit

import httpx
import pytest

from operations.running.local import System
from shared.events import all_events
from shared.events.schemas import schema
from shared.kernel.cloudevents import schema_uri
from shared.kernel.event import Event


@pytest.mark.parametrize("event", all_events())
async def test_the_schema_of_an_event_is_served_at_its_uri(
    event: type[Event], system: System, http: httpx.AsyncClient
) -> None:
    answer = await http.get(schema_uri(system.settings.public_url, event.type))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/schema+json")
    assert answer.json() == schema(event)


async def test_the_schemas_of_a_service_are_below_its_own_address(system: System) -> None:
    uri = urlsplit(schema_uri(system.url, "membership.member_joined.v1"))
    assert uri.path == "/membership/v1/events/membership.member_joined.v1.json"


@pytest.mark.parametrize("file", ["membership.member_joined.v9.json", "membership.member_joined.v1", "README.md"])
async def test_there_is_no_other_schema(file: str, http: httpx.AsyncClient) -> None:
    answer = await http.get(f"/membership/v1/events/{file}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_service_without_events_has_no_schemas(http: httpx.AsyncClient) -> None:
    assert (await http.get("/notifications/v1/events/membership.member_joined.v1.json")).status_code == 404
