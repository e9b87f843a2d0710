"""A fault: what breaks, how it heals, and in what kind of world."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.chaos.office import Offices
from tests.chaos.servers import NotHere
from tests.chaos.world import Shape, World

Run = Callable[[World, Offices], Awaitable[None]]


PLAIN = Shape()


@dataclass(frozen=True)
class Fault:
    """A fault injected while offices are at work; it is healed when `run` returns."""

    name: str
    """Group and name, such as `nats.killed`."""
    title: str
    """What happens, for the results table."""
    run: Run
    shape: Shape = PLAIN
    quiet_within: float = 30.0
    """Seconds after healing within which nothing may move any more."""
    short: bool = False
    """True if it is part of the short run."""
    sabotage: bool = False
    """True if the build is broken on purpose, so that the referee must object."""
    seconds: float = 10.0
    """Approximate duration; the longest faults start first."""


__all__ = ["FAULTS", "Fault", "NotHere", "add", "fault"]

FAULTS: dict[str, Fault] = {}


def fault(
    name: str,
    title: str,
    shape: Shape = PLAIN,
    *,
    quiet_within: float = 30.0,
    short: bool = False,
    seconds: float = 10.0,
) -> Callable[[Run], Run]:
    """Register a function as a fault."""

    def enter(run: Run) -> Run:
        add(Fault(name, title, run, shape, quiet_within, short, seconds=seconds))
        return run

    return enter


def add(one: Fault) -> None:
    """Register a fault."""
    assert one.name not in FAULTS, one.name
    FAULTS[one.name] = one
