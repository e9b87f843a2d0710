"""The base class of all events."""

from typing import ClassVar, Protocol


class Event(Protocol):
    """A published fact in the past tense; `type` is its name on the wire: publisher, fact, major version."""

    type: ClassVar[str]
