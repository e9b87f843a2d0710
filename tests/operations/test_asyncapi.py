"""The AsyncAPI of each service, made by FastStream and completed by us."""

import json
import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from operations import asyncapi
from operations.catalogue import FOLDER
from operations.services import SERVICES
from services.membership.subscribers import subscribers
from shared.events import all_events
from shared.events.schemas import schema
from shared.kernel.cloudevents import Envelope
from shared.kernel.ids import new_trace
from tests.membership.alliance.world import World
from tests.membership.examples import TODAY

PARSER = os.environ.get("ASSKOMM_ASYNCAPI_PARSER")
PARSE = """
const { Parser } = require(process.argv[1]);
const text = require('fs').readFileSync(0, 'utf8');
new Parser().parse(text).then(({ document, diagnostics }) => {
  const wrong = diagnostics.filter(({ severity }) => severity < 2);
  console.log(wrong.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\\n'));
  process.exit(document && !wrong.length ? 0 : 1);
});
"""


@cache
def documents() -> Mapping[str, Any]:
    return asyncapi.documents()


def types(service: str, action: str) -> list[str]:
    """The types of event that a service sends or receives."""
    made = documents()[service]
    channels = [one["channel"]["$ref"] for one in made["operations"].values() if one["action"] == action]
    addresses = [made["channels"][channel.rpartition("/")[2]]["address"] for channel in channels]
    assert all(address.endswith(".{aggregate}") for address in addresses)
    return sorted(address.removesuffix(".{aggregate}") for address in addresses)


def test_a_service_sends_each_type_of_event_that_it_publishes() -> None:
    assert types("membership", "send") == [kind.type for kind in all_events()]
    assert types("notifications", "send") == []


def test_a_service_receives_each_type_of_event_that_it_reacts_to() -> None:
    assert types("membership", "receive") == sorted(subscribers(World(TODAY).records).subscribers)


def test_the_payload_of_an_event_is_its_schema_in_the_catalogue() -> None:
    schemas = documents()["membership"]["components"]["schemas"]
    for kind in all_events():
        assert schema(kind).items() >= schemas[kind.__name__].items()


def test_every_message_refers_to_the_schema_of_its_type() -> None:
    for made in documents().values():
        for message in made["components"]["messages"].values():
            [name] = [kind.__name__ for kind in all_events() if kind.type == message["name"]]
            assert message["payload"] == {"$ref": f"#/components/schemas/{name}"}


def test_the_headers_are_those_that_are_published() -> None:
    event = Envelope(
        id="1", publisher="kitchen", type="kitchen.jar_filled.v1", subject="jam", time=datetime.now(UTC), version=1,
        actor="cook", cause="1", trace=new_trace(), history=False, schema="https://asskomm.example/schema", body=b"{}",
    )  # fmt: skip
    assert asyncapi.HEADERS.keys() == event.headers().keys()


@pytest.mark.parametrize("service", SERVICES)
def test_the_document_is_written_down_in_a_stable_order(service: str) -> None:
    written = json.loads((FOLDER / f"{service}.asyncapi.json").read_text())
    assert json.dumps(written) == json.dumps(documents()[service])
    for parts in (written["channels"], written["operations"], *written["components"].values()):
        assert list(parts) == sorted(parts)


@pytest.mark.skipif(not PARSER, reason="ASSKOMM_ASYNCAPI_PARSER names no folder with the npm package @asyncapi/parser")
@pytest.mark.parametrize("service", SERVICES)
def test_the_official_parser_accepts_the_document(service: str) -> None:
    text = (FOLDER / f"{service}.asyncapi.json").read_bytes()
    parsed = subprocess.run(
        ["node", "-e", PARSE, str(Path(PARSER or "").resolve())], input=text, capture_output=True, check=False
    )
    assert parsed.returncode == 0, parsed.stdout.decode() + parsed.stderr.decode()
