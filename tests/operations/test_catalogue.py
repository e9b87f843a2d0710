"""Which changes of a schema break a subscriber, and which do not."""

from copy import deepcopy
from typing import Any

import pytest

from operations.catalogue import incompatibility, page

OLD: dict[str, Any] = {
    "title": "JarFilled",
    "type": "object",
    "properties": {
        "of": {"type": "string"},
        "size": {"type": "string", "enum": ["large", "small"]},
        "on": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "default": None},
        "cooks": {
            "type": "array",
            "items": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
        },
        "code": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "required": ["of", "size"],
}


def changed(*path: str | int, **keywords: Any) -> dict[str, Any]:
    """The schema with other keywords in one place; None removes one."""
    new = deepcopy(OLD)
    node: Any = new
    for step in path:
        node = node[step]
    node.update(keywords)
    for keyword in [keyword for keyword, value in keywords.items() if value is None]:
        del node[keyword]
    return new


COMPATIBLE = {
    "nothing": changed(),
    "a title": changed(title="Filled"),
    "a description": changed("properties", "of", description="What is in it."),
    "German labels": changed("properties", "size", **{"x-german": {"large": "groß"}}),
    "examples": changed("properties", "of", examples=["plums"]),
    "an enum for a string": changed("properties", "of", enum=["plums"]),
    "fewer codes": changed("properties", "size", enum=["large"]),
    "a pattern": changed("properties", "of", pattern="^[a-z]+$"),
    "a format": changed("properties", "of", format="date"),
    "a longest length": changed("properties", "of", maxLength=5),
    "a new field": changed("properties", new={"type": "string", "default": ""}),
    "a new field of a part": changed("properties", "cooks", "items", "properties", age={"type": "integer"}),
    "a pattern of an alternative": changed("properties", "on", "anyOf", 0, pattern="^2"),
    "a pattern of a part": changed("properties", "cooks", "items", "properties", "name", pattern="^A"),
}

INCOMPATIBLE = {
    "a field less": (changed("properties", of=None), "of would be missing"),
    "a field less of a part": (
        changed("properties", "cooks", "items", "properties", name=None),
        "cooks items.name would be missing",
    ),
    "another type": (changed("properties", "of", type="integer"), "of type would change"),
    "another type of a part": (
        changed("properties", "cooks", "items", "properties", "name", type="integer"),
        "cooks items.name type would change",
    ),
    "a code more": (changed("properties", "size", enum=["large", "small", "tiny"]), "size enum would allow more"),
    "any code": (changed("properties", "size", enum=None), "size enum would allow more"),
    "another pattern": (changed("properties", "code", pattern="^.+$"), "code pattern would change"),
    "no pattern": (changed("properties", "code", pattern=None), "code pattern would change"),
    "another format": (changed("properties", "on", "anyOf", 0, format="date-time"), "format would change"),
    "no format": (changed("properties", "on", "anyOf", 0, format=None), "format would change"),
    "another alternative": (changed("properties", "on", anyOf=[{"type": "null"}]), "on anyOf would have other"),
    "another default": (changed("properties", "on", default="2023-01-27"), "on default would change"),
    "more that is required": (changed(required=["of", "size", "on"]), "required: other fields"),
    "less that is required": (changed(required=["of"]), "required: other fields"),
    "nothing else allowed": (changed(additionalProperties=False), "additionalProperties would change"),
    "no list any more": (changed("properties", "cooks", items=None), "cooks items would change"),
}


@pytest.mark.parametrize("new", COMPATIBLE.values(), ids=COMPATIBLE)
def test_a_schema_may_promise_more(new: dict[str, Any]) -> None:
    assert incompatibility(OLD, new) is None


@pytest.mark.parametrize(("new", "reason"), INCOMPATIBLE.values(), ids=INCOMPATIBLE)
def test_a_schema_must_not_surprise_its_subscribers(new: dict[str, Any], reason: str) -> None:
    assert reason in str(incompatibility(OLD, new))


def test_the_page_has_the_german_labels_of_codes() -> None:
    assert "| `graffiti` | Sachbeschädigung durch Graffiti |" in page()
