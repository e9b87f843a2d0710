"""From the POST to the email that the mail server has accepted: idle, and under full load.

The services run as separate processes, the mail server in this one. The rival does the same in one process; it is
paused while ours is measured, because it polls.
"""

import asyncio
import base64
import os
import re
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn

from benchmarks.measure import Bench, Results, Row, Sample
from benchmarks.rival.app import create
from benchmarks.sink import Sink
from benchmarks.stages.http import Connection, Program, System, closed_loop, request
from operations.embedded.child import HOST
from services.notifications.settings import NotificationsSettings
from shared.runtime.log import configure_logs
from shared.runtime.settings import read_settings

NAME = "whole"
IDLE = 40
PAUSE_SECONDS = 0.02
LOADED, LOADED_RIVAL = 2000, 200
CONNECTIONS = 64
WITHIN_SECONDS = 60.0
IDLE_GOAL, LOADED_GOAL, CPU_GOAL = 2.5, 10.0, 1000.0

_PLAIN = re.compile(rb"base64\r\n\r\n(.*?)\r\n--", re.DOTALL)
_NOTE = re.compile(rb"\bm(\d+)\b")


@dataclass
class Mailbox:
    """The arriving emails, each with its time."""

    arrived: list[tuple[float, bytes]] = field(default_factory=list)
    _wanted: int = 0
    _enough: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, content: bytes) -> None:
        """Record one email."""
        self.arrived.append((time.perf_counter(), content))
        if len(self.arrived) >= self._wanted:
            self._enough.set()

    async def until(self, count: int) -> float:
        """Wait for so many emails; return the time of the last one. Raises TimeoutError."""
        self._wanted = count
        self._enough.clear()
        if len(self.arrived) < count:
            async with asyncio.timeout(WITHIN_SECONDS):
                await self._enough.wait()
        return self.arrived[-1][0]

    def by_number(self) -> dict[int, float]:
        """Return the arrival time of the email about each numbered note."""
        found = {}
        for at, content in self.arrived:
            plain = _PLAIN.search(content)
            number = _NOTE.search(base64.b64decode(plain[1])) if plain else None
            if number:
                found[int(number[1])] = at
        return found


