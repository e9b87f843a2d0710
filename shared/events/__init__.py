"""The published events: one package per publisher, owned by it, imported by its subscribers.

An event is a frozen keyword-only dataclass: a fact in the past tense that is understood without asking back. It carries
no contact details. Each field has a docstring, which becomes its description in the schema. Adding an optional field is
compatible, and so is promising more about a field; anything else is a `.v2` beside the `.v1`.
"""

import importlib
import pkgutil
from functools import cache

from shared.kernel.event import Event


@cache
def all_events() -> tuple[type[Event], ...]:
    """Every published event of every publisher, found by walking the packages, sorted by type."""
    modules = [importlib.import_module(found.name) for found in pkgutil.walk_packages(__path__, f"{__name__}.")]
    kinds = {kind for module in modules for kind in vars(module).values() if isinstance(kind, type)}
    return tuple(
        sorted((kind for kind in kinds if "type" in vars(kind) and kind is not Event), key=lambda kind: kind.type)
    )
