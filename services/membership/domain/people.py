"""Who holds an office: a person's business details, kept apart from everything else and from every event."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """The business contact of whoever holds an office; events and municipalities refer to it by its id alone."""

    id: str
    name: str
    email: str | None = None
    phone: str | None = None
