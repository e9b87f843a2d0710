"""The method: real servers, variants in turn, medians over rounds, and the CPU time of every process.

A busy machine disturbs whatever is running, so floor, ours and rival take turns (A B C A B C …), and a ratio is the
median of each round's ratios. CPU time per operation is the most telling figure: it is what the machine has to spend.
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
    """One line of the table; floor and rival have the same unit as the value."""

    stage: str
    what: str
    value: float
    unit: str
    floor: float | None = None
    rival: float | None = None
    ratio: float | None = None
    """The figure that the goal refers to, such as ours divided by the floor."""
    goal: str = ""
    met: bool = True
    note: str = ""


@dataclass(slots=True)
class Sample:
    """The measurements of one variant in one round."""

    count: int = 0
    """Number of operations."""
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    """Seconds per operation, if each was timed."""
    cpu: dict[str, float] = field(default_factory=dict)
    """CPU seconds by process."""

    @property
    def rate(self) -> float:
        """Operations per second."""
        return self.count / self.seconds

    @property
    def median(self) -> float:
        """Median latency in milliseconds."""
        return statistics.median(self.latencies) * 1000

    @property
    def p99(self) -> float:
        """99th percentile of the latency in milliseconds."""
        return statistics.quantiles(self.latencies, n=100)[98] * 1000

    @property
    def cost(self) -> float:
        """Microseconds of CPU time per operation, over all processes."""
        return sum(self.cpu.values()) / self.count * 1e6


Variant = Callable[[], Awaitable[Sample]]
Figure = Callable[[Sample], float]


@dataclass(frozen=True, slots=True)
class Goal:
    """The required ratio of ours to the floor or to the rival."""

    most: float | None = None
    least: float | None = None
    against: str = "floor"

    def __str__(self) -> str:
        bound = f"at most {self.most:g}" if self.most is not None else f"at least {self.least:g}"
        return f"{bound} × {self.against}"

    def met(self, ratio: float) -> bool:
        """True if this ratio meets the goal."""
        return (self.most is None or ratio <= self.most) and (self.least is None or ratio >= self.least)


@dataclass(frozen=True)
class Results:
    """The samples of each variant, by name; one per round."""

    samples: Mapping[str, Sequence[Sample]]

    def of(self, name: str, figure: Figure) -> float:
        """Return the median over the rounds."""
        return statistics.median(map(figure, self.samples[name]))

    def ratio(self, name: str, to: str, figure: Figure) -> float:
        """Return the median over the rounds of the ratio of two variants."""
        pairs = zip(self.samples[name], self.samples[to], strict=True)
        return statistics.median(figure(one) / figure(other) for one, other in pairs)

    def cpu(self, name: str) -> str:
        """Describe the CPU time per operation, in microseconds, of each process involved."""
        parts = {
            process: statistics.median(one.cpu[process] / one.count * 1e6 for one in self.samples[name])
            for process in self.samples[name][0].cpu
        }
        return " + ".join(f"{process} {spent:.0f}" for process, spent in parts.items() if spent >= 1)

    def cpus(self) -> str:
        """Describe the CPU times of all variants."""
        return "CPU µs each: " + "; ".join(f"{name} {self.cpu(name)}" for name in self.samples)

    def row(self, stage: str, what: str, unit: str, figure: Figure, goal: Goal | None = None, *, note: str = "") -> Row:
        """Return the row for `ours`, with floor and rival if they were measured."""
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
    """The servers under test, and the amount of work."""

    servers: EmbeddedServers
    """MongoDB, NATS with its defaults (it syncs every two minutes), and a mail sink."""
    always: NatsServer
    """A second NATS, which syncs before it acknowledges (`sync_interval: always`)."""
    quick: bool = False
    full: bool = False
    """Measure at the sizes in the goals, however long that takes."""

    @property
    def rounds(self) -> int:
        """The number of rounds; one uncounted warm-up round comes first."""
        return 2 if self.quick else 4

    def scaled(self, count: int) -> int:
        """Return the count, or a fifth of it for a quick run."""
        return max(1, count // 5) if self.quick else count

    def say(self, text: str) -> None:
        """Report progress on standard error."""
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
        """Yield a sample, and fill in its seconds and CPU times at the end; `others` are more process ids, by name."""
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
        """Do the work so many times, so many at once; time each."""
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
        """Run all variants in turn, round after round; the first round is not counted."""
        samples: dict[str, list[Sample]] = {name: [] for name in variants}
        for number in range(1 + self.rounds):
            for name, variant in variants.items():
                sample = await variant()
                if number:
                    samples[name].append(sample)
        return Results(samples)


@asynccontextmanager
async def opened(folder: Path, *, quick: bool, full: bool) -> AsyncIterator[Bench]:
    """Run the servers on an empty folder for the duration of `with`."""
    always = NatsServer(folder / "always", sync_always=True)
    with EmbeddedServers(folder) as servers, (folder / "services.log").open("ab", buffering=0) as logs:
        configure_logs("benchmarks", stream=logs)
        always.start()
        try:
            yield Bench(servers, always, quick=quick, full=full)
        finally:
            always.destroy()


async def until(look: Callable[[], Awaitable[object]], *, within: float = 120.0, every: float = 0.01) -> None:
    """Poll until the result is true; raises TimeoutError."""
    async with asyncio.timeout(within):
        while not await look():  # noqa: ASYNC110 -- it polls servers
            await asyncio.sleep(every)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far, to a hundredth of a second; 0 without /proc."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0.0
