"""Business details of office holders, kept apart from everything else and from every event."""

from shared.kernel.value import value


@value
class Person:
    """The business contact of an office holder; events and municipalities refer to it by its id alone."""

    id: str
    name: str
    email: str | None = None
    phone: str | None = None
