"""A fault: what is broken, how it is healed, and on what kind of world."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.chaos.office import Offices
from tests.chaos.servers import NotHere
from tests.chaos.world import Shape, World

Run = Callable[[World, Offices], Awaitable[None]]


PLAIN = Shape()


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong while offices are at work; when `run` returns, it is healed."""

    name: str
    """Group and fault, such as `nats.killed`."""
    title: str
    """What happens, for the table."""
    run: Run
    shape: Shape = PLAIN
    quiet_within: float = 30.0
    """Seconds after healing in which everything has to have arrived."""
    short: bool = False
    """Whether it is in the short run."""
    sabotage: bool = False
    """Whether the build is broken on purpose, so that the referee has to object."""
    seconds: float = 10.0
    """About how long it takes: the longest are begun first."""


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
    """Enter a function into the list of faults."""

    def enter(run: Run) -> Run:
        add(Fault(name, title, run, shape, quiet_within, short, seconds=seconds))
        return run

    return enter


def add(one: Fault) -> None:
    """Enter a fault into the list."""
    assert one.name not in FAULTS, one.name
    FAULTS[one.name] = one
