"""The form of an email table, which maps events to emails."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from services.notifications.domain.emails import Email
from services.notifications.domain.members import Member
from shared.kernel.event import Event

Members: TypeAlias = Sequence[Member]

Table: TypeAlias = Mapping[type[Event], tuple[Callable[[Any, Members], list[Email]], ...]]
"""The functions from an event, and the members of its district, to the emails about it."""
