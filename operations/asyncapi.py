"""AsyncAPI 3 of each service: FastStream describes its subscribers and publishers, and we add what it leaves out.

FastStream knows neither headers of messages nor parameters of addresses. Our own schemas stand in place of those that
it makes from the same types: an event has one schema.
"""

import inspect
import re
from typing import Any, TypeAlias

from faststream.specification import AsyncAPI

from operations.services import create_services
from shared.events import all_events
from shared.events.schemas import schema
from shared.kernel.cloudevents import CONTENT_TYPE, SOURCE, schema_uri
from shared.kernel.event import Event
from shared.nats.streams import stream_name
from shared.runtime.service import Service

Document: TypeAlias = dict[str, Any]

ENVIRON = {
    "ASSKOMM_MONGO_URI": "mongodb://127.0.0.1",
    "ASSKOMM_NATS_URL": "nats://127.0.0.1:4222",
    "ASSKOMM_TOKEN_PUBLIC_KEY": "none",
}
"""Settings of services that are described, not run."""

AGGREGATE = "The id of the aggregate that the event is about: an `ags`, a file number, or the name of a template."

HEADERS: dict[str, Document] = {
    "ce-specversion": {"description": "The version of CloudEvents.", "const": "1.0"},
    "ce-id": {"description": "The id of the event, a UUID of version 7; the same if it comes twice."},
    "ce-source": {"description": "The service that publishes the event."},
    "ce-type": {"description": "The type of the event, with its major version."},
    "ce-subject": {"description": AGGREGATE},
    "ce-time": {"description": "When the event was recorded, in UTC.", "format": "date-time"},
    "ce-datacontenttype": {"description": "The media type of the body.", "const": CONTENT_TYPE},
    "ce-dataschema": {"description": "Where the JSON Schema of the body is served.", "format": "uri"},
    "ce-traceparent": {"description": "The W3C trace context of the request or event that this event follows from."},
    "ce-actor": {"description": "Who caused the event: the subject of a token, or `service:<name>`."},
    "ce-causationid": {"description": "The id of the request or event that this event follows from."},
    "ce-aggregateversion": {
        "description": "The aggregate's version after this event: 1, 2, 3 …",
        "pattern": "^[0-9]+$",
    },
    "ce-history": {
        "description": "`true` if it happened long before it was recorded: build on it, but notify nobody.",
        "enum": ["true", "false"],
    },
    "traceparent": {"description": "The same as `ce-traceparent`, where tracing tools look for it."},
    "content-type": {"description": "The same as `ce-datacontenttype`.", "const": CONTENT_TYPE},
    "Nats-Msg-Id": {"description": "The same as `ce-id`, for the server, which drops what it has stored already."},
}
"""The headers of every message: CloudEvents 1.0 in the binary mode of its NATS binding, and our extensions."""


def documents() -> dict[str, Document]:
    """The AsyncAPI document of each service, by name."""
    return {service.name: document(service) for service in create_services(ENVIRON)}


def document(service: Service) -> Document:
    """Build the AsyncAPI document of a service: the events it publishes and reacts to."""
    broker = service.broker.nats
    for kind in all_events():
        if (publisher := kind.type.partition(".")[0]) == service.name:
            broker.publisher(
                f"{kind.type}.{{aggregate}}",
                stream=stream_name(publisher),
                schema=kind,
                title=f"Publish{kind.__name__}",
                description=inspect.getdoc(kind),
            )
    title, description = service.name.capitalize(), "The events that this service publishes and reacts to."
    made = AsyncAPI(broker, title=title, version="1", description=description).to_specification().to_jsonable()
    return _completed(made)


def _completed(made: Document) -> Document:
    """Add parameters, headers and our schemas, and sort: FastStream keeps subscribers in a set."""
    kinds, messages, schemas = {kind.type: kind for kind in all_events()}, made["components"]["messages"], {}
    for channel in made["channels"].values():
        kind = kinds[channel["address"].removesuffix(".{aggregate}")]
        channel["parameters"] = {"aggregate": {"description": AGGREGATE}}
        [reference] = channel["messages"].values()
        messages[reference["$ref"].rpartition("/")[2]] |= {
            "name": kind.type,
            "correlationId": {"location": "$message.header#/ce-causationid"},
            "headers": _headers(kind),
            "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        }
        schemas[kind.__name__] = {name: part for name, part in schema(kind).items() if not name.startswith("$")}
    made["components"] = {"messages": _sorted(messages), "schemas": _sorted(schemas | {"Headers": _ALL_HEADERS})}
    return made | {"channels": _sorted(made["channels"]), "operations": _sorted(made["operations"])}


_ALL_HEADERS: Document = {
    "type": "object",
    "properties": {name: {"type": "string", **header} for name, header in HEADERS.items()},
    "required": [name for name in HEADERS if name != "ce-dataschema"],
}


def _headers(kind: type[Event]) -> Document:
    """The schema of the headers of an event of this type."""
    fixed = {
        "ce-source": {"const": SOURCE + kind.type.partition(".")[0]},
        "ce-type": {"const": kind.type},
        "ce-dataschema": {"pattern": f"{re.escape(schema_uri('.', kind.type)[1:])}$"},
    }
    return {"allOf": [{"$ref": "#/components/schemas/Headers"}, {"type": "object", "properties": fixed}]}


def _sorted(parts: Document) -> Document:
    return dict(sorted(parts.items()))
