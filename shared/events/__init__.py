"""The published facts: one module per publisher, owned by it, imported by whoever subscribes.

An event is a frozen keyword-only dataclass: a fact in the past tense that needs no second look. It carries no contact
details. Adding an optional field is compatible; anything else is a `.v2` beside the `.v1`.
"""

import importlib
import pkgutil
from typing import ClassVar, Protocol


class Event(Protocol):
    """A published fact; `type` is its name on the wire: publisher, fact, major version."""

    type: ClassVar[str]


def all_events() -> list[type[Event]]:
    """Every published fact of every publisher, in the order of their types."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    kinds = [kind for module in modules for kind in vars(module).values() if isinstance(kind, type)]
    return sorted((kind for kind in kinds if "type" in vars(kind) and kind is not Event), key=lambda kind: kind.type)
