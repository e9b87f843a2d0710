"""A referee for messages on the wire: CloudEvents 1.0 in the binary mode of the NATS binding, version 1.0.3-wip."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from nats.aio.msg import Msg

from shared.events import all_events
from shared.events.schemas import schema

REQUIRED = {"ce-specversion", "ce-id", "ce-source", "ce-type", "ce-datacontenttype", "ce-dataschema", "ce-traceparent"}
SCHEMAS = {event.type: schema(event) for event in all_events()}
TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def violations(message: Msg) -> list[str]:
    """Every rule of the specification, the binding, the tracing extension and our schemas that a message breaks."""
    headers = message.headers or {}
    attributes = {name.removeprefix("ce-"): value for name, value in headers.items() if name.startswith("ce-")}
    broken = [f"{name} is missing" for name in sorted(REQUIRED - headers.keys())]
    broken += [f"{name} is no name" for name in attributes if not re.fullmatch(r"[a-z0-9]{1,20}", name)]
    broken += [
        f"{name} is not encoded: {value}"
        for name, value in attributes.items()
        if not value or not re.fullmatch(r"([!#$&-~]|%[0-9A-F]{2})*", value)
    ]
    broken += [f"{name} is no UTF-8" for name, value in attributes.items() if not _is_utf8(value)]
    if broken:
        return broken
    type, uri = attributes["type"], attributes["dataschema"]
    if attributes["specversion"] != "1.0" or attributes["datacontenttype"] != headers["content-type"]:
        broken.append("specversion or datacontenttype is wrong")
    if datetime.fromisoformat(attributes["time"]).utcoffset() is None:
        broken.append("time has no offset")
    if not re.fullmatch(r"https?://[a-z0-9.:-]+(/[A-Za-z0-9._~-]+)*", uri) or not uri.endswith(f"/{type}.json"):
        broken.append(f"{uri} is no absolute URI of a schema")
    if not re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", attributes["traceparent"]):
        broken.append("traceparent is none")
    return broken + list(differences(SCHEMAS[type], json.loads(message.data), type))


def _is_utf8(value: str) -> bool:
    try:
        return bool(unquote(value, errors="strict"))
    except UnicodeDecodeError:
        return False


def differences(schema: dict[str, Any], value: Any, where: str) -> Iterator[str]:
    """Where a value differs from a schema, as far as our schemas have keywords."""
    if "anyOf" in schema:
        if all(any(differences(part, value, where)) for part in schema["anyOf"]):
            yield f"{where}: {value!r} is none of the alternatives"
    elif not isinstance(value, TYPES[schema["type"]]) or (isinstance(value, bool) and schema["type"] != "boolean"):
        yield f"{where}: {value!r} is no {schema['type']}"
    elif isinstance(value, dict):
        yield from _in_object(schema, value, where)
    elif isinstance(value, list):
        for part in value:
            yield from differences(schema["items"], part, f"{where}[]")
    elif isinstance(value, str):
        yield from _in_text(schema, value, where)


def _in_object(schema: dict[str, Any], value: dict[str, Any], where: str) -> Iterator[str]:
    yield from (f"{where}.{name} is missing" for name in schema["required"] if name not in value)
    yield from (f"{where}.{name} is unknown" for name in value if name not in schema["properties"])
    for name in value.keys() & schema["properties"].keys():
        yield from differences(schema["properties"][name], value[name], f"{where}.{name}")


def _in_text(schema: dict[str, Any], value: str, where: str) -> Iterator[str]:
    if value not in schema.get("enum", [value]):
        yield f"{where}: {value!r} is no code"
    if not re.search(schema.get("pattern", ""), value):
        yield f"{where}: {value!r} does not match {schema['pattern']}"
    if schema.get("format") == "date" and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        yield f"{where}: {value!r} is no date"
