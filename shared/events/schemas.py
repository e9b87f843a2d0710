"""The JSON Schemas of the events, made from their types and docstrings."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

import msgspec

from shared.kernel.event import Event


def schema(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema of an event's body; its `$id` is relative to the address at which it is served.

    A subscriber must ignore fields that it does not know, so additional ones are allowed.
    """
    definitions = _definitions(event)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{event.type}.json",
        **_inlined(definitions[event.__name__], definitions),
    }


def german_codes(event: type[Event]) -> dict[str, dict[str, str]]:
    """The codes of an event with their German labels, by the title of the code."""
    return dict(_labelled(msgspec.json.schema(event)))


def _definitions(event: type[Any]) -> dict[str, Any]:
    """The schema of an event and of every type it is made of, by name, with the descriptions of all fields."""
    definitions: dict[str, Any] = msgspec.json.schema(event)["$defs"]
    for kind in _parts(event):
        definition = definitions[kind.__name__]
        definition["description"] = inspect.getdoc(kind)
        for name, text in field_docs(kind).items():
            definition["properties"][name] = {"description": text, **_undescribed(definition["properties"][name])}
    return definitions


def _parts(kind: type[Any]) -> set[type[Any]]:
    """A dataclass, and the dataclasses that its fields are made of."""
    found: set[type[Any]] = {kind}
    waiting = list(get_type_hints(kind).values())
    while waiting:
        hint = waiting.pop()
        waiting += get_args(hint)
        if isinstance(hint, type) and is_dataclass(hint):
            found |= _parts(hint)
    return found


def field_docs(kind: type[Any]) -> dict[str, str]:
    """The docstrings below the fields of a class and of its bases, by field."""
    docs: dict[str, str] = {}
    for owner in reversed(kind.__mro__[:-1]):
        [declared] = ast.parse(textwrap.dedent(inspect.getsource(owner))).body
        assert isinstance(declared, ast.ClassDef)
        for field, below in zip(declared.body, declared.body[1:], strict=False):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    docs[name] = inspect.cleandoc(text)
    return docs


def _undescribed(node: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name != "description"}


def _inlined(node: Any, definitions: dict[str, Any]) -> Any:
    """The schema with every reference replaced by what it refers to, so that each file stands alone."""
    if isinstance(node, dict):
        if "$ref" in node:
            own = {name: value for name, value in node.items() if name != "$ref"}
            return _inlined(definitions[node["$ref"].rpartition("/")[2]] | own, definitions)
        return {name: _inlined(value, definitions) for name, value in node.items()}
    return [_inlined(part, definitions) for part in node] if isinstance(node, list | tuple) else node


def _labelled(node: Any) -> Iterator[tuple[str, dict[str, str]]]:
    if isinstance(node, dict):
        if "x-german" in node:
            yield node["title"], node["x-german"]
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from _labelled(part)
