"""Values: immutable objects, compared by their contents."""

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def value(kind: type[T]) -> type[T]:
    """Make a class a frozen, keyword-only dataclass with slots: the form of every state, event and part of one.

    Slots matter: of a dataclass without them, msgspec leaves out fields that were missing when it was read.
    """
    return dataclass(frozen=True, kw_only=True, slots=True)(kind)
