"""The catalogue of events: a JSON Schema for each in docs/events, and a page for people.

An event that is published may only gain optional fields; this step refuses any other change, because somebody who
subscribes to it would break. `python -m operations.catalogue` writes the catalogue, `--check` compares it.
"""

import inspect
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from shared.events import all_events
from shared.kernel.cloudevents import SCHEMA
from shared.kernel.event import Event

FOLDER = Path(__file__).parents[1] / "docs" / "events"


def main() -> None:
    """Write the catalogue or, with `--check`, compare it with what is written."""
    wanted = {FOLDER / f"{kind.type}.json": _dump(schema(kind)) for kind in all_events()}
    broken = [
        f"{path.stem}: {reason}; leave it as it is and add a .v2 beside it"
        for path, text in wanted.items()
        if path.exists() and (reason := incompatibility(json.loads(path.read_text()), json.loads(text)))
    ]
    gone = [f"{path.stem}: published events are never removed" for path in FOLDER.glob("*.json") if path not in wanted]
    if broken or gone:
        sys.exit("\n".join(broken + gone))
    wanted[FOLDER / "README.md"] = page()
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    if stale and "--check" in sys.argv:
        sys.exit(f"the catalogue of events is out of date ({', '.join(path.name for path in stale)}): run `make fix`")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.write_text(wanted[path])


def schema(kind: type[Event]) -> dict[str, Any]:
    """The JSON Schema of an event's body; a subscriber must allow fields that it does not know."""
    described = msgspec.json.schema(kind)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{SCHEMA}{kind.type}.json",
        "title": kind.__name__,
        "description": inspect.getdoc(kind),
        **_inlined(described["$defs"][kind.__name__], described["$defs"]),
    }


def incompatibility(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    """Why a subscriber of the old schema would break on the new one, or None if it would not."""
    before, after = old["properties"], new["properties"]
    if gone := sorted(before.keys() - after.keys()):
        return f"{', '.join(gone)} would be missing"
    if changed := sorted(name for name in before if before[name] != after[name]):
        return f"{', '.join(changed)} would change"
    if set(old.get("required", [])) != set(new.get("required", [])):
        return "other fields would be required"
    return None


def page() -> str:
    """The catalogue for people."""
    lines = [
        "# Events",
        "",
        "What the services make known, written by `make fix` from `shared/events`. On the wire each is a CloudEvent",
        "1.0 in the binary mode of its NATS binding, on the subject `<type>.<id of the aggregate>`; the body is JSON",
        "and follows the schema. A new field may come at any time: leave unknown ones alone.",
        "",
    ]
    for kind in all_events():
        fields = ", ".join(f"`{name}`" for name in schema(kind)["properties"])
        meaning = " ".join((inspect.getdoc(kind) or "").split())
        lines += [
            f"## {kind.__name__}",
            "",
            f"[`{kind.type}`]({kind.type}.json)",
            "",
            meaning,
            "",
            f"Fields: {fields}.",
            "",
        ]
    return "\n".join(lines)


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    """The schema with what it refers to in place, so that each file stands alone."""
    if isinstance(node, dict):
        if "$ref" in node:
            return _inlined(definitions[node["$ref"].rpartition("/")[2]], definitions)
        return {name: _inlined(value, definitions) for name, value in node.items()}
    return [_inlined(one, definitions) for one in node] if isinstance(node, list) else node


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    main()