@asynccontextmanager
async def receiving(mailbox: Mailbox) -> AsyncIterator[int]:
    """Run a mail server in this process; yields its port."""
    server = await asyncio.get_running_loop().create_server(lambda: Sink(mailbox.take), HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


class Side:
    """Ours or the rival: where to send requests."""

    def __init__(self, bench: Bench, mailbox: Mailbox, port: int, requests: Iterator[bytes]) -> None:
        self.bench, self.mailbox, self.port, self.requests = bench, mailbox, port, requests

    async def idle(self, count: int) -> tuple[Sample, Sample]:
        """Send requests one by one; time each answer and each email, both from the request on."""
        answers, emails = Sample(count=count), Sample(count=count)
        connection = await Connection.open(self.port)
        for _ in range(count):
            self.mailbox.arrived.clear()
            sent = time.perf_counter()
            await connection.send(next(self.requests))
            answers.latencies.append(time.perf_counter() - sent)
            emails.latencies.append(await self.mailbox.until(1) - sent)
            await asyncio.sleep(PAUSE_SECONDS)
        connection.close()
        return answers, emails

    async def loaded(self, count: int, pids: dict[str, int]) -> Sample:
        """Send as much as the connections allow, until the last email has arrived."""
        self.mailbox.arrived.clear()
        with self.bench.measured(**pids) as sample:
            began = time.perf_counter()
            await closed_loop(sample, self.port, self.requests, count, connections=CONNECTIONS)
            sample.seconds = await self.mailbox.until(count) - began
        del sample.cpu["python"]  # This process is the load generator and the mail server.
        return sample


async def run(bench: Bench) -> list[Row]:
    """Measure both, idle and under load."""
    mailbox = Mailbox()
    async with receiving(mailbox) as port:
        system = System(bench, port)
        rival = Program("rival", system.folder, ["benchmarks.stages.whole"], system.environ)
        async with system.running(system.membership, system.notifications, rival):
            await system.quiet()
            ours = Side(bench, mailbox, system.membership.port, system.interests())
            theirs = Side(bench, mailbox, rival.port, _fillings(system))
            rival.pause()
            idle = await _idle(bench, system, rival, ours, theirs)
            loaded = await _loaded(bench, system, rival, ours, theirs)
    return [*_idle_rows(idle), *_loaded_rows(loaded)]


def _fillings(system: System) -> Iterator[bytes]:
    while True:
        for ags in system.ags:
            yield request(f"/jars/{ags}/fillings", system.token, {"amount": 1})


async def _idle(bench: Bench, system: System, rival: Program, ours: Side, theirs: Side) -> Results:
    samples: dict[str, list[Sample]] = {"post": [], "email": [], "rival post": [], "rival email": []}
    count = bench.scaled(IDLE)
    for _ in range(bench.rounds):
        await system.shorten()
        answers, emails = await ours.idle(count)
        rival.resume()
        await asyncio.sleep(0.5)
        their_answers, their_emails = await theirs.idle(count)
        rival.pause()
        for name, one in zip(samples, (answers, emails, their_answers, their_emails), strict=True):
            samples[name].append(one)
    return Results(samples)


async def _loaded(bench: Bench, system: System, rival: Program, ours: Side, theirs: Side) -> Results:
    async def measure_ours() -> Sample:
        await system.shorten()
        sample = await ours.loaded(LOADED, system.pids)
        await system.quiet()
        return sample

    async def measure_theirs() -> Sample:
        rival.resume()
        sample = await theirs.loaded(bench.scaled(LOADED_RIVAL), {"rival": rival.pid})
        rival.pause()
        return sample

    return await bench.interleaved(ours=measure_ours, rival=measure_theirs)


def _idle_rows(found: Results) -> list[Row]:
    ratio = found.ratio("email", "post", lambda one: one.median)
    p99 = statistics.quantiles([each for one in found.samples["email"] for each in one.latencies], n=100)[98] * 1000
    their_post = found.of("rival post", lambda one: one.median)
    idle = Row(
        stage=NAME,
        what="POST to email taken, idle",
        value=found.of("email", lambda one: one.median),
        unit="ms",
        floor=found.of("post", lambda one: one.median),
        rival=found.of("rival email", lambda one: one.median),
        ratio=ratio,
        goal=f"≤ {IDLE_GOAL} × the POST",
        met=ratio <= IDLE_GOAL,
        note=f"floor is the POST; p99 {p99:.0f} ms; the rival's POST {their_post:.1f} ms",
    )
    return [idle]


def _loaded_rows(found: Results) -> list[Row]:
    p50, p99 = found.of("ours", lambda one: one.median), found.of("ours", lambda one: one.p99)
    ratio = found.ratio("ours", "rival", lambda one: one.rate)
    loaded = Row(
        stage=NAME,
        what=f"POST to email taken, {CONNECTIONS} connections",
        value=found.of("ours", lambda one: one.rate),
        unit="/s",
        rival=found.of("rival", lambda one: one.rate),
        ratio=ratio,
        goal=f"≥ {LOADED_GOAL:.0f} × rival",
        met=ratio >= LOADED_GOAL,
        note=f"the POST p50 {p50:.0f} ms, p99 {p99:.0f} ms",
    )
    return [loaded, _cpu_row(found)]


def _cpu_row(found: Results) -> Row:
    cost = found.of("ours", lambda one: one.cost)
    return Row(
        stage=NAME,
        what="CPU time per message, all processes but the load and the mail server",
        value=cost,
        unit="µs",
        rival=found.of("rival", lambda one: one.cost),
        ratio=found.ratio("rival", "ours", lambda one: one.cost),
        goal=f"≤ {CPU_GOAL:.0f} µs",
        met=cost <= CPU_GOAL,
        note=found.cpus(),
    )


def _serve_rival(port: int) -> None:
    configure_logs("rival")
    app = create(read_settings(NotificationsSettings, os.environ))
    uvicorn.run(app, host=HOST, port=port, access_log=False, log_config=None, server_header=False)


if __name__ == "__main__":
    _serve_rival(int(sys.argv[-1]))
