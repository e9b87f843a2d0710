"""Runs faults sequentially in several parallel worlds, and judges each."""

import asyncio
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from tests.chaos.evidence import read
from tests.chaos.fault import Fault, NotHere
from tests.chaos.journal import Outcome
from tests.chaos.office import Offices
from tests.chaos.quiet import quiet
from tests.chaos.referee import Verdict, judge
from tests.chaos.world import World, make_template

TOWNS_NEEDED = 60
"""A world with fewer municipalities left is replaced by a new one."""
MEDIUM = 18.0
"""Faults longer than this slow the offices down, or they would run out of municipalities."""
LONG = 60.0
"""Faults longer than this start before all others."""


@dataclass
class Result:
    """The result of one fault."""

    name: str
    seed: int
    accepted: int = 0
    unknown: int = 0
    """Requests that never got an answer, and may or may not have happened."""
    events: int = 0
    emails: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    quiet: float | None = None
    """Seconds from healing until nothing moved any more."""
    seconds: float = 0.0
    error: str = ""
    not_run: str = ""
    emails_twice_allowed: int = 0
    """Emails of this fault sent twice because they were cut after the final dot."""
    notes: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """True if everything is as promised."""
        return not self.error and self.verdict.holds

    def plain(self) -> dict[str, Any]:
        """Return the result as plain data, for a file."""
        return asdict(self) | {"holds": self.holds}


class Lane:
    """Runs faults sequentially, in the same world as long as it is fit for the next."""

    def __init__(self, folder: Path, template: Path | None) -> None:
        self._folder, self._template = folder, template
        self._world: World | None = None
        self._offices: Offices | None = None
        self._number = self._twice = 0

    async def run(self, fault: Fault, seed: int) -> Result:
        """Break, heal, wait, and judge."""
        began, result = time.monotonic(), Result(fault.name, seed)
        try:
            world, offices = await self._fit_world(fault, seed)
            before = self._counts(world)
            await self._play(fault, world, offices, result)
            after = self._counts(world)
            result.accepted, result.unknown = after[0] - before[0], after[1] - before[1]
        except NotHere as error:
            result.not_run = str(error)
        except BaseExceptionGroup as group:
            result.error = "; ".join(repr(error) for error in group.exceptions)
        except Exception as error:  # noqa: BLE001 -- whatever it was, it appears in the table
            result.error = f"{type(error).__name__}: {error}"
        shape = fault.shape
        if not result.holds or fault.sabotage or shape.nats_megabytes or shape.mongo_megabytes:
            await self.close(keep=not fault.sabotage and not result.not_run)
        result.seconds = time.monotonic() - began
        return result

    async def _play(self, fault: Fault, world: World, offices: Offices, result: Result) -> None:
        world.healed_at, world.notes = 0.0, []
        offices.pause = 0.1 if fault.seconds <= MEDIUM else 0.5
        async with asyncio.timeout(max(180.0, 3 * fault.seconds)):
            await fault.run(world, offices)
        if not world.healed_at:
            world.healed()
        late = None
        try:
            await quiet(world, fault.quiet_within + 30)
        except TimeoutError as error:
            late = error
        result.quiet = time.monotonic() - world.healed_at
        evidence = await read(world)
        result.verdict, result.notes = judge(evidence, world.journal, world.allowance), world.notes
        result.emails_twice_allowed = result.verdict.emails_twice_allowed - self._twice
        self._twice = result.verdict.emails_twice_allowed
        result.events, result.emails = len(evidence.rows("membership")), len(evidence.letters)
        if late or result.quiet > fault.quiet_within:
            result.error = str(late or f"quiet only after {result.quiet:.0f} s, not {fault.quiet_within:.0f}")

    async def _fit_world(self, fault: Fault, seed: int) -> tuple[World, Offices]:
        world, offices = self._world, self._offices
        if world and offices and world.shape == fault.shape and offices.towns_left >= TOWNS_NEEDED:
            offices.random.seed(seed)
            return world, offices
        await self.close()
        self._number += 1
        self._world = World(self._folder / str(self._number), fault.shape)
        await self._world.open(self._template)
        self._offices = Offices(self._world, seed)
        return self._world, self._offices

    def _counts(self, world: World) -> tuple[int, int]:
        return world.journal.count(Outcome.OK), world.journal.count(Outcome.UNKNOWN)

    async def close(self, *, keep: bool = False) -> None:
        """Discard the world; keep its files if there is something to investigate."""
        if self._offices:
            await self._offices.close()
        if self._world:
            await self._world.close(keep=keep)
        self._world, self._offices, self._twice = None, None, 0


_lane: Lane | None = None
_runner: asyncio.Runner | None = None


def _in_lane(folder: Path, name: str, seed: int) -> Result:
    """Run one fault in the lane of this pool process."""
    from tests.chaos.faults import FAULTS  # noqa: PLC0415 -- importing them takes half a second

    global _lane, _runner
    if _lane is None or _runner is None:
        _lane, _runner = Lane(folder / f"lane-{os.getpid()}", folder / "template"), asyncio.Runner()
        # A pool process ends without cleanup, except for this.
        Finalize(None, lambda: _runner.run(_lane.close()), exitpriority=1)
    return _runner.run(_lane.run(FAULTS[name], seed))


def run_all(faults: Sequence[Fault], seed: int, folder: Path, lanes: int) -> Iterator[Result]:
    """Run faults in so many lanes, longest first, grouped by shape; yield the results."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    asyncio.run(make_template(folder / "template"))
    order = sorted(faults, key=lambda one: (-one.seconds if one.seconds > LONG else 0, str(one.shape)))
    with ProcessPoolExecutor(lanes, get_context("spawn")) as pool:
        waiting = [pool.submit(_in_lane, folder, one.name, seed) for one in order]
        for done in as_completed(waiting):
            yield done.result()
    shutil.rmtree(folder / "template", ignore_errors=True)
