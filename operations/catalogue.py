"""The catalogue of events in docs/events: a JSON Schema for each, AsyncAPI for each service, and a page for people.

A published event may only gain optional fields, or promise more about its fields; this step refuses any other change,
because it would break subscribers. `python -m operations.catalogue` writes the catalogue, `--check` compares it.
"""

import inspect
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from operations.asyncapi import documents
from operations.services import SERVICES
from shared.events import all_events
from shared.events.schemas import german_codes, schema

FOLDER = Path(__file__).parents[1] / "docs" / "events"
ASYNCAPI = ".asyncapi.json"

ANNOTATIONS = frozenset({"$id", "$schema", "title", "description", "examples", "x-german"})
"""Keywords that say nothing about which values are valid."""
PROMISES = frozenset({"pattern", "format", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"})
"""Keywords that may be added but not be changed, for that could allow more than before."""


def main() -> None:
    """Write the catalogue or, with `--check`, compare it with the files."""
    wanted = {FOLDER / f"{event.type}.json": _dump(schema(event)) for event in all_events()}
    broken = [
        f"{path.stem}: {reason}; leave it as it is and add a .v2 beside it"
        for path, text in wanted.items()
        if path.exists() and (reason := incompatibility(json.loads(path.read_text()), json.loads(text)))
    ]
    wanted |= {FOLDER / f"{name}{ASYNCAPI}": _dump(made) for name, made in documents().items()}
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


def incompatibility(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    """The reason why a subscriber of the old schema would break on the new one; None if it would not."""
    return next(_incompatibilities(old, new, ""), None)


def _incompatibilities(old: Any, new: Any, where: str) -> Iterator[str]:
    """Every way in which a value that the new schema allows could surprise somebody who knows the old one."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        if old != new:
            yield f"{where} would change from {old} to {new}"
        return
    for keyword in sorted((old.keys() | new.keys()) - ANNOTATIONS):
        compare = _RULES.get(keyword, _incompatibilities)
        place = where if keyword == "properties" else f"{where} {keyword}".strip()
        yield from compare(old.get(keyword), new.get(keyword), place)


def _in_properties(old: dict[str, Any] | None, new: dict[str, Any] | None, where: str) -> Iterator[str]:
    for name, before in (old or {}).items():
        field = f"{where}.{name}".lstrip(".")
        if new and name in new:
            yield from _incompatibilities(before, new[name], field)
        else:
            yield f"{field} would be missing"


def _in_required(old: list[str] | None, new: list[str] | None, where: str) -> Iterator[str]:
    if set(old or ()) != set(new or ()):
        yield f"{where}: other fields would be required"


def _in_enum(old: list[Any] | None, new: list[Any] | None, where: str) -> Iterator[str]:
    if new is None or (old is not None and not set(new) <= set(old)):
        yield f"{where} would allow more than {old}"


def _in_alternatives(old: list[Any] | None, new: list[Any] | None, where: str) -> Iterator[str]:
    if len(old or ()) != len(new or ()):
        yield f"{where} would have other alternatives"
        return
    for before, after in zip(old or (), new or (), strict=True):
        yield from _incompatibilities(before, after, where)


def _in_promise(old: Any, new: Any, where: str) -> Iterator[str]:
    if old is not None and old != new:
        yield f"{where} would change from {old} to {new}"


_RULES: dict[str, Callable[[Any, Any, str], Iterator[str]]] = {
    "properties": _in_properties,
    "required": _in_required,
    "enum": _in_enum,
    "anyOf": _in_alternatives,
    **dict.fromkeys(PROMISES, _in_promise),
}


def page() -> str:
    """The catalogue for people."""
    services = [f"[{name}]({name}{ASYNCAPI})" for name in sorted(SERVICES)]
    lines = [
        "# Events",
        "",
        "What the services publish, written by `make fix` from `shared/events`. On the wire each event is a CloudEvent",
        "1.0 in the binary mode of its NATS binding, on the subject `<type>.<id of the aggregate>`; its body is JSON",
        "and follows the schema. [Subscribing](../subscribing.md) has the rest. New fields may come at any time:",
        "ignore fields that you do not know.",
        "",
        f"What each service publishes and reacts to, as AsyncAPI 3: {', '.join(services)}.",
        "",
    ]
    for event in all_events():
        lines += [
            f"## {event.__name__}",
            "",
            f"[`{event.type}`]({event.type}.json)",
            "",
            " ".join((inspect.getdoc(event) or "").split()),
            "",
            "| field | type | meaning |",
            "| --- | --- | --- |",
            *(_line(name, field, schema(event)) for name, field in schema(event)["properties"].items()),
            "",
        ]
    return "\n".join([*lines, *_german()])


def _line(name: str, field: dict[str, Any], described: dict[str, Any]) -> str:
    optional = "" if name in described.get("required", []) else " (optional)"
    return f"| `{name}`{optional} | {_type(field)} | {field['description'].replace('|', chr(92) + '|')} |"


def _type(field: dict[str, Any]) -> str:
    """The type of a field in few words: `date`, `list of string`, `code or null`."""
    if "anyOf" in field:
        return " or ".join(_type(alternative) for alternative in field["anyOf"])
    if "items" in field:
        return f"list of {_type(field['items'])}"
    return "code" if "enum" in field else str(field.get("format", field.get("title", field["type"])))


def _german() -> Iterator[str]:
    """The codes that events use, with their German labels."""
    yield from ("# Codes in German", "", "The schemas carry the same labels as `x-german`.", "")
    codes = {name: labels for event in all_events() for name, labels in german_codes(event).items()}
    for name, labels in sorted(codes.items()):
        yield from (f"## {name}", "", "| code | German |", "| --- | --- |")
        yield from (f"| `{code}` | {label} |" for code, label in labels.items())
        yield ""


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    main()
