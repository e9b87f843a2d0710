"""The Decider: rules decide which events happen, and `evolve` says what each event makes of a state.

A rule is a function `rule(state, …, now) -> Decision`. It raises a refusal, or returns `evolve.decision(state, …)`.
Because nothing but `evolve` makes states, the events of an aggregate explain its state completely, and rebuild it.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any, Generic, TypeAlias, TypeVar

from shared.kernel.event import Event

S = TypeVar("S")

Decision: TypeAlias = tuple[S, list[Event]]
"""The state after a rule, and the events that led to it; without events nothing has happened."""


class Evolve(Generic[S]):
    """The table of one aggregate: what each event makes of its state.

    `creates` maps the events that an aggregate begins with to functions of the event; `changes` maps all others to
    functions of the state and the event. `derive` recomputes the fields that follow from the others, after each event.
    """

    def __init__(
        self,
        creates: Mapping[type[Any], Callable[[Any], S]],
        changes: Mapping[type[Any], Callable[[S, Any], S]],
        derive: Callable[[S], S] = lambda state: state,
    ) -> None:
        self._creates, self._changes, self._derive = creates, changes, derive

    @property
    def events(self) -> frozenset[type[Any]]:
        """Every type of event that the table knows."""
        return frozenset({*self._creates, *self._changes})

    def __call__(self, state: S | None, event: Event) -> S:
        """The state after an event; before the first one it is None.

        Raises TypeError for an event that does not belong to this aggregate, or cannot happen in its place.
        """
        kind: type[Any] = type(event)
        if state is None and kind in self._creates:
            return self._derive(self._creates[kind](event))
        if state is not None and kind in self._changes:
            return self._derive(self._changes[kind](state, event))
        place = "begins no aggregate" if state is None else f"does not happen to a {type(state).__name__}"
        raise TypeError(f"{kind.__name__} {place} of this kind")

    def decision(self, state: S | None, first: Event, *others: Event) -> Decision[S]:
        """The decision that these events happen to `state`, in this order; None where the first one creates it."""
        events = [first, *others]
        return reduce(self, others, self(state, first)), events

    def rebuild(self, events: Iterable[Event]) -> S:
        """The state that all events of an aggregate lead to, in the order of their versions; there is at least one."""
        first, *others = events
        return self.decision(None, first, *others)[0]
