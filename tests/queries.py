"""What filters, updates and pipelines mean, as far as our code uses them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from shared.store.mongo import Document

_MISSING = object()


def matches(document: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """MongoDB would find the document."""
    return all(_holds(document, key, wanted) for key, wanted in where.items())


def _holds(document: Mapping[str, Any], key: str, wanted: Any) -> bool:
    match key:
        case "$or":
            return any(matches(document, one) for one in wanted)
        case "$and":
            return all(matches(document, one) for one in wanted)
        case "$nor":
            return not any(matches(document, one) for one in wanted)
    values = _values(document, key)
    if isinstance(wanted, Mapping):
        return all(_compares(values, operator, operand) for operator, operand in wanted.items())
    return any(_equals(value, wanted) for value in values)


def _equals(value: Any, wanted: Any) -> bool:
    return bool(value == wanted) or (wanted is None and value is _MISSING)


def _compares(values: Sequence[Any], operator: str, operand: Any) -> bool:
    match operator:
        case "$in":
            return any(_equals(value, one) for value in values for one in operand)
        case "$nin":
            return not any(_equals(value, one) for value in values for one in operand)
        case "$ne":
            return not any(_equals(value, operand) for value in values)
        case "$exists":
            return (values[0] is not _MISSING) == bool(operand)
        case "$elemMatch":
            return any(isinstance(value, Mapping) and matches(value, operand) for value in values)
        case "$lt" | "$lte" | "$gt" | "$gte":
            # A value of another type, such as None, is neither less nor greater.
            return any(type(value) is type(operand) and _in_order(value, operator, operand) for value in values)
    raise NotImplementedError(operator)


def _in_order(value: Any, operator: str, operand: Any) -> bool:
    less = value <= operand if operator in {"$lte", "$gt"} else value < operand
    return bool(less) == (operator in {"$lt", "$lte"})


def _values(document: Any, path: str) -> list[Any]:
    """The value at a path, and its elements if it is a list, which each may match."""
    if isinstance(document, list | tuple):
        return [value for element in document for value in _values(element, path)] or [_MISSING]
    name, _, rest = path.partition(".")
    value = document.get(name, _MISSING) if isinstance(document, Mapping) else _MISSING
    if rest:
        return _values(value, rest)
    return [value, *value] if isinstance(value, list | tuple) else [value]


def _value(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name, _MISSING) if isinstance(document, Mapping) else _MISSING
    return document


def sorted_by(documents: Iterable[Document], order: Sequence[tuple[str, int]]) -> list[Document]:
    """In the order of some fields, from the least important one on; what is missing comes first."""
    found = list(documents)
    for key, way in reversed(order):
        found.sort(key=lambda one: _rank(_value(one, key)), reverse=way < 0)
    return found


def _rank(value: Any) -> tuple[bool, Any]:
    nothing = value is None or value is _MISSING
    return (not nothing, 0 if nothing else value)


def projected(document: Document, fields: Mapping[str, int] | None) -> Document:
    """The fields that were asked for, or all but those that were not."""
    if not fields:
        return document
    if any(fields.values()):
        return {key: value for key, value in document.items() if fields.get(key, key == "_id")}
    return {key: value for key, value in document.items() if key not in fields}


def updated(document: Document, change: Mapping[str, Mapping[str, Any]], *, inserted: bool = False) -> Document:
    """A document after an update, or after one that has inserted it."""
    after = dict(document)
    for operator, values in change.items():
        match operator:
            case "$set":
                after |= values
            case "$unset":
                after = {key: value for key, value in after.items() if key not in values}
            case "$setOnInsert":
                after |= values if inserted else {}
            case "$inc":
                after |= {key: after.get(key, 0) + step for key, step in values.items()}
            case _:
                raise NotImplementedError(operator)
    return after


def grouped(documents: list[Document], stages: Sequence[Mapping[str, Any]]) -> list[Document]:
    """What comes out of a pipeline."""
    for stage in stages:
        [(operator, how)] = stage.items()
        match operator:
            case "$match":
                documents = [one for one in documents if matches(one, how)]
            case "$sort":
                documents = sorted_by(documents, list(how.items()))
            case "$limit":
                documents = documents[:how]
            case "$group":
                documents = _groups(documents, how)
            case _:
                raise NotImplementedError(operator)
    return documents


def _groups(documents: list[Document], how: Mapping[str, Any]) -> list[Document]:
    by = how["_id"].removeprefix("$")
    rest = {name: made["$first"] for name, made in how.items() if name != "_id"}
    groups = groupby(sorted_by(documents, [(by, 1)]), key=lambda one: one[by])
    return [{"_id": id, **_computed(rest, next(group))} for id, group in groups]


def _computed(made: Any, document: Document) -> Any:
    if isinstance(made, Mapping):
        found = {name: _computed(one, document) for name, one in made.items()}
        return {name: value for name, value in found.items() if value is not _MISSING}
    return _value(document, made.removeprefix("$"))
