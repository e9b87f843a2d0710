"""Copying fields of the same name between a request's body, an event and a state."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def copy_as(kind: type[T], source: object, /, **other: Any) -> T:
    """A `kind` with the values that `source` has under the same names; `other` overrides and completes them.

    Raises TypeError, naming them, for fields without a default that neither has, and for `other` fields that `kind`
    does not have: a field that was renamed on one side alone is found by the first test that passes here.
    """
    names = [field.name for field in fields(kind)]
    return kind(**{name: getattr(source, name) for name in names if hasattr(source, name)} | other)
