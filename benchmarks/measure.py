"""How it is measured: real servers, variants in turn, medians over rounds, and the CPU time of every process.

A busy machine disturbs what runs at the same time, so floor, ours and rival take turns (A B C A B C …), and a ratio is
the median of the ratios of each round. CPU time per operation says most: it is what a machine has to give.
"""

import asyncio
import contextlib
import itertools
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from operations.embedded.servers import EmbeddedServers, NatsServer
from operations.running.keys import token_keys
from services.notifications.settings import NotificationsSettings
from shared.runtime.log import configure_logs

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of the table; floor and rival are in the unit of the value."""

    stage: str
    what: str
    value: float
    unit: str
    floor: float | None = None
    rival: float | None = None
    ratio: float | None = None
    """What the goal speaks of, such as ours by the floor."""
    goal: str = ""
    met: bool = True
    note: str = ""


@dataclass(slots=True)
class Sample:
    """One variant in one round."""

    count: int = 0
    """Operations."""
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    """Seconds of each operation, where each was timed."""
    cpu: dict[str, float] = field(default_factory=dict)
    """Seconds by process."""

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.count / self.seconds

    @property
    def median(self) -> float:
        """Milliseconds, half of the operations took less."""
        return statistics.median(self.latencies) * 1000

    @property
    def p99(self) -> float:
        """Milliseconds, one in a hundred took more."""
        return statistics.quantiles(self.latencies, n=100)[98] * 1000

    @property
    def cost(self) -> float:
        """Microseconds of CPU time per operation, over all processes."""
        return sum(self.cpu.values()) / self.count * 1e6


Variant = Callable[[], Awaitable[Sample]]
Figure = Callable[[Sample], float]


@dataclass(frozen=True, slots=True)
class Goal:
    """What ours should be to the floor or to the rival."""

    most: float | None = None
    least: float | None = None
    against: str = "floor"

    def __str__(self) -> str:
        bound = f"at most {self.most:g}" if self.most is not None else f"at least {self.least:g}"
        return f"{bound} × {self.against}"

    def met(self, ratio: float) -> bool:
        """Whether this ratio is good enough."""
        return (self.most is None or ratio <= self.most) and (self.least is None or ratio >= self.least)


@dataclass(frozen=True)
class Results:
    """The samples of all variants, by name; one per round."""

    samples: Mapping[str, Sequence[Sample]]

    def of(self, name: str, figure: Figure) -> float:
        """The median over the rounds."""
        return statistics.median(map(figure, self.samples[name]))

    def ratio(self, name: str, to: str, figure: Figure) -> float:
        """The median over the rounds of what the one is to the other."""
        pairs = zip(self.samples[name], self.samples[to], strict=True)
        return statistics.median(figure(one) / figure(other) for one, other in pairs)

    def cpu(self, name: str) -> str:
        """In words: microseconds of CPU time per operation, of each process that had a part in it."""
        parts = {
            process: statistics.median(one.cpu[process] / one.count * 1e6 for one in self.samples[name])
            for process in self.samples[name][0].cpu
        }
        return " + ".join(f"{process} {spent:.0f}" for process, spent in parts.items() if spent >= 1)

    def cpus(self) -> str:
        """The same for all variants."""
        return "CPU µs each: " + "; ".join(f"{name} {self.cpu(name)}" for name in self.samples)

    def row(self, stage: str, what: str, unit: str, figure: Figure, goal: Goal | None = None, *, note: str = "") -> Row:
        """The line about `ours`, with floor and rival where they were measured."""
        ratio = self.ratio("ours", goal.against if goal else "floor", figure)
        return Row(
            stage=stage,
            what=what,
            value=self.of("ours", figure),
            unit=unit,
            floor=self.of("floor", figure) if "floor" in self.samples else None,
            rival=self.of("rival", figure) if "rival" in self.samples else None,
            ratio=ratio,
            goal=str(goal or ""),
            met=goal is None or goal.met(ratio),
            note=note,
        )


@dataclass(frozen=True)
class Bench:
    """The servers that everything is measured on, and how much of it."""

    servers: EmbeddedServers
    """MongoDB, NATS as it comes (it tells the disk every two minutes), and a mail sink."""
    always: NatsServer
    """Another NATS, which waits for the disk before it acknowledges (`sync_interval: always`)."""
    quick: bool = False
    full: bool = False
    """As large as the goal says, however long that takes."""

    @property
    def rounds(self) -> int:
        """How often variants take turns; one more round comes first and is not counted."""
        return 2 if self.quick else 4

    def scaled(self, count: int) -> int:
        """As many as that, or a fifth where it has to be quick."""
        return max(1, count // 5) if self.quick else count

    def say(self, text: str) -> None:
        """Tell on standard error what is being done."""
        print(f"  {text}", file=sys.stderr, flush=True)

    def settings(self, *, always: bool = False) -> NotificationsSettings:
        """The settings of a service, of ours or of the rival, on these servers."""
        _, public_key = token_keys(self.servers.folder)
        return NotificationsSettings(
            mongo_uri=self.servers.mongo_uri,
            nats_url=self.always.url if always else self.servers.nats_url,
            token_public_key=public_key,
            smtp_port=self.servers.smtp_port,
            smtp_security="none",
        )

    @contextmanager
    def measured(self, **others: int) -> Iterator[Sample]:
        """A sample that gets its seconds and CPU times at the end of `with`; `others` are more processes, by id."""
        pids = {"mongod": self.servers.mongod.pid, "nats": self.servers.nats.pid, "nats always": self.always.pid}
        pids |= others
        sample = Sample()
        before, own, began = {name: cpu_seconds(pid) for name, pid in pids.items()}, time.process_time(), 0.0
        began = time.perf_counter()
        yield sample
        sample.seconds = sample.seconds or time.perf_counter() - began
        sample.cpu["python"] = time.process_time() - own
        sample.cpu |= {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}

    async def repeated(self, work: Callable[[], Awaitable[object]], count: int, *, at_once: int = 1) -> Sample:
        """Do it so many times, so many at once, each as soon as one before it is done; each is timed."""
        turns = itertools.repeat(None, count)
        with self.measured() as sample:

            async def worker() -> None:
                for _ in turns:
                    began = time.perf_counter()
                    await work()
                    sample.latencies.append(time.perf_counter() - began)

            await asyncio.gather(*(worker() for _ in range(at_once)))
            sample.count = count
        return sample

    async def interleaved(self, **variants: Variant) -> Results:
        """All variants in turn, round after round, the first round not counted."""
        samples: dict[str, list[Sample]] = {name: [] for name in variants}
        for number in range(1 + self.rounds):
            for name, variant in variants.items():
                sample = await variant()
                if number:
                    samples[name].append(sample)
        return Results(samples)


@asynccontextmanager
async def opened(folder: Path, *, quick: bool, full: bool) -> AsyncIterator[Bench]:
    """Servers on an empty folder, until the end of `with`."""
    always = NatsServer(folder / "always", sync_always=True)
    with EmbeddedServers(folder) as servers, (folder / "services.log").open("ab", buffering=0) as logs:
        configure_logs("benchmarks", stream=logs)
        always.start()
        try:
            yield Bench(servers, always, quick=quick, full=full)
        finally:
            always.destroy()


async def until(look: Callable[[], Awaitable[object]], *, within: float = 120.0, every: float = 0.01) -> None:
    """Look again and again until there is something; raises TimeoutError."""
    async with asyncio.timeout(within):
        while not await look():  # noqa: ASYNC110 -- servers are asked
            await asyncio.sleep(every)


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has had so far, in hundredths of a second; 0 where there is no /proc."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0.0
