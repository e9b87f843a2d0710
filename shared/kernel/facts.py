"""Facts change states: a rule decides what has happened, and what that changes stands in one place.

An aggregate has a class method `begun(fact)`, its state after the first fact, and a method `after(fact)`. Its rules
return `told(self, fact, …)`. So the rows of an aggregate explain its state completely, and rebuild it.
"""

from collections.abc import Iterable
from functools import reduce
from typing import Any, Protocol, Self, TypeVar

from shared.kernel.event import Event


class Aggregate(Protocol):
    """What is changed as a whole, by facts alone; both methods raise TypeError for a fact that is none of its own."""

    @classmethod
    def begun(cls, fact: Any) -> Self:
        """The state that begins with this fact."""

    def after(self, fact: Any) -> Self:
        """The state after this fact."""


A = TypeVar("A", bound=Aggregate)


def told(state: A, *facts: Event) -> tuple[A, list[Event]]:
    """The state after these facts, and the facts: what a rule returns."""
    return reduce(lambda one, fact: one.after(fact), facts, state), list(facts)


def rebuilt(kind: type[A], facts: Iterable[Event]) -> A:
    """The state that all facts of an aggregate lead to, in the order of their versions; there is at least one."""
    first, *others = facts
    return told(kind.begun(first), *others)[0]
